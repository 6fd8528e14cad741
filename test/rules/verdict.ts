// Whether a rule holds on a runtime, by the checks that it names.

import { processGaps } from "../contract/process-gaps.ts";
import { simulatedGaps } from "../contract/simulated-gaps.ts";
import { agreement } from "./agreement.ts";
import { type Check, type Rule, type Runtime, runtimes } from "./rule.ts";

export type Verdict =
  /** Decided before any runtime is asked. */
  | { readonly kind: "above" }
  /** Shown by a check that runs over this runtime. */
  | { readonly kind: "shown" }
  | { readonly kind: "gap"; readonly reason: string };

export function verdictOf(rule: Rule, runtime: Runtime): Verdict {
  const reason = rule.cannot?.[runtime];
  if (reason !== undefined) return { kind: "gap", reason };
  if (checksOn(rule, runtime).length > 0) return { kind: "shown" };
  if (rule.above !== undefined) return { kind: "above" };
  return { kind: "gap", reason: whyNotShown(rule, runtime) };
}

/** The checks that run over this runtime and show the rule there. */
export function checksOn(rule: Rule, runtime: Runtime): readonly Check[] {
  const contract = (rule.contract ?? []).map((name) => contractCheck(name, runtime));
  // A rule that needs several promises of a runtime is not kept by one that keeps some of them.
  const promised = contract.some(({ gap }) => gap !== undefined) ? [] : contract.map(({ check }) => check);
  return [...promised, ...agreeingStories(rule, runtime), ...(rule.on?.[runtime] ?? [])];
}

/** Every check of a rule, whatever it shows. */
export function checksOf(rule: Rule): readonly Check[] {
  const all = runtimes.flatMap((runtime) => checksOn(rule, runtime));
  return [...(rule.above ?? []), ...(rule.decision ?? []), ...(rule.stories ?? []).map(storyCheck), ...all];
}

/** A story wherever it is told on the virtual clock: its topic may change. */
export const storyFile = "test/scenarios/stories.test.ts";
const storyCheck = (title: string): Check => ({ file: storyFile, test: `* > ${title}` });

const contracts: Readonly<Record<Runtime, { file: string; name: string; gaps: Readonly<Record<string, string>> }>> = {
  simulated: { file: "test/contract/runtime-simulated.test.ts", name: "simulated", gaps: simulatedGaps },
  process: { file: "test/contract/runtime-process.test.ts", name: "process", gaps: processGaps },
  containerd: { file: "test/contract/runtime-cri.test.ts", name: "containerd over CRI", gaps: {} },
};

function contractCheck(title: string, runtime: Runtime): { readonly check: Check; readonly gap: string | undefined } {
  const { file, name, gaps } = contracts[runtime];
  return { check: { file, test: `runtime contract: ${name} > ${title}` }, gap: gaps[title] };
}

function agreeingStories({ stories = [] }: Rule, runtime: Runtime): readonly Check[] {
  // The record says which stories agree; that they are still told is checked where they are told.
  return stories
    .filter((title) => runtime === "simulated" || agreement()[runtime]?.[title] === "agrees")
    .map(storyCheck);
}

function whyNotShown(rule: Rule, runtime: Runtime): string {
  const gaps = (rule.contract ?? []).flatMap((name) => contractCheck(name, runtime).gap ?? []);
  if (gaps.length > 0) return gaps.join("; ");
  const told = runtime === "simulated" ? {} : (agreement()[runtime] ?? {});
  const words = (rule.stories ?? []).flatMap((title) => told[title] ?? []);
  return words[0] === undefined ? "no check shows it on this runtime yet" : inOneLine(words[0]);
}

/** The record keeps whole objects where a story failed. */
function inOneLine(words: string): string {
  const line = words.replaceAll(/\s+/g, " ");
  return line.length <= 160 ? line : `${line.slice(0, 159)}…`;
}
