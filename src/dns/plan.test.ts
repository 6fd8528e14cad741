import { describe, expect, it } from "vitest";
import type { DnsRecord } from "../network/dns/message.ts";
import { recordTypes } from "../network/dns/message.ts";
import { resolve, type Zone } from "../network/dns/zone.ts";
import { testEndpoint, testService, testSlice } from "../../test/fakes/services.ts";
import { planRecords } from "./plan.ts";

const domain = "cluster.local";
const ports = [{ name: "http", port: 80, protocol: "TCP" as const, targetPort: 8080 }];
const slicePorts = [{ name: "http", port: 8080, protocol: "TCP" }] as const;

const services = [
  testService("web", { spec: { ports } }),
  testService("db", { spec: { clusterIP: "None", ports } }),
  testService("empty", { spec: { clusterIP: "None" } }),
  testService("outside", { spec: { type: "ExternalName", clusterIP: "", externalName: "Example.org." } }),
  testService("inside", {
    spec: { type: "ExternalName", clusterIP: "", externalName: "web.default.svc.cluster.local" },
  }),
  testService("circle", {
    spec: { type: "ExternalName", clusterIP: "", externalName: "circle.default.svc.cluster.local" },
  }),
  testService("dual", { spec: { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7", "fd00::7"] } }),
];
const slices = [
  testSlice(
    "db",
    [
      testEndpoint("10.0.0.1", "ready", { hostname: "db-0" }),
      testEndpoint("10.0.0.2"),
      testEndpoint("10.0.0.3", "not ready"),
    ],
    {
      ports: slicePorts,
    },
  ),
];
const zone: Zone = {
  domain,
  serial: 1,
  serverAddress: "10.96.0.10",
  records: planRecords(services, slices, domain),
  namespaces: new Set(["default", "kube-system"]),
};

/** The answer in short: what kind, and what it says. */
function ask(name: string, type: keyof typeof recordTypes = "A"): string {
  const resolution = resolve(zone, { name, type: recordTypes[type], class: 1 });
  switch (resolution.kind) {
    case "forward":
      return "forward";
    case "alias":
      return `alias ${resolution.target}`;
    case "answer": {
      const { code, answers, authority } = resolution.response;
      const state = code === 3 ? "NXDOMAIN" : answers.length === 0 ? "NODATA" : "";
      const soa = authority.some((record) => record.type === "SOA") ? " SOA" : "";
      return `${state}${answers.map(text).join(", ")}${soa}`;
    }
  }
}

function text(record: DnsRecord): string {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.address;
    case "CNAME":
    case "PTR":
      return record.target;
    case "SRV":
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case "TXT":
      return record.text;
    case "SOA":
      return `SOA ${record.primary}`;
  }
}

describe("what the cluster's DNS answers", () => {
  it.each<[string, string, keyof typeof recordTypes, string]>([
    ["a Service's address", "web.default.svc.cluster.local", "A", "10.96.0.5"],
    ["nothing of another family, without denying the name", "web.default.svc.cluster.local", "AAAA", "NODATA SOA"],
    ["both families of a dual-stack Service", "dual.default.svc.cluster.local", "AAAA", "fd00::7"],
    ["a named port", "_http._tcp.web.default.svc.cluster.local", "SRV", "0 100 80 web.default.svc.cluster.local"],
    ["that a name exists on the way to a port", "_tcp.web.default.svc.cluster.local", "SRV", "NODATA SOA"],
    ["no port that is not there", "_https._tcp.web.default.svc.cluster.local", "SRV", "NXDOMAIN SOA"],
    ["no Service that is not there", "nobody.default.svc.cluster.local", "A", "NXDOMAIN SOA"],
    ["no Service of another namespace", "web.kube-system.svc.cluster.local", "A", "NXDOMAIN SOA"],
    ["the ready endpoints of a headless Service", "db.default.svc.cluster.local", "A", "10.0.0.1, 10.0.0.2"],
    ["an endpoint by its hostname", "db-0.db.default.svc.cluster.local", "A", "10.0.0.1"],
    ["an endpoint by its address", "10-0-0-2.db.default.svc.cluster.local", "A", "10.0.0.2"],
    ["no endpoint that is not ready", "10-0-0-3.db.default.svc.cluster.local", "A", "NXDOMAIN SOA"],
    [
      "each endpoint's port",
      "_http._tcp.db.default.svc.cluster.local",
      "SRV",
      "0 100 8080 db-0.db.default.svc.cluster.local, 0 100 8080 10-0-0-2.db.default.svc.cluster.local",
    ],
    ["no headless Service without anybody behind it", "empty.default.svc.cluster.local", "A", "NXDOMAIN SOA"],
    ["the name behind an ExternalName", "outside.default.svc.cluster.local", "CNAME", "example.org"],
    ["where to ask on for its address", "outside.default.svc.cluster.local", "A", "alias example.org"],
    [
      "the address too, if the name is our own",
      "inside.default.svc.cluster.local",
      "A",
      "web.default.svc.cluster.local, 10.96.0.5",
    ],
    [
      "an end to a name that leads in circles",
      "circle.default.svc.cluster.local",
      "TXT",
      `NXDOMAIN${Array(8).fill("circle.default.svc.cluster.local").join(", ")} SOA`,
    ],
    ["a Service by its address", "5.0.96.10.in-addr.arpa", "PTR", "web.default.svc.cluster.local"],
    ["an endpoint by its address, backwards", "1.0.0.10.in-addr.arpa", "PTR", "db-0.db.default.svc.cluster.local"],
    ["nothing about other machines' addresses", "1.1.168.192.in-addr.arpa", "PTR", "forward"],
    ["a Pod by the address in its name", "10-1-2-3.default.pod.cluster.local", "A", "10.1.2.3"],
    ["no Pod without an address in its name", "web-1.default.pod.cluster.local", "A", "NXDOMAIN SOA"],
    ["no Pod in a namespace that is not there", "10-1-2-3.nowhere.pod.cluster.local", "A", "NXDOMAIN SOA"],
    ["that a namespace exists", "default.svc.cluster.local", "A", "NODATA SOA"],
    ["that one does not", "nowhere.svc.cluster.local", "A", "NXDOMAIN SOA"],
    ["who speaks for the domain", "cluster.local", "SOA", "SOA ns.dns.cluster.local"],
    ["where that one is", "ns.dns.cluster.local", "A", "10.96.0.10"],
    ["which description it follows", "dns-version.cluster.local", "TXT", "1.1.0"],
    ["nothing about the rest of the world", "example.org", "A", "forward"],
    ["nothing about a domain that only ends like ours", "evilcluster.local", "A", "forward"],
  ])("%s", (_what, name, type, want) => {
    expect(ask(name, type)).toBe(want);
  });
});

it("adds the addresses of what a port leads to", () => {
  const resolution = resolve(zone, {
    name: "_http._tcp.db.default.svc.cluster.local",
    type: recordTypes.SRV,
    class: 1,
  });
  expect(resolution.kind === "answer" && resolution.response.additional.map(text)).toEqual(["10.0.0.1", "10.0.0.2"]);
});
