// Claims, volumes and those who make and remove them, all together on the virtual clock (pod-lifecycle 14).

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "../../src/api/index.ts";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { seconds } from "../../src/base/time.ts";
import { ControlPlane } from "./control-plane-fixture.ts";

let plane: ControlPlane;

beforeEach(async () => {
  plane = await ControlPlane.start();
});
afterEach(() => plane.stop());

const createClaim = async (name: string, spec: JsonObject = {}): Promise<void> => {
  const asked = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  await plane.client.persistentVolumeClaims.create({ metadata: { name }, spec: { ...asked, ...spec } }, "default");
  await plane.settle();
};
const claim = (name: string): Promise<PersistentVolumeClaim> =>
  plane.client.persistentVolumeClaims.get(name, "default");
const createVolume = async (name: string, spec: JsonObject = {}): Promise<void> => {
  const made = { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: `/data/${name}` } };
  await plane.client.persistentVolumes.create({ metadata: { name }, spec: { ...made, ...spec } });
  await plane.settle();
};
const volume = (name: string): Promise<PersistentVolume> => plane.client.persistentVolumes.get(name);
const volumeNames = async (): Promise<string[]> =>
  (await plane.client.persistentVolumes.list()).items.map(({ metadata }) => metadata.name);
const immediate = {
  metadata: { name: "now" },
  provisioner: "lifepod.dev/local-folder",
  volumeBindingMode: "Immediate",
};

describe("a claim without a class", () => {
  it("and the volume that fits it find each other, and part when the claim goes; the bytes stay", async () => {
    await createClaim("data", { storageClassName: "" });
    expect((await claim("data")).status.phase).toBe("Pending");
    await createVolume("disk");
    expect(await claim("data")).toMatchObject({
      spec: { volumeName: "disk" },
      status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] },
    });
    expect((await volume("disk")).status.phase).toBe("Bound");
    await plane.client.persistentVolumeClaims.delete("data", "default");
    await plane.settle();
    expect((await volume("disk")).status.phase).toBe("Released");
    await createClaim("again", { storageClassName: "" });
    expect((await claim("again")).status.phase, "what was released is nobody's to take").toBe("Pending");
    await plane.client.persistentVolumes.patch("disk", undefined, "merge", { spec: { claimRef: null } });
    await plane.settle();
    expect((await claim("again")).spec.volumeName, "until a person says so").toBe("disk");
  });

  it("is told every fifteen seconds that there is nothing for it", async () => {
    await createClaim("data", { storageClassName: "" });
    await plane.advance(seconds(31));
    const [event, ...others] = (await plane.client.events.list()).items.filter(
      ({ reason }) => reason === "FailedBinding",
    );
    expect(event).toMatchObject({
      message: "no persistent volumes available for this claim and no storage class is set",
      count: 3,
    });
    expect(others).toEqual([]);
  });

  it("never shares a volume with another, however many ask at once", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `data-${index}`);
    for (const name of names.slice(0, 10)) await createVolume(`disk-${name}`);
    await Promise.all(names.map((name) => createClaim(name, { storageClassName: "" })));
    await plane.advance(seconds(1));
    const bound = (await Promise.all(names.map(claim))).flatMap(({ spec, status }) =>
      status.phase === "Bound" ? [spec.volumeName] : [],
    );
    expect(bound).toHaveLength(10);
    expect(new Set(bound).size).toBe(10);
  });

  it("is lost when its volume is", async () => {
    await createVolume("disk");
    await createClaim("data", { storageClassName: "" });
    await plane.client.persistentVolumes.delete("disk");
    await plane.settle();
    expect((await volume("disk")).metadata.deletionTimestamp, "a bound volume is protected").toBeDefined();
    await plane.client.persistentVolumes.patch("disk", undefined, "merge", { metadata: { finalizers: null } });
    await plane.settle();
    expect((await claim("data")).status.phase).toBe("Lost");
    expect(await plane.events("data")).toContain(
      "persistentvolume-controller Warning ClaimLost Bound claim has lost its PersistentVolume. Data on the volume is lost!",
    );
  });
});

describe("the class standard", () => {
  it("is there from the beginning, is the default, and waits for a consumer", async () => {
    expect((await plane.client.storageClasses.list()).items).toMatchObject([
      { metadata: { name: "standard" }, volumeBindingMode: "WaitForFirstConsumer", reclaimPolicy: "Delete" },
    ]);
    await plane.addNode("node-a");
    await createClaim("data");
    expect((await claim("data")).spec.storageClassName).toBe("standard");
    expect(await plane.events("data")).toEqual([
      "persistentvolume-controller Normal WaitForFirstConsumer waiting for first consumer to be created before binding",
    ]);
    expect(await volumeNames()).toEqual([]);
  });

  it("is given to claims that are older than it", async () => {
    await plane.client.storageClasses.delete("standard");
    await createClaim("data");
    expect((await claim("data")).spec.storageClassName).toBeUndefined();
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    await plane.client.storageClasses.create({ ...immediate, metadata: { name: "late", annotations } });
    await plane.settle();
    expect((await claim("data")).spec.storageClassName).toBe("late");
  });
});

describe("a Pod with a claim", () => {
  const using = (...claimNames: string[]): JsonObject => ({
    volumes: claimNames.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
  });
  const nodeOf = async (name: string) => (await plane.pod(name)).spec.nodeName;
  const whyNot = async (name: string) =>
    (await plane.pod(name)).status.conditions?.find(({ type }) => type === "PodScheduled")?.message;

  it("waits for it, and goes where its volume is made for it", async () => {
    await plane.addNode("node-a");
    await plane.createPod("web", using("data"));
    expect(await whyNot("web")).toBe(
      '0/1 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/1 nodes are available: ' +
        "1 Preemption is not helpful for scheduling.",
    );
    await createClaim("data");
    await plane.advance(seconds(3));
    expect(await nodeOf("web")).toBe("node-a");
    const made = await claim("data");
    expect(made.status.phase).toBe("Bound");
    expect(made.metadata.annotations).toMatchObject({ "volume.kubernetes.io/selected-node": "node-a" });
  });

  it("waits for a claim that does not wait for it", async () => {
    await plane.addNode("node-a");
    await createClaim("data", { storageClassName: "" });
    await plane.createPod("web", using("data"));
    expect(await whyNot("web")).toContain("pod has unbound immediate PersistentVolumeClaims");
    await createVolume("disk");
    await plane.advance(seconds(3));
    expect(await nodeOf("web")).toBe("node-a");
  });

  it("follows its volume", async () => {
    for (const name of ["node-a", "node-b", "node-c"]) await plane.addNode(name);
    await createClaim("data");
    await plane.createPod("first", using("data"));
    await plane.advance(seconds(2));
    const home = await nodeOf("first");
    for (const name of ["second", "third", "fourth"]) await plane.createPod(name, using("data"));
    await plane.advance(seconds(2));
    for (const name of ["second", "third", "fourth"]) expect(await nodeOf(name)).toBe(home);
    const elsewhere = home === "node-a" ? "node-b" : "node-a";
    await plane.createPod("torn", { ...using("data"), nodeSelector: { "kubernetes.io/hostname": elsewhere } });
    expect(await whyNot("torn")).toContain(
      "1 node(s) didn't match PersistentVolume's node affinity, 2 node(s) didn't match Pod's node affinity/selector.",
    );
  });

  it("takes a volume that people have made on a node, of a class whose volumes wait", async () => {
    for (const name of ["node-a", "node-b"]) await plane.addNode(name);
    const provisioner = "kubernetes.io/no-provisioner";
    await plane.client.storageClasses.create({ ...immediate, provisioner, volumeBindingMode: "WaitForFirstConsumer" });
    await createClaim("data", { storageClassName: "now" });
    await plane.createPod("web", using("data"));
    expect(await whyNot("web")).toContain("2 node(s) didn't find available persistent volumes to bind.");
    const onNode = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-b"] }] };
    const nodeAffinity = { required: { nodeSelectorTerms: [onNode] } };
    await createVolume("disk", {
      hostPath: undefined,
      local: { path: "/disk" },
      nodeAffinity,
      storageClassName: "now",
    });
    await plane.advance(seconds(3));
    expect(await nodeOf("web")).toBe("node-b");
    expect((await claim("data")).spec.volumeName).toBe("disk");
  });

  it("has it alone if that is what the claim says", async () => {
    await plane.addNode("node-a");
    await createClaim("data", { accessModes: ["ReadWriteOncePod"] });
    await plane.createPod("first", using("data"));
    await plane.advance(seconds(2));
    await plane.createPod("second", using("data"));
    expect(await whyNot("second")).toContain(
      "1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod.",
    );
    await plane.client.pods.delete("first", "default", { gracePeriodSeconds: 0 });
    await plane.advance(seconds(3));
    expect(await nodeOf("second")).toBe("node-a");
  });

  it("keeps it: a claim that is deleted stays until the Pod is gone, and takes no new Pod", async () => {
    await plane.addNode("node-a");
    await createClaim("data");
    await plane.createPod("web", using("data"));
    await plane.advance(seconds(2));
    await plane.client.persistentVolumeClaims.delete("data", "default");
    await plane.advance(seconds(10));
    expect((await claim("data")).metadata.deletionTimestamp).toBeDefined();
    await plane.createPod("late", using("data"));
    expect(await whyNot("late")).toContain('persistentvolumeclaim "data" is being deleted');
    await plane.client.pods.delete("web", "default", { gracePeriodSeconds: 0 });
    await plane.advance(seconds(2));
    expect(await volumeNames(), "the volume and its folder went too").toEqual([]);
    expect(await whyNot("late")).toContain('persistentvolumeclaim "data" not found');
  });

  it("owns those that are made from its template, and takes them along", async () => {
    await plane.addNode("node-a");
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    const ephemeral = { volumeClaimTemplate: { metadata: { labels: { of: "web" } }, spec } };
    await plane.createPod("web", { volumes: [{ name: "scratch", ephemeral }] });
    await plane.advance(seconds(3));
    expect(await nodeOf("web")).toBe("node-a");
    const made = await claim("web-scratch");
    expect(made.metadata).toMatchObject({ labels: { of: "web" }, ownerReferences: [{ kind: "Pod", name: "web" }] });
    await plane.client.pods.delete("web", "default", { gracePeriodSeconds: 0 });
    await plane.advance(seconds(5));
    expect((await plane.client.persistentVolumeClaims.list()).items).toEqual([]);
    expect(await volumeNames()).toEqual([]);
  });

  it("does not get somebody else's claim for one of its template", async () => {
    await plane.addNode("node-a");
    await createClaim("web-scratch");
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    await plane.createPod("web", { volumes: [{ name: "scratch", ephemeral: { volumeClaimTemplate: { spec } } }] });
    expect(await whyNot("web")).toContain(
      "PVC default/web-scratch was not created for pod default/web (pod is not owner)",
    );
    expect(await nodeOf("web")).toBeUndefined();
  });

  it("of a StatefulSet finds its own again, whichever Pod comes after it", async () => {
    await plane.addNode("node-a");
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    const labels = { app: "db" };
    await plane.client.statefulSets.create(
      {
        metadata: { name: "db" },
        spec: {
          replicas: 2,
          serviceName: "db",
          podManagementPolicy: "Parallel",
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: "db", image: "db:1" }] } },
          volumeClaimTemplates: [{ metadata: { name: "data" }, spec }],
        },
      },
      "default",
    );
    await plane.advance(seconds(3));
    const before = await Promise.all(["data-db-0", "data-db-1"].map(claim));
    expect(before.map(({ status }) => status.phase)).toEqual(["Bound", "Bound"]);
    await plane.client.pods.delete("db-1", "default", { gracePeriodSeconds: 0 });
    await plane.advance(seconds(3));
    expect(await nodeOf("db-1")).toBe("node-a");
    expect((await claim("data-db-1")).metadata.uid).toBe(before[1]?.metadata.uid);
  });
});

describe("a provisioned volume", () => {
  const folder = async (): Promise<string> => {
    await plane.addNode("node-a");
    await plane.client.storageClasses.create(immediate);
    await createClaim("data", { storageClassName: "now" });
    await plane.advance(seconds(2));
    const { spec } = await volume((await claim("data")).spec.volumeName ?? "");
    const path = spec.local?.path ?? "";
    await plane.disk.writeFile(`${path}/bytes`, new Uint8Array([1]), 0o644);
    return path;
  };

  it("is a folder on one node, for its claim", async () => {
    const path = await folder();
    const { metadata, spec, status } = await volume((await claim("data")).spec.volumeName ?? "");
    expect(path).toBe(`/kubelet/persistent-volumes/${metadata.name}`);
    expect(status.phase).toBe("Bound");
    expect(spec).toMatchObject({ persistentVolumeReclaimPolicy: "Delete", storageClassName: "now" });
    expect(spec.nodeAffinity?.required?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-a"] }] },
    ]);
    expect(await plane.events("data")).toContain(
      `lifepod.dev/local-folder Normal ProvisioningSucceeded Successfully provisioned volume ${metadata.name}`,
    );
  });

  it("goes with its claim, bytes and all", async () => {
    const path = await folder();
    await plane.client.persistentVolumeClaims.delete("data", "default");
    await plane.advance(seconds(1));
    expect(await volumeNames()).toEqual([]);
    expect(await plane.disk.kindOf(path)).toBeUndefined();
  });

  it("stays with its bytes if its policy has become Retain", async () => {
    const path = await folder();
    const name = (await claim("data")).spec.volumeName ?? "";
    const spec = { persistentVolumeReclaimPolicy: "Retain" };
    await plane.client.persistentVolumes.patch(name, undefined, "merge", { spec });
    await plane.client.persistentVolumeClaims.delete("data", "default");
    await plane.advance(seconds(1));
    expect((await volume(name)).status.phase).toBe("Released");
    expect(await plane.disk.readFile(`${path}/bytes`)).toEqual(new Uint8Array([1]));
    await plane.client.persistentVolumes.delete(name);
    await plane.advance(seconds(1));
    expect(await volumeNames()).toEqual([]);
    expect(await plane.disk.kindOf(`${path}/bytes`), "the bytes are their owner's to remove").toBe("file");
  });

  it("that is deleted before its claim waits for it, and then takes the bytes along", async () => {
    const path = await folder();
    const name = (await claim("data")).spec.volumeName ?? "";
    await plane.client.persistentVolumes.delete(name);
    await plane.advance(seconds(1));
    expect((await claim("data")).status.phase).toBe("Bound");
    expect(await plane.disk.kindOf(path)).toBe("directory");
    await plane.client.persistentVolumeClaims.delete("data", "default");
    await plane.advance(seconds(1));
    expect(await volumeNames()).toEqual([]);
    expect(await plane.disk.kindOf(path)).toBeUndefined();
  });

  it("that says it is elsewhere is not deleted there", async () => {
    await plane.addNode("node-a");
    await plane.disk.writeFile("/precious", new Uint8Array([1]), 0o644);
    await plane.client.persistentVolumes.create({
      metadata: {
        name: "liar",
        annotations: {
          "pv.kubernetes.io/provisioned-by": "lifepod.dev/local-folder",
          "volume.kubernetes.io/selected-node": "node-a",
        },
      },
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "1Gi" },
        claimRef: { namespace: "default", name: "gone", uid: "gone" },
        hostPath: { path: "/precious" },
        persistentVolumeReclaimPolicy: "Delete",
      },
    });
    await plane.advance(seconds(3));
    expect(await plane.disk.kindOf("/precious")).toBe("file");
    expect((await plane.events("liar"))[0]).toBe(
      'lifepod.dev/local-folder Warning VolumeFailedDelete path "" is not a folder that lifepod made for this volume',
    );
  });

  it("grows when its claim asks for more", async () => {
    await folder();
    await plane.client.storageClasses.patch("now", undefined, "merge", { allowVolumeExpansion: true });
    const spec = { resources: { requests: { storage: "5Gi" } } };
    await plane.client.persistentVolumeClaims.patch("data", "default", "merge", { spec });
    await plane.advance(seconds(1));
    const grown = await claim("data");
    expect(grown.status.capacity).toEqual({ storage: "5Gi" });
    expect(grown.status.conditions).toBeUndefined();
    expect((await volume(grown.spec.volumeName ?? "")).spec.capacity).toEqual({ storage: "5Gi" });
  });
});
