import { describe, expect, it } from "vitest";
import type { Namespace } from "../../api/index.ts";
import { type Instant, parseTime, seconds } from "../../base/time.ts";
import { type Findings, awaitsEmptying, planConditions, remainingWait } from "./plan.ts";
import { emptyingOrder } from "./reconcile.ts";

const now = parseTime("2025-01-01T00:00:00Z") as Instant;
const nothing: Findings = { failures: [], remainders: [] };
const pods = (...objects: Findings["remainders"][number]["objects"]): Findings => ({
  failures: [],
  remainders: [{ resource: "pods.", objects }],
});
const ending = (deletionTimestamp: string) => ({ metadata: { deletionTimestamp } });
const held = (...finalizers: string[]) => ({ metadata: { finalizers } });

it.each([
  ["that is not being deleted", undefined, ["kubernetes"], false],
  ["that is being deleted", "2025-01-01T00:00:00Z", ["kubernetes"], true],
  ["that was finalized already", "2025-01-01T00:00:00Z", [], false],
  ["that only others still hold", "2025-01-01T00:00:00Z", ["example.com/hold"], false],
])("a namespace %s awaits emptying: %s", (_what, deletionTimestamp, finalizers, want) => {
  const metadata = { name: "shop", ...(deletionTimestamp && { deletionTimestamp }) };
  expect(awaitsEmptying({ metadata, spec: { finalizers } } as unknown as Namespace)).toBe(want);
});

it.each<[string, Findings, number]>([
  ["nothing is left", nothing, 0],
  ["a Pod has 30 s to stop", pods(ending("2025-01-01T00:00:30Z")), 16],
  ["the slowest of several counts", pods(ending("2025-01-01T00:00:10Z"), ending("2025-01-01T00:01:00Z")), 31],
  ["a Pod is overdue", pods(ending("2024-12-31T23:59:00Z")), 1],
  ["an object has finalizers", pods(held("example.com/hold")), 8.5],
  ["an object's deletion was not even begun", pods({ metadata: {} }), 1],
])("looks again later when %s", (_what, findings, want) => {
  expect(remainingWait(findings, now)).toBe(seconds(want));
});

describe("the conditions", () => {
  it("are all fine when everything is gone", () => {
    const planned = planConditions([], nothing, now);
    expect(planned?.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => "False"));
    expect(planned?.every(({ lastTransitionTime }) => lastTransitionTime === "2025-01-01T00:00:00Z")).toBe(true);
  });

  it("stay untouched when nothing changed, and keep the time of those that did not", () => {
    const first = planConditions([], pods(held("b", "a"), held("a")), now) ?? [];
    expect(planConditions(first, pods(held("a", "b"), held("a")), now)).toBeUndefined();
    const later = (now + 60_000) as Instant;
    const second = planConditions(first, nothing, later) ?? [];
    expect(second.map(({ lastTransitionTime }) => lastTransitionTime?.slice(14, 19))).toEqual([
      "00:00",
      "00:00",
      "00:00",
      "01:00",
      "01:00",
    ]);
  });

  it("count what is left and what holds it, sorted", () => {
    const findings: Findings = {
      failures: [],
      remainders: [
        { resource: "secrets.", objects: [held("z")] },
        { resource: "leases.coordination.k8s.io", objects: [held("a", "z"), held()] },
      ],
    };
    const messages = planConditions([], findings, now)?.map(({ message }) => message);
    expect(messages?.slice(3)).toEqual([
      "Some resources are remaining: leases.coordination.k8s.io has 2 resource instances, secrets. has 1 resource instances",
      "Some content in the namespace has finalizers remaining: a in 1 resource instances, z in 2 resource instances",
    ]);
  });

  it("name what could not be deleted", () => {
    const planned = planConditions([], { failures: ["b broke", "a broke"], remainders: [] }, now);
    expect(planned?.[2]).toMatchObject({
      type: "NamespaceDeletionContentFailure",
      status: "True",
      reason: "ContentDeletionFailed",
      message: "Failed to delete all resource types, 2 remaining: a broke, b broke",
    });
  });

  it("leave other conditions where they are", () => {
    const other = { type: "example.com/Audited", status: "True" as const };
    expect(planConditions([other], nothing, now)?.[0]).toBe(other);
  });
});

it("empties Pods first, every namespaced kind once, and nothing that cannot be deleted", () => {
  const order = emptyingOrder().map(({ group, resource }) => `${resource}.${group}`);
  expect(order[0]).toBe("pods.");
  expect(new Set(order).size).toBe(order.length);
  expect(order).toContain("leases.coordination.k8s.io");
  for (const absent of ["nodes.", "namespaces.", "bindings.", "events.events.k8s.io"])
    expect(order).not.toContain(absent);
});
