// PersistentVolumes, claims and StorageClasses as the API server keeps them (pod-lifecycle 14).

import { beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { ServerUnderTest } from "./api-server-fixture.ts";

const claims = "/api/v1/namespaces/default/persistentvolumeclaims";
const volumes = "/api/v1/persistentvolumes";
const classes = "/apis/storage.k8s.io/v1/storageclasses";

const claim = (spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  metadata: { name: "data", ...metadata },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
});
const volume = (spec: JsonObject = {}): JsonObject => ({
  metadata: { name: "disk" },
  spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/data" }, ...spec },
});
const storageClass = (name: string, fields: JsonObject = {}): JsonObject => ({
  metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "example.com/p",
  ...fields,
});

let server: ServerUnderTest;
beforeEach(async () => {
  server = await ServerUnderTest.start();
});

const merge = { headers: { "content-type": "application/merge-patch+json" } };

describe("new objects", () => {
  it("get their defaults and their protection", async () => {
    const made = await server.create(claims, claim());
    expect(made.object).toMatchObject({
      metadata: { finalizers: ["kubernetes.io/pvc-protection"] },
      spec: { volumeMode: "Filesystem" },
      status: { phase: "Pending" },
    });
    expect(made.object.spec.storageClassName, "there is no default class").toBeUndefined();
    expect((await server.create(volumes, volume())).object).toMatchObject({
      metadata: { finalizers: ["kubernetes.io/pv-protection"] },
      spec: { persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem", hostPath: { type: "" } },
      status: { phase: "Pending" },
    });
    expect((await server.create(classes, storageClass("slow"))).object).toMatchObject({
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
    });
  });

  it("take the newest default class, unless they say that they want none", async () => {
    await server.create(classes, storageClass("slow"));
    expect((await server.create(claims, claim())).object.spec.storageClassName).toBe("slow");
    const none = await server.create(claims, claim({ storageClassName: "" }, { name: "none" }));
    expect(none.object.spec.storageClassName).toBe("");
  });
});

it.each<[string, string, JsonObject, string]>([
  [
    "no access mode",
    claims,
    claim({ accessModes: [] }),
    "spec.accessModes: Required value: at least 1 access mode is required",
  ],
  [
    "an unknown access mode",
    claims,
    claim({ accessModes: ["Any"] }),
    'spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
  ],
  [
    "one Pod only, and others",
    claims,
    claim({ accessModes: ["ReadWriteOncePod", "ReadWriteOnce"] }),
    "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
  ],
  ["no size", claims, claim({ resources: {} }), "spec.resources[storage]: Required value"],
  [
    "no storage",
    claims,
    claim({ resources: { requests: { storage: "0" } } }),
    'spec.resources[storage]: Invalid value: "0": must be greater than zero',
  ],
  [
    "a raw device",
    claims,
    claim({ volumeMode: "Block" }),
    "spec.volumeMode: Forbidden: raw block volumes are not served",
  ],
  ["no place", volumes, volume({ hostPath: undefined }), "spec: Required value: must specify a volume type"],
  [
    "two places",
    volumes,
    volume({
      local: { path: "/x" },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] }] },
      },
    }),
    "spec.local: Forbidden: may not specify more than 1 volume type",
  ],
  [
    "a local folder of no node",
    volumes,
    volume({ hostPath: undefined, local: { path: "/x" } }),
    "metadata.annotations: Required value: Local volume requires node affinity",
  ],
  [
    "recycling",
    volumes,
    volume({ persistentVolumeReclaimPolicy: "Recycle" }),
    "spec.persistentVolumeReclaimPolicy: Forbidden: volumes are not recycled; use Retain or Delete",
  ],
  [
    "what no node can mount",
    volumes,
    volume({ hostPath: undefined, nfs: { server: "a", path: "/" } }),
    "spec.nfs: Forbidden: nfs volumes are not served; use local or hostPath",
  ],
  ["no provisioner", classes, storageClass("c", { provisioner: "" }), "provisioner: Required value"],
  [
    "recycling classes",
    classes,
    storageClass("c", { reclaimPolicy: "Recycle" }),
    'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
  ],
])("%s is refused", async (_what, path, body, message) => {
  const answer = await server.send("POST", path, { body });
  expect(answer.status).toBe(422);
  expect(answer.object.message).toContain(message);
});

describe("what is there", () => {
  const patch = (path: string, body: JsonObject) => server.send("PATCH", path, { ...merge, body });

  it("keeps what a claim asks for, but for the volume's name, once", async () => {
    await server.create(claims, claim({ storageClassName: "" }));
    expect((await patch(`${claims}/data`, { spec: { volumeName: "disk" } })).status).toBe(200);
    const again = await patch(`${claims}/data`, { spec: { volumeName: "other" } });
    expect(again.status).toBe(422);
    expect(again.object.message).toContain(
      "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
    );
  });

  it("lets a claim grow that is bound and of a class that permits it, and shrink only down to what it has", async () => {
    await server.create(classes, storageClass("fixed"));
    await server.create(classes, storageClass("growing", { allowVolumeExpansion: true }));
    const grow = { spec: { resources: { requests: { storage: "2Gi" } } } };
    for (const name of ["fixed", "growing"]) await server.create(claims, claim({ storageClassName: name }, { name }));
    expect((await patch(`${claims}/growing`, grow)).object.message).toContain("Forbidden");
    const bound = { status: { phase: "Bound", capacity: { storage: "1Gi" } } };
    for (const name of ["fixed", "growing"]) await patch(`${claims}/${name}/status`, bound);
    expect((await patch(`${claims}/fixed`, grow)).object.message).toBe(
      'persistentvolumeclaims "fixed" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
    expect((await patch(`${claims}/growing`, grow)).status).toBe(200);
    const shrink = { spec: { resources: { requests: { storage: "1Gi" } } } };
    expect((await patch(`${claims}/growing`, shrink)).object.message).toContain(
      "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
    );
  });

  it("keeps where a volume is and what a class does", async () => {
    await server.create(volumes, volume());
    const moved = await patch(`${volumes}/disk`, { spec: { hostPath: { path: "/other" } } });
    expect(moved.object.message).toContain(
      "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation",
    );
    expect((await patch(`${volumes}/disk`, { spec: { persistentVolumeReclaimPolicy: "Delete" } })).status).toBe(200);
    await server.create(classes, storageClass("slow"));
    const changed = await patch(`${classes}/slow`, { provisioner: "example.com/q", reclaimPolicy: "Retain" });
    expect(changed.object.message).toContain("provisioner: Forbidden: updates to provisioner are forbidden.");
    expect(changed.object.message).toContain("reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.");
  });
});
