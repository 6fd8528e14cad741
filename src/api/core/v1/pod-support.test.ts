import { describe, expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Pod } from "../../generated/core-v1.ts";
import { fieldErrorText } from "../../meta/field-errors.ts";
import { schemaFor } from "../../schema/schemas.ts";
import type { SchemaField } from "../../schema/schema.ts";
import type { JsonObject } from "../../wire/request.ts";
import { defaultPod } from "./default-pod.ts";
import { podWarnings, refusedPodFields } from "./pod-support.ts";
import { podSupport } from "./pod-support-table.ts";

const web = { name: "web", image: "web:1" };

function pod(spec: JsonObject, metadata: JsonObject = {}): Pod {
  return defaultPod({
    metadata: { name: "web", ...metadata },
    spec: { containers: [web], ...spec },
  } as unknown as Draft<Pod>);
}

/** The message behind a field, through lists and maps. */
function messageOf(field: SchemaField): string | undefined {
  return field.ref ?? (field.items === undefined ? undefined : messageOf(field.items));
}

/** Every message that a client can reach through fields that lifepod acts on, at least for some values. */
function reachableMessages(): Set<string> {
  const found = new Set<string>(["core/v1 PodSpec"]);
  for (const name of found) {
    for (const [fieldName, field] of schemaFor(name).fields) {
      const rules = podSupport[name]?.[fieldName] ?? [];
      const below = messageOf(field);
      const isClosed = rules.some(
        (rule) =>
          rule.kind !== "actedOn" && rule.values === undefined && rule.when === undefined && rule.keys === undefined,
      );
      if (below !== undefined && !isClosed) found.add(below);
    }
  }
  return found;
}

describe("the table of supported fields", () => {
  it.each([...reachableMessages()])("says of every field of %s what happens to it", (name) => {
    expect(Object.keys(podSupport[name] ?? {}).toSorted()).toEqual([...schemaFor(name).fields.keys()].toSorted());
  });

  it("speaks of no message that a Pod does not reach", () => {
    expect(Object.keys(podSupport).filter((name) => !reachableMessages().has(name))).toEqual([]);
  });

  it("gives a reason for whatever it does not act on", () => {
    const reasons = Object.values(podSupport).flatMap((fields) => Object.values(fields).flat());
    expect(reasons.filter((rule) => rule.kind !== "actedOn" && rule.why === "")).toEqual([]);
    expect(reasons.length).toBeGreaterThan(200);
  });
});

describe("a new Pod is refused", () => {
  const volume = (source: JsonObject): JsonObject => ({ volumes: [{ name: "v", ...source }] });

  it.each<[string, JsonObject, string[]]>([
    [
      "with a runtime class",
      { runtimeClassName: "gvisor" },
      ["spec.runtimeClassName: Forbidden: RuntimeClasses are not served"],
    ],
    [
      "with resource claims",
      { resourceClaims: [{ name: "gpu", resourceClaimName: "g" }] },
      ["spec.resourceClaims[0]: Forbidden: ResourceClaims are not served"],
    ],
    [
      "with overhead",
      { overhead: { cpu: "1" } },
      ["spec.overhead: Forbidden: Pod Overhead set without corresponding RuntimeClass defined Overhead"],
    ],
    ["for Windows", { os: { name: "windows" } }, ["spec.os.name: Forbidden: there are no Windows nodes"]],
    [
      "with a claim of a chosen name for an ephemeral volume",
      volume({ ephemeral: { volumeClaimTemplate: { metadata: { name: "mine" }, spec: {} } } }),
      ["spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set for an ephemeral volume"],
    ],
    [
      "with an NFS volume",
      volume({ nfs: { server: "s", path: "/" } }),
      ["spec.volumes[0].nfs: Forbidden: NFS volumes are not served"],
    ],
    [
      "with an empty source of a volume",
      volume({ csi: {} }),
      ["spec.volumes[0].csi: Forbidden: CSI volumes are not served"],
    ],
    [
      "with a token in a volume",
      volume({ projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }),
      ["spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: no service account tokens are issued"],
    ],
    [
      "with huge pages as a volume",
      volume({ emptyDir: { medium: "HugePages" } }),
      ["spec.volumes[0].emptyDir.medium: Forbidden: huge pages cannot be mounted"],
    ],
    [
      "with strict groups",
      { securityContext: { supplementalGroupsPolicy: "Strict" } },
      ["spec.securityContext.supplementalGroupsPolicy: Forbidden: the groups that an image names are always merged in"],
    ],
    [
      "with restart rules",
      { containers: [{ ...web, restartPolicyRules: [{ action: "Restart" }] }] },
      ["spec.containers[0].restartPolicyRules[0]: Forbidden: the feature gate ContainerRestartRules is off"],
    ],
    [
      "with a read-only mount to the depth",
      {
        initContainers: [
          { ...web, volumeMounts: [{ name: "v", mountPath: "/v", readOnly: true, recursiveReadOnly: "Enabled" }] },
        ],
      },
      [
        "spec.initContainers[0].volumeMounts[0].recursiveReadOnly: Forbidden: mounts below a read-only mount stay as they are",
      ],
    ],
  ])("%s", (_what, spec, errors) => {
    expect(refusedPodFields(pod(spec)).map(fieldErrorText)).toEqual(errors);
    expect(podWarnings(pod(spec))).toEqual([]);
  });

  it("not when the same fields ask for nothing unusual", () => {
    const plain = pod({
      os: { name: "linux" },
      hostUsers: true,
      automountServiceAccountToken: false,
      resourceClaims: [],
      securityContext: { supplementalGroupsPolicy: "Merge", fsGroupChangePolicy: "Always" },
      volumes: [{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }],
    });
    expect(refusedPodFields(plain)).toEqual([]);
    expect(podWarnings(plain)).toEqual([]);
  });
});

describe("a new Pod comes with the warning", () => {
  const unheard = (path: string, why: string): string[] => [`${path}: lifepod does not act on this: ${why}`];
  const container = (fields: JsonObject): JsonObject => ({ containers: [{ ...web, ...fields }] });
  const port = (fields: JsonObject): JsonObject => ({ containerPort: 80, ...fields });
  const hidden = 'hides previous definition of "A", which may be dropped when using apply';

  it.each<[string, JsonObject, string[]]>([
    [
      "that its users are the node's",
      { hostUsers: false },
      unheard("spec.hostUsers", "containers use the users of their node"),
    ],
    [
      "that no token is mounted",
      { automountServiceAccountToken: true },
      unheard("spec.automountServiceAccountToken", "no service account tokens are issued, so none is mounted"),
    ],
    [
      "that SELinux stays as it is",
      { securityContext: { seLinuxOptions: { level: "s0" } } },
      unheard("spec.securityContext.seLinuxOptions", "containers keep the SELinux label that the runtime gives them"),
    ],
    [
      "that AppArmor stays as it is",
      container({ securityContext: { appArmorProfile: { type: "Unconfined" } } }),
      unheard(
        "spec.containers[0].securityContext.appArmorProfile",
        "containers keep the AppArmor profile that the runtime gives them",
      ),
    ],
    [
      "of nothing for company, distance and spread",
      {
        affinity: {
          podAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: "z" } }],
          },
          podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "z" }] },
        },
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule" }],
      },
      [],
    ],
    [
      "that a volume on disk has no limit",
      { volumes: [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }] },
      unheard(
        "spec.volumes[0].emptyDir.sizeLimit",
        "only volumes in memory are limited; a Pod that writes more to disk is not evicted",
      ),
    ],
    [
      "that local storage is not watched",
      container({ resources: { limits: { "ephemeral-storage": "1Gi", cpu: "1" } } }),
      unheard(
        "spec.containers[0].resources.limits[ephemeral-storage]",
        "local storage is counted for scheduling, but a container that uses more is not evicted",
      ),
    ],
    [
      "that it cannot be resized",
      container({ resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }] }),
      unheard(
        "spec.containers[0].resizePolicy[0]",
        "the resources of a running Pod cannot be changed: pods/resize is not served",
      ),
    ],
    [
      "of a negative grace period",
      { terminationGracePeriodSeconds: -1 },
      ["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"],
    ],
    [
      "of an old label of nodes",
      { nodeSelector: { "beta.kubernetes.io/os": "linux" } },
      ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ],
    [
      "of an old label in an affinity",
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: "beta.kubernetes.io/arch", operator: "Exists" }] }],
            },
          },
        },
      },
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead',
      ],
    ],
    [
      "of an address named twice",
      { hostAliases: [{ ip: "1.1.1.1" }, { ip: "1.1.1.1" }] },
      ['spec.hostAliases[1].ip: duplicate ip "1.1.1.1"'],
    ],
    [
      "of a pull secret named twice",
      { imagePullSecrets: [{ name: "a" }, { name: "a" }] },
      ['spec.imagePullSecrets[1].name: duplicate name "a"'],
    ],
    [
      "of a nameless pull secret",
      { imagePullSecrets: [{ name: "" }] },
      ['spec.imagePullSecrets[0].name: invalid empty name ""'],
    ],
    [
      "of half a byte",
      container({ resources: { requests: { memory: "500m" } } }),
      ['spec.containers[0].resources.requests[memory]: fractional byte value "500m" is invalid, must be an integer'],
    ],
    [
      "of a hidden variable",
      container({
        env: [
          { name: "A", value: "1" },
          { name: "A", value: "2" },
        ],
      }),
      [`spec.containers[0].env[1]: ${hidden}`],
    ],
    [
      "of a variable that is itself",
      container({
        env: [
          { name: "A", value: "1" },
          { name: "A", value: "$(A)" },
        ],
      }),
      [`spec.containers[0].env[1]: ${hidden}`],
    ],
    [
      "of nothing when a variable builds on another",
      container({
        env: [
          { name: "A", value: "1" },
          { name: "A", value: "$(A):2" },
        ],
      }),
      [],
    ],
    [
      "of a port named twice",
      container({ ports: [port({}), port({})] }),
      ["spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"],
    ],
    [
      "of ports that overlap",
      container({ ports: [port({}), port({ hostPort: 81 })] }),
      ["spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]"],
    ],
    [
      "of ports that may collide",
      container({ ports: [port({ hostPort: 81 }), port({ hostPort: 81, hostIP: "1.1.1.1" })] }),
      ["spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]"],
    ],
    ["of nothing for two protocols", container({ ports: [port({}), port({ protocol: "UDP" })] }), []],
    [
      "of an address without a port",
      container({ ports: [port({ hostIP: "1.1.1.1" })] }),
      [
        "spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:1.1.1.1}",
      ],
    ],
  ])("%s", (_what, spec, warnings) => {
    expect(podWarnings(pod(spec))).toEqual(warnings);
    expect(refusedPodFields(pod(spec))).toEqual([]);
  });

  it.each<[string, JsonObject, string[]]>([
    [
      "of a name that is no host name",
      { name: "web.v1" },
      [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
      ],
    ],
    [
      "of an old annotation",
      { annotations: { "scheduler.alpha.kubernetes.io/critical-pod": "" } },
      [
        'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
      ],
    ],
    [
      "of an old seccomp annotation",
      { annotations: { "seccomp.security.alpha.kubernetes.io/pod": "x" } },
      [
        'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      ],
    ],
    [
      "of an old seccomp annotation for a container",
      { annotations: { "container.seccomp.security.alpha.kubernetes.io/web": "x" } },
      [
        'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/web]: non-functional in v1.27+; use the "seccompProfile" field instead',
      ],
    ],
  ])("%s", (_what, metadata, warnings) => {
    expect(podWarnings(pod({}, metadata))).toEqual(warnings);
  });
});
