import { describe, expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Lease } from "../../generated/coordination-v1.ts";
import type { Binding, Namespace, Node } from "../../generated/core-v1.ts";
import { type FieldError, fieldErrorText } from "../../meta/field-errors.ts";
import { validateLease } from "../../coordination/v1/lease.ts";
import { validateBinding } from "./binding.ts";
import { validateNamespace, validateNamespaceFinalize, validateNamespaceStatusUpdate } from "./namespace.ts";
import { defaultNode, validateNode, validateNodeUpdate } from "./node.ts";

const texts = (errors: readonly FieldError[]): string[] => errors.map(fieldErrorText);

describe("a Namespace", () => {
  const namespace = (fields: Draft<Namespace>): Namespace =>
    ({ metadata: {}, spec: {}, status: {}, ...fields }) as Namespace;

  it.each<[string, string[], string[]]>([
    ["kubernetes", ["kubernetes"], []],
    ["a qualified one", ["example.com/mine"], []],
    [
      "an unqualified one",
      ["mine"],
      ['spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'],
    ],
  ])("has the finalizer %s", (_what, finalizers, errors) => {
    expect(texts(validateNamespace(namespace({ spec: { finalizers } })))).toEqual(errors);
    const indexed = errors.map((text) => text.replace("finalizers:", "finalizers[0]:"));
    expect(texts(validateNamespaceFinalize(namespace({ spec: { finalizers } })))).toEqual(indexed);
  });

  it.each<[string, Draft<Namespace>, string[]]>([
    ["lives in Active", { status: { phase: "Active" } }, []],
    [
      "does not live in Terminating",
      { status: { phase: "Terminating" } },
      [`status.Phase: Invalid value: "Terminating": may only be 'Active' if \`deletionTimestamp\` is empty`],
    ],
    [
      "dies in Terminating",
      { metadata: { deletionTimestamp: "2025-01-01T00:00:00Z" }, status: { phase: "Terminating" } },
      [],
    ],
    [
      "does not die in Active",
      { metadata: { deletionTimestamp: "2025-01-01T00:00:00Z" }, status: { phase: "Active" } },
      [`status.Phase: Invalid value: "Active": may only be 'Terminating' if \`deletionTimestamp\` is not empty`],
    ],
  ])("%s", (_what, fields, errors) => {
    expect(texts(validateNamespaceStatusUpdate(namespace(fields)))).toEqual(errors);
  });
});

describe("a Node", () => {
  const node = (fields: Draft<Node>): Node => defaultNode({ metadata: { name: "a" }, ...fields });

  it("gives Pods all it has unless it says otherwise", () => {
    expect(node({ status: { capacity: { cpu: "2000m" } } }).status).toEqual({
      capacity: { cpu: "2" },
      allocatable: { cpu: "2" },
    });
    expect(node({ status: { capacity: { cpu: "2" }, allocatable: { cpu: "1" } } }).status.allocatable).toEqual({
      cpu: "1",
    });
    expect(node({})).toEqual({ metadata: { name: "a" }, spec: {}, status: {} });
  });

  it.each<[string, Draft<Node>, string[]]>([
    [
      "good taints",
      {
        spec: {
          taints: [
            { key: "a", effect: "NoSchedule" },
            { key: "a", effect: "NoExecute" },
          ],
        },
      },
      [],
    ],
    ["a taint without effect", { spec: { taints: [{ key: "a" }] } }, ["metadata.taints[0].effect: Required value"]],
    [
      "a taint of unknown effect",
      { spec: { taints: [{ key: "a", effect: "x" as never }] } },
      [
        'metadata.taints[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      "a taint twice",
      {
        spec: {
          taints: [
            { key: "a", effect: "NoSchedule" },
            { key: "a", effect: "NoSchedule" },
          ],
        },
      },
      [
        'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
      ],
    ],
    [
      "a taint with a bad key",
      { spec: { taints: [{ key: "/a", effect: "NoSchedule" }] } },
      ['metadata.taints[0].key: Invalid value: "/a": prefix part must be non-empty'],
    ],
    [
      "negative capacity",
      { status: { capacity: { cpu: "-1" } } },
      ["capacity", "allocatable"].map(
        (field) => `status.${field}.cpu: Invalid value: "-1": must be greater than or equal to 0`,
      ),
    ],
    [
      "half a Pod",
      { status: { allocatable: { pods: "1500m" } } },
      ['status.allocatable.pods: Invalid value: "1500m": must be an integer'],
    ],
    ["addresses for its Pods", { spec: { podCIDRs: ["10.0.0.0/24", "fd00::/64"] } }, []],
    [
      "no addresses for its Pods",
      { spec: { podCIDRs: ["10.0.0.0/33"] } },
      [
        'spec.podCIDRs[0]: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
    [
      "two ranges of one family",
      { spec: { podCIDRs: ["10.0.0.0/24", "10.1.0.0/24"] } },
      [
        'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one CIDR for each IP family',
      ],
    ],
  ])("with %s", (_what, fields, errors) => {
    expect(texts(validateNode(node(fields)))).toEqual(errors);
  });

  it.each<[string, Draft<Node>, Draft<Node>, string[]]>([
    ["is cordoned", {}, { spec: { unschedulable: true } }, []],
    ["gets addresses for its Pods once", {}, { spec: { podCIDRs: ["10.0.0.0/24"] } }, []],
    [
      "keeps the addresses for its Pods",
      { spec: { podCIDRs: ["10.0.0.0/24"] } },
      {},
      ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
    ],
    [
      "keeps its provider's name",
      { spec: { providerID: "a" } },
      { spec: { providerID: "b" } },
      ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
    ],
    [
      "keeps its old external name",
      { spec: { externalID: "a" } },
      {},
      ["spec.externalID: Forbidden: may not be updated"],
    ],
    [
      "names an address once",
      {},
      {
        status: {
          addresses: [
            { type: "InternalIP", address: "10.0.0.1" },
            { type: "InternalIP", address: "10.0.0.1" },
          ],
        },
      },
      ['status.addresses[1]: Duplicate value: {"type":"InternalIP","address":"10.0.0.1"}'],
    ],
    ["gets a bad taint", {}, { spec: { taints: [{ key: "a" }] } }, ["metadata.taints[0].effect: Required value"]],
  ])("%s", (_what, old, next, errors) => {
    expect(texts(validateNodeUpdate(node(next), node(old)))).toEqual(errors);
  });
});

describe("a Binding", () => {
  it.each<[string, Binding["target"], string[]]>([
    ["to a node", { kind: "Node", name: "a" }, []],
    ["to a name", { name: "a" }, []],
    ["to nothing", {}, ["target.name: Required value"]],
    [
      "to a Pod",
      { kind: "Pod", name: "a" },
      ['target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"'],
    ],
  ])("%s", (_what, target, errors) => {
    expect(texts(validateBinding({ apiVersion: "v1", kind: "Binding", target }))).toEqual(errors);
  });
});

describe("a Lease", () => {
  it.each<[string, Lease["spec"] | undefined, string[]]>([
    ["of nothing", undefined, []],
    ["of forty seconds", { leaseDurationSeconds: 40, leaseTransitions: 0 }, []],
    [
      "of no time",
      { leaseDurationSeconds: 0 },
      ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
    ],
    [
      "handed on less than never",
      { leaseTransitions: -1 },
      ["spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"],
    ],
    [
      "for a preferred holder without a strategy",
      { preferredHolder: "a" },
      ["spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"],
    ],
    [
      "by an unknown strategy",
      { strategy: "x" },
      ['spec.strategy.strategy: Unsupported value: "x": supported values: "OldestEmulationVersion"'],
    ],
    ["by a strategy of one's own", { strategy: "example.com/mine", preferredHolder: "a" }, []],
  ])("%s", (_what, spec, errors) => {
    expect(texts(validateLease({ spec } as Lease))).toEqual(errors);
  });
});
