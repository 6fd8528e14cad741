import { describe, expect, it } from "vitest";
import type { Taint, Toleration } from "../../generated/core-v1.ts";
import { isSameTaint, isTolerated, toleratesTaint, untoleratedTaint } from "./tolerations.ts";

const taint: Taint = { key: "dedicated", value: "gpu", effect: "NoSchedule" };

describe("a toleration", () => {
  it.each<[string, Toleration, boolean]>([
    [
      "fits with key, value and effect",
      { key: "dedicated", operator: "Equal", value: "gpu", effect: "NoSchedule" },
      true,
    ],
    ["means Equal without an operator", { key: "dedicated", value: "gpu", effect: "NoSchedule" }, true],
    ["fails on another value", { key: "dedicated", value: "db", effect: "NoSchedule" }, false],
    ["fails on another key", { key: "other", operator: "Exists" }, false],
    ["fails on another effect", { key: "dedicated", operator: "Exists", effect: "NoExecute" }, false],
    ["fits every value with Exists", { key: "dedicated", operator: "Exists", effect: "NoSchedule" }, true],
    ["fits every effect when it names none", { key: "dedicated", operator: "Exists" }, true],
    ["fits everything with Exists alone", { operator: "Exists" }, true],
    ["compares a missing value as empty", { key: "dedicated" }, false],
  ])("%s", (_rule, toleration, fits) => {
    expect(toleratesTaint(toleration, taint)).toBe(fits);
  });

  it("fits a taint without a value when it has none either", () => {
    expect(toleratesTaint({ key: "k" }, { key: "k", effect: "NoExecute" })).toBe(true);
  });
});

describe("a node's taints", () => {
  it("are looked at only as far as their effect is asked for", () => {
    const soft: Taint = { key: "soft", effect: "PreferNoSchedule" };
    expect(untoleratedTaint([soft, taint], undefined, ["NoSchedule", "NoExecute"])).toBe(taint);
    expect(untoleratedTaint([soft, taint], [{ operator: "Exists" }], ["NoSchedule"])).toBeUndefined();
    expect(untoleratedTaint(undefined, undefined, ["NoSchedule"])).toBeUndefined();
  });

  it("need one toleration among many", () => {
    expect(isTolerated(taint, [{ key: "x" }, { operator: "Exists" }])).toBe(true);
    expect(isTolerated(taint, [])).toBe(false);
  });

  it("are the same by key and effect", () => {
    expect(isSameTaint(taint, { ...taint, value: "other" })).toBe(true);
    expect(isSameTaint(taint, { ...taint, effect: "NoExecute" })).toBe(false);
  });
});
