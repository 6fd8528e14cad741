// One probe of one container as a state machine (pod-lifecycle 6.2): when to run, what a result counts for, when to hold. No time passes in here and
// nothing is called: `prober.ts` asks, runs the probe, and tells.

import type { ContainerStatus, Probe } from "../api/generated/core-v1.ts";
import { after, type Instant, parseTime, seconds } from "../base/time.ts";
import type { ProbeResult } from "./observed-pod.ts";

export type ProbeType = "liveness" | "readiness" | "startup";

/** What a worker remembers between its looks. */
export interface ProbeWorkerState {
  /** The instance that is being probed; empty before there is one. */
  readonly containerID: string;
  /** Nothing is run until there is a new instance. */
  readonly onHold: boolean;
  readonly lastResult: ProbeResult | undefined;
  /** How often the last result came in a row. */
  readonly run: number;
}

export const newProbeWorker: ProbeWorkerState = { containerID: "", onHold: false, lastResult: undefined, run: 0 };

/** The Pod as its status shows it. */
export interface ProbeView {
  readonly podIsTerminal: boolean;
  readonly podIsBeingDeleted: boolean;
  /** The container comes back when it has ended. */
  readonly restarts: boolean;
  readonly container: ContainerStatus | undefined;
}

export type ProbeStep =
  /** Run the probe now. */
  | { readonly kind: "probe" }
  /** Nothing to do until the Pod's status changes. */
  | { readonly kind: "idle" }
  /** The initial delay is running. */
  | { readonly kind: "waitUntil"; readonly at: Instant }
  /** This worker will never run its probe again. */
  | { readonly kind: "end" };

export interface ProbeDecision {
  readonly state: ProbeWorkerState;
  readonly step: ProbeStep;
  /** A result to store for the instance `state.containerID`. */
  readonly store?: ProbeResult;
}

/** What a worker that looks now does. */
export function lookWithProbeWorker(
  type: ProbeType,
  probe: Probe,
  state: ProbeWorkerState,
  view: ProbeView,
  now: Instant,
): ProbeDecision {
  if (view.podIsTerminal) return { state, step: { kind: "end" } };
  const containerID = view.container?.containerID ?? "";
  if (view.container === undefined || containerID === "") return { state, step: { kind: "idle" } };
  if (containerID !== state.containerID) {
    const fresh: ProbeWorkerState = { ...state, containerID, onHold: false };
    const decision = lookAtInstance(type, probe, fresh, view, view.container, now);
    return { store: initialResult(type), ...decision };
  }
  return lookAtInstance(type, probe, state, view, view.container, now);
}

/** What a probe's outcome changes. An error (the probe could not be run) counts as nothing. */
export function countProbeResult(
  type: ProbeType,
  probe: Probe,
  state: ProbeWorkerState,
  result: "success" | "failure",
): { readonly state: ProbeWorkerState; readonly store?: ProbeResult } {
  const run = state.lastResult === result ? state.run + 1 : 1;
  const counted: ProbeWorkerState = { ...state, lastResult: result, run };
  const threshold = result === "failure" ? probe.failureThreshold : probe.successThreshold;
  if (run < threshold) return { state: counted };
  const holds = (type === "liveness" && result === "failure") || type === "startup";
  return { state: holds ? { ...counted, onHold: true, run: 0 } : counted, store: result };
}

/** What counts before the first result: not ready, alive, not started. */
export function initialResult(type: ProbeType): ProbeResult {
  switch (type) {
    case "readiness":
      return "failure";
    case "liveness":
      return "success";
    case "startup":
      return "unknown";
  }
}

function lookAtInstance(
  type: ProbeType,
  probe: Probe,
  state: ProbeWorkerState,
  view: ProbeView,
  container: ContainerStatus,
  now: Instant,
): ProbeDecision {
  if (state.onHold) return { state, step: { kind: "idle" } };
  const startedAt = parseTime(container.state?.running?.startedAt ?? "");
  if (container.state?.running === undefined || startedAt === undefined) {
    const ends = container.state?.terminated !== undefined && !view.restarts;
    return { state, step: { kind: ends ? "end" : "idle" }, store: "failure" };
  }
  if (view.podIsBeingDeleted && type !== "readiness") return { state, step: { kind: "end" }, store: "success" };
  // Liveness and readiness have no say before the container has started, startup none afterwards.
  if ((container.started === true) === (type === "startup")) return { state, step: { kind: "idle" } };
  const firstAt = after(startedAt, seconds(probe.initialDelaySeconds ?? 0));
  if (now < firstAt) return { state, step: { kind: "waitUntil", at: firstAt } };
  return { state, step: { kind: "probe" } };
}
