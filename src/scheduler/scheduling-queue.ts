// Which Pod is tried next, and when one that did not fit is tried again (pod-lifecycle 11.1).
//
//   add ──→ active ──→ in hand ──→ (bound: removed)
//             ↑            │ rejected: unschedulable, until something that its plugins care about happens, or 5 minutes
//             │            │ failed:   back-off
//             └─ back-off ←┘ the back-off is counted from the last failure: 1 s, doubling to 10 s
//
// A Pod with scheduling gates waits outside until the last gate is gone. When nothing is active, a Pod that backs off because it did not fit is
// tried at once: waiting would help nobody.

import type { Pod } from "../api/index.ts";
import { type Clock, type Instant, type Millis, type Timer, after, elapsed, minutes, seconds } from "../base/time.ts";
import { type ClusterEvent, podChanges } from "./cluster-event.ts";
import type { FilterPlugin } from "./plugin.ts";
import { PriorityHeap } from "./priority-heap.ts";

export const firstBackOff: Millis = seconds(1);
export const longestBackOff: Millis = seconds(10);

/** A Pod that nothing woke for this long is tried again all the same. */
export const longestUnschedulable: Millis = minutes(5);

export type QueuePlace =
  | { readonly kind: "active" }
  | { readonly kind: "inHand" }
  | { readonly kind: "backOff"; readonly until: Instant; readonly because: BackOffCause; readonly timer: Timer }
  | { readonly kind: "unschedulable" }
  | { readonly kind: "gated" }
  | { readonly kind: "removed" };

/** Why a Pod waits for its back-off: it did not fit before; the attempt broke; there was no node at all. */
export type BackOffCause = "unschedulable" | "error" | "noNodes";

export interface QueuedPod {
  readonly uid: string;
  readonly pod: Pod;
  readonly place: QueuePlace;
  /** How often it did not fit. */
  readonly rejections: number;
  /** Attempts in a row that broke. */
  readonly errors: number;
}

interface Entry extends QueuedPod {
  pod: Pod;
  place: QueuePlace;
  rejections: number;
  errors: number;
  /** When it came, or when it failed last. */
  since: Instant;
  /** Breaks ties: who came first. */
  readonly order: number;
  rejectedBy: ReadonlySet<string>;
  /** Set while room is being made for it: whether something happened meanwhile that would have woken it. */
  held: { woken: boolean } | undefined;
}

/** A place in a heap, stale as soon as the Pod is somewhere else. */
interface Ticket {
  readonly entry: Entry;
  readonly place: QueuePlace;
}

export interface SchedulingQueueOptions {
  readonly clock: Clock;
  readonly filters: readonly FilterPlugin[];
}

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #filters: ReadonlyMap<string, FilterPlugin>;
  readonly #entries = new Map<string, Entry>();
  readonly #active = new PriorityHeap<Ticket>((a, b) => isBefore(a.entry, b.entry), isStale);
  readonly #backingOff = new PriorityHeap<Ticket>(endsBefore, isStale);
  /** In the order of their last failure, so that the first is the first to have waited too long. */
  readonly #unschedulable = new Set<Entry>();
  readonly #takers: ((pod: QueuedPod | undefined) => void)[] = [];
  #leftOverTimer: Timer | undefined;
  #order = 0;
  #closed = false;

  constructor({ clock, filters }: SchedulingQueueOptions) {
    this.#clock = clock;
    this.#filters = new Map(filters.map((filter) => [filter.name, filter]));
  }

  /** The next Pod to try, in the caller's hand until it is rejected, failed or removed; `undefined` after `close`. */
  next(): Promise<QueuedPod | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((take) => {
      this.#takers.push(take);
      this.#serve();
    });
  }

  /** A Pod that waits for a node came, or changed. */
  set(pod: Pod): void {
    const { uid } = pod.metadata;
    const known = this.#entries.get(uid);
    if (known !== undefined) {
      this.#update(known, pod);
      this.#serve();
      return;
    }
    const entry: Entry = {
      uid,
      pod,
      place: { kind: "gated" },
      rejections: 0,
      errors: 0,
      since: this.#clock.now(),
      order: this.#order++,
      rejectedBy: new Set(),
      held: undefined,
    };
    this.#entries.set(uid, entry);
    if (!isGated(pod)) this.#activate(entry);
    this.#serve();
  }

  /** The Pod no longer waits: it is bound, gone, or somebody else's. */
  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    this.#move(entry, { kind: "removed" });
    this.#entries.delete(uid);
  }

  /** The Pod in hand fits nowhere; the plugins say what may change that. */
  reject({ uid }: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    const entry = this.#entries.get(uid);
    if (entry?.place.kind !== "inHand") return;
    entry.rejections++;
    entry.errors = 0;
    entry.since = this.#clock.now();
    entry.rejectedBy = rejectedBy;
    this.#move(entry, { kind: "unschedulable" });
    this.#unschedulable.add(entry);
    this.#watchLeftOvers();
  }

  /** Room is being made for the rejected Pod: until `release` it is not tried again, whatever happens. */
  hold(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) entry.held = { woken: false };
  }

  /** @param again try it in any case: room could not be made */
  release(uid: string, { again }: { readonly again: boolean }): void {
    const entry = this.#entries.get(uid);
    if (entry?.held === undefined) return;
    const { woken } = entry.held;
    entry.held = undefined;
    if (entry.place.kind !== "unschedulable" || !(woken || again)) return;
    this.#requeue(entry);
    this.#serve();
  }

  /** The attempt with the Pod in hand broke; it is tried again after its back-off. */
  fail({ uid }: QueuedPod, because: "error" | "noNodes"): void {
    const entry = this.#entries.get(uid);
    if (entry?.place.kind !== "inHand") return;
    entry.errors++;
    entry.since = this.#clock.now();
    this.#backOff(entry, because);
    this.#serve();
  }

  /** Something happened: whoever may fit now is tried again, after what is left of its back-off. */
  wake(event: ClusterEvent): void {
    for (const entry of this.#unschedulable) {
      if (this.#isHopeful(entry, (filter) => filter.wakesOn(event, entry.pod))) this.#requeue(entry);
    }
    if (event.kind === "nodeAdded") {
      for (const entry of this.#entries.values()) {
        if (entry.place.kind === "backOff" && entry.place.because === "noNodes") this.#activate(entry);
      }
    }
    this.#serve();
  }

  /** How many wait in each place. */
  counts(): Record<QueuePlace["kind"], number> {
    const counts = { active: 0, inHand: 0, backOff: 0, unschedulable: 0, gated: 0, removed: 0 };
    for (const { place } of this.#entries.values()) counts[place.kind]++;
    return counts;
  }

  /** Whether the Pod waits here, or is in hand. */
  has(uid: string): boolean {
    return this.#entries.has(uid);
  }

  placeOf(uid: string): QueuePlace["kind"] {
    return this.#entries.get(uid)?.place.kind ?? "removed";
  }

  /** Nobody is given out any more; timers are called off. */
  close(): void {
    this.#closed = true;
    for (const uid of this.#entries.keys()) this.remove(uid);
    this.#leftOverTimer?.cancel();
    for (const take of this.#takers.splice(0)) take(undefined);
  }

  #update(entry: Entry, pod: Pod): void {
    const previous = entry.pod;
    entry.pod = pod;
    switch (entry.place.kind) {
      case "gated":
        if (!isGated(pod)) this.#activate(entry);
        return;
      case "unschedulable": {
        const changes = podChanges(previous, pod);
        if (changes.size === 0) return; // a status, mostly ours
        if (this.#isHopeful(entry, (filter) => filter.wakesOnPodChange(changes, pod))) this.#requeue(entry);
        return;
      }
      case "active":
      case "inHand":
      case "backOff":
      case "removed":
        return;
    }
  }

  #isHopeful(entry: Entry, asks: (filter: FilterPlugin) => boolean): boolean {
    for (const name of entry.rejectedBy) {
      const filter = this.#filters.get(name);
      if (filter !== undefined && asks(filter)) return true;
    }
    return false;
  }

  // These only put a Pod in its place: whoever woke several serves when all are there, else the first would go before a more important one.

  #requeue(entry: Entry): void {
    if (entry.held !== undefined) {
      entry.held.woken = true;
      return;
    }
    if (elapsed(entry.since, this.#clock.now()) >= backOffOf(entry)) this.#activate(entry);
    else this.#backOff(entry, "unschedulable");
  }

  #activate(entry: Entry): void {
    const place: QueuePlace = { kind: "active" };
    this.#move(entry, place);
    this.#active.push({ entry, place });
  }

  #backOff(entry: Entry, because: BackOffCause): void {
    const until = after(entry.since, backOffOf(entry));
    const fire = (): void => {
      this.#activate(entry);
      this.#serve();
    };
    const timer = this.#clock.setTimer(elapsed(this.#clock.now(), until), fire, "scheduler: back-off");
    const place: QueuePlace = { kind: "backOff", until, because, timer };
    this.#move(entry, place);
    if (because === "unschedulable") this.#backingOff.push({ entry, place });
  }

  #move(entry: Entry, place: QueuePlace): void {
    if (entry.place.kind === "backOff") entry.place.timer.cancel();
    if (entry.place.kind === "unschedulable") this.#unschedulable.delete(entry);
    entry.place = place;
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const ticket = this.#active.pop() ?? this.#backingOff.pop();
      if (ticket === undefined) return;
      this.#move(ticket.entry, { kind: "inHand" });
      this.#takers.shift()?.(ticket.entry);
    }
  }

  /** One timer, for the Pod that has waited longest. */
  #watchLeftOvers(): void {
    if (this.#leftOverTimer !== undefined) return;
    const [first] = this.#unschedulable;
    if (first === undefined) return;
    const wait = elapsed(this.#clock.now(), after(first.since, longestUnschedulable));
    const fire = (): void => {
      this.#leftOverTimer = undefined;
      const now = this.#clock.now();
      for (const entry of this.#unschedulable) {
        if (elapsed(entry.since, now) >= longestUnschedulable) this.#requeue(entry);
      }
      this.#serve();
      this.#watchLeftOvers();
    };
    this.#leftOverTimer = this.#clock.setTimer(wait, fire, "scheduler: unschedulable too long");
  }
}

/** 1 s, doubling to 10 s; by the errors in a row if the last attempt broke, else by the times it did not fit. */
export function backOffOf({ rejections, errors }: { readonly rejections: number; readonly errors: number }): Millis {
  const count = errors > 0 ? errors : rejections;
  return count === 0 ? seconds(0) : (Math.min(firstBackOff * 2 ** (count - 1), longestBackOff) as Millis);
}

function isGated({ spec }: Pod): boolean {
  return (spec.schedulingGates ?? []).length > 0;
}

/** Higher priority first, then who has waited longer. */
function isBefore(a: Entry, b: Entry): boolean {
  const priorities = (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0);
  if (priorities !== 0) return priorities < 0;
  return a.since === b.since ? a.order < b.order : a.since < b.since;
}

function endsBefore(a: Ticket, b: Ticket): boolean {
  const [endOfA, endOfB] = [a, b].map(({ place }) => (place.kind === "backOff" ? place.until : 0));
  return endOfA === endOfB ? isBefore(a.entry, b.entry) : (endOfA as number) < (endOfB as number);
}

function isStale({ entry, place }: Ticket): boolean {
  return entry.place !== place;
}
