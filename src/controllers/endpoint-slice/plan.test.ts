import { describe, expect, it } from "vitest";
import type { Node, Pod, Service } from "../../api/index.ts";
import { endpointGroups, planServiceSlices } from "./plan.ts";

interface PodFacts {
  readonly ready?: boolean;
  readonly deleted?: boolean;
  readonly phase?: string;
  readonly ip?: string | undefined;
  readonly spec?: object;
  readonly ports?: readonly object[];
}

const pod = ({
  ready = true,
  deleted = false,
  phase = "Running",
  ip = "10.1.0.5",
  spec = {},
  ports = [],
}: PodFacts = {}): Pod =>
  ({
    metadata: { name: "p", namespace: "shop", uid: "u", ...(deleted && { deletionTimestamp: "2025-01-01T00:00:00Z" }) },
    spec: { nodeName: "node-a", containers: [{ name: "c", ports }], ...spec },
    status: {
      phase,
      ...(ip !== "" && { podIP: ip, podIPs: [{ ip }] }),
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  }) as unknown as Pod;
const service = (spec: object = {}, labels: object = {}): Service =>
  ({
    metadata: { name: "web", namespace: "shop", uid: "s", labels },
    spec: {
      type: "ClusterIP",
      clusterIP: "10.96.0.7",
      selector: { app: "web" },
      ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
      ...spec,
    },
  }) as unknown as Service;
const node = (zone?: string): Node =>
  ({
    metadata: { name: "node-a", labels: zone === undefined ? {} : { "topology.kubernetes.io/zone": zone } },
  }) as unknown as Node;
const endpointOf = (thePod: Pod, theService = service(), zone?: string) =>
  endpointGroups(theService, [thePod], () => node(zone))[0]?.endpoints[0];

describe("the conditions of an endpoint", () => {
  it.each<[string, PodFacts, object, object]>([
    ["a ready Pod", {}, {}, { ready: true, serving: true, terminating: false }],
    ["a Pod that is not ready", { ready: false }, {}, { ready: false, serving: false, terminating: false }],
    ["a Pod that ends and still answers", { deleted: true }, {}, { ready: false, serving: true, terminating: true }],
    [
      "a Pod that ends and does not answer any more",
      { deleted: true, ready: false },
      {},
      { ready: false, serving: false, terminating: true },
    ],
    [
      "not ready, published all the same",
      { ready: false },
      { publishNotReadyAddresses: true },
      { ready: true, serving: false, terminating: false },
    ],
    [
      "ending, published all the same",
      { deleted: true, ready: false },
      { publishNotReadyAddresses: true },
      { ready: true, serving: false, terminating: true },
    ],
  ])("%s", (_what, facts, spec, want) => {
    expect(endpointOf(pod(facts), service(spec))?.conditions).toEqual(want);
  });

  it.each<[string, PodFacts]>([
    ["a Pod without an address", { ip: "" }],
    ["a Pod that has succeeded", { phase: "Succeeded" }],
    ["a Pod that has failed", { phase: "Failed" }],
  ])("%s is no endpoint", (_what, facts) => {
    expect(endpointOf(pod(facts))).toBeUndefined();
  });
});

describe("what is said about an endpoint", () => {
  it("is where it runs and who it is", () => {
    expect(endpointOf(pod(), service(), "west")).toEqual({
      addresses: ["10.1.0.5"],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: "node-a",
      zone: "west",
      targetRef: { kind: "Pod", name: "p", namespace: "shop", uid: "u" },
    });
  });

  it.each<[string, object, string | undefined]>([
    ["hostname and this Service's subdomain", { hostname: "first", subdomain: "web" }, "first"],
    ["another subdomain", { hostname: "first", subdomain: "db" }, undefined],
    ["no hostname", { subdomain: "web" }, undefined],
  ])("a name of its own: %s", (_what, spec, want) => {
    expect(endpointOf(pod({ spec }))?.hostname).toBe(want);
  });

  it.each<[string | undefined, object | undefined]>([
    ["PreferClose", { forZones: [{ name: "west" }] }],
    ["PreferSameZone", { forZones: [{ name: "west" }] }],
    ["PreferSameNode", { forNodes: [{ name: "node-a" }], forZones: [{ name: "west" }] }],
    [undefined, undefined],
  ])("who should prefer it: %s", (trafficDistribution, want) => {
    expect(endpointOf(pod(), service({ trafficDistribution }), "west")?.hints).toEqual(want);
  });
});

describe("ports", () => {
  const named = { ports: [{ name: "http", port: 80, targetPort: "web", protocol: "TCP", appProtocol: "http" }] };

  it("are resolved in each Pod, and Pods with other numbers stand in other slices", () => {
    const groups = endpointGroups(
      service(named),
      [8080, 9090, 8080].map((containerPort, i) =>
        pod({ ip: `10.1.0.${i}`, ports: [{ name: "web", containerPort, protocol: "TCP" }] }),
      ),
      () => undefined,
    );
    expect(groups.map(({ ports, endpoints }) => [ports, endpoints.length])).toEqual([
      [[{ appProtocol: "http", name: "http", port: 8080, protocol: "TCP" }], 2],
      [[{ appProtocol: "http", name: "http", port: 9090, protocol: "TCP" }], 1],
    ]);
  });

  it("are found in sidecars, too, and only under their own protocol", () => {
    const sidecar = {
      restartPolicy: "Always",
      name: "s",
      ports: [{ name: "web", containerPort: 15_000, protocol: "TCP" }],
    };
    const other = [{ name: "web", containerPort: 53, protocol: "UDP" }];
    const groups = endpointGroups(
      service(named),
      [pod({ spec: { containers: [{ name: "c", ports: other }], initContainers: [sidecar] } })],
      () => undefined,
    );
    expect(groups[0]?.ports).toMatchObject([{ port: 15_000 }]);
  });

  it("are none for a headless Service without ports", () => {
    expect(endpointGroups(service({ clusterIP: "None", ports: [] }), [pod()], () => undefined)[0]?.ports).toEqual([]);
  });
});

describe("a slice", () => {
  const made = (spec: object, labels: object = {}) =>
    planServiceSlices({
      service: service(spec, labels),
      pods: [pod()],
      nodeOf: () => undefined,
      existing: [],
      triggerTime: "2025-01-01T00:00:01Z",
    }).create[0];

  it("names its Service, its manager and its owner, carries the Service's labels, and says when the cause happened", () => {
    expect(made({}, { team: "blue" })?.metadata).toEqual({
      namespace: "shop",
      generateName: "web-",
      labels: {
        team: "blue",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2025-01-01T00:00:01Z" },
      ownerReferences: [
        { apiVersion: "v1", kind: "Service", name: "web", uid: "s", controller: true, blockOwnerDeletion: true },
      ],
    });
  });

  it("says that its Service is headless", () => {
    expect(made({ clusterIP: "None" })?.metadata.labels).toHaveProperty(["service.kubernetes.io/headless"], "");
  });
});
