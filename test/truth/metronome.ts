// How late the machine itself is, whatever runs on it: a process that does nothing but beat, and is heard late when there is no processor for it.

import { type ChildProcess, spawn } from "node:child_process";
import { type Millis, millis } from "../../src/base/time.ts";

const beat = millis(50);

export class Metronome {
  readonly #process: ChildProcess;
  readonly #late: number[] = [];
  #heard = performance.now();

  constructor() {
    const script = `while :; do echo; sleep ${beat / 1000}; done`;
    this.#process = spawn("/bin/busybox", ["sh", "-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    this.#process.stdout?.on("data", () => {
      const now = performance.now();
      this.#late.push(Math.max(0, now - this.#heard - beat));
      this.#heard = now;
    });
  }

  /** Milliseconds by which 99 of 100 beats were not exceeded. */
  latenessP99(): Millis {
    const sorted = this.#late.toSorted((a, b) => a - b);
    return millis(sorted[Math.floor(sorted.length * 0.99)] ?? 0);
  }

  stop(): void {
    this.#process.kill("SIGKILL");
  }
}
