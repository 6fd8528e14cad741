import { expect, it } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../api/index.ts";
import {
  boundClaim,
  boundStatus,
  type ClaimPlan,
  planClaim,
  planVolume,
  type VolumePlan,
  type VolumeView,
} from "./plan.ts";

type Change = { readonly metadata?: object; readonly spec?: object; readonly status?: object };

const claim = ({ metadata, spec, status }: Change = {}): PersistentVolumeClaim =>
  ({
    metadata: { name: "data", namespace: "default", uid: "c1", ...metadata },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      volumeMode: "Filesystem",
      storageClassName: "",
      ...spec,
    },
    status: { phase: "Pending", ...status },
  }) as unknown as PersistentVolumeClaim;

const volume = (name: string, { metadata, spec, status }: Change = {}): PersistentVolume =>
  ({
    metadata: { name, uid: name, ...metadata },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      volumeMode: "Filesystem",
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path: "/data", type: "" },
      ...spec,
    },
    status: { phase: "Available", ...status },
  }) as unknown as PersistentVolume;

const storageClass = (name: string, volumeBindingMode: string, provisioner = "example.com/p"): StorageClass =>
  ({ metadata: { name }, volumeBindingMode, provisioner }) as unknown as StorageClass;

interface World {
  readonly volumes?: readonly PersistentVolume[];
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly classes?: readonly StorageClass[];
  readonly defaultClass?: StorageClass;
  readonly pods?: readonly string[];
}

const view = ({ volumes = [], claims = [], classes = [], defaultClass, pods = [] }: World): VolumeView => ({
  volumes,
  volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
  claim: (_namespace, name) => claims.find(({ metadata }) => metadata.name === name),
  storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
  defaultClass,
  waitingPods: () => pods.map((name) => ({ metadata: { name } }) as unknown as Pod),
});

const told = (plan: ClaimPlan): string => {
  if (plan.kind === "bind") return `bind ${plan.volume.metadata.name}`;
  if (plan.kind === "assignClass") return `assignClass ${plan.storageClassName}`;
  return "note" in plan && plan.note !== undefined
    ? `${plan.kind} ${plan.note.reason}: ${plan.note.message}`
    : plan.kind;
};

const late = storageClass("late", "WaitForFirstConsumer");
const now = storageClass("now", "Immediate");
const reserved = { claimRef: { namespace: "default", name: "data" } };
const wasBound = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };
const noVolume = "wait FailedBinding: no persistent volumes available for this claim and no storage class is set";
const first = "wait WaitForFirstConsumer: waiting for first consumer to be created before binding";

it.each<[string, PersistentVolumeClaim, World, string]>([
  [
    "takes the smallest that fits",
    claim(),
    {
      volumes: [
        volume("big", { spec: { capacity: { storage: "9Gi" } } }),
        volume("fit"),
        volume("small", { spec: { capacity: { storage: "1Mi" } } }),
      ],
    },
    "bind fit",
  ],
  [
    "takes what has fewer access modes before what is smaller",
    claim({ spec: { resources: { requests: { storage: "1Mi" } } } }),
    {
      volumes: [
        volume("many", { spec: { accessModes: ["ReadWriteOnce", "ReadWriteMany"] } }),
        volume("one", { spec: { capacity: { storage: "9Gi" } } }),
      ],
    },
    "bind one",
  ],
  [
    "takes what is reserved for it before what fits better",
    claim(),
    { volumes: [volume("fit"), volume("mine", { spec: { ...reserved, capacity: { storage: "9Gi" } } })] },
    "bind mine",
  ],
  [
    "does not take what is another's",
    claim(),
    { volumes: [volume("other", { spec: { claimRef: { namespace: "default", name: "x" } } })] },
    noVolume,
  ],
  [
    "does not take what lacks an access mode",
    claim({ spec: { accessModes: ["ReadWriteMany"] } }),
    { volumes: [volume("a")] },
    noVolume,
  ],
  [
    "does not take what is of a class",
    claim(),
    { volumes: [volume("a", { spec: { storageClassName: "x" } })] },
    noVolume,
  ],
  ["does not take what was released", claim(), { volumes: [volume("a", { status: { phase: "Released" } })] }, noVolume],
  [
    "does not take what is going away",
    claim(),
    { volumes: [volume("a", { metadata: { deletionTimestamp: "t" } })] },
    noVolume,
  ],
  [
    "follows its selector",
    claim({ spec: { selector: { matchLabels: { disk: "ssd" } } } }),
    { volumes: [volume("a"), volume("b", { metadata: { labels: { disk: "ssd" } } })] },
    "bind b",
  ],
  [
    "gets the class that has become the default",
    claim({ spec: { storageClassName: undefined } }),
    { defaultClass: now },
    "assignClass now",
  ],
  ["waits for the volume that it names", claim({ spec: { volumeName: "v" } }), {}, "wait"],
  ["takes the volume that it names", claim({ spec: { volumeName: "v" } }), { volumes: [volume("v")] }, "bind v"],
  [
    "says what is wrong with the volume that it names",
    claim({ spec: { volumeName: "v", resources: { requests: { storage: "2Gi" } } } }),
    { volumes: [volume("v")] },
    'wait VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small',
  ],
  [
    "says that the volume that it names is another's",
    claim({ spec: { volumeName: "v" } }),
    { volumes: [volume("v", { spec: { claimRef: { namespace: "default", name: "x", uid: "u" } } })] },
    'wait FailedBinding: volume "v" already bound to a different claim.',
  ],
  [
    "waits for its first consumer",
    claim({ spec: { storageClassName: "late" } }),
    { classes: [late], volumes: [volume("a", { spec: { storageClassName: "late" } })] },
    first,
  ],
  [
    "waits for the Pods that wait",
    claim({ spec: { storageClassName: "late" } }),
    { classes: [late], pods: ["web", "db"] },
    "wait WaitForPodScheduled: waiting for pod web,db to be scheduled",
  ],
  [
    "has no class of that name",
    claim({ spec: { storageClassName: "x" } }),
    {},
    'wait ProvisioningFailed: storageclass.storage.k8s.io "x" not found',
  ],
  [
    "waits for people where nobody provisions",
    claim({ spec: { storageClassName: "now" } }),
    { classes: [storageClass("now", "Immediate", "kubernetes.io/no-provisioner")] },
    "wait ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner",
  ],
  [
    "asks for a volume",
    claim({ spec: { storageClassName: "now" } }),
    { classes: [now] },
    "provision ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com/p' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
  ],
  [
    "asks for a volume once it has a node",
    claim({
      metadata: { annotations: { "volume.kubernetes.io/selected-node": "n" } },
      spec: { storageClassName: "late" },
    }),
    { classes: [late] },
    "provision ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com/p' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
  ],
  [
    "has lost its volume's name",
    claim({ metadata: wasBound }),
    {},
    "lose ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
  ],
  [
    "has lost its volume",
    claim({ metadata: wasBound, spec: { volumeName: "v" } }),
    {},
    "lose ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!",
  ],
  [
    "is one of two with one volume",
    claim({ metadata: wasBound, spec: { volumeName: "v" } }),
    { volumes: [volume("v", { spec: { claimRef: { namespace: "default", name: "x", uid: "u" } } })] },
    "lose ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly",
  ],
  ["is lost once", claim({ metadata: wasBound, status: { phase: "Lost" } }), {}, "nothing"],
])("a claim: %s", (_rule, subject, world, want) => {
  expect(told(planClaim(subject, view(world)))).toBe(want);
});

const shown = (plan: VolumePlan): string =>
  plan.kind === "phase" ? plan.phase : plan.kind === "fail" ? plan.note.message : plan.kind;
const ref = { namespace: "default", name: "data", uid: "c1" };
const provisioned = { annotations: { "pv.kubernetes.io/provisioned-by": "example.com/p" } };
const released = { phase: "Released" };

it.each<[string, PersistentVolume, readonly PersistentVolumeClaim[], string]>([
  ["nobody's", volume("v"), [], "Available"],
  ["reserved for a claim that is not there yet", volume("v", { spec: reserved }), [], "Available"],
  ["reserved for a claim that is there", volume("v", { spec: reserved }), [claim()], "wakeClaim"],
  ["its claim has it", volume("v", { spec: { claimRef: ref } }), [claim({ spec: { volumeName: "v" } })], "Bound"],
  ["its claim does not say so yet", volume("v", { spec: { claimRef: ref } }), [claim()], "wakeClaim"],
  ["its claim is gone", volume("v", { spec: { claimRef: ref }, status: { phase: "Bound" } }), [], "Released"],
  [
    "another claim has the name",
    volume("v", { spec: { claimRef: ref }, status: { phase: "Bound" } }),
    [claim({ metadata: { uid: "c2" } })],
    "Released",
  ],
  ["released and retained", volume("v", { spec: { claimRef: ref }, status: released }), [], "nothing"],
  [
    "released, for its provisioner to delete",
    volume("v", {
      metadata: provisioned,
      spec: { claimRef: ref, persistentVolumeReclaimPolicy: "Delete" },
      status: released,
    }),
    [],
    "nothing",
  ],
  [
    "released, and nobody can delete it",
    volume("v", { spec: { claimRef: ref, persistentVolumeReclaimPolicy: "Delete" }, status: released }),
    [],
    "host_path deleter: lifepod deletes only what it has provisioned; remove the files yourself",
  ],
  [
    "its claim took another",
    volume("v", { spec: { claimRef: ref } }),
    [claim({ spec: { volumeName: "w" } })],
    "unbind",
  ],
  [
    "provisioned, and its claim took another",
    volume("v", { metadata: provisioned, spec: { claimRef: ref, persistentVolumeReclaimPolicy: "Delete" } }),
    [claim({ spec: { volumeName: "w" } })],
    "Released",
  ],
])("a volume: %s", (_rule, subject, claims, want) => {
  expect(shown(planVolume(subject, view({ claims, volumes: [subject] })))).toBe(want);
});

it("a claim that the controller chose a volume for says so; one whose volume a person named does not", () => {
  const chosen = boundClaim(claim(), volume("v"));
  expect(chosen.metadata.annotations).toEqual({
    ...wasBound.annotations,
    "pv.kubernetes.io/bound-by-controller": "yes",
  });
  expect(chosen.spec.volumeName).toBe("v");
  expect(boundClaim(chosen, volume("v"))).toBe(chosen);
  expect(boundClaim(claim({ spec: { volumeName: "v" } }), volume("v")).metadata.annotations).toEqual(
    wasBound.annotations,
  );
});

it("a bound claim shows the volume's size, and keeps the one it has until somebody resizes it", () => {
  const wide = volume("v", { spec: { capacity: { storage: "9Gi" } } });
  expect(boundStatus(claim(), wide)).toMatchObject({ phase: "Bound", capacity: { storage: "9Gi" } });
  const before = claim({ status: { phase: "Bound", capacity: { storage: "1Gi" } } });
  expect(boundStatus(before, wide)).toMatchObject({ capacity: { storage: "1Gi" } });
});
