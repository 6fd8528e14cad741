// `npm run worlds [-- --count 1000 --first 1 --jobs 2 --rounds 3 | --seed 4711]`: lives through many random worlds, several processes at a time, and says which invariants
// did not hold, each with its one-line replay.

import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { settle } from "../../src/host/settle.ts";
import { runWorld } from "../../src/simulation/worlds/world.ts";
import { resultOf, type WorldResult } from "./world-result.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    count: { type: "string", default: "1000" },
    first: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    rounds: { type: "string", default: "3" },
    timeline: { type: "boolean", default: false },
  },
});

if (values.seed !== undefined) await replay(Number(values.seed));
else await runMany(Number(values.first), Number(values.count), Number(values.jobs));

async function replay(seed: number): Promise<void> {
  const begun = performance.now();
  const report = await runWorld({ seed, settle, rounds: Number(values.rounds) });
  const { hash, failure, counts } = resultOf(report);
  if (values.timeline) process.stdout.write(`${report.timeline.join("\n")}\n`);
  process.stdout.write(failure === undefined ? `seed ${seed}: every invariant holds\n` : `${failure}\n`);
  process.stdout.write(`${JSON.stringify(counts)}\n${hash}, ${seconds(performance.now() - begun)} s\n`);
  process.exitCode = failure === undefined ? 0 : 1;
}

async function runMany(first: number, count: number, jobs: number): Promise<void> {
  const begun = performance.now();
  const results: WorldResult[] = [];
  let next = first;
  const take = (): number | undefined => (next < first + count ? next++ : undefined);
  const told = (result: WorldResult): void => {
    results.push(result);
    if (result.failure !== undefined) process.stdout.write(`\n${result.failure}\n\n`);
    if (results.length % Math.max(1, Math.ceil(count / 20)) === 0) {
      process.stdout.write(`${results.length} of ${count} worlds, ${seconds(performance.now() - begun)} s\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, count) }, () => runProcess(take, told)));
  summarize(results, performance.now() - begun);
}

/** One process that lives through worlds until there are no more. */
function runProcess(take: () => number | undefined, told: (result: WorldResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(fileURLToPath(new URL("world-process.js", import.meta.url)));
    const go = (): void => {
      const seed = take();
      if (seed === undefined) child.disconnect();
      else child.send({ seed, rounds: Number(values.rounds) });
    };
    child.on("message", (message) => {
      told(message as WorldResult);
      go();
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`a process of worlds ended with ${signal ?? code}`));
    });
    go();
  });
}

function summarize(results: readonly WorldResult[], tookMillis: number): void {
  const totals = new Map<string, number>();
  const broken = new Map<string, (number | string)[]>();
  for (const { seed, counts, invariant } of results) {
    for (const [what, count] of Object.entries(counts)) totals.set(what, (totals.get(what) ?? 0) + count);
    if (invariant !== undefined) broken.set(invariant, [...(broken.get(invariant) ?? []), seed]);
  }
  const failed = [...broken.values()].reduce((sum, seeds) => sum + seeds.length, 0);
  const all = [...totals].map(([what, count]) => `${count} ${what}`).join(", ");
  process.stdout.write(`\n${results.length} worlds in ${seconds(tookMillis)} s: ${failed} failed\n${all}\n`);
  for (const [invariant, seeds] of broken) {
    process.stdout.write(
      `  "${invariant}": ${seeds.length} (seeds ${seeds.slice(0, 10).join(", ")}${seeds.length > 10 ? ", …" : ""})\n`,
    );
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

function seconds(millis: number): string {
  return (millis / 1000).toFixed(1);
}
