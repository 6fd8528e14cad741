// How long a command that was given a time is waited for.

import { type Clock, elapsed, type Millis, seconds, type Timer } from "../../base/time.ts";
import { ExecTimeoutError } from "../runtime-service.ts";
import { GrpcError } from "./grpc-error.ts";

/** A runtime that takes longer for a simple question stood still. */
const promptAnswer: Millis = seconds(1);

/**
 * Gives a command up by its `signal` when its time is over. The runtime does so itself, but answers only after everybody has closed the output, which a child that
 * the command left behind may never do. A runtime that answers nothing at all says nothing about the command: it may not have begun. So it is asked a simple question,
 * and if it stood still the command gets its time anew. As upstream, one that has not answered for the whole time limit of a call counts as a command whose time is up.
 */
export class ExecPatience {
  readonly #clock: Clock;
  readonly #command: readonly string[];
  readonly #limit: Millis | undefined;
  readonly #ask: () => Promise<void>;
  readonly #aborter = new AbortController();
  #timer: Timer | undefined;
  #ended = false;

  /**
   * @param limit without one it never ends
   * @param ask rejects with `DeadlineExceeded` after the time limit of a call
   */
  constructor(clock: Clock, command: readonly string[], limit: Millis | undefined, ask: () => Promise<void>) {
    this.#clock = clock;
    this.#command = command;
    this.#limit = limit;
    this.#ask = ask;
    this.#wait();
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** The command has ended. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    const limit = this.#limit;
    if (limit === undefined) return;
    this.#timer = this.#clock.setTimer(limit, () => void this.#timeIsUp(limit), "cri: exec time-out");
  }

  async #timeIsUp(limit: Millis): Promise<void> {
    const asked = this.#clock.now();
    const isUp = await this.#ask().then(
      () => elapsed(asked, this.#clock.now()) < promptAnswer,
      // Of any other failure the command's own call tells.
      (error: unknown) => error instanceof GrpcError && error.code === "DeadlineExceeded",
    );
    if (this.#ended) return;
    if (isUp) this.#aborter.abort(new ExecTimeoutError(this.#command, limit));
    else this.#wait();
  }
}
