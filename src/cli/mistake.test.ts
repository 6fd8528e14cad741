import { expect, it } from "vitest";
import { isMistake, mistakeReport } from "./mistake.ts";

it.each<[string, unknown, boolean]>([
  ["a TypeError", new TypeError("x is not a function"), true],
  ["a RangeError", new RangeError("too deep"), true],
  ["what is no Error", "oops", true],
  ["an Error with a text for people", new Error("the port is taken"), false],
  ["a failure of the machine", Object.assign(new Error("EACCES"), { code: "EACCES" }), false],
])("tells mistakes from what is wrong outside: %s", (_what, error, expected) => {
  expect(isMistake(error)).toBe(expected);
});

it("reports a mistake with version, platform and stack", () => {
  const report = mistakeReport(new TypeError("x is not a function"));
  expect(report).toMatch(
    /^lifepod: a mistake in lifepod itself .*report.*\nlifepod \d+\.\d+\.\d+\S*, node v\d+\S+, \w+ \w+\nTypeError: x is not a function\n {4}at .*mistake\.test\.ts/,
  );
  expect(mistakeReport("oops")).toContain("thrown: oops");
});
