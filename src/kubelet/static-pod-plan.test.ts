import { expect, it } from "vitest";
import { aPod } from "../../test/fakes/kubelet-pods.ts";
import { planStaticPod, type StaticPodSight, type StaticPodStep } from "./static-pod-plan.ts";

const one = aPod({ metadata: { uid: "one" } });
const two = aPod({ metadata: { uid: "two" } });
const mirrorOf = (hash: string, more: object = {}) =>
  aPod({ metadata: { uid: `mirror-${hash}`, annotations: { "kubernetes.io/config.mirror": hash }, ...more } });
const running = (pod: typeof one, ending = false) => ({ pod, ending });
const deletionTimestamp = "2025-01-01T00:00:00Z";

it.each<[string, Partial<StaticPodSight>, StaticPodStep]>([
  ["starts what is asked for", { desired: one }, "start"],
  ["starts it also while the mirror of another is there", { desired: two, mirror: mirrorOf("one") }, "start"],
  ["shows what runs", { desired: one, running: running(one) }, "createMirror"],
  ["leaves what is as it should be", { desired: one, running: running(one), mirror: mirrorOf("one") }, "nothing"],
  [
    "makes a mirror that is being deleted go at once",
    { desired: one, running: running(one), mirror: mirrorOf("one", { deletionTimestamp }) },
    "deleteMirror",
  ],
  [
    "removes the mirror of another content",
    { desired: two, running: running(two), mirror: mirrorOf("one") },
    "deleteMirror",
  ],
  ["ends what is no longer asked for", { running: running(one), mirror: mirrorOf("one") }, "end"],
  ["ends what is asked for otherwise", { desired: two, running: running(one), mirror: mirrorOf("one") }, "end"],
  ["waits for the end, also with the next one", { desired: two, running: running(one, true) }, "nothing"],
  [
    "keeps the mirror until the end",
    { running: running(one, true), mirror: mirrorOf("one", { deletionTimestamp }) },
    "nothing",
  ],
  ["removes a mirror of nothing", { mirror: mirrorOf("one") }, "deleteMirror"],
  ["has nothing to do about nothing", {}, "nothing"],
])("%s", (_rule, sight, want) => {
  expect(planStaticPod({ desired: undefined, running: undefined, mirror: undefined, ...sight })).toBe(want);
});
