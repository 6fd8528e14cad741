// Why requests failed, out of what was seen of the Pods' lives at that moment. Pure.

import { type Instant, type Millis, millis } from "../../src/base/time.ts";
import type { LifeEntry } from "../../src/timeline/pod-life.ts";
import { groupBy } from "./group-by.ts";
import type { FailureKind, Outcome } from "./open-loop.ts";
import { type PodLife, routed } from "./pod-lives.ts";

/** Times in a Pod's life in which a connection to it may fail. */
export type Stage = "starting" | "restarting" | "ending" | "unexplained";

export interface Window {
  readonly stage: Stage;
  readonly life: PodLife;
  readonly from: Instant;
  readonly to: Instant;
}

export interface FailureGroup {
  readonly kind: FailureKind;
  readonly stage: Stage;
  readonly count: number;
  readonly pods: readonly string[];
  /** The first and the last one, since the stage began in that Pod's life. */
  readonly between: readonly [Millis, Millis];
  readonly because: string;
}

export interface Explanation {
  readonly groups: readonly FailureGroup[];
  /** Which Pod each failure was laid to. */
  readonly perPod: ReadonlyMap<string, readonly Outcome[]>;
}

/** What is seen of a Pod comes through the API, later than what happens: by so much a window is too late at either end. */
const blur = millis(300);

/** Which stage a failure of a kind most likely comes from, where several Pods are in one. */
const likely: Readonly<Record<FailureKind, readonly Stage[]>> = {
  refused: ["starting", "restarting", "ending"],
  reset: ["restarting", "ending", "starting"],
  timeout: ["restarting", "ending", "starting"],
  "5xx": ["starting", "restarting", "ending"],
  other: ["restarting", "ending", "starting"],
};

export function explain(outcomes: readonly Outcome[], lives: readonly PodLife[]): Explanation {
  const windows = lives.flatMap((life) => windowsOf(life, firstAnswers(outcomes).get(life.pod)));
  const blamed = outcomes.flatMap((outcome) => {
    const { kind } = outcome.answer;
    return kind === "ok" ? [] : [{ outcome, kind, window: windowOf(outcome, kind, windows) }];
  });
  const groups = groupBy(blamed, ({ kind, window }) => `${kind} ${window?.stage ?? "unexplained"}`);
  const perPod = groupBy(
    blamed.filter(({ window }) => window !== undefined),
    ({ window }) => window?.life.pod ?? "",
  );
  return {
    groups: [...groups.values()].map(groupOf).sort((a, b) => b.count - a.count),
    perPod: new Map([...perPod].map(([pod, each]) => [pod, each.map(({ outcome }) => outcome)])),
  };
}

interface Blamed {
  readonly outcome: Outcome;
  readonly kind: FailureKind;
  readonly window: Window | undefined;
}

function groupOf(blamed: readonly Blamed[]): FailureGroup {
  const [first] = blamed as readonly [Blamed];
  const offsets = blamed.map(({ outcome, window }) => outcome.ended - (window?.from ?? outcome.ended));
  const pods = new Set(blamed.flatMap(({ window }) => window?.life.pod ?? []));
  return {
    kind: first.kind,
    stage: first.window?.stage ?? "unexplained",
    count: blamed.length,
    pods: [...pods],
    between: [millis(Math.min(...offsets)), millis(Math.max(...offsets))],
    because: becauseOf(first.kind, first.window),
  };
}

/** When each Pod first answered as it should. */
function firstAnswers(outcomes: readonly Outcome[]): ReadonlyMap<string, Instant> {
  const first = new Map<string, Instant>();
  for (const { answer, ended } of outcomes) {
    if (answer.kind !== "ok" || answer.pod === undefined) continue;
    if (ended < (first.get(answer.pod) ?? Number.POSITIVE_INFINITY)) first.set(answer.pod, ended);
  }
  return first;
}

/** The times in which a connection to the Pod may fail. */
export function windowsOf(life: PodLife, firstAnswer: Instant | undefined): readonly Window[] {
  const at = (what: string): Instant | undefined => life.entries.find((entry) => entry.what === what)?.at;
  const end = life.entries.at(-1)?.at ?? (0 as Instant);
  const windows: Window[] = [];
  const routedAt = at(routed);
  if (routedAt !== undefined) windows.push({ stage: "starting", life, from: routedAt, to: firstAnswer ?? end });
  const terminating = at("Terminating");
  if (terminating !== undefined) windows.push({ stage: "ending", life, from: terminating, to: at("Gone") ?? end });
  return [...windows, ...restartsOf(life)];
}

/** From what ended a container, or from its end, to the moment at which the Pod was Ready again. */
function restartsOf(life: PodLife): readonly Window[] {
  const windows: Window[] = [];
  let from: Instant | undefined;
  for (const { what, at, detail } of life.entries) {
    if (what === "Terminating") break;
    if (what === "Exited" || isLivenessFailure(what, detail)) from ??= at;
    if (what === "Ready" && from !== undefined) {
      windows.push({ stage: "restarting", life, from, to: at });
      from = undefined;
    }
  }
  const end = life.entries.at(-1)?.at;
  if (from !== undefined && end !== undefined) windows.push({ stage: "restarting", life, from, to: end });
  return windows;
}

/** A failed readiness probe ends nothing, and every Pod has some while it starts. */
const isLivenessFailure = (what: string, detail: string): boolean =>
  (what === "Unhealthy" && detail.startsWith("Liveness")) || (what === "Killing" && detail.includes("liveness"));

function windowOf(outcome: Outcome, kind: FailureKind, windows: readonly Window[]): Window | undefined {
  const { pod } = outcome.answer;
  const fitting = windows
    .filter(({ life }) => pod === undefined || pod === life.pod)
    .map((window) => ({ window, off: outsideBy(window, outcome), rank: likely[kind].indexOf(window.stage) }))
    .filter(({ off }) => off <= blur)
    // The one that began last: a Pod that has been ending for long has nobody left to fail.
    .sort((a, b) => a.off - b.off || a.rank - b.rank || b.window.from - a.window.from);
  return fitting[0]?.window;
}

/** By how much a request missed a window; 0 if it was under way in it. */
const outsideBy = ({ from, to }: Window, { intended, ended }: Outcome): number =>
  Math.max(0, from - ended, intended - to);

function becauseOf(kind: FailureKind, window: Window | undefined): string {
  if (window === undefined) return "no Pod's life shows a reason: look for it in lifepod itself";
  const { entries } = window.life;
  const last = (test: (entry: LifeEntry) => boolean): string => entries.findLast(test)?.detail ?? "";
  switch (window.stage) {
    case "starting":
      return kind === "5xx"
        ? "the Pod was Ready, so the Service led to it, while its server still said that it could not"
        : "the Pod was Ready, so the Service led to it, before its server listened";
    case "restarting": {
      const why = last(({ what, at, detail }) => at <= window.to && isLivenessFailure(what, detail));
      return `the container was ended and started again${why === "" ? "" : `: ${why.trim()}`}`;
    }
    case "ending": {
      const exit = last(({ what }) => what === "Exited");
      if (kind === "refused") return "the Pod's server listened no more while connections still came to it";
      return `the Pod's process ended (${exit === "" ? "its exit was not seen" : exit}) with requests in hand`;
    }
    case "unexplained":
      return "";
  }
}
