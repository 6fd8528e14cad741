// Which events are the same, which are alike, and which are too many (pod-lifecycle 0.3). Decides only; sends nothing.

import { type Instant, type Millis, elapsed, minutes, seconds } from "../base/time.ts";
import { truncateMessage } from "./event-message.ts";

/** What an event says, before it is an object. */
export interface EventFacts {
  readonly namespace: string;
  readonly source: { readonly component: string; readonly host?: string };
  readonly involvedObject: {
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
    readonly apiVersion: string;
    readonly resourceVersion?: string;
    readonly fieldPath?: string;
  };
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: Instant;
  readonly lastTimestamp: Instant;
}

export type CorrelatedEvent =
  /** Too many events about this object from this source. */
  | { readonly kind: "dropped" }
  | {
      readonly kind: "send";
      readonly facts: EventFacts;
      /** To be given back to `stored`. */
      readonly key: string;
      /** The event object that already stands for these facts, if there is one. */
      readonly storedName: string | undefined;
    };

/** With this many different messages of one kind within the window, they become one event. */
export const similarEventLimit = 10;

/** Similar events further apart than this are counted anew. */
export const similarEventWindow: Millis = seconds(600);

/** Events about one object from one source at once. */
export const spamBurst = 25;

/** After the burst, one more event each. */
export const spamRefill: Millis = minutes(5);

/** How many different events, kinds of events and objects are remembered; the longest unused is forgotten first. */
export const correlationLimit = 4096;

const combinedPrefix = "(combined from similar events): ";

export class EventCorrelator {
  readonly #similar = new RecentlyUsed<{ messages: Set<string>; last: Instant }>();
  readonly #known = new RecentlyUsed<{ count: number; firstTimestamp: Instant; name: string | undefined }>();
  readonly #buckets = new RecentlyUsed<{ tokens: number; filledAt: Instant }>();

  /** Folds `facts` into what was reported before. The order of the three steps is upstream's: a dropped event still counts. */
  correlate(facts: EventFacts, now: Instant): CorrelatedEvent {
    const { facts: folded, key } = this.#combine(facts, now);
    const known = this.#known.get(key);
    const counted =
      known === undefined ? folded : { ...folded, count: known.count + 1, firstTimestamp: known.firstTimestamp };
    this.#known.set(key, {
      count: counted.count,
      firstTimestamp: counted.firstTimestamp,
      name: known?.name,
    });
    if (!this.#takeToken(facts, now)) return { kind: "dropped" };
    return { kind: "send", facts: counted, key, storedName: known?.name };
  }

  /** The event with this key is now the object called `name`. */
  stored(key: string, name: string): void {
    const known = this.#known.get(key);
    if (known !== undefined) this.#known.set(key, { ...known, name });
  }

  #combine(facts: EventFacts, now: Instant): { facts: EventFacts; key: string } {
    const kindKey = JSON.stringify([sourceAndObject(facts), facts.type, facts.reason]);
    let similar = this.#similar.get(kindKey);
    if (similar === undefined || elapsed(similar.last, now) > similarEventWindow) {
      similar = { messages: new Set(), last: now };
    }
    similar.last = now;
    similar.messages.add(facts.message);
    this.#similar.set(kindKey, similar);
    if (similar.messages.size < similarEventLimit) {
      return { facts, key: JSON.stringify([kindKey, facts.involvedObject.fieldPath, facts.message]) };
    }
    // Make room, so that the set cannot grow beyond the limit.
    for (const oldest of similar.messages) {
      similar.messages.delete(oldest);
      break;
    }
    return { facts: { ...facts, message: truncateMessage(combinedPrefix + facts.message) }, key: kindKey };
  }

  #takeToken(facts: EventFacts, now: Instant): boolean {
    const key = sourceAndObject(facts);
    const bucket = this.#buckets.get(key) ?? { tokens: spamBurst, filledAt: now };
    const tokens = Math.min(spamBurst, bucket.tokens + elapsed(bucket.filledAt, now) / spamRefill);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, filledAt: now });
    return tokens >= 1;
  }
}

function sourceAndObject({ source, involvedObject }: EventFacts): string {
  const { kind, namespace, name, uid, apiVersion } = involvedObject;
  return JSON.stringify([source.component, source.host, kind, namespace, name, uid, apiVersion]);
}

/** A map of limited size that forgets what was longest not touched. */
class RecentlyUsed<V> {
  readonly #entries = new Map<string, V>();

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= correlationLimit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}
