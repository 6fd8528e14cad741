// The ways between the parts and the API server, with everything that can happen to a call there: it does not arrive, its answer does not, it takes
// long; and to a watch: it breaks, or its news comes late.

import type { ApiRequest, ApiResponse, WatchEvent, WatchReceiver, WatchStream } from "../../api/wire/request.ts";
import type { RandomStream } from "../../base/random.ts";
import { after, type Clock, type Instant, later, type Millis, millis } from "../../base/time.ts";
import type { Transport } from "../../client/client.ts";

/** What is wrong with one part's way to the API server. */
interface Line {
  /** How many faults have cut it. */
  cuts: number;
  /** The share of calls that the server answers with a failure, without having done anything. */
  failing: number;
  /** The share of calls that are carried out and whose answer does not arrive. */
  losing: number;
  /** Calls take up to this long each way. */
  slow: Millis;
  /** News on watches comes this much later. */
  lag: Millis;
  readonly watches: Set<LateWatch>;
}

/** One thing that can be wrong with a line, for as long as the fault lasts. */
export type LineFault =
  | { readonly kind: "cut" }
  | { readonly kind: "failing" | "losing"; readonly share: number }
  | { readonly kind: "slow" | "lag"; readonly time: Millis };

export class FaultyNetwork {
  readonly #clock: Clock;
  readonly #random: RandomStream;
  readonly #lines = new Map<string, Line>();
  readonly #onLostAnswer: (part: string, request: ApiRequest) => void;

  constructor(clock: Clock, random: RandomStream, onLostAnswer: (part: string, request: ApiRequest) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#onLostAnswer = onLostAnswer;
  }

  /** The parts that have asked for a way so far. */
  get parts(): readonly string[] {
    return [...this.#lines.keys()];
  }

  transportFor(part: string, direct: Transport): Transport {
    const line = this.#line(part);
    return (request) => this.#carry(part, line, direct, request);
  }

  /** Makes something go wrong on a part's line. @returns how to end it */
  begin(part: string, fault: LineFault): () => void {
    const line = this.#line(part);
    switch (fault.kind) {
      case "cut":
        line.cuts++;
        this.loseWatches(part);
        return () => {
          line.cuts--;
        };
      case "failing":
      case "losing":
        line[fault.kind] = fault.share;
        return () => {
          line[fault.kind] = 0;
        };
      case "slow":
      case "lag":
        line[fault.kind] = fault.time;
        return () => {
          line[fault.kind] = millis(0);
        };
    }
  }

  /** Breaks all watches of a part: what was on its way is lost. */
  loseWatches(part: string): void {
    for (const watch of this.#line(part).watches) watch.lose();
  }

  #line(part: string): Line {
    const known = this.#lines.get(part);
    if (known !== undefined) return known;
    const line: Line = { cuts: 0, failing: 0, losing: 0, slow: millis(0), lag: millis(0), watches: new Set() };
    this.#lines.set(part, line);
    return line;
  }

  async #carry(part: string, line: Line, direct: Transport, request: ApiRequest): Promise<ApiResponse> {
    await this.#travel(line);
    if (line.cuts > 0) throw new Error("connect ECONNREFUSED");
    if (line.failing > 0 && this.#random.next() < line.failing) return this.#failure();
    const response = await direct(request);
    if (line.cuts > 0 || (line.losing > 0 && this.#random.next() < line.losing)) {
      if (response.body.kind === "watch") response.body.watch.stop();
      this.#onLostAnswer(part, request);
      throw new Error("read ECONNRESET");
    }
    await this.#travel(line);
    if (response.body.kind !== "watch") return response;
    const watch = new LateWatch(response.body.watch, this.#clock, line);
    line.watches.add(watch);
    return { ...response, body: { kind: "watch", watch } };
  }

  async #travel(line: Line): Promise<void> {
    if (line.slow > 0) await this.#clock.sleep(millis(this.#random.integer(0, line.slow)));
  }

  /** A failure such as a server gives whose store does not answer, or that has too much to do. */
  #failure(): ApiResponse {
    const busy = this.#random.next() < 0.3;
    const [code, reason, message] = busy
      ? ([
          429,
          "TooManyRequests",
          "the server has received too many requests and has asked us to try again later",
        ] as const)
      : ([500, "InternalError", "etcdserver: request timed out"] as const);
    const object = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason,
      code,
      ...(busy && { details: { retryAfterSeconds: 1 } }),
    };
    const headers = { "content-type": "application/json" };
    return { status: code, headers, body: { kind: "object", object, json: () => JSON.stringify(object) } };
  }
}

/** A watch whose news may come late, in order, and that can break. */
class LateWatch implements WatchStream {
  readonly #inner: WatchStream;
  readonly #clock: Clock;
  readonly #line: Line;
  #receiver: WatchReceiver | undefined;
  #underway = 0;
  #lastArrival = 0 as Instant;

  constructor(inner: WatchStream, clock: Clock, line: Line) {
    this.#inner = inner;
    this.#clock = clock;
    this.#line = line;
  }

  start(receiver: WatchReceiver): void {
    this.#receiver = receiver;
    this.#inner.start({
      event: (event: WatchEvent) => this.#send(() => this.#receiver?.event(event)),
      ended: () => this.#send(() => this.#end()),
    });
  }

  stop(): void {
    this.#line.watches.delete(this);
    this.#receiver = undefined;
    this.#inner.stop();
  }

  /** The connection breaks. */
  lose(): void {
    this.#inner.stop();
    this.#end();
  }

  #end(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#line.watches.delete(this);
    receiver?.ended();
  }

  #send(deliver: () => void): void {
    const now = this.#clock.now();
    if (this.#line.lag <= 0 && this.#underway === 0) {
      deliver();
      return;
    }
    this.#lastArrival = later(after(now, this.#line.lag), this.#lastArrival);
    this.#underway++;
    this.#clock.setTimer(
      millis(this.#lastArrival - now),
      () => {
        this.#underway--;
        deliver();
      },
      "late news",
    );
  }
}
