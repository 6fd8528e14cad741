import { describe, expect, it } from "vitest";
import { fieldErrorText } from "./field-errors.ts";
import { dns1123SubdomainProblems } from "./names.ts";
import {
  annotationsLimitBytes,
  type UncheckedMetadata,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "./object-meta.ts";

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "1" };

describe("metadata", () => {
  const errors = (metadata: UncheckedMetadata): string[] =>
    validateObjectMeta(
      { name: "web", namespace: "default", ...metadata },
      { namespaced: true, nameProblems: dns1123SubdomainProblems },
    ).map(fieldErrorText);

  it.each<[string, UncheckedMetadata]>([
    ["a name and a namespace", {}],
    ["a prefix that ends in a dash", { generateName: "web-" }],
    [
      "owners of which one is in charge",
      {
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, uid: "2" },
        ],
      },
    ],
    ["finalizers", { finalizers: ["kubernetes", "orphan", "example.com/mine"] }],
    ["annotations in any case", { annotations: { "Example.com/Note": "x" } }],
    ["as many annotations as there may be", { annotations: { a: "x".repeat(annotationsLimitBytes - 1) } }],
  ])("may have %s", (_what, metadata) => {
    expect(errors(metadata)).toEqual([]);
  });

  it.each<[string, UncheckedMetadata, string[]]>([
    ["no name", { name: "" }, ["metadata.name: Required value: name or generateName is required"]],
    ["a bad name", { name: "A_b" }, [`metadata.name: Invalid value: "A_b": ${subdomain}`]],
    ["a bad prefix", { generateName: "A-b-" }, [`metadata.generateName: Invalid value: "A-b-": ${subdomain}`]],
    ["no namespace", { namespace: "" }, ["metadata.namespace: Required value"]],
    ["a bad namespace", { namespace: "a.b" }, ['metadata.namespace: Invalid value: "a.b": must not contain dots']],
    ["a bad label", { labels: { "/a": "x" } }, ['metadata.labels: Invalid value: "/a": prefix part must be non-empty']],
    [
      "a bad annotation",
      { annotations: { "/a": "x" } },
      ['metadata.annotations: Invalid value: "/a": prefix part must be non-empty'],
    ],
    [
      "too many annotations",
      { annotations: { a: "x".repeat(annotationsLimitBytes) } },
      ["metadata.annotations: Too long: may not be more than 262144 bytes"],
    ],
    [
      "an owner without anything",
      { ownerReferences: [{}] },
      [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        ...["kind", "name", "uid"].map(
          (field) => `metadata.ownerReferences.${field}: Invalid value: "": must not be empty`,
        ),
      ],
    ],
    [
      "two owners in charge",
      {
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, name: "b", controller: true },
        ],
      },
      [
        `metadata.ownerReferences: Invalid value: ${JSON.stringify([
          { ...owner, controller: true },
          { ...owner, name: "b", controller: true },
        ])}: Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/web and ReplicaSet/b`,
      ],
    ],
    [
      "an event as its owner",
      { ownerReferences: [{ apiVersion: "v1", kind: "Event", name: "e", uid: "1" }] },
      [
        'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"1"}: /v1, Kind=Event is disallowed from being an owner',
      ],
    ],
    [
      "an unqualified finalizer",
      { finalizers: ["a/b", "mine"] },
      [
        'metadata.finalizers[1]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
      ],
    ],
    [
      "both ways of deletion",
      { finalizers: ["orphan", "foregroundDeletion"] },
      [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
      ],
    ],
    [
      "a negative generation",
      { generation: -1 },
      ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
    ],
  ])("may not have %s", (_what, metadata, expected) => {
    expect(errors(metadata)).toEqual(expected);
  });

  it("has no namespace where the kind has none", () => {
    const rules = { namespaced: false, nameProblems: dns1123SubdomainProblems };
    expect(validateObjectMeta({ name: "a" }, rules)).toEqual([]);
    expect(validateObjectMeta({ name: "a", namespace: "x" }, rules).map(fieldErrorText)).toEqual([
      "metadata.namespace: Forbidden: not allowed on this type",
    ]);
  });
});

describe("an update of metadata", () => {
  const deleted = { deletionTimestamp: "2025-01-01T00:00:00Z" };

  it.each<[string, UncheckedMetadata, UncheckedMetadata, string[]]>([
    ["changes labels", { labels: { a: "1" } }, { labels: { a: "2" } }, []],
    ["adds a finalizer", {}, { finalizers: ["a/b"] }, []],
    [
      "removes a finalizer of what is being deleted",
      { ...deleted, finalizers: ["a/b", "a/c"] },
      { ...deleted, finalizers: ["a/c"] },
      [],
    ],
    [
      "may not add a finalizer to that",
      deleted,
      { ...deleted, finalizers: ["b/c", "a/b"] },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/b", "b/c"}',
      ],
    ],
    ["may not change the uid", { uid: "1" }, { uid: "2" }, ['metadata.uid: Invalid value: "2": field is immutable']],
    [
      "may not change the name",
      { name: "a" },
      { name: "b" },
      ['metadata.name: Invalid value: "b": field is immutable'],
    ],
    [
      "may not change when it was made",
      { creationTimestamp: "2025-01-01T00:00:00Z" },
      {},
      ["metadata.creationTimestamp: Invalid value: null: field is immutable"],
    ],
    [
      "may not take back the deletion",
      deleted,
      {},
      ["metadata.deletionTimestamp: Invalid value: null: field is immutable"],
    ],
    [
      "may not turn back the generation",
      { generation: 2 },
      { generation: 1 },
      ["metadata.generation: Invalid value: 1: must not be decremented"],
    ],
  ])("%s", (_rule, old, next, errors) => {
    expect(validateObjectMetaUpdate(next, old).map(fieldErrorText)).toEqual(errors);
  });
});
