import { describe, expect, it } from "vitest";
import type { Pod, Taint, Toleration } from "../../generated/core-v1.ts";
import { tolerates, toleratesTaint, untoleratedTaint } from "./taints.ts";

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
    expect(tolerates(toleration, taint)).toBe(fits);
  });

  it("fits a taint without a value when it has none either", () => {
    expect(tolerates({ key: "k" }, { key: "k", effect: "NoExecute" })).toBe(true);
  });
});

describe("a node's taints", () => {
  const tolerating = (...tolerations: Toleration[]): Pod => ({ spec: { tolerations } }) as unknown as Pod;

  it("are looked at only as far as their effect is asked for", () => {
    const soft: Taint = { key: "soft", effect: "PreferNoSchedule" };
    expect(untoleratedTaint(tolerating(), [soft, taint], ["NoSchedule", "NoExecute"])).toBe(taint);
    expect(untoleratedTaint(tolerating({ operator: "Exists" }), [soft, taint], ["NoSchedule"])).toBeUndefined();
    expect(untoleratedTaint({ spec: {} } as unknown as Pod, [], ["NoSchedule"])).toBeUndefined();
  });

  it("need one toleration among many", () => {
    expect(toleratesTaint([{ key: "x" }, { operator: "Exists" }], taint)).toBe(true);
    expect(toleratesTaint([], taint)).toBe(false);
  });
});
