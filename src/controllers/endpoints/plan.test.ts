import { describe, expect, it } from "vitest";
import type { Endpoints, Pod, Service } from "../../api/index.ts";
import { addressLimit, planEndpoints, subsetsOf } from "./plan.ts";

const pod = (ip: string, { ready = true, deleted = false, port = 8080 } = {}): Pod =>
  ({
    metadata: {
      name: `p-${ip}`,
      namespace: "shop",
      uid: ip,
      ...(deleted && { deletionTimestamp: "2025-01-01T00:00:00Z" }),
    },
    spec: {
      nodeName: "node-a",
      containers: [{ name: "c", ports: [{ name: "web", containerPort: port, protocol: "TCP" }] }],
    },
    status: {
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  }) as unknown as Pod;
const service = (spec: object = {}): Service =>
  ({
    metadata: { name: "web", namespace: "shop", uid: "s", labels: { team: "blue" } },
    spec: {
      type: "ClusterIP",
      clusterIP: "10.96.0.7",
      selector: {},
      ports: [{ port: 80, targetPort: "web", protocol: "TCP" }],
      ...spec,
    },
  }) as unknown as Service;

/** `10.0.0.1 (10.0.0.2):8080` with those that are not ready in brackets. */
const told = (theService: Service, pods: readonly Pod[]): string[] =>
  subsetsOf(theService, pods).map(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const ready = addresses.map(({ ip }) => ip).join(",");
    const notReady = notReadyAddresses.map(({ ip }) => ip).join(",");
    return `${ready} (${notReady}):${ports.map(({ port }) => port).join(",")}`;
  });

describe("subsets", () => {
  it.each<[string, object, readonly Pod[], string[]]>([
    ["no Pods", {}, [], []],
    ["addresses in order", {}, [pod("10.0.0.10"), pod("10.0.0.9")], ["10.0.0.9,10.0.0.10 ():8080"]],
    [
      "those that are not ready stand apart",
      {},
      [pod("10.0.0.1"), pod("10.0.0.2", { ready: false })],
      ["10.0.0.1 (10.0.0.2):8080"],
    ],
    ["a Pod that ends is not listed", {}, [pod("10.0.0.1", { deleted: true })], []],
    [
      "everything is published when that is asked for",
      { publishNotReadyAddresses: true },
      [pod("10.0.0.1", { deleted: true }), pod("10.0.0.2", { ready: false })],
      ["10.0.0.1,10.0.0.2 ():8080"],
    ],
    [
      "other numbers, other subsets",
      {},
      [pod("10.0.0.1"), pod("10.0.0.2", { port: 9090 })],
      ["10.0.0.1 ():8080", "10.0.0.2 ():9090"],
    ],
    ["no ports at all", { ports: [] }, [pod("10.0.0.1")], ["10.0.0.1 ():"]],
    [
      "a port that the Pod does not have",
      { ports: [{ port: 1, targetPort: "db", protocol: "TCP" }] },
      [pod("10.0.0.1")],
      [],
    ],
  ])("%s", (_what, spec, pods, want) => {
    expect(told(service(spec), pods)).toEqual(want);
  });
});

describe("Endpoints", () => {
  const created = planEndpoints(service(), [pod("10.0.0.1")], undefined, "2025-01-01T00:00:01Z");
  const existing = { ...("endpoints" in created ? created.endpoints : {}) } as unknown as Endpoints;

  it("carry the Service's labels and the time of the cause", () => {
    expect(existing.metadata).toMatchObject({
      name: "web",
      labels: { team: "blue", "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2025-01-01T00:00:01Z" },
    });
  });

  it("are left alone while nothing changes, and written when something does", () => {
    expect(planEndpoints(service(), [pod("10.0.0.1")], existing, undefined)).toEqual({ kind: "leave" });
    expect(planEndpoints(service(), [pod("10.0.0.2")], existing, undefined).kind).toBe("update");
  });

  it("list at most a thousand addresses, the ready ones first, and say when some are left out", () => {
    const pods = Array.from({ length: addressLimit + 5 }, (_, i) =>
      pod(`10.0.${Math.floor(i / 250)}.${i % 250}`, { ready: i >= 10 }),
    );
    const plan = planEndpoints(service(), pods, undefined, undefined);
    expect(plan).toMatchObject({
      endpoints: { metadata: { annotations: { "endpoints.kubernetes.io/over-capacity": "truncated" } } },
    });
    const [subset] = "endpoints" in plan ? (plan.endpoints.subsets ?? []) : [];
    expect([subset?.addresses?.length, subset?.notReadyAddresses?.length]).toEqual([995, 5]);
  });
});
