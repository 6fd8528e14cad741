import { expect, it } from "vitest";
import { type PodParts, testNode, testPod } from "../../../test/fakes/objects.ts";
import type { Node, Pod } from "../../api/index.ts";
import { type Instant, after, seconds } from "../../base/time.ts";
import { missingNodes, planCollection } from "./plan.ts";

const start = 0 as Instant;
const deletionTimestamp = "2025-01-01T00:00:00Z";
const on = (nodeName: string): PodParts => ({ spec: { nodeName } });
const outOfService = { key: "node.kubernetes.io/out-of-service", effect: "NoExecute" as const };
const ready = { conditions: [{ type: "Ready", status: "True" as const }] };

const plan = (pods: readonly Pod[], nodes: readonly Node[], missingFor = 0, limit?: number): string[] => {
  const node = (name: string) => nodes.find(({ metadata }) => metadata.name === name);
  const cluster = { pods, node, missingSince: () => start, now: after(start, seconds(missingFor)) };
  return planCollection(cluster, limit).map(({ pod, because }) => `${pod.metadata.name}: ${because}`);
};

type Row = [string, PodParts, Node[], number, string[]];
it.each<Row>([
  ["on its node", on("a"), [testNode("a")], 99, []],
  ["that waits for a node", {}, [], 99, []],
  ["whose node is missing for a moment", on("a"), [], 39, []],
  ["whose node is gone", on("a"), [], 40, ["p: orphaned"]],
  ["that was deleted before it was placed", { deletionTimestamp }, [], 0, ["p: unscheduledTerminating"]],
  ["that is being stopped by its node", { ...on("a"), deletionTimestamp }, [testNode("a")], 99, []],
  [
    "that is to be stopped by a node out of service",
    { ...on("a"), deletionTimestamp },
    [testNode("a", { taints: [outOfService] })],
    0,
    ["p: outOfService"],
  ],
  [
    "on a node out of service that is ready",
    { ...on("a"), deletionTimestamp },
    [testNode("a", { taints: [outOfService], ...ready })],
    0,
    [],
  ],
  ["that runs on a node out of service", on("a"), [testNode("a", { taints: [outOfService] })], 0, []],
])("a Pod %s", (_what, parts, nodes, missingFor, want) => {
  expect(plan([testPod("p", parts)], nodes, missingFor)).toEqual(want);
});

it("removes finished Pods beyond the limit: evicted ones, then the oldest, then by name", () => {
  const finished = (name: string, created: string, reason?: string): Pod => {
    const pod = testPod(name, {
      status: { phase: reason === undefined ? "Succeeded" : "Failed", ...(reason && { reason }) },
    });
    return { ...pod, metadata: { ...pod.metadata, creationTimestamp: created } };
  };
  const pods = [
    finished("new", "2025-01-03T00:00:00Z"),
    finished("old-b", "2025-01-01T00:00:00Z"),
    finished("old-a", "2025-01-01T00:00:00Z"),
    finished("evicted", "2025-01-04T00:00:00Z", "Evicted"),
    testPod("running"),
  ];
  expect(plan(pods, [], 0, 1)).toEqual(["evicted: terminated", "old-a: terminated", "old-b: terminated"]);
  expect(plan(pods, [], 0, 4)).toEqual([]);
  expect(plan(pods, [], 0, 0)).toEqual([]);
});

it("names the nodes that Pods speak of and that do not exist", () => {
  const pods = [testPod("p", on("a")), testPod("q", on("b")), testPod("r", on("b")), testPod("s")];
  const node = (name: string) => (name === "a" ? testNode("a") : undefined);
  expect(missingNodes({ pods, node })).toEqual(new Set(["b"]));
});
