// Tells stories on the virtual clock and on a machine, many at a time, and compares.

import { type Millis, millis, seconds } from "../../src/base/time.ts";
import type { Story } from "../../src/testing/index.ts";
import { compareTellings, type Verdict } from "./comparison.ts";
import type { Machine } from "./machine.ts";
import { NotToldError } from "./not-told.ts";
import type { WorkSpan } from "./runtime-work.ts";
import { tellOnMachine, tellVirtually, type VirtualTelling } from "./telling.ts";

export type Outcome = Verdict | { readonly kind: "not told"; readonly reason: string };

export interface Told {
  readonly title: string;
  readonly outcome: Outcome;
  /** What the runtime did for it. */
  readonly work: readonly WorkSpan[];
}

export interface TellingOptions {
  /** Stories that take longer are not told. */
  readonly longest: Millis;
  /** How many are told at a time. */
  readonly atOnce: number;
  /** Asked for each story, because what the machine allows changes. */
  readonly tolerance: () => Millis;
  /** A story that differs is told so many times more, when few others are told. */
  readonly retries: number;
  readonly onTold?: (told: Told) => void;
}

/** The time between the beginnings of two stories, so that their Pods do not all start at once. */
const stagger = millis(400);

interface Candidate {
  readonly number: number;
  readonly story: Story;
  readonly virtual: VirtualTelling;
}

/** In the order of the stories. */
export async function tellAll(
  stories: readonly Story[],
  machine: Machine,
  options: TellingOptions,
): Promise<readonly Told[]> {
  const told = new Map<string, Told>();
  const finish = (one: Told): void => {
    told.set(one.title, one);
    options.onTold?.(one);
  };
  const candidates: Candidate[] = [];
  for (const [number, story] of stories.entries()) {
    const virtual = await tellVirtually(story, !machine.hasContainers);
    const reason = whyNotTold(virtual, options.longest);
    if (reason === undefined) candidates.push({ number, story, virtual });
    else finish({ title: story.title, outcome: { kind: "not told", reason }, work: [] });
  }
  // The long ones first, so that none is left alone at the end.
  const waiting = candidates.toSorted((a, b) => durationOf(b) - durationOf(a));
  const again: Candidate[] = [];
  await inLanes(waiting, options.atOnce, machine, async (candidate) => {
    const one = await tellAndCompare(candidate, machine, options.tolerance);
    if (one.outcome.kind === "differs" && options.retries > 0) again.push(candidate);
    else finish(one);
  });
  for (let retry = options.retries; retry > 0 && again.length > 0; retry--) {
    const round = again.splice(0);
    await inLanes(round, Math.ceil(options.atOnce / 3), machine, async (candidate) => {
      const one = await tellAndCompare(candidate, machine, options.tolerance);
      if (one.outcome.kind === "differs" && retry > 1) again.push(candidate);
      else finish(one);
    });
  }
  return stories.flatMap(({ title }) => told.get(title) ?? []);
}

const durationOf = ({ virtual }: Candidate): number => virtual.end - virtual.begin;

function whyNotTold({ notTold, transitions, begin, end }: VirtualTelling, longest: Millis): string | undefined {
  if (notTold !== undefined) return notTold;
  if (transitions.length === 0) return "no Pod does anything in it";
  const took = end - begin;
  if (took > longest)
    return `it takes ${took >= 120_000 ? `${Math.round(took / 60_000)} minutes` : `${Math.round(took / 1000)} s`}`;
  const generated = transitions.some(({ pod }) => /-[a-z0-9]{5}$/.test(pod));
  return generated ? "its Pods have names that chance gives" : undefined;
}

async function inLanes(
  candidates: readonly Candidate[],
  lanes: number,
  { clock }: Machine,
  tell: (candidate: Candidate) => Promise<void>,
): Promise<void> {
  const waiting = [...candidates];
  let next = clock.now();
  const lane = async (): Promise<void> => {
    for (let candidate = waiting.shift(); candidate !== undefined; candidate = waiting.shift()) {
      const begin = Math.max(next, clock.now());
      next = (begin + stagger) as typeof next;
      await clock.sleep(millis(begin - clock.now()));
      await tell(candidate);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

let tellings = 0;

async function tellAndCompare({ story, virtual }: Candidate, machine: Machine, tolerance: () => Millis): Promise<Told> {
  const { title } = story;
  try {
    const seen = await tellOnMachine(story, virtual, machine, tellings++);
    const outcome = compareTellings(virtual, seen, { tolerance: tolerance() });
    return { title, outcome, work: seen.work.spans };
  } catch (error) {
    if (!(error instanceof NotToldError)) throw error;
    return { title, outcome: { kind: "not told", reason: error.message }, work: [] };
  }
}

/** The longest story that is told unless told otherwise. */
export const defaultLongest = seconds(75);
