// Tables through the door: what kubectl asks for when it prints (api-machinery 2.3, 4.2, 11). What each kind prints is tested beside its printer.

import { expect, it } from "vitest";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";
const kubectl = {
  accept:
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
};

it("answers a list, an object and an empty list as Tables", async () => {
  const test = await ServerUnderTest.start();
  const empty = await test.get(pods, kubectl);
  const created = await test.create(pods, pod("web"));
  const list = await test.get(pods, kubectl);
  const one = await test.get(`${pods}/web`, kubectl);

  expect(empty.object).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1", rows: [] });
  expect(empty.object.columnDefinitions[0]).toMatchObject({ name: "Name" });
  expect(list.headers["content-type"]).toBe("application/json");
  expect(list.object.metadata.resourceVersion).toBe(String(test.store.revision()));
  expect(list.object.rows[0].cells[0]).toBe("web");
  expect(list.object.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "web" } });
  expect(one.object.metadata.resourceVersion).toBe(created.object.metadata.resourceVersion);
});

it.each([
  ["None", undefined],
  ["Metadata", "PartialObjectMetadata"],
  ["Object", "Pod"],
])("puts %s of each object into its row", async (includeObject, kind) => {
  const test = await ServerUnderTest.start();
  await test.create(pods, pod("web"));
  const { object } = await test.get(`${pods}?includeObject=${includeObject}`, kubectl);
  expect(object.rows[0].object?.kind).toBe(kind);
});

it("refuses to include what it does not know", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.get(`${pods}?includeObject=Half`, kubectl)).object).toMatchObject({ code: 400 });
});

it("tells a watch's columns once", async () => {
  const test = await ServerUnderTest.start();
  await test.create(pods, pod("a"));
  const watch = await test.watch(`${pods}?watch=true`, kubectl);
  await test.create(pods, pod("b"));
  const [first, second] = watch.events.map(({ object }) => object);
  expect(first).toMatchObject({ kind: "Table", rows: [{ cells: expect.arrayContaining(["a"]) }] });
  expect(first?.["columnDefinitions"]).toContainEqual(expect.objectContaining({ name: "Name" }));
  expect(second).toMatchObject({
    kind: "Table",
    columnDefinitions: null,
    rows: [{ cells: expect.arrayContaining(["b"]) }],
  });
});

it("leaves errors as they are", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.get(`${pods}/none`, kubectl)).object).toMatchObject({ kind: "Status", code: 404 });
});
