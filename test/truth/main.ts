// npm run truth: tells the stories on the virtual clock and on the real runtimes, and prints how many agree and where they differ.
//
//   npm run truth [-- [--runtime containerd|process] [--story <part of a title>] [--longest <seconds>] [--at-once <n>] [--again] [--update] [--verbose]]

import { setPriority } from "node:os";
import { parseArgs } from "node:util";
import { millis, seconds } from "../../src/base/time.ts";
import { topics } from "../scenarios/topics.ts";
import { type Agreement, readAgreement, wordsOf, writeAgreement } from "./agreement.ts";
import { machineAbsence, openMachine, type RuntimeName, runtimeNames } from "./machine.ts";
import { Metronome } from "./metronome.ts";
import { latenciesOf } from "./runtime-work.ts";
import { defaultLongest, tellAll, type Told } from "./tell-all.ts";

/** So many stories have to agree on containerd. */
const required = 60;

const { values } = parseArgs({
  options: {
    runtime: { type: "string" },
    story: { type: "string" },
    longest: { type: "string" },
    "at-once": { type: "string", default: "10" },
    again: { type: "boolean", default: false },
    update: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

// On a machine that does other things as well, what is measured should be the runtime.
try {
  setPriority(-10);
} catch (error) {
  process.stderr.write(`told at the usual priority: ${(error as Error).message}\n`);
}

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const stories = Object.values(topics)
  .flat()
  .filter(({ title }) => title.includes(values.story ?? ""));
const recorded = readAgreement();
const results: Record<RuntimeName, Agreement[RuntimeName]> = { ...recorded };
/** Whether all stories are told, so that the record can be made anew. */
const isWhole = values.story === undefined && !values.again;
let isEnough = true;

for (const name of runtimeNames.filter((one) => values.runtime === undefined || values.runtime === one)) {
  const absence = machineAbsence(name);
  if (absence !== undefined) {
    print(`${name}: not told, ${absence}`);
    continue;
  }
  const told = await tell(name);
  if (isWhole) record(name, Object.fromEntries(told.map(({ title, outcome }) => [title, wordsOf(outcome)])));
  const agreeing = told.filter(({ outcome }) => outcome.kind === "agrees").length;
  const compared = told.filter(({ outcome }) => outcome.kind !== "not told").length;
  print(`\n${agreeing} of ${compared} stories agree on ${name}; ${told.length - compared} cannot be told there`);
  for (const { kind, count, p50, p99 } of latenciesOf(told.flatMap(({ work }) => work))) {
    print(
      `  ${kind.padEnd(16)} ${String(count).padStart(5)} times  p50 ${p50.toFixed(0).padStart(4)} ms  p99 ${p99.toFixed(0).padStart(5)} ms`,
    );
  }
  const disagreeing = told.filter(
    ({ title, outcome }) => recorded[name][title] === "agrees" && outcome.kind !== "agrees",
  );
  for (const { title } of disagreeing) print(`  agreed before: ${title}`);
  if (compared > agreeing || (isWhole && name === "containerd" && agreeing < required)) isEnough = false;
}
process.exitCode = isEnough ? 0 : 1;

async function tell(name: RuntimeName): Promise<readonly Told[]> {
  const machine = await openMachine(name);
  const metronome = new Metronome();
  try {
    // Again: those of the record that differed.
    const chosen = values.again ? stories.filter(({ title }) => recorded[name][title]?.startsWith("differs")) : stories;
    return await tellAll(chosen, machine, {
      longest: values.longest === undefined ? defaultLongest : seconds(Number(values.longest)),
      atOnce: Number(values["at-once"]),
      tolerance: () => millis(100 + metronome.latenessP99()),
      retries: 1,
      onTold: ({ title, outcome }) => {
        record(name, { ...results[name], [title]: wordsOf(outcome) });
        if (outcome.kind !== "not told" || values.verbose) print(`${wordsOf(outcome)}  ${title}${lateness(outcome)}`);
      },
    });
  } finally {
    print(
      `\nthe machine itself was late by ${Math.round(metronome.latenessP99())} ms (p99), which is allowed on top of 100 ms and the runtime's work`,
    );
    metronome.stop();
    await machine.close();
  }
}

/** At once, so that what was told is not lost with a run that is broken off. */
function record(name: RuntimeName, agreement: Agreement[RuntimeName]): void {
  results[name] = agreement;
  if (values.update) writeAgreement(results);
}

function lateness(outcome: Told["outcome"]): string {
  if (outcome.kind !== "agrees") return "";
  return `  (${outcome.transitions} transitions, ${Math.round(outcome.worstLateness)} ms late at most)`;
}
