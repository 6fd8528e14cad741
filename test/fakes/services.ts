// Services and EndpointSlices as they are after admission, for tests that need little of them.

import type { Service } from "../../src/api/index.ts";
import type { Endpoint, EndpointSlice } from "../../src/api/generated/discovery-v1.ts";

export interface ServiceParts {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<Service["spec"]>;
  readonly status?: Service["status"];
}

/** `10.96.0.5:80` over TCP without a name, unless told otherwise. */
export function testService(name: string, { namespace = "default", labels, spec, status }: ServiceParts = {}): Service {
  const clusterIP = spec?.clusterIP ?? "10.96.0.5";
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, uid: `uid-of-${namespace}-${name}`, ...(labels && { labels }) },
    spec: {
      type: "ClusterIP",
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ["IPv4"],
      ports: [{ port: 80, protocol: "TCP", targetPort: 8080 }],
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ...spec,
    },
    status: status ?? { loadBalancer: {} },
  } as unknown as Service;
}

export interface SliceParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly addressType?: "IPv4" | "IPv6";
  readonly ports?: EndpointSlice["ports"];
}

/** The endpoints of a Service at port 8080, unless told otherwise. */
export function testSlice(service: string, endpoints: readonly Endpoint[], parts: SliceParts = {}): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: parts.name ?? `${service}-abcde`,
      namespace: parts.namespace ?? "default",
      labels: { "kubernetes.io/service-name": service, ...parts.labels },
    },
    addressType: parts.addressType ?? "IPv4",
    ports: parts.ports ?? [{ name: "", port: 8080, protocol: "TCP" }],
    endpoints,
  } as unknown as EndpointSlice;
}

export type EndpointState = "ready" | "not ready" | "terminating, serving" | "terminating, not serving";

export function testEndpoint(address: string, state: EndpointState = "ready", more: Partial<Endpoint> = {}): Endpoint {
  const conditions = {
    ready: state === "ready",
    serving: state === "ready" || state === "terminating, serving",
    terminating: state.startsWith("terminating"),
  };
  return { addresses: [address], conditions, nodeName: "node-a", ...more };
}
