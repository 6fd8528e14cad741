// DELETE, seen from outside (api-machinery 6, pod-lifecycle 8.1). The rules one by one are in src/apiserver/registry/deletion-plan.test.ts.

import { expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";
const maps = "/api/v1/namespaces/default/configmaps";

async function boundPod(test: ServerUnderTest, name = "web", spec = {}): Promise<void> {
  await test.create(pods, pod(name, { spec }));
  await test.create(`${pods}/${name}/binding`, { metadata: { name }, target: { kind: "Node", name: "node-a" } });
}

it("answers with a Status for kinds that are not returned", async () => {
  const test = await ServerUnderTest.start();
  const { object } = await test.create(maps, { metadata: { name: "settings" } });
  expect((await test.delete(`${maps}/settings`)).object).toEqual({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name: "settings", kind: "configmaps", uid: object.metadata.uid },
  });
});

it("answers with the object for service accounts", async () => {
  const test = await ServerUnderTest.start();
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  await test.create(accounts, { metadata: { name: "robot" } });
  expect((await test.delete(`${accounts}/robot`)).object).toMatchObject({
    kind: "ServiceAccount",
    metadata: { name: "robot" },
  });
});

it("takes the options from the query when there is no body", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  const { object } = await test.delete(`${pods}/web?gracePeriodSeconds=5`);
  expect(object.metadata.deletionGracePeriodSeconds).toBe(5);
});

it("shortens the wait when asked again with less, never lengthens it", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  await test.delete(`${pods}/web`);
  await test.clock.advance(seconds(10));

  const longer = await test.delete(`${pods}/web`, { gracePeriodSeconds: 60 });
  const shorter = await test.delete(`${pods}/web`, { gracePeriodSeconds: 20 });

  expect(longer.object.metadata).toMatchObject({
    deletionTimestamp: "2025-01-01T00:00:30Z",
    deletionGracePeriodSeconds: 30,
  });
  expect(shorter.object.metadata).toMatchObject({
    deletionTimestamp: "2025-01-01T00:00:20Z",
    deletionGracePeriodSeconds: 20,
  });
});

it("lets a finalizer hold a Pod until it is taken away, after the kubelet's last word", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  await test.patch(`${pods}/web`, "merge", { metadata: { finalizers: ["example.com/wait"] } });
  const watch = await test.watch(`${pods}?watch=true`);

  await test.delete(`${pods}/web`);
  await test.patch(`${pods}/web`, "merge", { metadata: { labels: { still: "there" } } });
  const forced = await test.delete(`${pods}/web`, { gracePeriodSeconds: 0 });
  const removed = await test.patch(`${pods}/web`, "merge", { metadata: { finalizers: null } });

  expect(forced.object.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: ["example.com/wait"] });
  expect(removed.status).toBe(200);
  expect((await test.get(`${pods}/web`)).status).toBe(404);
  expect(watch.names).toEqual(["ADDED web", "MODIFIED web", "MODIFIED web", "MODIFIED web", "DELETED web"]);
});

it("keeps a Pod whose last finalizer goes while its grace still runs", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  await test.patch(`${pods}/web`, "merge", { metadata: { finalizers: ["example.com/wait"] } });
  await test.delete(`${pods}/web`);
  await test.patch(`${pods}/web`, "merge", { metadata: { finalizers: null } });
  expect((await test.get(`${pods}/web`)).object.metadata.deletionGracePeriodSeconds).toBe(30);
});

it("lets no finalizer be added once the deletion has begun", async () => {
  const test = await ServerUnderTest.start();
  await test.create(maps, { metadata: { name: "settings", finalizers: ["example.com/a"] } });
  await test.delete(`${maps}/settings`);
  const answer = await test.patch(`${maps}/settings`, "merge", {
    metadata: { finalizers: ["example.com/a", "example.com/b"] },
  });
  expect(answer.object).toMatchObject({
    code: 422,
    message:
      'ConfigMap "settings" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
  });
  expect(answer.object.details.causes).toHaveLength(2);
});

it.each([
  [
    { uid: "other" },
    /^Operation cannot be fulfilled on Pod "web": the UID in the precondition \(other\) does not match the UID in record \(.*\)\. The object might have been deleted and then recreated$/,
  ],
  [
    { resourceVersion: "1" },
    /^Operation cannot be fulfilled on Pod "web": the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record \(\d+\)\. The object might have been modified$/,
  ],
])("refuses when the precondition %j does not hold", async (preconditions, message) => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  expect((await test.delete(`${pods}/web`, { preconditions })).object).toMatchObject({
    code: 409,
    reason: "Conflict",
    message: expect.stringMatching(message),
  });
});

it("removes the Pod a precondition names", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  const { uid } = (await test.get(`${pods}/web`)).object.metadata;
  const answer = await test.delete(`${pods}/web`, { gracePeriodSeconds: 0, preconditions: { uid } });
  expect(answer.status).toBe(200);
  expect((await test.get(`${pods}/web`)).status).toBe(404);
});

it.each([
  [
    { propagationPolicy: "Orphan", orphanDependents: true },
    /orphanDependents and deletionPropagation cannot be both set/,
  ],
  [{ propagationPolicy: "Sideways" }, /Unsupported value: "Sideways"/],
  [{ dryRun: ["Some"] }, /dryRun: Unsupported value: "Some": supported values: "All"/],
])("refuses the options %j", async (options, message) => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  expect((await test.delete(`${pods}/web`, options)).object).toMatchObject({
    code: 422,
    message: expect.stringMatching(message),
  });
});

it("answers 202 only to an explicit orphanDependents=false of an object that stays", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  expect((await test.delete(`${pods}/web?orphanDependents=false`)).status).toBe(202);
});

it("changes nothing in a dry run", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  const before = await test.get(`${pods}/web`);
  const dry = await test.delete(`${pods}/web`, { dryRun: ["All"], gracePeriodSeconds: 7 });
  expect(dry.object.metadata.deletionGracePeriodSeconds).toBe(7);
  expect((await test.get(`${pods}/web`)).object).toEqual(before.object);
});

it("changes nothing in a dry run of a whole collection", async () => {
  const test = await ServerUnderTest.start();
  await boundPod(test);
  await test.create(maps, { metadata: { name: "settings" } });
  const before = [await test.get(pods), await test.get(maps)].map(({ object }) => object.items);

  const answers = [await test.delete(`${pods}?dryRun=All`), await test.delete(maps, { dryRun: ["All"] })];

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect([await test.get(pods), await test.get(maps)].map(({ object }) => object.items)).toEqual(before);
});

it("says NotFound for what is not there", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.delete(`${pods}/web`)).object).toMatchObject({
    code: 404,
    message: 'pods "web" not found',
    details: { name: "web", kind: "pods" },
  });
});

it("deletes a whole collection, or what a selector takes", async () => {
  const test = await ServerUnderTest.start();
  for (const [name, app] of [
    ["a", "x"],
    ["b", "y"],
    ["c", "x"],
  ] as const) {
    await test.create(maps, { metadata: { name, labels: { app } } });
  }

  const some = await test.delete(`${maps}?labelSelector=app%3Dx`);
  const left = await test.get(maps);
  await test.delete(maps);

  expect(some.object.kind).toBe("ConfigMapList");
  expect(some.object.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["a", "c"]);
  expect(left.object.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["b"]);
  expect((await test.get(maps)).object.items).toEqual([]);
});
