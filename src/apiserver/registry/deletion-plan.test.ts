import { expect, it } from "vitest";
import { type Instant, parseTime } from "../../base/time.ts";
import type { ApiObject } from "./api-object.ts";
import { type DeletionOptions, type DeletionPlan, finalizersFor, planDeletion } from "./deletion-plan.ts";
import { namespaceStrategy } from "./namespace-strategy.ts";
import { podStrategy } from "./pod-strategy.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

const now = parseTime("2025-01-01T00:01:00Z") as Instant;
const ordinary: Strategy = { ...ordinaryStrategy, nameProblems: () => [] };

interface Meta {
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

function pod(metadata: Meta, { node = "node-a", phase = "Running", grace = 30 } = {}): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", generation: 1, ...metadata },
    spec: { terminationGracePeriodSeconds: grace, ...(node === "" ? {} : { nodeName: node }) },
    status: { phase },
  };
}

/** `mark 0:30/30 generation 2 [finalizers]`: what happens, when the object is due, and with what grace. */
function told(plan: DeletionPlan): string {
  if (plan.kind !== "mark" && plan.kind !== "markAndRemove") return plan.kind;
  const { deletionTimestamp, deletionGracePeriodSeconds, generation, finalizers = [] } = plan.object.metadata;
  const held = finalizers.length === 0 ? "" : ` [${finalizers.join(" ")}]`;
  return `${plan.kind} ${deletionTimestamp?.slice(14, 19)}/${deletionGracePeriodSeconds ?? "-"} generation ${generation ?? "-"}${held}`;
}

const deleting = (at: string, grace: number): Meta => ({
  deletionTimestamp: `2025-01-01T00:${at}Z`,
  deletionGracePeriodSeconds: grace,
});

it.each<[string, ApiObject, DeletionOptions, string]>([
  ["gives a running Pod its own grace", pod({}), {}, "mark 01:30/30 generation 2"],
  ["gives it the grace that was asked for", pod({}), { gracePeriodSeconds: 5 }, "mark 01:05/5 generation 2"],
  ["takes a negative grace for one second", pod({}), { gracePeriodSeconds: -7 }, "mark 01:01/1 generation 2"],
  ["lets it go in two writes without grace", pod({}), { gracePeriodSeconds: 0 }, "markAndRemove 01:00/0 generation 2"],
  ["does not wait for a Pod that no node has", pod({}, { node: "" }), {}, "markAndRemove 01:00/0 generation 2"],
  [
    "does not wait for one that no node has, whatever was asked for",
    pod({}, { node: "" }),
    { gracePeriodSeconds: 60 },
    "markAndRemove 01:00/0 generation 2",
  ],
  ["does not wait for a Pod that succeeded", pod({}, { phase: "Succeeded" }), {}, "markAndRemove 01:00/0 generation 2"],
  ["does not wait for a Pod that failed", pod({}, { phase: "Failed" }), {}, "markAndRemove 01:00/0 generation 2"],
  ["lets a Pod go at once whose own grace is 0", pod({}, { grace: 0 }), {}, "markAndRemove 01:00/0 generation 2"],
  ["changes nothing when asked again", pod(deleting("01:20", 30)), {}, "pending"],
  ["does not lengthen the wait", pod(deleting("01:20", 30)), { gracePeriodSeconds: 60 }, "pending"],
  ["does not move a wait of the same length", pod(deleting("01:20", 30)), { gracePeriodSeconds: 30 }, "pending"],
  [
    "shortens the wait, counted from the first request",
    pod(deleting("01:20", 30)),
    { gracePeriodSeconds: 20 },
    "mark 01:10/20 generation 1",
  ],
  [
    "does not shorten the wait into the past",
    pod(deleting("01:20", 30)),
    { gracePeriodSeconds: 5 },
    "mark 01:00/1 generation 1",
  ],
  [
    "ends the wait by force",
    pod(deleting("01:20", 30)),
    { gracePeriodSeconds: 0 },
    "markAndRemove 01:00/0 generation 1",
  ],
  ["removes a Pod whose grace is over", pod(deleting("00:30", 0)), {}, "remove"],
  [
    "keeps a Pod that a finalizer holds, though its grace is over",
    pod({ ...deleting("00:30", 0), finalizers: ["a/b"] }),
    { gracePeriodSeconds: 0 },
    "pending",
  ],
  [
    "keeps a Pod that a finalizer holds when it is deleted by force",
    pod({ finalizers: ["a/b"] }),
    { gracePeriodSeconds: 0 },
    "mark 01:00/0 generation 2 [a/b]",
  ],
  [
    "writes the wish about dependents into the finalizers",
    pod({}),
    { propagationPolicy: "Foreground" },
    "mark 01:30/30 generation 2 [foregroundDeletion]",
  ],
])("%s", (_rule, object, options, want) => {
  expect(told(planDeletion(object, podStrategy, options, now))).toBe(want);
});

const configMap = (metadata: Meta & { readonly generation?: number }): ApiObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", ...metadata },
});

it.each<[string, ApiObject, DeletionOptions, string]>([
  ["removes an object of a kind without grace", configMap({}), { gracePeriodSeconds: 30 }, "remove"],
  ["keeps it while a finalizer holds it", configMap({ finalizers: ["a/b"] }), {}, "mark 01:00/0 generation - [a/b]"],
  [
    "counts the deletion in the generation where there is one",
    configMap({ finalizers: ["a/b"], generation: 4 }),
    {},
    "mark 01:00/0 generation 5 [a/b]",
  ],
  ["changes nothing when asked again", configMap({ finalizers: ["a/b"], ...deleting("00:10", 0) }), {}, "pending"],
  [
    "orphans dependents through a finalizer",
    configMap({}),
    { propagationPolicy: "Orphan" },
    "mark 01:00/0 generation - [orphan]",
  ],
  [
    "understands the old form of the wish",
    configMap({}),
    { orphanDependents: true },
    "mark 01:00/0 generation - [orphan]",
  ],
  ["takes an earlier wish back", configMap({ finalizers: ["orphan"] }), { propagationPolicy: "Background" }, "remove"],
])("%s", (_rule, object, options, want) => {
  expect(told(planDeletion(object, ordinary, options, now))).toBe(want);
});

const namespace = (finalizers: readonly string[], metadata: Meta = {}): ApiObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "team", ...metadata },
  spec: { finalizers },
  status: { phase: "Active" },
});

it.each<[string, ApiObject, string]>([
  ["marks a Namespace that has content", namespace(["kubernetes"]), "mark 01:00/- generation -"],
  ["refuses to delete it twice", namespace(["kubernetes"], { deletionTimestamp: "2025-01-01T00:00:00Z" }), "held"],
  ["removes it once its content is gone", namespace([], { deletionTimestamp: "2025-01-01T00:00:00Z" }), "remove"],
  [
    "keeps it for the finalizers of its metadata",
    namespace([], { deletionTimestamp: "2025-01-01T00:00:00Z", finalizers: ["a/b"] }),
    "pending",
  ],
])("%s", (_rule, object, want) => {
  const plan = planDeletion(object, namespaceStrategy, {}, now);
  expect(told(plan)).toBe(want);
});

it("shows a marked Namespace as Terminating", () => {
  expect(planDeletion(namespace(["kubernetes"]), namespaceStrategy, {}, now)).toMatchObject({
    kind: "mark",
    object: { status: { phase: "Terminating" } },
  });
});

it.each<[string, readonly string[], DeletionOptions, readonly string[]]>([
  ["no wish leaves them", ["a/b", "orphan"], {}, ["a/b", "orphan"]],
  [
    "Orphan replaces foreground deletion",
    ["foregroundDeletion", "a/b"],
    { propagationPolicy: "Orphan" },
    ["a/b", "orphan"],
  ],
  ["Foreground replaces orphaning", ["orphan"], { propagationPolicy: "Foreground" }, ["foregroundDeletion"]],
  ["Background removes both", ["orphan", "a/b"], { propagationPolicy: "Background" }, ["a/b"]],
  ["orphanDependents=false removes both", ["orphan"], { orphanDependents: false }, []],
  [
    "a wish that is there already keeps its place",
    ["orphan", "a/b"],
    { propagationPolicy: "Orphan" },
    ["orphan", "a/b"],
  ],
])("finalizers: %s", (_rule, finalizers, options, want) => {
  expect(finalizersFor(configMap({ finalizers }), options)).toEqual(want);
});
