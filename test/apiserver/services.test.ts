// Services at the API server: what is filled in, allocated, kept, given back and refused.

import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { ServerUnderTest } from "./api-server-fixture.ts";

const services = "/api/v1/namespaces/default/services";
const service = (name: string, spec: JsonObject = {}): JsonObject => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], selector: { app: "web" }, ...spec },
});

async function created(test: ServerUnderTest, name: string, spec: JsonObject = {}): Promise<Spec> {
  const answer = await test.create(services, service(name, spec));
  expect(answer.object).toMatchObject({ kind: "Service" });
  return answer.object["spec"] as unknown as Spec;
}

async function refused(test: ServerUnderTest, spec: JsonObject): Promise<unknown> {
  const answer = await test.create(services, service("bad", spec));
  expect(answer.object).toMatchObject({ kind: "Status", status: "Failure" });
  return answer.object["message"];
}

interface Spec {
  readonly clusterIP: string;
  readonly clusterIPs: readonly string[];
  readonly ports: readonly { readonly nodePort?: number; readonly port: number; readonly name?: string }[];
  readonly healthCheckNodePort?: number;
  readonly type: string;
}

const numberOf = (ip: string): number => ip.split(".").reduce((number, part) => number * 256 + Number(part), 0);

describe("a new Service", () => {
  it("gets an address, its families and every default", async () => {
    const test = await ServerUnderTest.start();
    const answer = await test.create(services, service("web"));
    expect(answer.object).toMatchObject({
      spec: {
        ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
        selector: { app: "web" },
        clusterIP: expect.stringMatching(/^10\.96\./),
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        internalTrafficPolicy: "Cluster",
        sessionAffinity: "None",
        type: "ClusterIP",
      },
      status: { loadBalancer: {} },
    });
    const { clusterIP, clusterIPs } = answer.object["spec"] as unknown as Spec;
    expect(clusterIPs).toEqual([clusterIP]);
    // The lowest addresses are left for those who choose theirs.
    expect(numberOf(clusterIP)).toBeGreaterThanOrEqual(numberOf("10.96.1.1"));
  });

  it("has no address when it is headless or only a name", async () => {
    const test = await ServerUnderTest.start();
    expect(await created(test, "headless", { clusterIP: "None" })).toMatchObject({
      clusterIP: "None",
      clusterIPs: ["None"],
      ipFamilies: ["IPv4"],
    });
    expect(await created(test, "own", { clusterIP: "None", selector: {} })).toMatchObject({
      ipFamilies: ["IPv4", "IPv6"],
      ipFamilyPolicy: "RequireDualStack",
    });
    const name = await created(test, "name", { type: "ExternalName", externalName: "example.com", ports: [] });
    expect(name).not.toHaveProperty("clusterIP");
    expect(name).not.toHaveProperty("ipFamilies");
    expect(name).not.toHaveProperty("internalTrafficPolicy");
  });

  it("gets a port on the nodes for each of its ports, one for the same port under two protocols", async () => {
    const test = await ServerUnderTest.start();
    const { ports } = await created(test, "dns", {
      type: "NodePort",
      ports: [
        { name: "udp", port: 53, protocol: "UDP" },
        { name: "tcp", port: 53 },
        { name: "metrics", port: 9153 },
      ],
    });
    const [udp, tcp, metrics] = ports.map(({ nodePort = 0 }) => nodePort);
    expect(udp).toBe(tcp);
    expect(metrics).not.toBe(udp);
    for (const port of [udp, metrics]) expect(port).toBeGreaterThanOrEqual(30_086);
  });

  it("gets a port for health checks when only Pods of the node itself are to answer", async () => {
    const test = await ServerUnderTest.start();
    const spec = await created(test, "local", { type: "LoadBalancer", externalTrafficPolicy: "Local" });
    expect(spec.healthCheckNodePort).toBeGreaterThanOrEqual(30_000);
    expect(spec.healthCheckNodePort).not.toBe(spec.ports[0]?.nodePort);
    const none = await created(test, "no-ports", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false });
    expect(none.ports[0]).not.toHaveProperty("nodePort");
  });
});

describe("an address or a port that is asked for", () => {
  it("is given once, and again when its Service is gone", async () => {
    const test = await ServerUnderTest.start();
    const asked = { clusterIP: "10.96.0.10", type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] };
    await created(test, "first", asked);
    expect(await refused(test, { clusterIP: "10.96.0.10" })).toBe(
      'Service "bad" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    );
    expect(await refused(test, { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] })).toBe(
      'Service "bad" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
    );
    await test.delete(`${services}/first`);
    expect(await created(test, "second", asked)).toMatchObject(asked);
  });

  it("must lie in the range", async () => {
    const test = await ServerUnderTest.start();
    expect(await refused(test, { clusterIP: "192.0.2.1" })).toBe(
      'Service "bad" is invalid: spec.clusterIPs: Invalid value: ["192.0.2.1"]: failed to allocate IP 192.0.2.1: the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
    );
    expect(await refused(test, { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] })).toBe(
      'Service "bad" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
  });

  it("is not taken by a Service that is refused for something else, nor by a dry run", async () => {
    const test = await ServerUnderTest.start();
    await refused(test, { clusterIP: "10.96.0.20", sessionAffinity: "Sticky" });
    await test.create(`${services}?dryRun=All`, service("dry", { clusterIP: "10.96.0.20" }));
    expect(await created(test, "real", { clusterIP: "10.96.0.20" })).toMatchObject({ clusterIP: "10.96.0.20" });
  });
});

describe("a Service that changes", () => {
  it("keeps its address and its ports when the client leaves them out", async () => {
    const test = await ServerUnderTest.start();
    const before = await created(test, "web", { type: "NodePort" });
    const answer = await test.put(`${services}/web`, service("web", { type: "NodePort", ports: [{ port: 81 }] }));
    const after = answer.object["spec"] as unknown as Spec;
    expect(after.clusterIP).toBe(before.clusterIP);
    expect(after.ports).toMatchObject([{ port: 81, nodePort: before.ports[0]?.nodePort }]);
  });

  it("cannot change or lose its address", async () => {
    const test = await ServerUnderTest.start();
    await created(test, "web");
    const changed = await test.patch(`${services}/web`, "merge", { spec: { clusterIP: "10.96.0.9" } });
    expect(changed.object["message"]).toBe(
      'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.9"]: may not change once set',
    );
    const headless = await test.patch(`${services}/web`, "merge", { spec: { clusterIP: "None" } });
    expect(headless.object["message"]).toBe(
      'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
    );
  });

  it("gives back what its new type has no use for", async () => {
    const test = await ServerUnderTest.start();
    const asked = { clusterIP: "10.96.0.30", type: "NodePort", ports: [{ port: 80, nodePort: 30_030 }] };
    await created(test, "web", asked);
    const inside = await test.patch(`${services}/web`, "merge", { spec: { type: "ClusterIP" } });
    const spec = inside.object["spec"] as unknown as Spec;
    expect(spec).toMatchObject({ type: "ClusterIP", clusterIP: "10.96.0.30" });
    expect(spec).not.toHaveProperty("externalTrafficPolicy");
    expect(spec.ports[0]).not.toHaveProperty("nodePort");
    await created(test, "other", { type: "NodePort", ports: [{ port: 80, nodePort: 30_030 }] });

    const name = { type: "ExternalName", externalName: "example.com" };
    const outside = await test.patch(`${services}/web`, "merge", { spec: name });
    expect(outside.object["spec"]).not.toHaveProperty("clusterIP");
    await created(test, "third", { clusterIP: "10.96.0.30" });

    const back = await test.patch(`${services}/web`, "merge", { spec: { type: "ClusterIP" } });
    expect((back.object["spec"] as unknown as Spec).clusterIP).toMatch(/^10\.96\./);
  });

  it("keeps its status from those who write the Service, and its spec from those who write the status", async () => {
    const test = await ServerUnderTest.start();
    await created(test, "web", { type: "LoadBalancer" });
    const loadBalancer = { ingress: [{ ip: "192.0.2.1" }] };
    await test.patch(`${services}/web/status`, "merge", { spec: { type: "ClusterIP" }, status: { loadBalancer } });
    const there = await test.patch(`${services}/web`, "merge", { status: { loadBalancer: null } });
    expect(there.object).toMatchObject({ spec: { type: "LoadBalancer" }, status: { loadBalancer } });
    const inside = await test.patch(`${services}/web`, "merge", { spec: { type: "ClusterIP" } });
    expect(inside.object["status"]).toEqual({ loadBalancer: {} });
  });
});

describe("what is refused", () => {
  const two = [
    { name: "a", port: 80 },
    { name: "b", port: 81 },
  ];
  it.each<[string, JsonObject, string]>([
    ["no ports", { ports: [] }, "spec.ports: Required value"],
    [
      "nameless ports",
      { ports: [{ port: 1 }, { port: 2 }] },
      "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
    ],
    ["one name twice", { ports: [two[0], { name: "a", port: 81 }] }, 'spec.ports[1].name: Duplicate value: "a"'],
    [
      "one port twice",
      { ports: [two[0], { name: "b", port: 80 }] },
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
    [
      "a port out of range",
      { ports: [{ port: 70_000, targetPort: 80 }] },
      "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ],
    [
      "an unknown protocol",
      { ports: [{ port: 80, protocol: "ICMP" }] },
      'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      "a node port inside",
      { ports: [{ port: 80, nodePort: 30_000 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      "a headless NodePort",
      { type: "NodePort", clusterIP: "None" },
      "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
    ],
    ["no name outside", { type: "ExternalName" }, "spec.externalName: Required value"],
    [
      "an unknown type",
      { type: "Magic" },
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      "an unknown affinity",
      { sessionAffinity: "Sticky" },
      'spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"',
    ],
    [
      "an affinity for too long",
      { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 90_000 } } },
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400",
    ],
    [
      "a policy for traffic that cannot come",
      { externalTrafficPolicy: "Local" },
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
    [
      "an unknown policy",
      { internalTrafficPolicy: "Near" },
      'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
    ],
    [
      "a check port without checks",
      { type: "NodePort", healthCheckNodePort: 30_001 },
      "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
    ["IPv6", { ipFamilies: ["IPv6"] }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
    [
      "two families",
      { ipFamilyPolicy: "RequireDualStack" },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      "an address that is none",
      { clusterIP: "nowhere" },
      'spec.clusterIPs[0]: Invalid value: "nowhere": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      "source ranges inside",
      { loadBalancerSourceRanges: ["10.0.0.0/8"] },
      "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
    [
      "an unspecified address outside",
      { externalIPs: ["0.0.0.0"] },
      'spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0 or ::)',
    ],
  ])("%s", async (_what, spec, text) => {
    const test = await ServerUnderTest.start();
    expect(await refused(test, spec)).toBe(`Service "bad" is invalid: ${text}`);
  });

  it("a name that no host can have", async () => {
    const test = await ServerUnderTest.start();
    const answer = await test.create(services, service("1st"));
    expect(answer.object["message"]).toContain('metadata.name: Invalid value: "1st": a DNS-1035 label must consist of');
  });
});

it("asks every Service for another address, however many are made at once", async () => {
  const test = await ServerUnderTest.start();
  const made = await Promise.all(Array.from({ length: 60 }, (_, i) => created(test, `web-${i}`, { type: "NodePort" })));
  expect(new Set(made.map(({ clusterIP }) => clusterIP)).size).toBe(60);
  expect(new Set(made.map(({ ports }) => ports[0]?.nodePort)).size).toBe(60);
});

describe("the Service kubernetes", () => {
  const slice = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";

  it("has the first address, and leads to where the server listens, also when that changes", async () => {
    const test = await ServerUnderTest.start();
    expect((await test.get(`${services}/kubernetes`)).object).toMatchObject({
      metadata: { labels: { component: "apiserver", provider: "kubernetes" } },
      spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, protocol: "TCP" }] },
    });
    await test.server.publish({ address: "192.0.2.1", port: 6443 });
    await test.server.publish({ address: "192.0.2.2", port: 7443 });
    expect((await test.get(`${services}/kubernetes`)).object).toMatchObject({
      spec: { ports: [{ targetPort: 7443 }] },
    });
    expect((await test.get("/api/v1/namespaces/default/endpoints/kubernetes")).object).toMatchObject({
      subsets: [{ addresses: [{ ip: "192.0.2.2" }], ports: [{ name: "https", port: 7443, protocol: "TCP" }] }],
    });
    expect((await test.get(slice)).object).toMatchObject({
      metadata: { labels: { "kubernetes.io/service-name": "kubernetes" } },
      endpoints: [{ addresses: ["192.0.2.2"], conditions: { ready: true } }],
      ports: [{ name: "https", port: 7443, protocol: "TCP" }],
    });
  });

  it("comes back when somebody deletes it, or where it leads", async () => {
    const test = await ServerUnderTest.start();
    await test.server.publish({ address: "192.0.2.1", port: 6443 });
    await test.delete(slice);
    await test.delete(`${services}/kubernetes`);
    await test.server.publish({ address: "192.0.2.1", port: 6443 }); // takes its turn after what was set off
    expect((await test.get(`${services}/kubernetes`)).object).toMatchObject({ spec: { clusterIP: "10.96.0.1" } });
    expect((await test.get(slice)).object).toMatchObject({ kind: "EndpointSlice" });
  });
});

it("tells users of Endpoints what to use instead", async () => {
  const test = await ServerUnderTest.start();
  const { headers } = await test.respond("GET", "/api/v1/namespaces/default/endpoints");
  expect(JSON.stringify(headers)).toContain(
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  );
});

it("refuses to be a proxy, by name", async () => {
  const test = await ServerUnderTest.start();
  const answer = await test.get(`${services}/web:http/proxy/index.html`);
  expect(answer.object).toMatchObject({
    code: 405,
    message: 'connect is not supported on resources of kind "services/proxy"',
  });
});
