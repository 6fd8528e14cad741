import { expect, it } from "vitest";
import { testPod } from "../../../test/fakes/objects.ts";
import type { Taint, Toleration } from "../../api/index.ts";
import { seconds } from "../../base/time.ts";
import { planStay } from "./plan.ts";

const taint = (key: string, effect: Taint["effect"] = "NoExecute"): Taint => ({ key, effect });
const tolerate = (key: string, tolerationSeconds?: number): Toleration => ({
  key,
  operator: "Exists",
  effect: "NoExecute",
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});

it.each<[string, Toleration[], Taint[], number | "unlimited"]>([
  ["stays where there is no taint", [], [], "unlimited"],
  ["stays where the taint only keeps new Pods off", [], [taint("a", "NoSchedule")], "unlimited"],
  ["goes at once from what it does not tolerate", [tolerate("b")], [taint("a")], 0],
  ["goes at once if only one of two is tolerated", [tolerate("a")], [taint("a"), taint("b")], 0],
  ["stays where it tolerates without limit", [tolerate("a")], [taint("a")], "unlimited"],
  ["stays as long as it tolerates", [tolerate("a", 300)], [taint("a")], 300],
  ["stays for the shortest of its tolerations", [tolerate("a", 300), tolerate("b", 60)], [taint("a"), taint("b")], 60],
  ["counts only tolerations that are used", [tolerate("a", 300), tolerate("b", 60)], [taint("a")], 300],
  ["takes one limit over one without", [tolerate("a"), tolerate("a", 30)], [taint("a")], 30],
  ["goes at once with a limit of zero or less", [tolerate("a", -5)], [taint("a")], 0],
  ["stays if it tolerates everything", [{ operator: "Exists" }], [taint("a"), taint("b")], "unlimited"],
])("a Pod %s", (_rule, tolerations, taints, want) => {
  expect(planStay(testPod("p", { spec: { tolerations } }), taints)).toEqual(
    want === "unlimited" ? { kind: "unlimited" } : { kind: "limited", stay: seconds(want) },
  );
});
