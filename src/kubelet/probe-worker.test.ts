import { describe, expect, it } from "vitest";
import { at } from "../../test/fakes/kubelet-pods.ts";
import type { ContainerStatus, Probe } from "../api/generated/core-v1.ts";
import {
  countProbeResult,
  lookWithProbeWorker,
  newProbeWorker,
  type ProbeType,
  type ProbeView,
  type ProbeWorkerState,
} from "./probe-worker.ts";

const probe: Probe = {
  periodSeconds: 10,
  failureThreshold: 3,
  successThreshold: 1,
  timeoutSeconds: 1,
  initialDelaySeconds: 5,
};
const container = (more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: "c",
  image: "image:1",
  imageID: "",
  ready: false,
  restartCount: 0,
  started: true,
  containerID: "simulated://a",
  state: { running: { startedAt: "2025-01-01T00:00:00Z" } },
  ...more,
});
const view = (more: Partial<ProbeView> = {}): ProbeView => ({
  podIsTerminal: false,
  podIsBeingDeleted: false,
  restarts: true,
  container: container(),
  ...more,
});
const known: ProbeWorkerState = { ...newProbeWorker, containerID: "simulated://a" };

describe("a probe worker that looks", () => {
  const ended = container({ state: { terminated: { exitCode: 1 } } });
  it.each<[string, ProbeType, ProbeWorkerState, ProbeView, number, string, string | undefined]>([
    ["ends with the Pod", "liveness", known, view({ podIsTerminal: true }), 9, "end", undefined],
    ["waits for a status", "liveness", newProbeWorker, view({ container: undefined }), 9, "idle", undefined],
    [
      "waits for a container",
      "liveness",
      newProbeWorker,
      view({ container: container({ containerID: "" }) }),
      9,
      "idle",
      undefined,
    ],
    ["begins a new instance as not ready", "readiness", newProbeWorker, view(), 9, "probe", "failure"],
    ["begins a new instance as alive", "liveness", newProbeWorker, view(), 9, "probe", "success"],
    [
      "begins a new instance as not started",
      "startup",
      newProbeWorker,
      view({ container: container({ started: false }) }),
      9,
      "probe",
      "unknown",
    ],
    ["waits on hold", "liveness", { ...known, onHold: true }, view(), 9, "idle", undefined],
    [
      "leaves the hold with a new instance",
      "liveness",
      { ...known, containerID: "simulated://b", onHold: true },
      view(),
      9,
      "probe",
      "success",
    ],
    [
      "counts a container that does not run as failed, and waits for the next",
      "readiness",
      known,
      view({ container: ended }),
      9,
      "idle",
      "failure",
    ],
    [
      "ends when the container has ended for good",
      "readiness",
      known,
      view({ container: ended, restarts: false }),
      9,
      "end",
      "failure",
    ],
    [
      "stops looking at liveness when the Pod is being deleted",
      "liveness",
      known,
      view({ podIsBeingDeleted: true }),
      9,
      "end",
      "success",
    ],
    [
      "goes on with readiness when the Pod is being deleted",
      "readiness",
      known,
      view({ podIsBeingDeleted: true }),
      9,
      "probe",
      undefined,
    ],
    ["waits for the initial delay", "readiness", known, view(), 4, "waitUntil", undefined],
    ["probes when the initial delay is over", "readiness", known, view(), 5, "probe", undefined],
    [
      "is idle before the container has started",
      "liveness",
      known,
      view({ container: container({ started: false }) }),
      9,
      "idle",
      undefined,
    ],
    ["is idle after the container has started, if it is for startup", "startup", known, view(), 9, "idle", undefined],
  ])("%s", (_rule, type, state, seenNow, now, step, store) => {
    const decision = lookWithProbeWorker(type, probe, state, seenNow, at(now));
    expect(decision.step.kind).toBe(step);
    expect(decision.store).toBe(store);
  });

  it("says when the initial delay is over", () => {
    expect(lookWithProbeWorker("readiness", probe, known, view(), at(1)).step).toEqual({
      kind: "waitUntil",
      at: at(5),
    });
  });
});

describe("results", () => {
  const count = (type: ProbeType, results: readonly ("success" | "failure")[], more: Partial<Probe> = {}) => {
    let state = known;
    const stored = results.map((result) => {
      const counted = countProbeResult(type, { ...probe, ...more }, state, result);
      state = counted.state;
      return counted.store;
    });
    return { state, stored };
  };
  const [s, f] = ["success", "failure"] as const;

  it("count from the threshold on", () => {
    expect(count("readiness", [f, f, f]).stored).toEqual([undefined, undefined, "failure"]);
  });

  it("count only in a row", () => {
    expect(count("readiness", [f, f, s, f, f]).stored).toEqual([undefined, undefined, "success", undefined, undefined]);
  });

  it("need several successes where the probe says so", () => {
    expect(count("readiness", [s, s], { successThreshold: 2 }).stored).toEqual([undefined, "success"]);
  });

  it.each<[string, ProbeType, readonly ("success" | "failure")[], boolean]>([
    ["hold after a liveness failure", "liveness", [f, f, f], true],
    ["do not hold after a liveness success", "liveness", [s], false],
    ["hold after a startup success", "startup", [s], true],
    ["hold after a startup failure", "startup", [f, f, f], true],
    ["never hold readiness", "readiness", [f, f, f], false],
  ])("%s", (_rule, type, results, holds) => {
    const { state } = count(type, results);
    expect([state.onHold, state.run === 0]).toEqual([holds, holds]);
  });
});
