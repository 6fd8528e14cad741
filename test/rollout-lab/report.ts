// What the lab found, for people.

import type { Paint } from "../../src/cli/paint.ts";
import type { LifeEntry } from "../../src/timeline/pod-life.ts";
import type { FailureGroup } from "./explain.ts";
import { groupBy } from "./group-by.ts";
import type { LabResult, OperationRecord } from "./lab.ts";
import type { Outcome } from "./open-loop.ts";

export const failuresOf = ({ failed }: LabResult): number =>
  Object.values(failed).reduce((sum, count) => sum + count, 0);

export function reportOf(result: LabResult, paint: Paint): string {
  const { manifest, sent, operations, groups, latency, latestSend, worst, pods } = result;
  const failures = failuresOf(result);
  const count = (n: number): string => n.toLocaleString("en");
  const share = `${((failures / sent) * 100).toFixed(3)} %`;
  const verdict = failures === 0 ? paint.green("none failed") : paint.red(`${count(failures)} failed (${share})`);
  const ms = (value: number | undefined): string => `${(value ?? 0).toFixed(0)} ms`;
  return [
    `${paint.bold(manifest.name)}  ${count(sent)} requests, ${verdict}`,
    paint.dim(`  ${manifest.about}`),
    `  latency    p50 ${ms(latency["50"])}, p90 ${ms(latency["90"])}, p99 ${ms(latency["99"])}, p99.9 ${ms(latency["99.9"])}, max ${ms(latency["100"])}` +
      paint.dim(` (the client itself was at most ${ms(latestSend)} late)`),
    `  meanwhile  ${operations.map((each) => operationText(each, result.begun)).join(", ")}; ${pods} Pods lived`,
    ...groups.map((group) => `  ${groupText(group, paint)}`),
    ...(worst === undefined ? [] : lifeText(worst.life.entries, worst.failures, paint)),
    ...(manifest.isWellWritten && failures === 0 ? [] : [`  ${paint.yellow("learn")}      ${manifest.lesson}`]),
    "",
  ].join("\n");
}

function operationText({ operation, from, to, failure }: OperationRecord, begun: number): string {
  const what = operation.kind === "scale" ? `scale to ${operation.replicas}` : operation.kind;
  const when = `${seconds(from - begun)} to ${seconds(to - begun)}`;
  return failure === undefined ? `${what} ${when}` : `${what} ${when} (not finished: ${failure})`;
}

function groupText({ kind, stage, count, pods, between, because }: FailureGroup, paint: Paint): string {
  const since = { starting: "Routed", ending: "Terminating", restarting: "the first sign of it", unexplained: "" }[
    stage
  ];
  const when =
    stage === "unexplained"
      ? ""
      : ` in ${pods.length} ${pods.length === 1 ? "Pod" : "Pods"} ${stage}, ${between.map((each) => `${each.toFixed(0)} ms`).join(" to ")} after ${since}`;
  return `${paint.red(`${count} ${kind}`.padEnd(11))}${when}: ${because}`;
}

/** A Pod's life with the failures between its lines. */
function lifeText(entries: readonly LifeEntry[], failures: readonly Outcome[], paint: Paint): readonly string[] {
  const first = entries[0];
  if (first === undefined) return [];
  const lines = [`  the life of ${first.pod}, in which most failed:`];
  const pending = failures.map(({ ended, answer }) => ({ at: ended, kind: answer.kind })).sort((a, b) => a.at - b.at);
  const tell = (until: number): void => {
    const due = pending.splice(0, pending.filter(({ at }) => at < until).length);
    for (const [kind, each] of groupBy(due, (one) => one.kind)) {
      const last = each.at(-1)?.at ?? 0;
      const span = each.length === 1 ? "" : `, the last at ${seconds(last - first.at)}`;
      lines.push(
        `    ${seconds((each[0]?.at ?? 0) - first.at).padStart(8)}  ${paint.red(`${each.length} ${kind}${span}`)}`,
      );
    }
  };
  for (const { at, container, what, detail } of entries) {
    tell(at);
    const subject = container === undefined ? "" : `[${container}] `;
    lines.push(
      `    ${seconds(at - first.at).padStart(8)}  ${`${subject}${what}`.padEnd(18)} ${paint.dim(detail)}`.trimEnd(),
    );
  }
  tell(Number.POSITIVE_INFINITY);
  return lines;
}

const seconds = (millis: number): string => `${(millis / 1000).toFixed(3).replace(/\.?0+$/, "")}s`;
