// A private containerd for a program of another folder, the benchmarks: says where it listens, as a line of JSON, and ends with its standard input.

import { containerdAbsence, startContainerd } from "./containerd.ts";

const absence = containerdAbsence();
if (absence === undefined) {
  const containerd = await startContainerd();
  process.stdin.once("close", () => void containerd.stop()).resume();
  process.stdout.write(`${JSON.stringify({ endpoint: containerd.endpoint, image: containerd.images.busybox })}\n`);
} else {
  process.stdout.write(`${JSON.stringify({ absence })}\n`);
}
