import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Service } from "../api/index.ts";
import type { Endpoint } from "../api/generated/discovery-v1.ts";
import type { RouteTarget } from "../network/service-routes.ts";
import { type EndpointState, testEndpoint, testService, testSlice } from "../../test/fakes/services.ts";
import { planRoutes } from "./plan.ts";

const to = (...addresses: string[]): RouteTarget => ({
  kind: "endpoints",
  endpoints: addresses.map((address) => ({ address, port: 8080 })),
});
const reject: RouteTarget = { kind: "reject" };
const drop: RouteTarget = { kind: "drop" };
const elsewhere = { nodeName: "node-b" };

describe("who may get a connection", () => {
  it.each<[string, Endpoint[], RouteTarget]>([
    ["all that are ready", [testEndpoint("10.0.0.2"), testEndpoint("10.0.0.1")], to("10.0.0.1", "10.0.0.2")],
    [
      "wherever they are",
      [testEndpoint("10.0.0.1"), testEndpoint("10.0.0.2", "ready", elsewhere)],
      to("10.0.0.1", "10.0.0.2"),
    ],
    ["not who is not ready", [testEndpoint("10.0.0.1", "not ready"), testEndpoint("10.0.0.2")], to("10.0.0.2")],
    [
      "not who ends, as long as one is ready",
      [testEndpoint("10.0.0.1", "terminating, serving"), testEndpoint("10.0.0.2")],
      to("10.0.0.2"),
    ],
    [
      "who ends and still serves, if nobody is ready",
      [testEndpoint("10.0.0.1", "terminating, serving"), testEndpoint("10.0.0.2", "not ready")],
      to("10.0.0.1"),
    ],
    ["nobody who ends and does not serve", [testEndpoint("10.0.0.1", "terminating, not serving")], reject],
    ["nobody, if there is none", [], reject],
    ["who does not say, for that means yes", [{ addresses: ["10.0.0.1"] }], to("10.0.0.1")],
    ["only the first address of an endpoint", [{ addresses: ["10.0.0.1", "10.0.0.9"] }], to("10.0.0.1")],
  ])("%s", (_rule, endpoints, want) => {
    expect(planRoutes([testService("web")], [testSlice("web", endpoints)], "node-a")[0]?.internal).toEqual(want);
  });

  it("an endpoint in two slices counts once, and is ready if one says so", () => {
    const slices = [
      testSlice("web", [testEndpoint("10.0.0.1", "not ready")], { name: "web-1" }),
      testSlice("web", [testEndpoint("10.0.0.1")], { name: "web-2" }),
    ];
    expect(planRoutes([testService("web")], slices, "node-a")[0]?.internal).toEqual(to("10.0.0.1"));
  });
});

describe("traffic policy Local", () => {
  const here = testEndpoint("10.0.0.1");
  const there = testEndpoint("10.0.0.2", "ready", elsewhere);
  const local = { internalTrafficPolicy: "Local", externalTrafficPolicy: "Cluster", type: "NodePort" } as const;
  it.each<[string, Partial<Service["spec"]>, Endpoint[], { internal: RouteTarget; external: RouteTarget }]>([
    [
      "stays on the node from inside",
      local,
      [here, there],
      { internal: to("10.0.0.1"), external: to("10.0.0.1", "10.0.0.2") },
    ],
    [
      "drops what finds nobody here, for another node may have one",
      local,
      [there],
      { internal: drop, external: to("10.0.0.2") },
    ],
    ["rejects what finds nobody anywhere", local, [], { internal: reject, external: reject }],
    [
      "stays on the node from outside",
      { type: "NodePort", externalTrafficPolicy: "Local" },
      [here, there],
      { internal: to("10.0.0.1", "10.0.0.2"), external: to("10.0.0.1") },
    ],
    [
      "falls back to what ends here before it goes elsewhere",
      { type: "NodePort", externalTrafficPolicy: "Local" },
      [testEndpoint("10.0.0.1", "terminating, serving"), there],
      { internal: to("10.0.0.2"), external: to("10.0.0.1") },
    ],
  ])("%s", (_rule, spec, endpoints, want) => {
    expect(planRoutes([testService("web", { spec })], [testSlice("web", endpoints)], "node-a")[0]).toMatchObject(want);
  });
});

describe("what a route carries", () => {
  const routesOf = (service: Service) =>
    planRoutes([service], [testSlice("web", [testEndpoint("10.0.0.1")])], "node-a");

  it("names, addresses and ports", () => {
    const service = testService("web", {
      spec: {
        type: "LoadBalancer",
        ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080, nodePort: 30080 }],
        externalIPs: ["192.0.2.7", "2001:db8::7"],
        loadBalancerSourceRanges: ["198.51.100.0/24 "],
        externalTrafficPolicy: "Local",
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
      },
      status: {
        loadBalancer: { ingress: [{ ip: "192.0.2.1" }, { hostname: "lb" }, { ip: "192.0.2.2", ipMode: "Proxy" }] },
      },
    });
    expect(routesOf(service)).toEqual([
      {
        name: "default/web:http",
        namespace: "default",
        service: "web",
        protocol: "TCP",
        clusterIp: "10.96.0.5",
        port: 80,
        nodePort: 30080,
        externalIps: ["192.0.2.7"],
        loadBalancerIps: ["192.0.2.1"],
        loadBalancerSourceRanges: ["198.51.100.0/24"],
        // The slice's only port has no name, so it is not the Service's `http`.
        internal: reject,
        external: reject,
        keepsClientAddress: true,
        affinitySeconds: 60,
      },
    ]);
  });

  it("three hours of affinity unless told otherwise", () => {
    expect(routesOf(testService("web", { spec: { sessionAffinity: "ClientIP" } }))[0]?.affinitySeconds).toBe(10_800);
  });

  it("each port with the slice ports of its name and protocol", () => {
    const ports = [
      { name: "dns", port: 53, protocol: "UDP" as const, targetPort: 5353 },
      { name: "dns-tcp", port: 53, protocol: "TCP" as const, targetPort: 5354 },
    ];
    const slice = testSlice("dns", [testEndpoint("10.0.0.1")], {
      ports: [
        { name: "dns", port: 5353, protocol: "UDP" },
        { name: "dns-tcp", port: 5354, protocol: "TCP" },
      ],
    });
    const routes = planRoutes([testService("dns", { spec: { ports } })], [slice], "node-a");
    expect(routes.map(({ protocol, internal }) => [protocol, internal])).toEqual([
      ["UDP", { kind: "endpoints", endpoints: [{ address: "10.0.0.1", port: 5353 }] }],
      ["TCP", { kind: "endpoints", endpoints: [{ address: "10.0.0.1", port: 5354 }] }],
    ]);
  });

  it("one route for each family, with the endpoints of that family", () => {
    const service = testService("web", { spec: { clusterIPs: ["10.96.0.5", "fd00::5"] } });
    const slices = [
      testSlice("web", [testEndpoint("10.0.0.1")]),
      testSlice("web", [testEndpoint("fd01::1")], { name: "web-6", addressType: "IPv6" }),
    ];
    const routes = planRoutes([service], slices, "node-a");
    expect(routes.map(({ clusterIp, internal }) => [clusterIp, internal])).toEqual([
      ["10.96.0.5", to("10.0.0.1")],
      ["fd00::5", to("fd01::1")],
    ]);
  });
});

it.each<[string, Service]>([
  ["a headless Service", testService("web", { spec: { clusterIP: "None" } })],
  ["an ExternalName", testService("web", { spec: { type: "ExternalName", externalName: "example.org" } })],
  ["a Service without an address yet", testService("web", { spec: { clusterIP: "" } })],
  [
    "a Service that another proxy routes",
    testService("web", { labels: { "service.kubernetes.io/service-proxy-name": "mine" } }),
  ],
])("does not route %s", (_what, service) => {
  expect(planRoutes([service], [testSlice("web", [testEndpoint("10.0.0.1")])], "node-a")).toEqual([]);
});

it("keeps Services of one name in two namespaces apart", () => {
  const services = [testService("web"), testService("web", { namespace: "shop", spec: { clusterIP: "10.96.0.6" } })];
  const slices = [
    testSlice("web", [testEndpoint("10.0.0.1")]),
    testSlice("web", [testEndpoint("10.0.0.2")], { namespace: "shop" }),
  ];
  expect(planRoutes(services, slices, "node-a").map(({ name, internal }) => [name, internal])).toEqual([
    ["default/web", to("10.0.0.1")],
    ["shop/web", to("10.0.0.2")],
  ]);
});

describe("whatever the slices say", () => {
  const states: EndpointState[] = ["ready", "not ready", "terminating, serving", "terminating, not serving"];
  const endpoints = fc.uniqueArray(
    fc.record({ last: fc.integer({ min: 1, max: 30 }), state: fc.constantFrom(...states), local: fc.boolean() }),
    { selector: ({ last }) => last, maxLength: 12 },
  );
  const made = (all: { last: number; state: EndpointState; local: boolean }[]): Endpoint[] =>
    all.map(({ last, state, local }) =>
      testEndpoint(`10.0.0.${last}`, state, { nodeName: local ? "node-a" : "node-b" }),
    );

  it("the order of objects changes nothing, and cutting a slice in two neither", () => {
    fc.assert(
      fc.property(endpoints, fc.nat(12), (all, cut) => {
        const whole = planRoutes([testService("web")], [testSlice("web", made(all))], "node-a");
        const reversed = made(all).toReversed();
        const parts = [
          testSlice("web", reversed.slice(0, cut), { name: "web-1" }),
          testSlice("web", reversed.slice(cut), { name: "web-2" }),
        ];
        expect(planRoutes([testService("web")], parts, "node-a")).toEqual(whole);
      }),
    );
  });

  it("a connection never goes to one that neither is ready nor serves to its end, and to a terminating one only if none is ready", () => {
    fc.assert(
      fc.property(endpoints, fc.constantFrom("Local", "Cluster"), (all, internalTrafficPolicy) => {
        const service = testService("web", { spec: { internalTrafficPolicy } });
        const target = planRoutes([service], [testSlice("web", made(all))], "node-a")[0]?.internal as RouteTarget;
        const seen = all.filter(({ local }) => local || internalTrafficPolicy === "Cluster");
        const chosen = target.kind === "endpoints" ? target.endpoints.map(({ address }) => address) : [];
        const withState = (state: EndpointState) =>
          seen.filter((one) => one.state === state).map(({ last }) => `10.0.0.${last}`);
        const ready = withState("ready");
        expect(new Set(chosen)).toEqual(new Set(ready.length > 0 ? ready : withState("terminating, serving")));
      }),
    );
  });
});
