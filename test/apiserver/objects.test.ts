import { expect, it } from "vitest";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";
const maps = "/api/v1/namespaces/default/configmaps";

it("creates a Pod, answers 201 with what the server added, and gives it back", async () => {
  const test = await ServerUnderTest.start();

  const created = await test.create(pods, pod("web"));
  const read = await test.get(`${pods}/web`);

  expect(created.status).toBe(201);
  expect(created.object).toMatchObject({
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "web", namespace: "default", generation: 1, creationTimestamp: "2025-01-01T00:00:00Z" },
    spec: { serviceAccountName: "default" },
    status: { phase: "Pending", qosClass: "BestEffort" },
  });
  expect(created.object.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  expect(created.object.metadata.resourceVersion).toMatch(/^\d+$/);
  expect(read.status).toBe(200);
  expect(read.object).toEqual(created.object);
  expect(JSON.parse(read.text)).toEqual(created.object);
  expect(test.errors).toEqual([]);
});

it("keeps the resourceVersion and tells nobody when a write changes nothing", async () => {
  const test = await ServerUnderTest.start();
  const created = await test.create(maps, { metadata: { name: "settings" }, data: { a: "1" } });
  const watch = await test.watch(`${maps}?watch=true&resourceVersion=${created.object.metadata.resourceVersion}`);

  const again = await test.put(`${maps}/settings`, created.object);
  const patched = await test.patch(`${maps}/settings`, "merge", { data: { a: "1" } });

  expect(again.object.metadata.resourceVersion).toBe(created.object.metadata.resourceVersion);
  expect(patched.object.metadata.resourceVersion).toBe(created.object.metadata.resourceVersion);
  expect(watch.events).toEqual([]);
});

it("binds a Pod once", async () => {
  const test = await ServerUnderTest.start();
  await test.create(pods, pod("web"));
  const binding = { metadata: { name: "web" }, target: { kind: "Node", name: "node-a" } };

  const first = await test.create(`${pods}/web/binding`, binding);
  const second = await test.create(`${pods}/web/binding`, binding);
  const bound = await test.get(`${pods}/web`);

  expect(first).toMatchObject({ status: 201, object: { kind: "Status", status: "Success" } });
  expect(bound.object.spec.nodeName).toBe("node-a");
  expect(bound.object.metadata.generation).toBe(1);
  expect(bound.object.status.conditions).toMatchObject([{ type: "PodScheduled", status: "True" }]);
  expect(second).toMatchObject({
    status: 409,
    object: {
      reason: "Conflict",
      message: 'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "node-a"',
    },
  });
});

it("deletes a bound Pod gracefully, then for good, in two writes", async () => {
  const test = await ServerUnderTest.start();
  await test.create(pods, pod("web", { spec: { terminationGracePeriodSeconds: 30 } }));
  await test.create(`${pods}/web/binding`, { metadata: { name: "web" }, target: { kind: "Node", name: "node-a" } });
  const watch = await test.watch(`${pods}?watch=true`);

  const asked = await test.delete(`${pods}/web`);
  const gone = await test.delete(`${pods}/web`, { gracePeriodSeconds: 0 });

  expect(asked.object.metadata).toMatchObject({
    deletionTimestamp: "2025-01-01T00:00:30Z",
    deletionGracePeriodSeconds: 30,
    generation: 2,
  });
  expect(gone.status).toBe(200);
  expect(watch.names).toEqual(["ADDED web", "MODIFIED web", "MODIFIED web", "DELETED web"]);
  expect((await test.get(`${pods}/web`)).status).toBe(404);
});

it("keeps of a service account's secrets only the names, and warns of an annotation that had a meaning once", async () => {
  const test = await ServerUnderTest.start();
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  const annotations = { "kubernetes.io/enforce-mountable-secrets": "true" };
  const secrets = [{ name: "key", namespace: "other", uid: "1" }];

  const created = await test.create(accounts, { metadata: { name: "robot", annotations }, secrets });
  const updated = await test.put(`${accounts}/robot`, { metadata: { name: "robot", annotations }, secrets });

  expect(created.object.secrets).toEqual([{ name: "key" }]);
  expect(created.headers["warning"]).toEqual([expect.stringContaining("deprecated in v1.32+")]);
  expect(updated.object).toEqual(created.object);
  expect(updated.headers["warning"]).toBeUndefined();
});
