import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { startLifepod } from "./lifepod-process.ts";
import type { Measurement } from "./measurement.ts";

/** How long the process is left alone before and while it is looked at, in milliseconds. */
const settleTime = 10_000;
const watchTime = 20_000;

/** Memory (PSS) and CPU of `up` with nothing to do, beside a Node process that only waits. */
export async function measureAtRest(): Promise<readonly Measurement[]> {
  const idle = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1e9)"]);
  const lifepod = await startLifepod({ runtime: "process" });
  await passing(settleTime);
  const cpuBefore = await cpuSeconds(lifepod.pid);
  await passing(watchTime);
  const cpu = (await cpuSeconds(lifepod.pid)) - cpuBefore;
  const memory = await proportionalSetSize(lifepod.pid);
  const floor = { value: await proportionalSetSize(idle.pid as number), what: "node that only waits" };
  idle.kill();
  await lifepod.stop();
  return [
    { what: "memory at rest (PSS)", value: memory, unit: "MB", floor },
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

async function proportionalSetSize(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
