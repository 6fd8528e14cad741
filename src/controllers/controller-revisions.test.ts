import { expect, it } from "vitest";
import type { ControllerRevision, PodTemplateSpec } from "../api/index.ts";
import { byNumber, expiredRevisions, newRevision, planRevision, type RevisionOwner } from "./controller-revisions.ts";

const templateOf = (image: string) =>
  ({
    metadata: { labels: { app: "db" } },
    spec: { containers: [{ name: "db", image }] },
  }) as unknown as PodTemplateSpec;

const owner = (image: string): RevisionOwner => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "db", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
  requirements: [],
  template: templateOf(image),
  collisionCount: 0,
  hashLabel: "hash",
});

const revision = (image: string, number: number): ControllerRevision => newRevision(owner(image), number, 0);

it.each<[string, readonly ControllerRevision[], string]>([
  ["of the first template is number one", [], "create 1"],
  ["of a new template is the next", [revision("a", 1), revision("b", 4)], "create 5"],
  ["that is the newest stays", [revision("a", 1), revision("c", 2)], "keep 2"],
  ["of a former template becomes the newest again", [revision("c", 1), revision("b", 2)], "renumber 3"],
  ["that is there twice is the newer one", [revision("c", 1), revision("c", 2)], "keep 2"],
])("the revision %s", (_rule, revisions, want) => {
  const plan = planRevision(revisions, templateOf("c"));
  expect(`${plan.kind} ${plan.kind === "create" ? plan.number : plan.revision.revision}`).toBe(want);
});

it("a revision is named after its owner and content, and otherwise when that name is taken", () => {
  const { metadata, data } = revision("a", 1);
  expect(metadata.name).toMatch(/^db-[a-z0-9]{6,10}$/);
  expect(metadata.labels).toEqual({ app: "db", hash: metadata.name.slice(3) });
  expect(data).toEqual({ spec: { template: { ...templateOf("a"), $patch: "replace" } } });
  expect(newRevision(owner("a"), 1, 1).metadata.name).not.toBe(metadata.name);
  expect(revision("a", 7).metadata.name).toBe(metadata.name);
});

it.each<[string, number, readonly number[]]>([
  ["beyond two", 2, [1]],
  ["beyond none", 0, [1, 2, 4]],
  ["within the limit", 3, []],
  ["without a limit", -1, []],
])("of a history %s the oldest that nobody needs go", (_what, limit, want) => {
  const revisions = [4, 1, 3, 2].map((number) => revision(`i${number}`, number)).sort(byNumber);
  const gone = expiredRevisions(revisions, (each) => each.revision === 3, limit);
  expect(gone.map((each) => each.revision)).toEqual(want);
});
