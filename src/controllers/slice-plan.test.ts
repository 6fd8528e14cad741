import { describe, expect, it } from "vitest";
import type { Endpoint, EndpointSlice } from "../api/index.ts";
import { type EndpointGroup, planSlices, type SliceOwner, type SlicePlan } from "./slice-plan.ts";

const owner: SliceOwner = {
  namespace: "shop",
  generateName: "web-",
  labels: { "kubernetes.io/service-name": "web" },
  annotations: {},
  reference: { apiVersion: "v1", kind: "Service", name: "web", uid: "s", controller: true, blockOwnerDeletion: true },
};
const http = [{ name: "", port: 80, protocol: "TCP" as const }];
const rules = { capacity: 3, keepsEmptySlice: true };

const endpoint = (number: number, ready = true): Endpoint => ({
  addresses: [`10.0.0.${number}`],
  conditions: { ready },
  targetRef: { kind: "Pod", name: `p${number}` },
});
const group = (...numbers: readonly number[]): EndpointGroup => ({
  ports: http,
  endpoints: numbers.map((number) => endpoint(number)),
});
const slice = (name: string, numbers: readonly number[], ports: EndpointSlice["ports"] = http): EndpointSlice =>
  ({
    metadata: { name, namespace: "shop", labels: owner.labels },
    addressType: "IPv4",
    ports,
    endpoints: numbers.map((number) => endpoint(number)),
  }) as unknown as EndpointSlice;

/** `create 1,2 · update a=1,2 · delete b` */
function told(plan: SlicePlan): string {
  const contents = ({ endpoints }: Pick<EndpointSlice, "endpoints">): string =>
    endpoints.map(({ targetRef }) => targetRef?.name?.slice(1)).join(",");
  return [
    ...plan.create.map((made) => `create ${contents(made)}`),
    ...plan.update.map((changed) => `update ${changed.metadata.name}=${contents(changed)}`),
    ...plan.delete.map(({ metadata }) => `delete ${metadata.name}`),
  ].join(" · ");
}

describe("slices are written as seldom as possible", () => {
  it.each<[string, readonly EndpointGroup[], readonly EndpointSlice[], string]>([
    ["nothing to list, nothing there", [], [], "create "],
    ["nothing to list, and an empty slice says so", [], [slice("a", [], [])], ""],
    ["the last endpoint goes: its slice becomes the empty one", [], [slice("a", [1])], "update a="],
    ["the first endpoints", [group(1, 2)], [], "create 1,2"],
    ["the first endpoint: the empty slice takes it", [group(1)], [slice("a", [], [])], "update a=1"],
    ["more than one slice holds", [group(1, 2, 3, 4)], [], "create 1,2,3 · create 4"],
    ["all is as it should be", [group(1, 2, 3, 4)], [slice("a", [1, 2, 3]), slice("b", [4])], ""],
    [
      "one goes: the others stay where they are",
      [group(1, 3, 4)],
      [slice("a", [1, 2, 3]), slice("b", [4])],
      "update a=1,3",
    ],
    [
      "one comes: into the slice with room",
      [group(1, 2, 3, 4, 5)],
      [slice("a", [1, 2, 3]), slice("b", [4])],
      "update b=4,5",
    ],
    [
      "one comes, one goes: into the slice that is written anyway",
      [group(1, 3, 4, 5)],
      [slice("a", [1, 2, 3]), slice("b", [4])],
      "update a=1,3,5",
    ],
    [
      "no slice has room for all new ones: a new slice",
      [group(1, 2, 3, 4, 5)],
      [slice("a", [1, 2]), slice("b", [3])],
      "update b=3,4,5",
    ],
    ["a slice that becomes empty goes", [group(1, 2, 3)], [slice("a", [1, 2, 3]), slice("b", [4])], "delete b"],
    [
      "other ports: the old slice takes the place of a new one",
      [{ ports: [{ name: "", port: 81, protocol: "TCP" }], endpoints: [endpoint(1)] }],
      [slice("a", [1])],
      "update a=1",
    ],
    [
      "a slice of another family is none of ours any more",
      [group(1)],
      [slice("a", [1]), { ...slice("six", []), addressType: "IPv6" }],
      "delete six",
    ],
  ])("%s", (_what, groups, existing, want) => {
    expect(told(planSlices(owner, groups, existing, rules))).toBe(want);
  });

  it("writes a slice whose endpoint is not ready any more, and only that one", () => {
    const groups = [{ ports: http, endpoints: [endpoint(1), endpoint(2, false), endpoint(3), endpoint(4)] }];
    const plan = planSlices(owner, groups, [slice("a", [1, 2, 3]), slice("b", [4])], rules);
    expect(told(plan)).toBe("update a=1,2,3");
    expect(plan.update[0]?.endpoints[1]).toMatchObject({ conditions: { ready: false } });
  });

  it("writes all slices when the labels of the owner change", () => {
    const relabelled = { ...owner, labels: { ...owner.labels, team: "blue" } };
    const plan = planSlices(relabelled, [group(1, 2, 3, 4)], [slice("a", [1, 2, 3]), slice("b", [4])], rules);
    expect(told(plan)).toBe("update a=1,2,3 · update b=4");
  });

  it("does not take two Pods at one address for one endpoint", () => {
    const sharing = { ports: http, endpoints: [endpoint(1), { ...endpoint(2), addresses: ["10.0.0.1"] }] };
    const plan = planSlices(owner, [sharing], [], rules);
    expect(told(plan)).toBe("create 1,2");
  });

  it("keeps no empty slice where none is wanted", () => {
    const plan = planSlices(owner, [], [slice("a", [1])], { ...rules, keepsEmptySlice: false });
    expect(told(plan)).toBe("delete a");
  });
});
