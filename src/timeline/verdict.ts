// Did everything go well? What `lifepod run` answers with its exit status: a pure reading of the Pods as they were seen.

import type { ContainerStatus, Pod } from "../api/index.ts";

/** One thing that went wrong, with the Pod it went wrong in. */
export interface Failure {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
  readonly text: string;
}

/**
 * Watches Pods until they are told to end. A crash counts even if the container was restarted and is well now: in production it would have
 * been an outage. How containers end after deletion has been asked for does not count.
 */
export class Verdict {
  readonly #latest = new Map<string, Pod>();
  /** Keyed by the container instance that crashed, so that each crash counts once. */
  readonly #crashes = new Map<string, Failure>();

  /** A Pod was seen. */
  saw(pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) return;
    this.#latest.set(pod.metadata.uid, pod);
    for (const status of containerStatuses(pod)) {
      for (const ended of [status.lastState?.terminated, status.state?.terminated]) {
        if (ended === undefined || ended.exitCode === 0) continue;
        const why = ended.reason === undefined || ended.reason === "Error" ? "" : ` (${ended.reason})`;
        this.#crashes.set(`${pod.metadata.uid}/${status.name}/${ended.containerID ?? ended.finishedAt ?? ""}`, {
          ...subjectOf(pod),
          container: status.name,
          text: `exited with code ${ended.exitCode}${why}`,
        });
      }
    }
  }

  /** A Pod is gone without having been deleted by us. */
  lost(pod: Pod): void {
    this.#latest.delete(pod.metadata.uid);
  }

  /** Whether every Pod has come to its end by itself; false while none was seen. */
  allFinished(): boolean {
    return this.#latest.size > 0 && [...this.#latest.values()].every(isFinished);
  }

  /** What went wrong so far; a Pod that has neither finished nor become Ready by now counts. */
  failures(): readonly Failure[] {
    return [...counted([...this.#crashes.values()]), ...[...this.#latest.values()].flatMap(failureNow)];
  }
}

/** The same failure of the same container is told once, with how often it happened. */
function counted(failures: readonly Failure[]): readonly Failure[] {
  const groups = new Map<string, { readonly failure: Failure; count: number }>();
  for (const failure of failures) {
    const key = `${failure.namespace}/${failure.pod}/${failure.container}/${failure.text}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { failure, count: 1 });
    else group.count++;
  }
  return [...groups.values()].map(({ failure, count }) =>
    count === 1 ? failure : { ...failure, text: `${failure.text}, ${count} times` },
  );
}

const isFinished = (pod: Pod): boolean => pod.status.phase === "Succeeded" || pod.status.phase === "Failed";

function failureNow(pod: Pod): readonly Failure[] {
  if (pod.status.phase === "Succeeded") return [];
  if (pod.status.phase === "Failed") {
    const why = [pod.status.reason, pod.status.message].filter((text) => text !== undefined && text !== "").join(": ");
    return [{ ...subjectOf(pod), text: why === "" ? "failed" : `failed: ${why}` }];
  }
  const ready = pod.status.conditions?.find((condition) => condition.type === "Ready");
  if (ready?.status === "True") return [];
  return [{ ...subjectOf(pod), text: `is not Ready: ${whyNotReady(pod)}` }];
}

/** The most telling reason, root cause first: scheduling, then the first container that waits for something that will not come, then the condition. */
function whyNotReady(pod: Pod): string {
  const scheduled = pod.status.conditions?.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status === "False") return `${scheduled.reason}: ${scheduled.message}`;
  for (const status of containerStatuses(pod)) {
    const waiting = status.state?.waiting;
    if (waiting?.message !== undefined && waiting.message !== "")
      return `${status.name}: ${waiting.reason}: ${waiting.message}`;
  }
  const ready = pod.status.conditions?.find((condition) => condition.type === "Ready");
  return ready?.message ?? `phase ${pod.status.phase}`;
}

const containerStatuses = (pod: Pod): readonly ContainerStatus[] => [
  ...(pod.status.initContainerStatuses ?? []),
  ...(pod.status.containerStatuses ?? []),
];

const subjectOf = (pod: Pod): { readonly namespace: string; readonly pod: string } => ({
  namespace: pod.metadata.namespace ?? "",
  pod: pod.metadata.name,
});
