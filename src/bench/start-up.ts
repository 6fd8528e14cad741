import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLifepod } from "./lifepod-process.ts";
import { latencies, type Measurement } from "./measurement.ts";

const runs = 10;

/** From the start of the process to `ready` (which is said when /readyz is 200), for a new folder and for one with a past. */
export async function measureStartUp(): Promise<readonly Measurement[]> {
  const floor = { what: "node that does nothing", sample: await repeat(emptyNode) };
  const first = await repeat(async () => {
    const lifepod = await startLifepod({ runtime: "process" });
    await lifepod.stop();
    return lifepod.readyAfter;
  });
  const data = await mkdtemp(join(tmpdir(), "lifepod-bench-"));
  await (await startLifepod({ runtime: "process", data })).stop();
  const again = await repeat(async () => {
    const lifepod = await startLifepod({ runtime: "process", data });
    await lifepod.stop();
    return lifepod.readyAfter;
  });
  await rm(data, { recursive: true, force: true });
  return [
    ...latencies("first start of up to /readyz", first, floor),
    ...latencies("next start of up to /readyz", again, floor),
  ];
}

async function repeat(once: () => Promise<number>): Promise<number[]> {
  const sample: number[] = [];
  for (let run = 0; run < runs; run++) sample.push(await once());
  return sample;
}

function emptyNode(): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve) =>
    spawn(process.execPath, ["-e", ""]).once("exit", () => resolve(performance.now() - begun)),
  );
}
