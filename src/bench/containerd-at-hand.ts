import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface ContainerdAtHand {
  readonly endpoint: string;
  /** An image in it that has `sh` and `sleep`. */
  readonly image: string;
  stop(): Promise<void>;
}

/**
 * The containerd to measure: the one that LIFEPOD_BENCH_CONTAINERD (its socket) and LIFEPOD_BENCH_IMAGE (an image in it with `sh`) name, else a
 * private one, if this machine can run it. A reason if there is none.
 */
export async function findContainerd(): Promise<ContainerdAtHand | string> {
  const { LIFEPOD_BENCH_CONTAINERD: endpoint, LIFEPOD_BENCH_IMAGE: image } = process.env;
  if (endpoint !== undefined && image !== undefined) return { endpoint, image, stop: () => Promise.resolve() };
  if (endpoint !== undefined) return "LIFEPOD_BENCH_CONTAINERD is set, LIFEPOD_BENCH_IMAGE is not";
  return startPrivate();
}

async function startPrivate(): Promise<ContainerdAtHand | string> {
  const program = join(import.meta.dirname, "..", "..", "test", "containerd", "serve.js");
  // It ends with its standard input, so also when this process dies.
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for await (const line of createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line) as { endpoint: string; image: string } | { absence: string };
    if ("absence" in answer) return answer.absence;
    child.stdout.resume();
    return {
      ...answer,
      async stop() {
        child.stdin.end();
        await ended;
      },
    };
  }
  return "the private containerd ended before it answered";
}
