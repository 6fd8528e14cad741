// Whether two tellings of a story agree: the same transitions in the same order, each in time.

import { millis, type Millis } from "../../src/base/time.ts";
import type { RuntimeWork } from "./runtime-work.ts";
import type { MachineTelling, Telling } from "./telling.ts";
import type { Transition } from "./transitions.ts";

export type Verdict =
  | { readonly kind: "agrees"; readonly transitions: number; readonly worstLateness: Millis }
  | { readonly kind: "differs"; readonly difference: string };

export interface ComparisonOptions {
  /** How much earlier or later than on the virtual clock a transition may follow its cause, beyond the runtime's own work. */
  readonly tolerance: Millis;
}

/** Ordered apart in time by less than this, two things may happen in either order. */
const apart = millis(100);

interface Pair {
  readonly told: Transition;
  readonly seen: Transition;
}

/** Compares what was seen on a machine with what was told on the virtual clock. */
export function compareTellings(told: Telling, seen: MachineTelling, options: ComparisonOptions): Verdict {
  const uids = new Set(seen.transitions.map(({ podUid }) => podUid));
  const toldTracks = tracksOf(told);
  const seenTracks = tracksOf(seen);
  const differences: { readonly at: number; readonly text: string }[] = [];
  const pairs: Pair[] = [];
  for (const name of new Set([...toldTracks.keys(), ...seenTracks.keys()])) {
    const want = toldTracks.get(name) ?? [];
    const have = seenTracks.get(name) ?? [];
    for (let index = 0; index < Math.max(want.length, have.length); index++) {
      const [a, b] = [want[index], have[index]];
      if (a !== undefined && b !== undefined && a.what === b.what) {
        pairs.push({ told: a, seen: b });
        continue;
      }
      const expected = a === undefined ? "nothing more" : `${a.what} at ${moment(a, told)}`;
      const found = b === undefined ? "nothing more" : `${b.what} at ${moment(b, seen)}`;
      const at = Math.min(
        a === undefined ? Infinity : a.at - told.begin,
        b === undefined ? Infinity : b.at - seen.begin,
      );
      differences.push({ at, text: `${name}: expected ${expected}, seen ${found}` });
      break;
    }
  }
  pairs.sort((a, b) => a.told.at - b.told.at || a.seen.at - b.seen.at);
  differences.push(...orderDifferences(pairs, told, seen));
  const timing = latenesses(pairs, told, seen, seen.work, uids);
  differences.push(
    ...timing.filter(({ late }) => Math.abs(late) > options.tolerance).map(({ at, text }) => ({ at, text })),
  );
  if (seen.failure !== undefined) {
    return { kind: "differs", difference: `the story's own check failed: ${oneLine(seen.failure.message)}` };
  }
  const [first] = differences.sort((a, b) => a.at - b.at);
  if (first !== undefined) return { kind: "differs", difference: first.text };
  const worstLateness = millis(Math.max(0, ...timing.map(({ late }) => late)));
  return { kind: "agrees", transitions: pairs.length, worstLateness };
}

/** By Pod and track. A name that a second Pod takes is a Pod of its own. */
function tracksOf({ transitions }: Telling): Map<string, readonly Transition[]> {
  const pods = new Map<string, string[]>();
  const tracks = new Map<string, Transition[]>();
  for (const transition of transitions) {
    const { pod, podUid, track } = transition;
    const uids = pods.get(pod) ?? [];
    if (!uids.includes(podUid)) uids.push(podUid);
    pods.set(pod, uids);
    const place = uids.indexOf(podUid);
    const name = `${pod}${place === 0 ? "" : ` (${place + 1})`}, ${track}`;
    tracks.set(name, [...(tracks.get(name) ?? []), transition]);
  }
  return tracks;
}

/** @param pairs by the moment that was told */
function orderDifferences(pairs: readonly Pair[], told: Telling, seen: Telling) {
  return pairs.flatMap((pair, index) => {
    const overtaken = pairs
      .slice(0, index)
      .find((earlier) => pair.told.at - earlier.told.at >= apart && pair.seen.at < earlier.seen.at);
    if (overtaken === undefined) return [];
    const text = `${nameOf(pair.told)} came before ${nameOf(overtaken.told)}, at ${moment(pair.seen, seen)}`;
    return [{ at: pair.told.at - told.begin, text }];
  });
}

interface Lateness {
  readonly at: number;
  /** Milliseconds later than was told, without what the runtime was busy; negative if it was too early. */
  readonly late: number;
  readonly text: string;
}

/**
 * How late each transition came after its cause. Its cause is the transition before it of its container, the one before it of its Pod, or what the story
 * did last: whichever explains its time best.
 */
function latenesses(
  pairs: readonly Pair[],
  told: Telling,
  seen: Telling,
  work: RuntimeWork,
  uids: ReadonlySet<string>,
): readonly Lateness[] {
  return pairs.map((pair, index) => {
    const causes = causesOf(pair, pairs.slice(0, index), told, seen);
    const explained = causes.map((cause) => {
      const wanted = pair.told.at - cause.toldAt;
      const took = pair.seen.at - cause.seenAt;
      const over = took - wanted;
      const late = over <= 0 ? over : Math.max(0, over - work.between(uids, cause.seenAt, pair.seen.at));
      return { late, wanted, took, name: cause.name };
    });
    const best = explained.reduce((a, b) => (Math.abs(b.late) < Math.abs(a.late) ? b : a));
    const text = `${nameOf(pair.told)} expected ${inSeconds(best.wanted)} after ${best.name}, seen after ${inSeconds(best.took)} (${Math.round(Math.abs(best.late))} ms too ${best.late < 0 ? "early" : "late"})`;
    return { at: pair.told.at - told.begin, late: best.late, text };
  });
}

interface Cause {
  readonly name: string;
  readonly toldAt: number;
  readonly seenAt: number;
}

function causesOf({ told: one }: Pair, before: readonly Pair[], told: Telling, seen: Telling): readonly Cause[] {
  const causeOf = (pair: Pair | undefined): readonly Cause[] =>
    pair === undefined ? [] : [{ name: nameOf(pair.told), toldAt: pair.told.at, seenAt: pair.seen.at }];
  const ofPod = before.filter((pair) => pair.told.podUid === one.podUid);
  const container = containerOf(one.track);
  const ofContainer = container === undefined ? [] : ofPod.filter((pair) => containerOf(pair.told.track) === container);
  // Of several acts at one moment on the virtual clock each may be the one.
  const lastAct = told.acts.findLast((at) => at <= one.at);
  const acts = told.acts.flatMap((toldAt, index): readonly Cause[] => {
    const seenAt = seen.acts[index];
    return toldAt !== lastAct || seenAt === undefined ? [] : [{ name: "an act of the story", toldAt, seenAt }];
  });
  return [
    ...causeOf(ofPod.at(-1)),
    ...causeOf(ofPod.findLast((pair) => pair.told.at < one.at)),
    ...causeOf(ofContainer.at(-1)),
    ...causeOf(ofContainer.findLast((pair) => pair.told.at < one.at)),
    ...acts,
    { name: "the beginning", toldAt: told.begin, seenAt: seen.begin },
  ];
}

const containerOf = (track: string): string | undefined => /^(?:container|events of) (.+)$/.exec(track)?.[1];
const nameOf = ({ pod, track, what }: Transition): string => `${pod}, ${track}: ${what}`;
const oneLine = (text: string): string => text.replace(/\s+/g, " ").slice(0, 300);
const inSeconds = (time: number): string => `${(time / 1000).toFixed(3)} s`;
const moment = ({ at }: Transition, { begin }: Telling): string => inSeconds(at - begin);
