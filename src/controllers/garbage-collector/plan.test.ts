import { describe, expect, it } from "vitest";
import type { ObjectMeta, OwnerReference } from "../../api/index.ts";
import {
  blocks,
  concernsOwnership,
  deletionStep,
  type OwnerState,
  planDependent,
  unblocking,
  withoutOwners,
} from "./plan.ts";
import { collectedKinds } from "./reconcile.ts";

type Metadata = Partial<ObjectMeta>;

const reference = (uid: string, blockOwnerDeletion?: boolean): OwnerReference => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  name: uid,
  uid,
  ...(blockOwnerDeletion !== undefined && { blockOwnerDeletion }),
});

const owned = (...owners: string[]): Metadata => ({ ownerReferences: owners.map((uid) => reference(uid)) });
const deletionTimestamp = "2025-01-01T00:00:00Z";
const waiting: Metadata = { deletionTimestamp, finalizers: ["foregroundDeletion"] };
/** An owner's uid says how it is. */
const states = new Map(
  (["present", "waiting", "absent", "unknown"] as const).map((state): [string, OwnerState] => [state, state]),
);

describe("a dependent", () => {
  it.each<[string, Metadata, Metadata[], string]>([
    ["without owners stays", {}, [], "leave"],
    ["whose owner is there stays", owned("present"), [], "leave"],
    ["whose owner is gone goes", owned("absent"), [], "delete Background"],
    ["whose owners are all gone goes", owned("absent", "absent"), [], "delete Background"],
    ["of which one owner is left forgets the others", owned("absent", "present", "waiting"), [], "drop absent,waiting"],
    ["whose owner nobody can know is left alone", owned("absent", "unknown"), [], "leave"],
    ["whose owner waits for it goes", owned("waiting"), [], "delete Background"],
    ["whose owner waits for it lets its own dependents go first", owned("waiting"), [{}], "delete Foreground"],
    ["in a circle of waiting blocks its owner no more", owned("waiting"), [waiting], "delete Foreground, unblocked"],
    ["that is being deleted is left alone", { ...owned("absent"), deletionTimestamp }, [], "leave"],
    ["goes as its own finalizer says", { ...owned("absent"), finalizers: ["orphan"] }, [], "delete Orphan"],
    [
      "goes after its dependents if its finalizer says so",
      { ...owned("absent"), finalizers: ["foregroundDeletion"] },
      [],
      "delete Foreground",
    ],
  ])("%s", (_rule, dependent, dependents, want) => {
    const plan = planDependent(dependent, states, dependents);
    const told =
      plan.kind === "delete"
        ? `delete ${plan.policy}${plan.unblocksOwners ? ", unblocked" : ""}`
        : plan.kind === "dropOwners"
          ? `drop ${[...plan.uids].join(",")}`
          : plan.kind;
    expect(told).toBe(want);
  });

  it("keeps the references to its other owners, and may block none of them", () => {
    const pair = { ownerReferences: [reference("a", true), reference("b", true)] };
    expect(withoutOwners(pair, new Set(["a"]))).toEqual([reference("b", true)]);
    expect(unblocking(pair)).toEqual([reference("a", false), reference("b", false)]);
  });
});

describe("an owner", () => {
  it.each<[string, Metadata, string]>([
    ["that nobody deletes waits for nobody, whatever its finalizers", { finalizers: ["orphan"] }, "none"],
    ["that others hold is not ours", { deletionTimestamp, finalizers: ["example.com/hold"] }, "none"],
    ["leaves its dependents behind", { deletionTimestamp, finalizers: ["orphan"] }, "orphan"],
    ["waits for its dependents", waiting, "foreground"],
  ])("%s", (_rule, owner, want) => {
    expect(deletionStep(owner)).toBe(want);
  });

  it.each<[string, OwnerReference[], boolean]>([
    ["that says so", [reference("other"), reference("owner", true)], true],
    ["that says no", [reference("owner", false)], false],
    ["that says nothing", [reference("owner")], false],
    ["that blocks somebody else", [reference("other", true), reference("owner")], false],
  ])("is blocked, or not, by a dependent %s", (_what, ownerReferences, want) => {
    expect(blocks({ ownerReferences }, "owner")).toBe(want);
  });
});

it.each<[string, Metadata, Metadata | undefined, boolean]>([
  ["a new object without owners", {}, undefined, false],
  ["a new object with one", owned("a"), undefined, true],
  ["a label", { ...owned("a"), labels: { x: "y" } }, owned("a"), false],
  ["another owner", owned("b"), owned("a"), true],
  ["one owner fewer", {}, owned("a"), true],
  [
    "an owner that is blocked no more",
    { ownerReferences: [reference("a")] },
    { ownerReferences: [reference("a", true)] },
    true,
  ],
  ["a deletion in the background", { deletionTimestamp }, {}, false],
  ["a deletion in the foreground", waiting, {}, true],
])("looks again, or not, after %s", (_what, next, previous, want) => {
  expect(concernsOwnership(next, previous)).toBe(want);
});

it("collects all kinds that can be listed, watched and deleted, once each, and no events", () => {
  const collected = collectedKinds().map(({ resource }) => resource);
  expect(collected).toEqual([
    "configmaps",
    "endpoints",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "replicationcontrollers",
    "secrets",
    "serviceaccounts",
    "services",
    "controllerrevisions",
    "daemonsets",
    "deployments",
    "replicasets",
    "statefulsets",
    "horizontalpodautoscalers",
    "cronjobs",
    "jobs",
    "poddisruptionbudgets",
    "storageclasses",
    "priorityclasses",
    "leases",
    "endpointslices",
  ]);
});
