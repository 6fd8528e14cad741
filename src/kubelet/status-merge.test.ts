import { expect, it } from "vitest";
import type { PodStatus } from "../api/generated/core-v1.ts";
import type { Instant } from "../base/time.ts";
import { mergePodStatus } from "./status-merge.ts";

const now = Date.UTC(2025, 0, 1) as Instant;

it.each<
  [what: string, api: PodStatus["phase"], computed: PodStatus["phase"], mayRun: boolean, want: PodStatus["phase"]]
>([
  ["goes on", "Pending", "Running", true, "Running"],
  ["ends when nothing runs any more", "Running", "Succeeded", false, "Succeeded"],
  ["does not end while something may run", "Running", "Failed", true, "Running"],
  [
    "stays ended when somebody else has ended it and the kubelet has not heard of it",
    "Failed",
    "Running",
    true,
    "Failed",
  ],
  ["stays as it has ended", "Succeeded", "Failed", false, "Succeeded"],
])("a phase %s", (_what, api, computed, mayRun, want) => {
  const merged = mergePodStatus({ phase: api }, { phase: computed }, mayRun, now);
  expect(merged.phase).toBe(want);
});

it("keeps why a Pod has ended", () => {
  const api: PodStatus = { phase: "Failed", reason: "NodeLost", message: "the node is gone" };
  expect(mergePodStatus(api, { phase: "Running" }, true, now)).toMatchObject(api);
});
