import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { containerMark, isAlive, parseStat, ProcessTable, signalGroup } from "./process-table.ts";

it("reads the kernel's line on a process whatever its name holds", () => {
  const numbers = Array.from({ length: 49 }, (_, n) => String(n + 4));
  const line = `42 (a) b (c\nd) S ${numbers.join(" ")}\n`;
  expect(parseStat(line)).toEqual({
    pid: 42,
    state: "S",
    session: 6,
    cpuTicks: 14 + 15 + 16 + 17,
    startTime: 22,
    residentPages: 24,
  });
});

it("finds the processes of a container by their mark, children that left the session too, and kills them all", async () => {
  const mark = `test-${process.pid}`;
  const script = "setsid sleep 1000 & setsid -f sleep 1000; exec sleep 1000";
  const child = spawn("sh", ["-c", script], { env: { ...process.env, [containerMark]: mark }, detached: true });
  const table = new ProcessTable();
  const members = async (): Promise<number> => (await table.membersOf(mark, undefined)).length;
  while ((await members()) < 3) await new Promise((resolve) => setTimeout(resolve, 2));
  const ended = once(child, "exit");
  await table.killAll(mark, undefined);
  await ended;
  expect(await members()).toBe(0);
});

it("does not take a later process for one that had its number before", () => {
  const { startTime } = parseStat(readFileSync("/proc/self/stat", "latin1"));
  expect(isAlive({ pid: process.pid, startTime })).toBe(true);
  expect(isAlive({ pid: process.pid, startTime: startTime - 1 })).toBe(false);
  // Would end this very test if it were sent.
  signalGroup({ pid: process.pid, startTime: startTime - 1 }, "SIGKILL");
});
