import { describe, expect, it } from "vitest";
import { aPod, at, start } from "../../test/fakes/kubelet-pods.ts";
import { effectiveGracePeriodSeconds, nextPodWork, type PodWork, type PodWorkInput } from "./pod-work.ts";

const nothing: PodWorkInput = { removed: false, terminalPhase: false, deadlineExceeded: false, allStopped: false };
const syncing: PodWork = { phase: "syncing" };
const terminating: PodWork = {
  phase: "terminating",
  because: { kind: "deleted" },
  gracePeriodSeconds: 30,
  since: start,
};
const deleted = (gracePeriodSeconds: number) =>
  aPod({ metadata: { deletionTimestamp: "2025-01-01T00:00:30Z", deletionGracePeriodSeconds: gracePeriodSeconds } });

describe("a Pod's work", () => {
  it("goes on while nothing ends it", () => {
    expect(nextPodWork(syncing, aPod(), nothing, start)).toBe(syncing);
  });

  it.each<[string, Partial<PodWorkInput>, string]>([
    ["the object vanished", { removed: true }, "removed"],
    ["the phase is terminal", { terminalPhase: true }, "finished"],
    ["the deadline has passed", { deadlineExceeded: true }, "deadlineExceeded"],
    ["it was evicted", { eviction: { reason: "Evicted", message: "low on memory" } }, "evicted"],
  ])("becomes terminating when %s", (_rule, input, cause) => {
    const next = nextPodWork(syncing, aPod(), { ...nothing, ...input }, at(5));
    expect(next).toMatchObject({
      phase: "terminating",
      because: { kind: cause },
      gracePeriodSeconds: 30,
      since: at(5),
    });
  });

  it("becomes terminating with the deletion's grace", () => {
    expect(nextPodWork(syncing, deleted(7), nothing, at(5))).toMatchObject({
      because: { kind: "deleted" },
      gracePeriodSeconds: 7,
    });
  });

  it("is terminated when everything has stopped", () => {
    const next = nextPodWork(terminating, deleted(30), { ...nothing, allStopped: true }, at(9));
    expect(next).toEqual({ phase: "terminated", because: { kind: "deleted" } });
  });

  it("starts the wait anew when a later request shortens it", () => {
    expect(nextPodWork(terminating, deleted(2), nothing, at(5))).toMatchObject({ gracePeriodSeconds: 2, since: at(5) });
  });

  it("does not change when a later request asks for more", () => {
    expect(nextPodWork(terminating, deleted(60), nothing, at(5))).toBe(terminating);
  });

  it("never comes back from terminated", () => {
    const terminated: PodWork = { phase: "terminated", because: { kind: "finished" } };
    expect(nextPodWork(terminated, aPod(), { ...nothing, allStopped: true }, at(1))).toBe(terminated);
  });
});

describe("the grace period of a Pod", () => {
  it.each<[string, number | undefined, number | undefined, number | undefined, number, number]>([
    ["is the Pod's own by default", undefined, undefined, undefined, 30, 30],
    ["is the deletion's", 10, undefined, undefined, 30, 10],
    ["may be longer than the Pod's own", 60, undefined, undefined, 30, 60],
    ["is the kubelet's own when that is shorter", 10, undefined, 1, 30, 1],
    ["never grows", 60, 20, undefined, 30, 20],
    ["is the Pod's own when the API has let go with 0", 0, undefined, undefined, 30, 30],
    ["is at least a second", undefined, undefined, undefined, 0, 1],
  ])("%s", (_rule, deletion, granted, override, own, want) => {
    const pod = aPod({
      spec: { terminationGracePeriodSeconds: own },
      metadata: deletion === undefined ? {} : { deletionGracePeriodSeconds: deletion },
    });
    expect(effectiveGracePeriodSeconds(pod, granted, override)).toBe(want);
  });
});
