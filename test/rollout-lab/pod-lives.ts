// What is seen of the Pods' lives while requests come: their status, the events about them, and when the Service begins and ceases to lead to them.

import { type KubeConfig, Watch } from "@kubernetes/client-node";
import type { EndpointSlice, Event, Pod } from "../../src/api/index.ts";
import type { Clock, Instant } from "../../src/base/time.ts";
import { eventEntry, type LifeEntry, podEntries } from "../../src/timeline/pod-life.ts";

export interface PodLife {
  readonly pod: string;
  /** In the order in which they were seen. */
  readonly entries: readonly LifeEntry[];
}

/** The words for what the EndpointSlices say of a Pod; Kubernetes has none. */
export const routed = "Routed";
export const unrouted = "Unrouted";

/** Puts sightings of objects together to lives. */
export class LifeBook {
  readonly #clock: Clock;
  readonly #entries = new Map<string, LifeEntry[]>();
  readonly #pods = new Map<string, Pod>();
  readonly #slices = new Map<string, EndpointSlice>();
  #routed: ReadonlySet<string> = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get lives(): readonly PodLife[] {
    return [...this.#entries].map(([pod, entries]) => ({ pod, entries }));
  }

  seePod(type: string, pod: Pod): void {
    if (type === "BOOKMARK") return;
    const { name } = pod.metadata;
    const after = type === "DELETED" ? undefined : pod;
    this.#add(podEntries(this.#pods.get(name), after, this.#clock.now()));
    if (after === undefined) this.#pods.delete(name);
    else this.#pods.set(name, after);
  }

  seeEvent(type: string, event: Event): void {
    if (type === "BOOKMARK" || type === "DELETED") return;
    const entry = eventEntry(event, this.#clock.now());
    if (entry !== undefined) this.#add([entry]);
  }

  seeSlice(type: string, slice: EndpointSlice): void {
    if (type === "BOOKMARK") return;
    if (type === "DELETED") this.#slices.delete(slice.metadata.name);
    else this.#slices.set(slice.metadata.name, slice);
    const now = new Set(
      [...this.#slices.values()]
        .flatMap(({ endpoints }) => endpoints)
        .filter(({ conditions }) => conditions?.ready === true)
        .map(({ targetRef }) => targetRef?.name ?? ""),
    );
    const at = this.#clock.now();
    for (const pod of now)
      if (!this.#routed.has(pod)) this.#add([slicesEntry(at, pod, routed, "the Service leads to it", "good")]);
    for (const pod of this.#routed)
      if (!now.has(pod)) this.#add([slicesEntry(at, pod, unrouted, "the Service leads to it no more", "busy")]);
    this.#routed = now;
  }

  #add(entries: readonly LifeEntry[]): void {
    for (const entry of entries) {
      const life = this.#entries.get(entry.pod);
      if (life === undefined) this.#entries.set(entry.pod, [entry]);
      else life.push(entry);
    }
  }
}

const slicesEntry = (at: Instant, pod: string, what: string, detail: string, tone: LifeEntry["tone"]): LifeEntry => ({
  at,
  namespace: "default",
  pod,
  uid: "",
  what,
  detail,
  tone,
});

/** Writes the lives of a cluster's Pods into the book, from now on. */
export async function followLives(config: KubeConfig, book: LifeBook): Promise<() => void> {
  const watch = new Watch(config);
  const follow = <T>(path: string, see: (type: string, object: T) => void, labelSelector?: string) =>
    watch.watch(
      path,
      { resourceVersion: "0", ...(labelSelector !== undefined && { labelSelector }) },
      (type, object: T) => see(type, object),
      () => undefined,
    );
  const watches = await Promise.all([
    follow<Pod>("/api/v1/namespaces/default/pods", (type, pod) => book.seePod(type, pod), "app=web"),
    follow<Event>("/api/v1/namespaces/default/events", (type, event) => book.seeEvent(type, event)),
    follow<EndpointSlice>(
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
      (type, slice) => book.seeSlice(type, slice),
      "kubernetes.io/service-name=web",
    ),
  ]);
  return () => {
    for (const each of watches) each.abort();
  };
}
