import { describe, expect, it } from "vitest";
import {
  maxReplicasAnnotation,
  newReplicaSet,
  nextRevision,
  revisionAnnotation,
  revisionHistoryAnnotation,
  revisionsOf,
  syncedNewest,
  templateHash,
} from "./revisions.ts";
import { templateOf, testDeployment, testReplicaSet } from "../../../test/fakes/deployments.ts";

describe("of a Deployment's ReplicaSets", () => {
  const one = testReplicaSet("a", { image: "web:1" });
  const two = testReplicaSet("bb", { image: "web:2" });

  it("the newest is the one with its template, whatever its hash", () => {
    expect(revisionsOf(testDeployment(), [two, one])).toEqual({ newest: one, old: [two] });
  });

  it("none is the newest when the template is new", () => {
    const deployment = testDeployment({ spec: { template: templateOf("web:3") } });
    expect(revisionsOf(deployment, [two, one])).toEqual({ newest: undefined, old: [one, two] });
  });

  it("the oldest of two with one template is the newest, for ever", () => {
    const again = testReplicaSet("ccc", { image: "web:1" });
    expect(revisionsOf(testDeployment(), [again, one]).newest).toBe(one);
  });

  it("the newest has one revision more than any other", () => {
    expect(nextRevision([])).toBe(1);
    expect(nextRevision([testReplicaSet("a", { revision: "7" }), testReplicaSet("b", { revision: "3" })])).toBe(8);
  });
});

describe("the hash of a template", () => {
  it("is stable: it is part of stored names", () => {
    expect(templateHash(templateOf("web:1"), undefined)).toBe("cb4b4fff6");
  });

  it("does not depend on the order of fields, nor on a hash that is there", () => {
    const template = templateOf("web:1");
    const turned = { spec: template.spec, metadata: { labels: { "pod-template-hash": "x", app: "web" } } };
    expect(templateHash(turned, undefined)).toBe(templateHash(template, undefined));
  });

  it("changes with the template and with every collision", () => {
    const hashes = [
      templateHash(templateOf("web:1"), undefined),
      templateHash(templateOf("web:2"), undefined),
      templateHash(templateOf("web:1"), 1),
      templateHash(templateOf("web:1"), 2),
    ];
    expect(new Set(hashes).size).toBe(4);
    for (const hash of hashes) expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  });
});

it("a new ReplicaSet is named, labelled, selected and annotated after its template, its revision and its Deployment", () => {
  const annotations = {
    team: "paint",
    [revisionAnnotation]: "9",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
  };
  const deployment = testDeployment({ metadata: { annotations }, spec: { minReadySeconds: 5 } });
  const made = newReplicaSet(deployment, [testReplicaSet("a", { revision: "4" })], 2);
  const hash = templateHash(deployment.spec.template, undefined);
  expect(made.metadata).toMatchObject({
    name: `web-${hash}`,
    namespace: "default",
    labels: { app: "web", "pod-template-hash": hash },
    ownerReferences: [
      { kind: "Deployment", name: "web", uid: "uid-of-web", controller: true, blockOwnerDeletion: true },
    ],
  });
  expect(made.metadata.annotations).toEqual({
    team: "paint",
    [revisionAnnotation]: "5",
    "deployment.kubernetes.io/desired-replicas": "3",
    [maxReplicasAnnotation]: "4",
  });
  expect(made.spec).toMatchObject({
    replicas: 2,
    minReadySeconds: 5,
    selector: { matchLabels: { app: "web", "pod-template-hash": hash } },
    template: { metadata: { labels: { app: "web", "pod-template-hash": hash } } },
  });
});

describe("the newest ReplicaSet", () => {
  const old = [testReplicaSet("old", { revision: "4" })];
  const synced = (parts: Parameters<typeof testReplicaSet>[1], deployment = testDeployment()) =>
    syncedNewest(deployment, testReplicaSet("new", parts), old).metadata.annotations ?? {};

  it("that is as it should be stays the same object", () => {
    const newest = testReplicaSet("new", { revision: "5" });
    expect(syncedNewest(testDeployment(), newest, old)).toBe(newest);
  });

  it("keeps a revision that is higher than it would get now", () => {
    expect(synced({ revision: "9" })[revisionAnnotation]).toBe("9");
  });

  it("that was an old one gets a new revision, and remembers those that it was", () => {
    expect(synced({ revision: "2" })).toEqual({ [revisionAnnotation]: "5", [revisionHistoryAnnotation]: "2" });
    const again = synced({ revision: "3", annotations: { [revisionHistoryAnnotation]: "1,2" } });
    expect(again[revisionHistoryAnnotation]).toBe("1,2,3");
  });

  it("forgets the oldest of very many revisions", () => {
    const many = Array.from({ length: 1000 }, (_, index) => String(index)).join(",");
    const history =
      synced({ revision: "3", annotations: { [revisionHistoryAnnotation]: many } })[revisionHistoryAnnotation] ?? "";
    expect(history.length).toBeLessThanOrEqual(2000);
    expect(history.endsWith(",998,999,3")).toBe(true);
  });

  it("whose revision is no number keeps it", () => {
    expect(synced({ revision: "first" })[revisionAnnotation]).toBe("first");
  });

  it("takes over the Deployment's annotations and its minReadySeconds", () => {
    const deployment = testDeployment({ metadata: { annotations: { team: "paint" } }, spec: { minReadySeconds: 7 } });
    expect(synced({ revision: "5" }, deployment)["team"]).toBe("paint");
    expect(syncedNewest(deployment, testReplicaSet("new", { revision: "5" }), old).spec.minReadySeconds).toBe(7);
  });
});
