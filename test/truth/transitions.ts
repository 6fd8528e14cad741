// What is compared: every change of a Pod's containers, phase and conditions, and every event about it, with its moment.

import type { Event, Pod } from "../../src/api/index.ts";
import type { Random } from "../../src/base/random.ts";
import type { Clock, Instant } from "../../src/base/time.ts";
import type { Client } from "../../src/client/client.ts";
import { createInformer, type Informer } from "../../src/client/informer.ts";
import { podEntries } from "../../src/timeline/pod-life.ts";

export interface Transition {
  readonly at: Instant;
  /** `default/app` */
  readonly pod: string;
  readonly podUid: string;
  /** What moves: transitions of one track follow each other; `container app`, `condition Ready`, `events of app`, `pod`. */
  readonly track: string;
  /** `Running restart 1`, `True`, `Killing` */
  readonly what: string;
}

export class Transitions {
  readonly #informers: readonly Pick<Informer<unknown>, "start" | "stop">[];
  readonly #seen: Transition[] = [];
  readonly #waiting = new Set<() => void>();

  constructor({ client, clock, random }: { readonly client: Client; readonly clock: Clock; readonly random: Random }) {
    const pods = createInformer({ resource: client.pods, clock, random, name: "truth-pods" });
    pods.onAny((change) => {
      const before =
        change.kind === "updated" ? change.previous : change.kind === "deleted" ? change.object : undefined;
      const after = change.kind === "deleted" ? undefined : change.object;
      this.#add(podTransitions(before, after, clock.now()));
    });
    const events = createInformer({ resource: client.events, clock, random, name: "truth-events" });
    events.onAny((change) => {
      if (change.kind !== "deleted" && change.object.involvedObject.kind === "Pod")
        this.#add([eventTransition(change.object, clock.now())]);
    });
    this.#informers = [pods, events];
  }

  get seen(): readonly Transition[] {
    return this.#seen;
  }

  start(): void {
    for (const informer of this.#informers) informer.start();
  }

  stop(): void {
    for (const informer of this.#informers) informer.stop();
  }

  /** Resolves with the next transition. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #add(transitions: readonly Transition[]): void {
    if (transitions.length === 0) return;
    this.#seen.push(...transitions);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

function podTransitions(before: Pod | undefined, after: Pod | undefined, at: Instant): readonly Transition[] {
  const pod = after ?? before;
  if (pod === undefined) return [];
  const about = { at, pod: `${pod.metadata.namespace}/${pod.metadata.name}`, podUid: pod.metadata.uid };
  const life = podEntries(before, after, at)
    // The condition itself says the same.
    .filter(({ what }) => what !== "Ready" && what !== "NotReady")
    .map(({ container, what, detail }) => ({
      ...about,
      track: container === undefined ? "pod" : `container ${container}`,
      what: `${what}${essential(what, detail)}`,
    }));
  if (after === undefined) return life;
  const conditions = (after.status.conditions ?? []).flatMap(({ type, status }) => {
    const was = before?.status.conditions?.find((one) => one.type === type)?.status;
    return was === status ? [] : [{ ...about, track: `condition ${type}`, what: status }];
  });
  return [...life, ...conditions];
}

/** Of a detail what does not depend on the clock or on a runtime's wording: exit codes and their reasons, restarts, grace. */
function essential(what: string, detail: string): string {
  if (what === "Exited") return ` ${/^code \d+(?:, [A-Z]\w+)?/.exec(detail)?.[0] ?? ""}`;
  if (what === "Running" || what === "Terminating") return detail === "" ? "" : ` ${detail}`;
  if (what === "Failed") return detail === "" ? "" : ` ${detail.split(":")[0]}`;
  return "";
}

function eventTransition(event: Event, at: Instant): Transition {
  const { involvedObject: about, reason = "", count = 1 } = event;
  const container = /\{(.+)\}/.exec(about.fieldPath ?? "")?.[1] ?? "the Pod";
  return {
    at,
    pod: `${about.namespace}/${about.name}`,
    podUid: about.uid ?? "",
    track: `events of ${container}`,
    what: count > 1 ? `${reason} (${count} times)` : reason,
  };
}
