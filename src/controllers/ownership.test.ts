import { expect, it } from "vitest";
import { type PodParts, testPod } from "../../test/fakes/objects.ts";
import type { OwnerReference, Pod } from "../api/index.ts";
import { type Owner, planClaims } from "./ownership.ts";

const owner: Owner = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { name: "web", namespace: "default", uid: "me", resourceVersion: "1", creationTimestamp: "" },
  requirements: [{ key: "app", operator: "=", values: ["web"] }],
};
const leaving: Owner = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: "2025-01-01T00:00:00Z" } };

const reference = (uid: string, controller = true): OwnerReference => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  name: uid,
  uid,
  controller,
});

function candidate(parts: PodParts, ...ownerReferences: readonly OwnerReference[]): Pod {
  const pod = testPod("p", parts);
  return { ...pod, metadata: { ...pod.metadata, ownerReferences } };
}

const selected: PodParts = { labels: { app: "web" } };
const other: PodParts = { labels: { app: "other" } };
const going: PodParts = { ...selected, deletionTimestamp: "2025-01-01T00:00:00Z" };

it.each<[string, Owner, Pod, string]>([
  ["that is mine and matches stays mine", owner, candidate(selected, reference("me")), "owned"],
  ["that is mine and going stays mine", owner, candidate(going, reference("me")), "owned"],
  ["that is mine and no longer matches is let go", owner, candidate(other, reference("me")), "release"],
  ["that is another's is left alone, matching or not", owner, candidate(selected, reference("other")), "nothing"],
  ["that nobody controls is taken in", owner, candidate(selected), "adopt"],
  ["that has an owner who does not control it is taken in", owner, candidate(selected, reference("x", false)), "adopt"],
  ["that nobody controls and does not match is left alone", owner, candidate(other), "nothing"],
  ["that is going is not taken in", owner, candidate(going), "nothing"],
  ["of an owner that is going stays", leaving, candidate(selected, reference("me")), "owned"],
  ["of an owner that is going is not let go", leaving, candidate(other, reference("me")), "nothing"],
  ["is not taken in by an owner that is going", leaving, candidate(selected), "nothing"],
  [
    "is not taken in by an owner that selects nothing",
    { ...owner, requirements: undefined },
    candidate(selected),
    "nothing",
  ],
])("an object %s", (_rule, by, object, want) => {
  const plan = planClaims(by, [object]);
  const found = (["owned", "adopt", "release"] as const).filter((part) => plan[part].length > 0);
  expect(found[0] ?? "nothing").toBe(want);
});
