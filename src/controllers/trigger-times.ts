// When what led to a change of endpoints happened: consumers measure from there how long it took until traffic moved.

import type { Pod, Service } from "../api/index.ts";

/** Says so on Endpoints and EndpointSlices. */
export const triggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

interface SeenTimes {
  readonly service: string;
  readonly pods: ReadonlyMap<string, string>;
}

export class TriggerTimes {
  readonly #seen = new Map<string, SeenTimes>();

  /** The earliest moment among the changes since the last call for this Service; undefined if none of them has one. */
  since(key: string, service: Service, pods: readonly Pod[]): string | undefined {
    const before = this.#seen.get(key);
    const times = new Map<string, string>();
    let earliest: string | undefined;
    const consider = (time: string): void => {
      if (earliest === undefined || time < earliest) earliest = time;
    };
    for (const pod of pods) {
      const time = (pod.status.conditions ?? []).find(({ type }) => type === "Ready")?.lastTransitionTime;
      if (time === undefined) continue;
      times.set(pod.metadata.uid, time);
      if (before?.pods.get(pod.metadata.uid) !== time) consider(time);
    }
    const created = service.metadata.creationTimestamp;
    if (before?.service !== created) consider(created);
    this.#seen.set(key, { service: created, pods: times });
    return earliest;
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}
