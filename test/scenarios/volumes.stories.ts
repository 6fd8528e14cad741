// Volumes that outlive Pods (pod-lifecycle 14).

import assert from "node:assert/strict";
import type { PersistentVolume, PersistentVolumeClaim } from "../../src/api/index.ts";
import {
  isGone,
  isReady,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
const container = { volumeMounts: [{ name: "data", mountPath: "/data" }] };

const claim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data", namespace: "default" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

const boundVolume = async (t: StoryTeller): Promise<PersistentVolume | undefined> => {
  const { client } = t.cluster;
  const found: PersistentVolumeClaim = await t.cluster.call(client.persistentVolumeClaims.get("data", "default"));
  const name = found.spec.volumeName ?? "";
  return name === "" ? undefined : t.cluster.call(client.persistentVolumes.get(name));
};

export const stories: readonly Story[] = [
  story(
    "the volume of a claim is made for its first Pod, is there for the next one, and goes with the claim",
    async (t) => {
      await t.nodes("node-a", "node-b");
      t.image("db:1", { present: true });
      await t.apply(claim);
      await t.elapse(minutes(1));
      assert.equal(await boundVolume(t), undefined, "nobody has asked for it");
      await t.apply(pod("first", { image: "db:1", volumes, container }));
      await t.until("pod/first", isReady, { within: seconds(15) });
      const made = await boundVolume(t);
      assert.equal(made?.status.phase, "Bound");
      const home = (await t.pod("first")).spec.nodeName;
      await t.delete("pod/first");
      await t.until("pod/first", isGone, { within: minutes(1) });
      await t.apply(pod("second", { image: "db:1", volumes, container }));
      await t.until("pod/second", isReady, { within: seconds(15) });
      assert.equal((await t.pod("second")).spec.nodeName, home, "where the bytes are");
      assert.equal((await boundVolume(t))?.metadata.uid, made?.metadata.uid);
      const { client } = t.cluster;
      await t.cluster.call(client.persistentVolumeClaims.delete("data", "default"));
      await t.elapse(minutes(1));
      assert.ok(await boundVolume(t), "a Pod uses it");
      await t.delete("pod/second");
      await t.until("pod/second", isGone, { within: minutes(1) });
      await t.elapse(seconds(5));
      const left = await t.cluster.call(client.persistentVolumes.list());
      assert.deepEqual(left.items, []);
    },
  ),
];
