import { describe, expect, it } from "vitest";
import type { LabelSelector } from "../generated/meta-v1.ts";
import { fieldErrorText } from "./field-errors.ts";
import {
  formatLabelSelector,
  labelSelectorMatches,
  type Labels,
  matchesRequirements,
  parseLabelSelector,
  requirementsOf,
  validateLabelSelector,
} from "./label-selector.ts";

function selects(text: string, labels: Labels): boolean {
  const parsed = parseLabelSelector(text);
  if (parsed.kind === "wrong") throw new Error(parsed.problem);
  return matchesRequirements(parsed.requirements, labels);
}

describe("a label selector's text", () => {
  it.each<[string, Labels, boolean]>([
    ["", undefined, true],
    ["", { a: "b" }, true],
    ["app", { app: "" }, true],
    ["app", {}, false],
    ["!app", {}, true],
    ["!app", { app: "x" }, false],
    ["app=web", { app: "web" }, true],
    ["app==web", { app: "web" }, true],
    ["app=web", { app: "db" }, false],
    ["app=", { app: "" }, true],
    ["app=", {}, false],
    ["app!=web", {}, true],
    ["app!=web", { app: "db" }, true],
    ["app!=web", { app: "web" }, false],
    ["app in (a, b)", { app: "b" }, true],
    ["app in (a,b)", { app: "c" }, false],
    ["app in (a,b)", {}, false],
    ["app notin (a,b)", {}, true],
    ["app notin (a,b)", { app: "a" }, false],
    ["app in ()", { app: "" }, true],
    ["app in (,a)", { app: "" }, true],
    ["app in (a,)", { app: "" }, true],
    ["app in (a,,b)", { app: "" }, true],
    ["in in (in,notin)", { in: "notin" }, true],
    ["n>5", { n: "6" }, true],
    ["n>5", { n: "5" }, false],
    ["n<5", { n: "-6" }, true],
    ["n<5", { n: "x" }, false],
    ["n<5", {}, false],
    ["n>9007199254740992", { n: "9007199254740993" }, true],
    ["  app = web ,\ttier in (a) ", { app: "web", tier: "a" }, true],
    ["app=web,tier=a", { app: "web", tier: "b" }, false],
    ["example.com/app=web", { "example.com/app": "web" }, true],
    ["constructor", {}, false],
    ["!constructor", undefined, true],
  ])("%j over %j: %s", (text, labels, selected) => {
    expect(selects(text, labels)).toBe(selected);
  });

  const qualified =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

  it.each([
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["a=b=c", "found '=', expected: ',' or 'end of string'"],
    ["a,", "found '', expected: identifier after ','"],
    [",a", "found ',', expected: !, identifier, or 'end of string'"],
    ["a in b", "unable to parse requirement: found 'b' expected: '('"],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ["a in (b,=)", "unable to parse requirement: found '=', expected: ',', or identifier"],
    ["a=(", "unable to parse requirement: found '(', expected: identifier"],
    ["!", "unable to parse requirement: found '', expected: identifier"],
    ["-a=b", `unable to parse requirement: <nil>: Invalid value: "-a": ${qualified}`],
    [
      "n>x",
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    [
      "a=-",
      `unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
  ])("%j is refused: %s", (text, problem) => {
    expect(parseLabelSelector(text)).toEqual({ kind: "wrong", problem });
  });

  it.each(["a,!b,c=1,d==2,e!=3,f in (x,y),g notin (z),h>4,i<5", ""])("writes back what it read: %j", (text) => {
    const parsed = parseLabelSelector(text);
    expect(parsed.kind === "parsed" && formatLabelSelector(parsed.requirements)).toBe(text);
  });
});

describe("a label selector object", () => {
  it.each<[string, LabelSelector | undefined, Labels, boolean]>([
    ["an absent one selects nothing", undefined, { app: "web" }, false],
    ["an empty one selects everything", {}, undefined, true],
    ["matchLabels must all be there", { matchLabels: { a: "1", b: "2" } }, { a: "1" }, false],
    ["matchLabels match", { matchLabels: { a: "1" } }, { a: "1", b: "2" }, true],
    ["In", { matchExpressions: [{ key: "a", operator: "In", values: ["1", "2"] }] }, { a: "2" }, true],
    ["NotIn without the key", { matchExpressions: [{ key: "a", operator: "NotIn", values: ["1"] }] }, {}, true],
    ["Exists", { matchExpressions: [{ key: "a", operator: "Exists" }] }, {}, false],
    ["DoesNotExist", { matchExpressions: [{ key: "a", operator: "DoesNotExist" }] }, {}, true],
    [
      "labels and expressions are ANDed",
      { matchLabels: { a: "1" }, matchExpressions: [{ key: "b", operator: "Exists" }] },
      { a: "1" },
      false,
    ],
  ])("%s", (_rule, selector, labels, selected) => {
    expect(labelSelectorMatches(selector, labels)).toBe(selected);
  });

  it("becomes text for a scale", () => {
    const requirements = requirementsOf({
      matchLabels: { b: "1", a: "2" },
      matchExpressions: [{ key: "c", operator: "NotIn", values: ["y", "x"] }],
    });
    expect(formatLabelSelector(requirements ?? [])).toBe("a=2,b=1,c notin (x,y)");
  });

  it.each<[string, unknown, string[]]>([
    [
      "In needs values",
      { matchExpressions: [{ key: "a", operator: "In" }] },
      ["s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
    ],
    [
      "Exists takes none",
      { matchExpressions: [{ key: "a", operator: "Exists", values: ["x"] }] },
      ["s.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"],
    ],
    [
      "an unknown operator",
      { matchExpressions: [{ key: "a", operator: "Gt", values: ["1"] }] },
      ['s.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator'],
    ],
    ["a good one", { matchLabels: { a: "b" }, matchExpressions: [{ key: "a", operator: "In", values: ["x"] }] }, []],
  ])("is checked: %s", (_rule, selector, errors) => {
    expect(validateLabelSelector(selector as LabelSelector, "s").map(fieldErrorText)).toEqual(errors);
  });
});
