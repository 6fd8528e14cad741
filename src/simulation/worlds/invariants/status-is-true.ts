import type { ContainerStatus as ApiContainerStatus, Pod } from "../../../api/index.ts";
import { elapsed, type Instant, seconds } from "../../../base/time.ts";
import type { ContainerStatus } from "../../../runtimes/runtime-service.ts";
import type { Finding, Invariant } from "../inhabitant.ts";
import { nameOf, type WorldView } from "../world-view.ts";

/** What happened this short a time ago need not be told yet. */
const patience = seconds(20);

/** When nothing has gone wrong for long, the API tells what the machines show: which containers run, which have ended and how, how often. */
export function statusIsTrue(): Invariant {
  return {
    name: "status is true in the end",
    *atRest(view: WorldView): Iterable<Finding> {
      for (const pod of view.pods()) {
        const machine = view.machines.get(pod.spec.nodeName ?? "");
        if (machine === undefined) continue;
        const all = machine
          .contents()
          .containers.filter(({ labels }) => labels["io.kubernetes.pod.uid"] === pod.metadata.uid);
        yield* findingsOf(pod, all, view.now());
      }
    },
  };
}

function* findingsOf(pod: Pod, all: readonly ContainerStatus[], now: Instant): Iterable<Finding> {
  const told = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  for (const status of told) {
    const newest = all
      .filter(({ metadata }) => metadata.name === status.name)
      .reduce<ContainerStatus | undefined>(
        (a, b) => (a === undefined || b.createdAt >= a.createdAt ? b : a),
        undefined,
      );
    const subject = `${nameOf(pod)} [${status.name}]`;
    if (newest === undefined) {
      if (status.state?.running !== undefined) yield { subject, text: "is said to run and is not there" };
      continue;
    }
    if (elapsed(lastMoveOf(newest), now) < patience) continue;
    const text = difference(status, newest);
    if (text !== undefined) yield { subject, text };
  }
  const runs = all.some(({ state }) => state.kind === "running");
  const { phase } = pod.status;
  if (runs && (phase === "Succeeded" || phase === "Failed")) {
    yield { subject: nameOf(pod), text: `is ${phase}, and a container of it runs` };
  }
}

function difference(told: ApiContainerStatus, real: ContainerStatus): string | undefined {
  const { state } = real;
  const toldState = JSON.stringify(told.state);
  switch (state.kind) {
    case "running": {
      if (told.state?.running === undefined) return `runs, and is said to be ${toldState}`;
      if (!(told.containerID ?? "").endsWith(real.id))
        return `runs as ${real.id}, and is said to be ${told.containerID}`;
      break;
    }
    case "exited": {
      const ended = told.state?.terminated ?? told.lastState?.terminated;
      if (told.state?.running !== undefined) return "has ended, and is said to run";
      if (ended === undefined) return `has ended with ${state.exitCode}, and is said to be ${toldState}`;
      // What waited to be started again when the Pod had to end is told as lost.
      if (ended.reason === "ContainerStatusUnknown") return undefined;
      if (ended.exitCode !== state.exitCode)
        return `has ended with ${state.exitCode}, and is said to have ended with ${ended.exitCode}`;
      break;
    }
    case "created":
    case "unknown":
      return undefined;
  }
  if (told.restartCount === real.metadata.attempt) return undefined;
  return `has restarted ${real.metadata.attempt} times, and is said to have restarted ${told.restartCount} times`;
}

function lastMoveOf({ state, createdAt }: ContainerStatus): Instant {
  switch (state.kind) {
    case "running":
      return state.startedAt;
    case "exited":
      return state.finishedAt;
    case "created":
    case "unknown":
      return createdAt;
  }
}
