// Tells people what happened to an object, as Event objects (pod-lifecycle 0.3). Whoever reports never waits and never fails because of it:
// events go out behind the caller's back, in order for each object, folded and thinned so that trouble cannot flood the API server.

import type { Event } from "../api/index.ts";
import type { JsonObject } from "../api/wire/request.ts";
import { StatusError, isReason } from "../api/wire/status-error.ts";
import { type Clock, type Instant, type Millis, formatTime, seconds } from "../base/time.ts";
import type { Client } from "./client.ts";
import { EventCorrelator, type EventFacts } from "./event-correlator.ts";
import { truncateMessage } from "./event-message.ts";

/** What an event can be about: any object, whole or by its reference. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

export interface EventNote {
  readonly type: "Normal" | "Warning";
  /** What happened, as one word: `Scheduled`, `BackOff`. */
  readonly reason: string;
  /** For people. Cut to `messageLimitBytes`. */
  readonly message: string;
  /** The part of the object it is about: `spec.containers{web}`. */
  readonly fieldPath?: string;
}

export interface EventRecorder {
  /** Reports what happened to the object just now. Returns at once. */
  record(subject: EventSubject, note: EventNote): void;
}

/** Events that may wait to be sent, over all objects; further ones are dropped and `onDropped` hears of it. */
export const pendingEventLimit = 10_000;

/** How often an event is sent when the API server cannot be reached. */
export const sendAttemptLimit = 12;

/** The wait between two such attempts. */
export const sendRetryDelay: Millis = seconds(10);

/** How often another name is tried when an event's name is taken. */
export const nameAttemptLimit = 5;

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Who reports: `{ component: "kubelet", host: "node-a" }`. */
  readonly source: { readonly component: string; readonly host?: string };
  /** An event was lost: too many were waiting, or the API server refused it. The spam filter's drops are not reported. */
  readonly onDropped?: (subject: EventSubject, note: EventNote, error: unknown) => void;
}

export interface RunningEventRecorder extends EventRecorder {
  /** Resolves when everything recorded so far has been sent or given up. */
  flushed(): Promise<void>;
}

export function createEventRecorder(options: EventRecorderOptions): RunningEventRecorder {
  return new ApiEventRecorder(options);
}

interface PendingEvent {
  readonly subject: EventSubject;
  readonly note: EventNote;
  readonly at: Instant;
}

class ApiEventRecorder implements RunningEventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #correlator = new EventCorrelator();
  /** Per object what is still to be sent, the one on its way first. */
  readonly #lanes = new Map<string, PendingEvent[]>();
  readonly #flushWaiters: (() => void)[] = [];
  #pending = 0;
  /** The number in the last name, so that two events of one instant differ. */
  #lastNanos = 0n;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(subject: EventSubject, note: EventNote): void {
    if (this.#pending >= pendingEventLimit) {
      this.#options.onDropped?.(subject, note, new Error(`${pendingEventLimit} events are waiting already`));
      return;
    }
    this.#pending++;
    const cut = { ...note, message: truncateMessage(note.message) };
    const pending: PendingEvent = { subject, note: cut, at: this.#options.clock.now() };
    const { kind, metadata } = subject;
    const lane = `${kind}/${metadata.namespace ?? ""}/${metadata.name}/${metadata.uid ?? ""}`;
    const waiting = this.#lanes.get(lane);
    if (waiting !== undefined) {
      waiting.push(pending);
      return;
    }
    const queue = [pending];
    this.#lanes.set(lane, queue);
    void this.#drain(lane, queue);
  }

  flushed(): Promise<void> {
    return this.#pending === 0 ? Promise.resolve() : new Promise((wake) => this.#flushWaiters.push(wake));
  }

  async #drain(lane: string, queue: PendingEvent[]): Promise<void> {
    for (let pending = queue[0]; pending !== undefined; pending = queue[0]) {
      await this.#deliver(pending);
      queue.shift();
      this.#pending--;
    }
    this.#lanes.delete(lane);
    if (this.#pending === 0) for (const wake of this.#flushWaiters.splice(0)) wake();
  }

  /** Sends one event; gives up, never throws. */
  async #deliver(pending: PendingEvent): Promise<void> {
    const correlated = this.#correlator.correlate(this.#factsOf(pending), pending.at);
    if (correlated.kind === "dropped") return;
    for (let attempt = 1; ; attempt++) {
      try {
        const stored = await this.#send(correlated.facts, correlated.storedName);
        this.#correlator.stored(correlated.key, stored);
        return;
      } catch (error) {
        // An answer is final; only silence is worth another try.
        if (error instanceof StatusError || attempt >= sendAttemptLimit) {
          this.#options.onDropped?.(pending.subject, pending.note, error);
          return;
        }
        await this.#options.clock.sleep(sendRetryDelay);
      }
    }
  }

  /** Raises the count of the event that stands for this one, or makes it, also when it has expired meanwhile. */
  async #send(facts: EventFacts, storedName: string | undefined): Promise<string> {
    const { events } = this.#options.client;
    if (storedName !== undefined) {
      try {
        const patch = {
          count: facts.count,
          lastTimestamp: formatTime(facts.lastTimestamp),
          message: facts.message,
        };
        await events.patch(storedName, facts.namespace, "strategic", patch);
        return storedName;
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
    }
    for (let attempt = 1; ; attempt++) {
      const name = this.#nameFor(facts);
      try {
        await events.create(eventObject(facts, name), facts.namespace);
        return name;
      } catch (error) {
        // Another reporter took the same moment for the same object.
        if (!isReason(error, "AlreadyExists") || attempt >= nameAttemptLimit) throw error;
      }
    }
  }

  /** `<object>.<time in nanoseconds, hexadecimal>`. */
  #nameFor(facts: EventFacts): string {
    const now = BigInt(Math.round(facts.lastTimestamp * 1000)) * 1000n;
    this.#lastNanos = now > this.#lastNanos ? now : this.#lastNanos + 1n;
    return `${facts.involvedObject.name}.${this.#lastNanos.toString(16)}`;
  }

  #factsOf({ subject, note, at }: PendingEvent): EventFacts {
    const { name, namespace, uid, resourceVersion } = subject.metadata;
    return {
      namespace: namespace ?? "default",
      source: this.#options.source,
      involvedObject: {
        kind: subject.kind,
        ...(namespace === undefined ? {} : { namespace }),
        name,
        ...(uid === undefined ? {} : { uid }),
        apiVersion: subject.apiVersion,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(note.fieldPath === undefined ? {} : { fieldPath: note.fieldPath }),
      },
      type: note.type,
      reason: note.reason,
      message: note.message,
      count: 1,
      firstTimestamp: at,
      lastTimestamp: at,
    };
  }
}

function eventObject(facts: EventFacts, name: string): JsonObject {
  const event: Omit<Event, "metadata"> & { metadata: { name: string; namespace: string } } = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: facts.namespace },
    involvedObject: facts.involvedObject,
    reason: facts.reason,
    message: facts.message,
    source: facts.source,
    firstTimestamp: formatTime(facts.firstTimestamp),
    lastTimestamp: formatTime(facts.lastTimestamp),
    count: facts.count,
    type: facts.type,
    reportingComponent: facts.source.component,
    reportingInstance: facts.source.host ?? "",
  };
  return { ...event };
}
