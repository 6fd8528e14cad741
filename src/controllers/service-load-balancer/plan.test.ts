import { expect, it } from "vitest";
import type { Node, Service } from "../../api/index.ts";
import { ingressOf } from "./plan.ts";

const node = (address: string, { ready = "True", labels = {}, type = "InternalIP" } = {}): Node =>
  ({
    metadata: { name: address, labels },
    spec: {},
    status: {
      addresses: [
        { type: "Hostname", address: "n" },
        { type, address },
      ],
      conditions: [{ type: "Ready", status: ready }],
    },
  }) as unknown as Node;
const service = (spec: object = {}): Service => ({ spec: { type: "LoadBalancer", ...spec } }) as unknown as Service;

it.each<[string, Service, readonly Node[], readonly string[] | undefined]>([
  ["the addresses of all nodes, in order", service(), [node("10.0.0.2"), node("10.0.0.1")], ["10.0.0.1", "10.0.0.2"]],
  ["not of one that is not ready", service(), [node("10.0.0.1"), node("10.0.0.2", { ready: "Unknown" })], ["10.0.0.1"]],
  [
    "not of one that is kept out",
    service(),
    [node("10.0.0.1", { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } })],
    [],
  ],
  ["an address for the world outside", service(), [node("192.0.2.1", { type: "ExternalIP" })], ["192.0.2.1"]],
  ["another type of Service", service({ type: "NodePort" }), [node("10.0.0.1")], undefined],
  [
    "a class that somebody else serves",
    service({ loadBalancerClass: "example.com/lb" }),
    [node("10.0.0.1")],
    undefined,
  ],
])("%s", (_what, theirs, nodes, want) => {
  expect(ingressOf(theirs, nodes)?.map(({ ip }) => ip)).toEqual(want);
});
