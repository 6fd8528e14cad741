// What can be made to go wrong with a simulated runtime.

import type { Clock, Millis } from "../../base/time.ts";
import { millis } from "../../base/time.ts";
import type { ContainerId, ImageService, RuntimeEvent, RuntimeService } from "../runtime-service.ts";

/** The calls that faults and latencies are set for. */
export type RuntimeMethod =
  | Exclude<keyof RuntimeService, "capabilities" | "subscribe" | "readLog">
  | keyof ImageService;

/** How long calls take. A function is asked for each call. */
export type Latencies = Partial<Record<RuntimeMethod, Millis | (() => Millis)>>;

/** Sets faults. They last until they are taken back. */
export interface SimulatedFaults {
  /** The next `times` calls of a method fail with the message; nothing happens to the containers. */
  failNext(method: RuntimeMethod, times: number, message: string): void;
  /** Calls of the method wait until `release`; then they go on as if nothing had been. */
  hang(method: RuntimeMethod): { release(): void };
  /** The runtime's process is gone: all calls fail, event streams break. Containers run on. */
  down(): void;
  up(): void;
  /** A container's process dies of a signal, as if somebody on the machine had sent it. Does nothing if it does not run. */
  killContainer(id: ContainerId, signal?: number): void;
  /** The kernel kills a container for lack of memory. */
  outOfMemory(id: ContainerId): void;
  /** The machine loses power: all processes are gone; containers are found exited with 255, `Unknown`, sandboxes not ready. */
  powerLoss(): void;
}

export type RuntimeListener = { event(event: RuntimeEvent): void; lost(reason: string): void };

/** The door that each call passes: it waits, fails or hangs there as it was told. */
export class CallGate {
  readonly #clock: Clock;
  readonly #latencies: Latencies;
  readonly #failures = new Map<RuntimeMethod, { times: number; message: string }>();
  readonly #hanging = new Map<RuntimeMethod, Set<Promise<void>>>();
  #down = false;

  constructor(clock: Clock, latencies: Latencies) {
    this.#clock = clock;
    this.#latencies = latencies;
  }

  get isDown(): boolean {
    return this.#down;
  }

  set isDown(down: boolean) {
    this.#down = down;
  }

  failNext(method: RuntimeMethod, times: number, message: string): void {
    this.#failures.set(method, { times, message });
  }

  hang(method: RuntimeMethod): { release(): void } {
    const hanging = this.#hanging.get(method) ?? new Set();
    this.#hanging.set(method, hanging);
    let open = (): void => {};
    const released = new Promise<void>((resolve) => {
      open = resolve;
    });
    hanging.add(released);
    return {
      release: () => {
        hanging.delete(released);
        open();
      },
    };
  }

  async pass(method: RuntimeMethod): Promise<void> {
    this.#refuseWhenDown();
    const failure = this.#failures.get(method);
    if (failure !== undefined && failure.times > 0) {
      failure.times--;
      throw new Error(failure.message);
    }
    const latency = this.#latencies[method];
    const wait = typeof latency === "function" ? latency() : (latency ?? millis(0));
    if (wait > 0) await this.#clock.sleep(wait);
    for (const released of this.#hanging.get(method) ?? []) await released;
    this.#refuseWhenDown();
  }

  #refuseWhenDown(): void {
    if (this.#down) throw new Error(unavailable);
  }
}

/** What a client says when nobody answers on the runtime's socket. */
export const unavailable =
  'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/simulated/simulated.sock: connect: connection refused"';
