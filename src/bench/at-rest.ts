import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { startLifepod } from "./lifepod-process.ts";
import type { Measurement } from "./measurement.ts";

/** How long the process is left alone before and while it is looked at, in milliseconds. */
const settleTime = 10_000;
const watchTime = 20_000;

/** Memory and CPU of `up` with nothing to do, beside a Node process that only waits. */
export async function measureAtRest(): Promise<readonly Measurement[]> {
  const idle = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1e9)"]);
  const lifepod = await startLifepod({ runtime: "process" });
  await passing(settleTime);
  const cpuBefore = await cpuSeconds(lifepod.pid);
  await passing(watchTime);
  const cpu = (await cpuSeconds(lifepod.pid)) - cpuBefore;
  const memory = await memoryOf(lifepod.pid);
  const floor = await memoryOf(idle.pid as number);
  idle.kill();
  await lifepod.stop();
  return [
    ...(["Pss", "Rss"] as const).map((name) => ({
      what: `memory at rest (${name.toUpperCase()})`,
      value: memory[name],
      unit: "MB",
      floor: { value: floor[name], what: "node that only waits" },
    })),
    {
      what: "idle CPU",
      value: (cpu / (watchTime / 1000)) * 100,
      unit: "% of a core",
      note: `over ${watchTime / 1000} s`,
    },
  ];
}

/** A benchmark of doing nothing has to let time pass. */
const passing = (wait: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, wait));

/** Megabytes. PSS shares a page among all who map it, so other Node processes make it smaller; RSS counts it whole. */
async function memoryOf(pid: number): Promise<{ readonly Pss: number; readonly Rss: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
  return { Pss: field("Pss"), Rss: field("Rss") };
}

/** By the scheduler's own count of nanoseconds, over all threads. */
async function cpuSeconds(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = threads.map(async (thread) => {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
    return Number(text.split(" ")[0]) / 1e9;
  });
  return (await Promise.all(times)).reduce((sum, time) => sum + time, 0);
}
