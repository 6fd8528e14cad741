// Namespaces and what admission says about them (api-machinery 3.3, 3.11, 12.5).

import { expect, it } from "vitest";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const namespaces = "/api/v1/namespaces";

it("has the system namespaces before it is ready", async () => {
  const test = new ServerUnderTest();
  expect((await test.get("/readyz")).status).toBe(500);
  await test.server.start();
  expect((await test.get("/readyz")).status).toBe(200);
  const { object } = await test.get(namespaces);
  expect(object.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([
    "default",
    "kube-node-lease",
    "kube-public",
    "kube-system",
  ]);
});

it("finds its namespaces again when it starts over the same store", async () => {
  const first = await ServerUnderTest.start();
  const { object } = await first.get(`${namespaces}/default`);
  await first.server.stop();
  const second = new ServerUnderTest(undefined, first.store);
  await second.server.start();
  expect((await second.get(`${namespaces}/default`)).object).toEqual(object);
});

it("gives a Namespace its finalizer, its phase and its label", async () => {
  const test = await ServerUnderTest.start();
  const { object } = await test.create(namespaces, { metadata: { generateName: "team-" } });
  const { name } = object.metadata;
  expect(object).toMatchObject({
    metadata: { labels: { "kubernetes.io/metadata.name": name } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
  expect(object.metadata).not.toHaveProperty("generation");
  const without = await test.patch(`${namespaces}/${name}`, "merge", {
    metadata: { labels: null },
    spec: { finalizers: [] },
  });
  expect(without.object.metadata.labels).toEqual({ "kubernetes.io/metadata.name": name });
  expect(without.object.spec.finalizers).toEqual(["kubernetes"]);
});

it("demands a DNS label for a name", async () => {
  const test = await ServerUnderTest.start();
  const answer = await test.create(namespaces, { metadata: { name: "a.b" } });
  expect(answer.object).toMatchObject({
    code: 422,
    message: 'Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain dots',
  });
});

it("goes through its end: marked, closed to new content, finalized, gone", async () => {
  const test = await ServerUnderTest.start();
  await test.create(namespaces, { metadata: { name: "team" } });
  await test.create(`${namespaces}/team/configmaps`, { metadata: { name: "a" } });
  const watch = await test.watch(`${namespaces}?watch=true&fieldSelector=metadata.name%3Dteam`);

  const marked = await test.delete(`${namespaces}/team`);
  const again = await test.delete(`${namespaces}/team`);
  const late = await test.create(`${namespaces}/team/configmaps`, { metadata: { name: "b" } });
  const change = await test.patch(`${namespaces}/team/configmaps/a`, "merge", { data: { x: "1" } });
  await test.delete(`${namespaces}/team/configmaps/a`);
  const finalized = await test.put(`${namespaces}/team/finalize`, { ...marked.object, spec: { finalizers: [] } });

  expect(marked).toMatchObject({
    status: 200,
    object: { metadata: { deletionTimestamp: "2025-01-01T00:00:00Z" }, status: { phase: "Terminating" } },
  });
  expect(again.object).toMatchObject({
    code: 409,
    reason: "Conflict",
    message: expect.stringMatching(
      /^Operation cannot be fulfilled on namespaces "team": The system is ensuring all content is removed from this namespace\.  Upon completion, this namespace will automatically be purged by the system\.$/,
    ),
  });
  expect(late.object).toMatchObject({
    code: 403,
    reason: "Forbidden",
    message:
      'configmaps "b" is forbidden: unable to create new content in namespace team because it is being terminated',
    details: {
      causes: [
        { reason: "NamespaceTerminating", message: "namespace team is being terminated", field: "metadata.namespace" },
      ],
    },
  });
  expect(change.status).toBe(200);
  expect(finalized.status).toBe(200);
  expect((await test.get(`${namespaces}/team`)).status).toBe(404);
  expect(watch.names).toEqual(["ADDED team", "MODIFIED team", "DELETED team"]);
});

it("keeps a finalized Namespace that is not being deleted", async () => {
  const test = await ServerUnderTest.start();
  const { object } = await test.create(namespaces, { metadata: { name: "team" } });
  const finalized = await test.put(`${namespaces}/team/finalize`, { ...object, spec: { finalizers: [] } });
  expect(finalized.object.spec).not.toHaveProperty("finalizers.0");
  expect((await test.get(`${namespaces}/team`)).status).toBe(200);
});

it.each(["default", "kube-system", "kube-public"])("does not let %s be deleted", async (name) => {
  const test = await ServerUnderTest.start();
  expect((await test.delete(`${namespaces}/${name}`)).object).toMatchObject({
    code: 403,
    message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
  });
});

it("refuses content for a Namespace that does not exist", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.create(`${namespaces}/nowhere/configmaps`, { metadata: { name: "a" } })).object).toMatchObject({
    code: 404,
    message: 'namespaces "nowhere" not found',
    details: { name: "nowhere", kind: "namespaces" },
  });
});

it("has no deletecollection of namespaces", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.delete(namespaces)).object).toMatchObject({
    code: 405,
    reason: "MethodNotAllowed",
    message: 'deletecollection is not supported on resources of kind "namespaces"',
  });
});

it("lets nothing be bound or evicted in a Namespace that is going", async () => {
  const test = await ServerUnderTest.start();
  await test.create(namespaces, { metadata: { name: "team" } });
  await test.create(`${namespaces}/team/serviceaccounts`, { metadata: { name: "default" } });
  await test.create(`${namespaces}/team/pods`, pod("web"));
  await test.delete(`${namespaces}/team`);

  const binding = { metadata: { name: "web" }, target: { kind: "Node", name: "node-a" } };
  for (const answer of [
    await test.create(`${namespaces}/team/pods/web/binding`, binding),
    await test.create(`${namespaces}/team/bindings`, binding),
    await test.create(`${namespaces}/team/pods/web/eviction`, { metadata: { name: "web" } }),
  ]) {
    expect(answer.object).toMatchObject({
      code: 403,
      message: 'pods "web" is forbidden: unable to create new content in namespace team because it is being terminated',
      details: { causes: [{ reason: "NamespaceTerminating" }] },
    });
  }
});
