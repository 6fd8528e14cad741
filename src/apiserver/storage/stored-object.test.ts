import { expect, it } from "vitest";
import type { Revision } from "../../store/store.ts";
import { serialize, StoredObject } from "./stored-object.ts";

const at = (value: string, revision = 7): StoredObject =>
  new StoredObject("/registry/core/pods/a/b", revision as Revision, value, true);

it("stores an object without its resourceVersion and gives it the one of its last write", () => {
  const object = { spec: { a: 1 }, metadata: { name: "b", resourceVersion: "3" }, apiVersion: "v1", kind: "Pod" };

  const value = serialize(object);
  const stored = at(value);

  expect(value).toBe('{"kind":"Pod","apiVersion":"v1","metadata":{"name":"b"},"spec":{"a":1}}');
  expect(stored.text()).toBe(
    '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"7","name":"b"},"spec":{"a":1}}',
  );
  expect(stored.object).toEqual({ ...object, metadata: { name: "b", resourceVersion: "7" } });
});

it("finds the object's own metadata, not one that its content speaks of", () => {
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    data: { x: '"metadata":{' },
    metadata: { name: '"metadata":{' },
  };
  expect(at(serialize(object)).object.metadata).toEqual({ name: '"metadata":{', resourceVersion: "7" });
});

it("stands an object without any metadata", () => {
  expect(at(serialize({ apiVersion: "v1", kind: "Pod", metadata: {} })).object.metadata).toEqual({
    resourceVersion: "7",
  });
});

it("is parsed once, and frozen if that is wanted", () => {
  const stored = at(serialize({ apiVersion: "v1", kind: "Pod", metadata: { name: "b", labels: { a: "1" } } }));
  expect(stored.object).toBe(stored.object);
  expect(Object.isFrozen(stored.object.metadata.labels)).toBe(true);
});

it("shows a removed object with the revision of its removal", () => {
  const stored = at(serialize({ apiVersion: "v1", kind: "Pod", metadata: { name: "b" } }));
  expect(stored.asDeletedAt(9 as Revision).object.metadata.resourceVersion).toBe("9");
});
