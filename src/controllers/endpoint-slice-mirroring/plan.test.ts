import { describe, expect, it } from "vitest";
import type { Endpoints, Service } from "../../api/index.ts";
import { isMirrored, planMirror } from "./plan.ts";

const endpoints = (metadata: object = {}): Endpoints =>
  ({
    metadata: { name: "db", namespace: "shop", uid: "e", ...metadata },
    subsets: [
      {
        addresses: [{ ip: "192.0.2.1", nodeName: "node-a" }, { ip: "2001:db8::1" }],
        notReadyAddresses: [{ ip: "192.0.2.2" }],
        ports: [{ port: 5432, protocol: "TCP" }],
      },
    ],
  }) as unknown as Endpoints;
const service = (spec: object = {}): Service =>
  ({ metadata: { name: "db", namespace: "shop" }, spec: { type: "ClusterIP", ...spec } }) as unknown as Service;

describe("which Endpoints are copied", () => {
  it.each<[string, Endpoints | undefined, Service | undefined, boolean]>([
    ["written by hand for a Service without a selector", endpoints(), service(), true],
    ["of a Service that chooses its Pods", endpoints(), service({ selector: { app: "db" } }), false],
    ["of a Service that is only a name", endpoints(), service({ type: "ExternalName" }), false],
    ["of no Service", endpoints(), undefined, false],
    [
      "that ask to be left alone",
      endpoints({ labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }),
      service(),
      false,
    ],
    [
      "that only elect a leader",
      endpoints({ annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } }),
      service(),
      false,
    ],
    ["that are gone", undefined, service(), false],
  ])("%s", (_what, written, theirs, want) => {
    expect(isMirrored(written, theirs)).toBe(want);
  });
});

it("copies addresses, readiness and ports, and what is said about them", () => {
  const annotations = { note: "by hand", "kubectl.kubernetes.io/last-applied-configuration": "{}" };
  const plan = planMirror(endpoints({ labels: { team: "blue" }, annotations }), []);
  expect(plan).toMatchObject({ update: [], delete: [] });
  expect(plan.create).toEqual([
    {
      metadata: {
        namespace: "shop",
        generateName: "db-",
        labels: {
          team: "blue",
          "kubernetes.io/service-name": "db",
          "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        },
        annotations: { note: "by hand" },
        ownerReferences: [
          { apiVersion: "v1", kind: "Endpoints", name: "db", uid: "e", controller: true, blockOwnerDeletion: true },
        ],
      },
      addressType: "IPv4",
      endpoints: [
        { addresses: ["192.0.2.1"], conditions: { ready: true }, nodeName: "node-a" },
        { addresses: ["192.0.2.2"], conditions: { ready: false } },
      ],
      ports: [{ name: "", port: 5432, protocol: "TCP" }],
    },
  ]);
});
