// How the node's runtime is: what it says of itself, that it says nothing any more, and that nobody could look at its Pods for too long
// (pod-lifecycle 12.1).

import { type Clock, elapsed, type Instant, minutes, seconds, type Timer } from "../base/time.ts";
import type { RuntimeCondition, RuntimeService } from "../runtimes/runtime-service.ts";
import { formatDuration } from "./back-off.ts";
import { errorText } from "./kubelet-parts.ts";

/** A runtime that has not answered for so long is down, though its calls have not timed out yet. */
export const silenceLimit = seconds(30);
/** For so long Pods may go unlooked at. */
export const lookLimit = minutes(3);

/** Well beyond what passes between two questions, even to a runtime that hangs. */
const longestPause = minutes(1);

export interface RuntimeHealth {
  /** Empty if the runtime does not answer. */
  readonly conditions: readonly RuntimeCondition[];
  /** What is wrong beyond that; empty if nothing is. */
  readonly errors: readonly string[];
}

export class RuntimeExaminer {
  readonly #runtime: RuntimeService;
  readonly #clock: Clock;
  /** The question that is under way: a runtime that hangs is not asked again and again. */
  #question: Promise<RuntimeHealth> | undefined;
  #lastLook: Instant;
  #lastExamined: Instant;

  constructor(runtime: RuntimeService, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#lastLook = clock.now();
    this.#lastExamined = this.#lastLook;
  }

  /** All Pods of the runtime have been looked at. */
  looked(): void {
    this.#lastLook = this.#clock.now();
  }

  /** Resolves when the runtime has answered, or has been silent for too long. */
  async examine(): Promise<RuntimeHealth> {
    this.#question ??= this.#ask().finally(() => {
      this.#question = undefined;
    });
    let timer: Timer | undefined;
    const silence = new Promise<RuntimeHealth>((resolve) => {
      const silent = { conditions: [], errors: ["container runtime is down"] };
      timer = this.#clock.setTimer(silenceLimit, () => resolve(silent), "runtime status");
    });
    const health = await Promise.race([this.#question, silence]);
    timer?.cancel();
    const now = this.#clock.now();
    // Asked after a pause that is none of this kubelet's: it was stopped, or its clock was put forward, and nobody could have looked.
    if (elapsed(this.#lastExamined, now) > longestPause) this.#lastLook = now;
    this.#lastExamined = now;
    const unseen = elapsed(this.#lastLook, now);
    if (unseen < lookLimit) return health;
    const since = formatDuration(seconds(Math.floor(unseen / 10_000) * 10));
    const message = `PLEG is not healthy: pleg was last seen active ${since} ago; threshold is ${formatDuration(lookLimit)}`;
    return { ...health, errors: [...health.errors, message] };
  }

  async #ask(): Promise<RuntimeHealth> {
    try {
      return { conditions: await this.#runtime.status(), errors: [] };
    } catch (error) {
      return { conditions: [], errors: [`container runtime is down: ${errorText(error)}`] };
    }
  }
}
