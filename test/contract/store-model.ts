// Random histories against the simplest store there can be: a list of all states that ever were.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { millis, seconds } from "../../src/base/time.ts";
import type { StoreBacking } from "../../src/store/contract.ts";
import { expectEqual, failureOf, StoreBench } from "../../src/store/contract/store-bench.ts";
import type { RecordingWatcher } from "../../src/store/contract/store-bench.ts";
import type { Compare, KeyValue, Operation, Revision, TxnResult } from "../../src/store/store.ts";

type Step =
  | { readonly kind: "txn"; readonly compares: readonly ModelCompare[]; readonly operations: readonly ModelOperation[] }
  | {
      readonly kind: "range";
      readonly prefix: string;
      readonly from?: string;
      readonly limit?: number;
      readonly back?: number;
    }
  | { readonly kind: "watch"; readonly prefix: string; readonly back: number }
  | { readonly kind: "cancel"; readonly which: number }
  | { readonly kind: "compact"; readonly back: number }
  | { readonly kind: "advance"; readonly seconds: number }
  | { readonly kind: "reopen" };

/** `right` compares with the true revision, else with one that is off by one. */
interface ModelCompare {
  readonly key: string;
  readonly right: boolean;
}
interface ModelOperation {
  readonly key: string;
  readonly value: string | undefined;
  readonly ttl: number | undefined;
}

/** The whole past as a list: `states[0]` belongs to revision 1. */
interface Model {
  states: ReadonlyMap<string, KeyValue>[];
  compacted: number;
}

export function storeModelTest(
  name: string,
  make: () => Promise<StoreBacking>,
  options: { readonly runs: number; readonly reopens: boolean },
): void {
  it(`store model: ${name} answers random histories as the list of all states does`, async () => {
    const steps = fc.array(stepOf(options.reopens), { minLength: 1, maxLength: 40 });
    const outcome = await fc.check(
      fc.asyncProperty(steps, async (history) => {
        const bench = new StoreBench(await make());
        try {
          await bench.open();
          await live(bench, history);
        } finally {
          await bench.dispose();
        }
      }),
      { numRuns: options.runs },
    );
    expect(outcome.failed ? `${fc.defaultReportMessage(outcome)}\n${String(outcome.errorInstance)}` : "").toBe("");
  }, 60_000);
}

/** Carries out the steps on the store and on the model, and compares after each. */
async function live(bench: StoreBench, history: readonly Step[]): Promise<void> {
  const model: Model = { states: [new Map()], compacted: 0 };
  let watches: { readonly prefix: string; readonly from: number; readonly watcher: RecordingWatcher; to?: number }[] =
    [];
  for (const step of history) {
    switch (step.kind) {
      case "txn": {
        const [compares, operations] = concrete(model, step.compares, step.operations);
        const want = apply(model, compares, operations, bench.clock.now());
        expectEqual(await bench.store.txn(compares, operations), want);
        break;
      }
      case "range":
        await compareRange(bench, model, step);
        break;
      case "watch": {
        const from = Math.max(1, model.states.length - step.back);
        if (from < model.compacted) {
          expectEqual((await failureOf(() => bench.watch(step.prefix, from))).name, "CompactedError");
        } else watches.push({ prefix: step.prefix, from, watcher: bench.watch(step.prefix, from) });
        break;
      }
      case "cancel": {
        const watch = watches[step.which];
        if (watch === undefined || watch.to !== undefined) break;
        watch.watcher.watch?.cancel();
        watch.to = model.states.length;
        break;
      }
      case "compact": {
        const revision = model.states.length - step.back;
        if (revision <= model.compacted) break;
        await bench.store.compact(revision as Revision);
        model.compacted = revision;
        break;
      }
      case "advance": {
        // From one expiry to the next: a store may take together what is due when it looks.
        const until = bench.clock.now() + step.seconds * 1000;
        for (let next = expire(model, until); next !== undefined; next = expire(model, until)) {
          const seen = bench.watch("");
          bench.clock.advance(millis(next - bench.clock.now()));
          await seen.received(1);
          seen.watch?.cancel();
        }
        bench.clock.advance(millis(until - bench.clock.now()));
        break;
      }
      case "reopen":
        await bench.reopen();
        for (const watch of watches) compareWatch(model, watch.watcher, watch.prefix, watch.from, watch.to);
        watches = [];
        break;
    }
    expectEqual([bench.store.revision(), bench.store.compacted()], [model.states.length, model.compacted]);
  }
  for (const watch of watches) compareWatch(model, watch.watcher, watch.prefix, watch.from, watch.to);
  await compareRange(bench, model, { prefix: "" });
}

function concrete(
  model: Model,
  compares: readonly ModelCompare[],
  operations: readonly ModelOperation[],
): [Compare[], Operation[]] {
  const now = newest(model);
  return [
    compares.map(({ key, right }) => {
      const modRevision = now.get(key)?.modRevision ?? 0;
      return { key, modRevision: (right ? modRevision : modRevision + 1) as Revision };
    }),
    operations.map(({ key, value, ttl }): Operation => {
      if (value === undefined) return { kind: "delete", key };
      return { kind: "put", key, value, ...(ttl !== undefined && { ttl: seconds(ttl) }) };
    }),
  ];
}

function apply(model: Model, compares: readonly Compare[], operations: readonly Operation[], now: number): TxnResult {
  const before = newest(model);
  const revision = model.states.length as Revision;
  if (compares.some(({ key, modRevision }) => (before.get(key)?.modRevision ?? 0) !== modRevision)) {
    return { kind: "conflict", revision, current: compares.map(({ key }) => before.get(key)) };
  }
  const next = new Map(before);
  let changed = false;
  for (const operation of operations) {
    const { key } = operation;
    if (operation.kind === "delete") {
      changed = next.delete(key) || changed;
      continue;
    }
    changed = true;
    const modRevision = (revision + 1) as Revision;
    const createRevision = before.get(key)?.createRevision ?? modRevision;
    const expiresAt = operation.ttl === undefined ? {} : { expiresAt: now + operation.ttl };
    next.set(key, { key, value: operation.value, createRevision, modRevision, ...expiresAt } as KeyValue);
  }
  if (changed) model.states.push(next);
  return { kind: "committed", revision: model.states.length as Revision };
}

/** Lets the model's earliest keys go if they expire by `until`; returns when, or `undefined` if none does. */
function expire(model: Model, until: number): number | undefined {
  const before = [...newest(model)];
  const at = Math.min(...before.map(([, { expiresAt }]) => expiresAt ?? Number.POSITIVE_INFINITY));
  if (at > until) return undefined;
  model.states.push(new Map(before.filter(([, { expiresAt }]) => expiresAt !== at)));
  return at;
}

async function compareRange(
  bench: StoreBench,
  model: Model,
  step: { readonly prefix: string; readonly from?: string; readonly limit?: number; readonly back?: number },
): Promise<void> {
  const { prefix, from, limit, back = 0 } = step;
  const revision = Math.max(1, model.states.length - back) as Revision;
  const ask = { prefix, revision, ...(from !== undefined && { from }), ...(limit !== undefined && { limit }) };
  if (revision <= model.compacted && revision !== model.states.length) {
    expectEqual((await failureOf(() => bench.store.range(ask))).name, "CompactedError");
    return;
  }
  const state = model.states[revision - 1] as ReadonlyMap<string, KeyValue>;
  const whole = [...state.values()]
    .filter(
      ({ key }) =>
        key.startsWith(prefix) && (from === undefined || Buffer.compare(Buffer.from(key), Buffer.from(from)) >= 0),
    )
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const items = whole.slice(0, limit);
  expectEqual(await bench.store.range(ask), {
    items,
    more: items.length < whole.length,
    count: whole.length,
    revision,
  });
  for (const key of keys) expectEqual(await bench.store.get(key, revision), state.get(key));
}

/** What was told must lead from each state to the next. */
function compareWatch(
  model: Model,
  watcher: RecordingWatcher,
  prefix: string,
  from: number,
  to = model.states.length,
): void {
  const told = watcher.batches.map(({ revision, events }) => ({
    revision,
    events: Object.fromEntries(
      events.map((event) => [event.key, [event.previous, event.kind === "put" ? event.current : undefined]]),
    ),
  }));
  const want: typeof told = [];
  for (let revision = from + 1; revision <= to; revision++) {
    const [before, now] = [model.states[revision - 2], model.states[revision - 1]];
    const events: (typeof told)[number]["events"] = {};
    for (const key of keys) {
      const pair = [before?.get(key), now?.get(key)];
      if (key.startsWith(prefix) && pair[0]?.modRevision !== pair[1]?.modRevision) events[key] = pair;
    }
    if (Object.keys(events).length > 0) want.push({ revision: revision as Revision, events });
  }
  expectEqual(told, want);
}

const newest = (model: Model): ReadonlyMap<string, KeyValue> =>
  model.states[model.states.length - 1] as ReadonlyMap<string, KeyValue>;

const keys = ["a", "a/", "a/1", "a/2", "a0", "b/1", "b/\u{1f642}", "b/\uffff", "c"];
const prefixes = ["", "a", "a/", "b/", "c", "d"];

function stepOf(reopens: boolean): fc.Arbitrary<Step> {
  const key = fc.constantFrom(...keys);
  const prefix = fc.constantFrom(...prefixes);
  const back = fc.nat({ max: 12 });
  const operation = fc.record({
    key,
    value: fc.option(fc.string({ maxLength: 3, unit: "binary" }), { nil: undefined, freq: 3 }),
    ttl: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined, freq: 2 }),
  });
  const txn: fc.Arbitrary<Step> = fc.record({
    kind: fc.constant("txn" as const),
    compares: fc.array(fc.record({ key, right: fc.boolean().map((b) => b) }), { maxLength: 2 }),
    operations: fc.uniqueArray(operation, { maxLength: 4, selector: (one) => one.key }),
  });
  const others: fc.Arbitrary<Step>[] = [
    fc.record(
      {
        kind: fc.constant("range" as const),
        prefix,
        from: key,
        limit: fc.nat({ max: 4 }),
        back,
      },
      { requiredKeys: ["kind", "prefix"] },
    ),
    fc.record({ kind: fc.constant("watch" as const), prefix, back }),
    fc.record({ kind: fc.constant("cancel" as const), which: fc.nat({ max: 5 }) }),
    fc.record({ kind: fc.constant("compact" as const), back }),
    fc.record({ kind: fc.constant("advance" as const), seconds: fc.integer({ min: 1, max: 40 }) }),
  ];
  if (reopens) others.push(fc.constant({ kind: "reopen" as const }));
  return fc.oneof({ weight: 8, arbitrary: txn }, ...others.map((arbitrary) => ({ weight: 2, arbitrary })));
}
