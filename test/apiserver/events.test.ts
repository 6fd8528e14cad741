// Events: two versions over one storage, gone after an hour (api-machinery 12.4).

import { expect, it } from "vitest";
import { minutes } from "../../src/base/time.ts";
import { ServerUnderTest } from "./api-server-fixture.ts";

const core = "/api/v1/namespaces/default/events";
const modern = "/apis/events.k8s.io/v1/namespaces/default/events";

const coreEvent = {
  metadata: { name: "web.1" },
  involvedObject: { kind: "Pod", name: "web", namespace: "default", uid: "u-1" },
  reason: "Started",
  message: "Started container app",
  source: { component: "kubelet", host: "node-a" },
  firstTimestamp: "2025-01-01T00:00:00Z",
  lastTimestamp: "2025-01-01T00:00:00Z",
  count: 1,
  type: "Normal",
};

const modernEvent = {
  metadata: { name: "web.2" },
  regarding: { kind: "Pod", name: "web", namespace: "default", uid: "u-1" },
  eventTime: "2025-01-01T00:00:00.000000Z",
  reportingController: "example.com/scheduler",
  reportingInstance: "scheduler-1",
  action: "Binding",
  reason: "Scheduled",
  note: "Successfully assigned default/web to node-a",
  type: "Normal",
};

it("shows what was written in one version in the other", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.create(core, coreEvent)).status).toBe(201);
  expect((await test.create(modern, modernEvent)).status).toBe(201);

  expect((await test.get(`${modern}/web.1`)).object).toMatchObject({
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    regarding: { name: "web" },
    note: "Started container app",
    deprecatedSource: { component: "kubelet", host: "node-a" },
    deprecatedCount: 1,
    deprecatedFirstTimestamp: "2025-01-01T00:00:00Z",
  });
  const back = await test.get(`${core}/web.2`);
  expect(back.object).toMatchObject({
    apiVersion: "v1",
    involvedObject: { name: "web" },
    message: "Successfully assigned default/web to node-a",
    reportingComponent: "example.com/scheduler",
  });
  expect(back.object).not.toHaveProperty("note");
});

it("lists and watches both in either version", async () => {
  const test = await ServerUnderTest.start();
  const watch = await test.watch(`${modern}?watch=true&fieldSelector=regarding.name%3Dweb`);
  await test.create(core, coreEvent);
  await test.create(modern, modernEvent);

  const list = await test.get(`${modern}?fieldSelector=regarding.uid%3Du-1`);
  expect(list.object).toMatchObject({ kind: "EventList", apiVersion: "events.k8s.io/v1" });
  expect(list.object.items.map(({ note }: { note: string }) => note)).toEqual([
    "Started container app",
    "Successfully assigned default/web to node-a",
  ]);
  expect(watch.names).toEqual(["ADDED web.1", "ADDED web.2"]);
  expect(watch.events[0]?.object).toMatchObject({ apiVersion: "events.k8s.io/v1", note: "Started container app" });
  expect(JSON.parse(list.text)).toEqual(list.object);
});

it("counts repetitions by a strategic patch, through either version", async () => {
  const test = await ServerUnderTest.start();
  await test.create(core, coreEvent);
  await test.patch(`${core}/web.1`, "strategic", { count: 2, lastTimestamp: "2025-01-01T00:01:00Z" });
  expect((await test.get(`${modern}/web.1`)).object.deprecatedCount).toBe(2);
  expect((await test.patch(`${core}/none`, "strategic", { count: 2 })).status).toBe(404);
});

it("lets events go an hour after their last write", async () => {
  const test = await ServerUnderTest.start();
  const watch = await test.watch(`${core}?watch=true&timeoutSeconds=86400`);
  await test.create(core, coreEvent);
  await test.clock.advance(minutes(40));
  await test.patch(`${core}/web.1`, "strategic", { count: 2 });
  await test.clock.advance(minutes(59));
  expect((await test.get(`${core}/web.1`)).status).toBe(200);
  await test.clock.advance(minutes(2));
  expect((await test.get(`${core}/web.1`)).status).toBe(404);
  expect(watch.names).toEqual(["ADDED web.1", "MODIFIED web.1", "DELETED web.1"]);
});

it.each([
  [
    "of another namespace",
    core,
    { ...coreEvent, involvedObject: { kind: "Pod", name: "x", namespace: "other" } },
    'Event "web.1" is invalid: involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ],
  [
    "without a time",
    modern,
    { ...modernEvent, eventTime: null },
    'Event.events.k8s.io "web.2" is invalid: eventTime: Required value',
  ],
  [
    "without a reporter",
    modern,
    { ...modernEvent, reportingController: "" },
    expect.stringContaining("reportingController: Required value"),
  ],
  ["without an action", modern, { ...modernEvent, action: "" }, expect.stringContaining("action: Required value")],
  [
    "of an odd type",
    modern,
    { ...modernEvent, type: "Odd" },
    expect.stringContaining('type: Invalid value: "": has invalid value: Odd'),
  ],
  [
    "with too long a note",
    modern,
    { ...modernEvent, note: "x".repeat(1025) },
    expect.stringContaining("can have at most 1024 characters"),
  ],
  [
    "with old fields",
    modern,
    { ...modernEvent, deprecatedCount: 3 },
    expect.stringContaining('deprecatedCount: Invalid value: "": needs to be unset'),
  ],
])("refuses an event %s", async (_what, url, body, message) => {
  const test = await ServerUnderTest.start();
  expect((await test.create(url, body)).object).toMatchObject({ code: 422, message });
});

it("takes events about cluster-scoped objects in the default namespace", async () => {
  const test = await ServerUnderTest.start();
  const event = { ...coreEvent, involvedObject: { kind: "Node", name: "node-a", uid: "node-a" } };
  expect((await test.create(core, event)).status).toBe(201);
  expect((await test.get(`${core}?fieldSelector=involvedObject.namespace%3D`)).object.items).toHaveLength(1);
});
