// A client that sends at its own pace, whatever comes back: requests have moments at which they are meant to be sent, and latency counts from there. A client
// that waited for answers would ask least when the server is slowest, and would not see it (coordinated omission). Goes by any clock.

import { after, type Clock, elapsed, type Instant, type Millis, millis } from "../../src/base/time.ts";

export type FailureKind = "refused" | "reset" | "timeout" | "5xx" | "other";

export interface Answer {
  readonly kind: "ok" | FailureKind;
  /** Who answered, if the answer tells. */
  readonly pod?: string;
  /** What exactly went wrong; empty if nothing did. */
  readonly detail: string;
}

export interface Outcome {
  readonly path: string;
  /** When it was meant to be sent. */
  readonly intended: Instant;
  /** How much later it was sent: the client's own fault. */
  readonly late: Millis;
  readonly ended: Instant;
  readonly answer: Answer;
}

export interface OpenLoopOptions {
  readonly clock: Clock;
  readonly perSecond: number;
  /** Never rejects: what went wrong is an answer, too. */
  readonly ask: (path: string) => Promise<Answer>;
  /** The path of the n-th request, from 0. */
  readonly pathOf: (n: number) => string;
}

export class OpenLoop {
  readonly #options: OpenLoopOptions;
  readonly #begun: Instant;
  readonly #outcomes: Outcome[] = [];
  readonly #pending = new Set<Promise<void>>();
  #sent = 0;
  #sending = true;

  /** Begins at once. */
  constructor(options: OpenLoopOptions) {
    this.#options = options;
    this.#begun = options.clock.now();
    this.#sendDue();
  }

  get begun(): Instant {
    return this.#begun;
  }

  /** How many requests were sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** What has come back so far, in that order. */
  get outcomes(): readonly Outcome[] {
    return this.#outcomes;
  }

  /** Sends no more. Resolves with everything, in the order of sending, when the last answer is there. */
  async finish(): Promise<readonly Outcome[]> {
    this.#sending = false;
    await Promise.all(this.#pending);
    return [...this.#outcomes].sort((a, b) => a.intended - b.intended);
  }

  #sendDue(): void {
    const { clock } = this.#options;
    const now = clock.now();
    while (this.#sending && this.#intended(this.#sent) <= now) this.#send();
    if (!this.#sending) return;
    clock.setTimer(millis(Math.max(0, this.#intended(this.#sent) - now)), () => this.#sendDue(), "open loop");
  }

  #intended(n: number): Instant {
    return after(this.#begun, millis((n * 1000) / this.#options.perSecond));
  }

  #send(): void {
    const { clock, ask, pathOf } = this.#options;
    const intended = this.#intended(this.#sent);
    const path = pathOf(this.#sent);
    const late = elapsed(intended, clock.now());
    this.#sent += 1;
    const work = ask(path).then((answer) => {
      this.#outcomes.push({ path, intended, late, ended: clock.now(), answer });
      this.#pending.delete(work);
    });
    this.#pending.add(work);
  }
}
