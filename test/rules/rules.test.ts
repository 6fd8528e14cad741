// docs/lifecycle-rules.md says what the checks show, or this fails. `npx vitest run test/rules --update` writes it anew. That the named checks
// exist and pass is seen to by rule-keeper.ts, when they run.

import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { podSupport } from "../../src/api/core/v1/pod-support-table.ts";
import { runtimeChecks } from "../../src/runtimes/contract.ts";
import { topics } from "../scenarios/topics.ts";
import { agreement } from "./agreement.ts";
import { chapters, rules } from "./chapters.ts";
import { findLostChecks, type Outcome } from "./lost-checks.ts";
import { fieldsOf, plainFields } from "./pod-fields.ts";
import { type Rule, type Runtime, runtimes } from "./rule.ts";
import { rulesDocument } from "./rules-document.ts";
import { checksOf, checksOn, verdictOf } from "./verdict.ts";

it("docs/lifecycle-rules.md is what the checks show", async () => {
  await expect(rulesDocument()).toMatchFileSnapshot("../../docs/lifecycle-rules.md");
});

describe("every rule", () => {
  it("has its number, in the order of its part", () => {
    for (const { number, parts } of chapters)
      for (const part of parts) {
        expect(part.number.split(".")[0]).toBe(String(number));
        expect(part.rules.map(({ id }) => id)).toEqual(part.rules.map((_, index) => `${part.number}-${index + 1}`));
      }
  });

  it("is a sentence, said once", () => {
    expect(rules.filter(({ says }) => !/[.)]$/.test(says)).map(({ id }) => id)).toEqual([]);
    expect(new Set(rules.map(({ says }) => says)).size).toBe(rules.length);
  });

  it("has a check that shows it on the simulated runtime", () => {
    expect(rules.filter((rule) => checksOf(rule).length === 0).map(({ id }) => id)).toEqual([]);
    expect(rules.filter((rule) => verdictOf(rule, "simulated").kind === "gap").map(({ id }) => id)).toEqual([]);
  });

  it("names files, stories and promises of the contract that exist", () => {
    const stories = new Set(Object.values(topics).flatMap((all) => all.map(({ title }) => title)));
    const promises = new Set(runtimeChecks.map(({ name }) => name));
    const unknown = rules.flatMap((rule) => [
      ...checksOf(rule)
        .filter(({ file }) => !existsSync(new URL(`../../${file}`, import.meta.url)))
        .map(({ file }) => file),
      ...(rule.stories ?? []).filter((title) => !stories.has(title)),
      ...(rule.contract ?? []).filter((name) => !promises.has(name)),
    ]);
    expect(unknown).toEqual([]);
  });

  it("says that a runtime cannot keep it only where nothing shows that it does", () => {
    const wrong = rules.flatMap((rule) =>
      runtimes.filter((runtime) => rule.cannot?.[runtime] !== undefined && checksOn(rule, runtime).length > 0),
    );
    expect(wrong).toEqual([]);
  });
});

it.each<[Runtime, number]>([
  ["simulated", 1],
  ["containerd", 0.97],
  ["process", 0.9],
])("the %s runtime keeps its share of the rules", (runtime, share) => {
  const kept = rules.filter((rule) => verdictOf(rule, runtime).kind !== "gap");
  expect(kept.length / rules.length).toBeGreaterThanOrEqual(share);
});

it("the record of agreement speaks of stories that exist", () => {
  const stories = new Set(Object.values(topics).flatMap((all) => all.map(({ title }) => title)));
  const unknown = Object.values(agreement()).flatMap((told) =>
    Object.keys(told).filter((title) => !stories.has(title)),
  );
  expect(unknown).toEqual([]);
});

describe("fields of a Pod", () => {
  const supported = Object.keys(podSupport).flatMap(fieldsOf);
  const named = [...rules.flatMap(({ fields = [] }) => fields), ...Object.keys(plainFields)];
  const covers = (field: string): boolean => named.includes(field) || named.includes(field.split(".")[0] as string);

  it("that are acted on have a rule, or are named as plain", () => {
    expect(supported.filter((field) => !covers(field))).toEqual([]);
  });

  it("that are named are acted on", () => {
    const messages = new Set(supported.map((field) => field.split(".")[0]));
    expect(named.filter((name) => !supported.includes(name) && !messages.has(name))).toEqual([]);
  });

  it("are plain only if no rule tells of them", () => {
    const told = new Set(rules.flatMap(({ fields = [] }) => fields));
    expect(Object.keys(plainFields).filter((field) => told.has(field))).toEqual([]);
  });
});

describe("a check", () => {
  const file = "src/a.test.ts";
  const rule: Rule = { id: "1.1-1", says: "It holds.", above: [{ file, test: "group > holds" }] };
  const outcome = (state: Outcome["state"], rest: Partial<Outcome> = {}): Outcome => ({
    file,
    test: "group > holds",
    state,
    ...rest,
  });
  const lostBy = (outcomes: readonly Outcome[], strict = false, files = [file]): readonly string[] =>
    findLostChecks([rule], outcomes, new Set(files), strict).lost.map(({ why }) => why);

  it.each<readonly [string, readonly Outcome[], readonly string[]]>([
    ["that passes is kept", [outcome("passed")], []],
    ["that fails is lost", [outcome("failed")], ["it failed"]],
    ["that never ran is lost", [outcome("pending")], ["it did not run"]],
    ["that is gone is lost", [], ["there is no such test: it was renamed or removed"]],
    [
      "that has another name is lost",
      [outcome("passed", { test: "group > held" })],
      ["there is no such test: it was renamed or removed"],
    ],
    ["that is skipped without a reason is lost", [outcome("skipped")], ["it was skipped (without a reason)"]],
    ["that lacks something on this machine is kept", [outcome("skipped", { note: "no containerd" })], []],
  ])("%s", (_, outcomes, lost) => {
    expect(lostBy(outcomes)).toEqual(lost);
  });

  it("is lost by any skip where everything is there", () => {
    expect(lostBy([outcome("skipped", { note: "no containerd" })], true)).toEqual(["it was skipped (no containerd)"]);
  });

  it("may be one that this machine cannot pass, which counts as not shown", () => {
    const cannot = outcome("passed", { test: "group > cannot, because needs root: holds" });
    expect([lostBy([cannot]), lostBy([cannot], true).length]).toEqual([[], 1]);
  });

  it("is not judged when its file did not run", () => {
    expect(lostBy([], false, ["src/b.test.ts"])).toEqual([]);
  });

  it("may stand for all tests of a group, each of which counts", () => {
    const family: Rule = { ...rule, above: [{ file, test: "group > *" }] };
    const both = [outcome("passed"), outcome("failed", { test: "group > breaks" })];
    const find = (outcomes: readonly Outcome[]): number =>
      findLostChecks([family], outcomes, new Set([file]), false).lost.length;
    expect(find(both.slice(0, 1))).toBe(0);
    expect(find(both)).toBe(1);
    expect(find([outcome("passed", { test: "other > holds" })])).toBe(1);
  });

  it("tells how many rules this machine does not show, and for want of what", () => {
    const { notShownHere } = findLostChecks(
      [rule],
      [outcome("skipped", { note: "no containerd" })],
      new Set([file]),
      false,
    );
    expect([...notShownHere].map(([reason, unproven]) => [reason, unproven.length])).toEqual([["no containerd", 1]]);
  });
});
