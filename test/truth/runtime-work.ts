// What a runtime was busy with, and for how long: the part of a delay that is the runtime's own.

import type { Instant } from "../../src/base/time.ts";

/** A call, the writing of the program that stands for an image, or the time from a container's end to the news of it. */
export type WorkKind =
  | "sandbox"
  | "program"
  | "create"
  | "start"
  | "stop"
  | "remove"
  | "exec"
  | "pull"
  | "news of an end";

export interface WorkSpan {
  readonly kind: WorkKind;
  readonly podUid: string;
  readonly from: Instant;
  readonly to: Instant;
}

export class RuntimeWork {
  readonly #spans: WorkSpan[] = [];

  add(span: WorkSpan): void {
    if (span.to > span.from) this.#spans.push(span);
  }

  get spans(): readonly WorkSpan[] {
    return this.#spans;
  }

  /** Milliseconds between two moments in which the runtime worked for a Pod; work at the same time counts once. */
  between(podUids: ReadonlySet<string>, from: number, to: number): number {
    const inside = this.#spans
      .filter((span) => podUids.has(span.podUid) && span.to > from && span.from < to)
      .map((span) => [Math.max(span.from, from), Math.min(span.to, to)] as const)
      .sort(([a], [b]) => a - b);
    let sum = 0;
    let reached = from;
    for (const [begin, end] of inside) {
      if (end <= reached) continue;
      sum += end - Math.max(begin, reached);
      reached = end;
    }
    return sum;
  }
}

export interface Latency {
  readonly kind: WorkKind;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

/** The latencies by kind of work, in milliseconds. */
export function latenciesOf(spans: readonly WorkSpan[]): readonly Latency[] {
  const kinds = [...new Set(spans.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => {
    const times = spans
      .filter((span) => span.kind === kind)
      .map(({ from, to }) => to - from)
      .sort((a, b) => a - b);
    const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] as number;
    return { kind, count: times.length, p50: at(0.5), p99: at(0.99) };
  });
}
