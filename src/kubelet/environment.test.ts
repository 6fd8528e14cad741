import { describe, expect, it } from "vitest";
import { aContainer, aPod } from "../../test/fakes/kubelet-pods.ts";
import type { ConfigMap, Container, EnvFromSource, EnvVar, Secret, Service } from "../api/generated/core-v1.ts";
import { containerEnvironment, environmentObjects, expandAll, literalEnvironment } from "./environment.ts";
import { expand, expandStrictly } from "./expand.ts";
import { fieldValue, resourceFieldValue } from "./field-ref.ts";
import { serviceEnvironment } from "./service-environment.ts";

const metadata = { name: "x", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const configMap = (data: Record<string, string>): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata,
  data,
});
const secret = (data: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata,
  type: "Opaque",
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)])),
});

function environmentOf(
  container: Partial<Container>,
  more: {
    configMaps?: Record<string, ConfigMap>;
    secrets?: Record<string, Secret>;
    services?: Record<string, string>;
  } = {},
) {
  return containerEnvironment(aPod(), aContainer({ name: "c", ...container }), {
    configMaps: new Map(Object.entries(more.configMaps ?? {})),
    secrets: new Map(Object.entries(more.secrets ?? {})),
    services: new Map(Object.entries(more.services ?? {})),
    addresses: { hostIPs: ["192.168.0.1"], podIPs: ["10.0.0.5", "fd00::5"] },
    allocatable: { cpu: "4", memory: "8Gi" },
  });
}
const asText = (...args: Parameters<typeof environmentOf>): string =>
  environmentOf(...args)
    .variables.map(({ key, value }) => `${key}=${value}`)
    .join(" ");

describe("$(NAME)", () => {
  const values: Record<string, string> = { A: "1", EMPTY: "" };
  it.each([
    ["$(A)", "1"],
    ["x$(A)y$(A)", "x1y1"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$(B)", "$(B)"],
    ["$(A", "$(A"],
    ["$A", "$A"],
    ["$", "$"],
    ["a$", "a$"],
    ["$(EMPTY)", ""],
    ["$()", "$()"],
  ])("in %s reads as %s", (text, want) => {
    expect(expand(text, (name) => values[name])).toBe(want);
  });

  it("must have a value in a sub path", () => {
    expect(expandStrictly("logs/$(A)", (name) => values[name])).toBe("logs/1");
    expect(() => expandStrictly("$(EMPTY)/$(B)/$(B)", (name) => values[name])).toThrow("missing value for B, EMPTY");
  });
});

describe("a container's environment", () => {
  const env = (...variables: readonly EnvVar[]): Partial<Container> => ({ env: variables });
  const envFrom = (...sources: readonly EnvFromSource[]): Partial<Container> => ({ envFrom: sources });
  it.each<[string, Parameters<typeof environmentOf>, string]>([
    ["takes literal values", [env({ name: "A", value: "1" }, { name: "B" })], "A=1 B="],
    [
      "expands what came before",
      [env({ name: "A", value: "1" }, { name: "B", value: "$(A)$(C)" }, { name: "C", value: "3" })],
      "A=1 B=1$(C) C=3",
    ],
    ["lets the last of the same name win", [env({ name: "A", value: "1" }, { name: "A", value: "2" })], "A=2"],
    [
      "lets env win over envFrom and later sources over earlier ones",
      [
        {
          ...envFrom({ configMapRef: { name: "one" } }, { prefix: "P_", secretRef: { name: "two" } }),
          ...env({ name: "B", value: "own" }),
        },
        { configMaps: { one: configMap({ A: "a", B: "b" }) }, secrets: { two: secret({ A: "hush" }) } },
      ],
      "A=a B=own P_A=hush",
    ],
    [
      "sets Service variables only where nothing else does",
      [env({ name: "WEB_PORT", value: "mine" }), { services: { WEB_PORT: "tcp://", WEB_SERVICE_HOST: "10.96.0.7" } }],
      "WEB_PORT=mine WEB_SERVICE_HOST=10.96.0.7",
    ],
    ["expands Service variables", [env({ name: "A", value: "$(WEB)" }), { services: { WEB: "w" } }], "A=w WEB=w"],
    [
      "skips optional keys that are missing",
      [env({ name: "A", valueFrom: { configMapKeyRef: { name: "no", key: "k", optional: true } } })],
      "",
    ],
    ["skips optional sources that are missing", [envFrom({ secretRef: { name: "no", optional: true } })], ""],
    [
      "reads fields",
      [env({ name: "IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.podIPs" } } })],
      "IP=10.0.0.5,fd00::5",
    ],
    [
      "reads keys of Secrets",
      [
        env({ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }),
        { secrets: { s: secret({ k: "v" }) } },
      ],
      "A=v",
    ],
  ])("%s", (_rule, args, want) => {
    expect(asText(...args)).toBe(want);
  });

  it.each<[string, Partial<Container>, string]>([
    [
      "a ConfigMap is missing",
      env({ name: "A", valueFrom: { configMapKeyRef: { name: "no", key: "k" } } }),
      'configmap "no" not found',
    ],
    ["a Secret is missing", envFrom({ secretRef: { name: "no" } }), 'secret "no" not found'],
    [
      "a key is missing",
      env({ name: "A", valueFrom: { configMapKeyRef: { name: "one", key: "k" } } }),
      "couldn't find key k in ConfigMap default/one",
    ],
    [
      "a key of a Secret is missing",
      env({ name: "A", valueFrom: { secretKeyRef: { name: "two", key: "k" } } }),
      "couldn't find key k in Secret default/two",
    ],
  ])("cannot be made when %s", (_rule, container, message) => {
    const objects = { configMaps: { one: configMap({}) }, secrets: { two: secret({}) } };
    expect(() => environmentOf(container, objects)).toThrow(message);
  });

  it("leaves out keys that cannot be names, and says so", () => {
    const { variables, invalidNames } = environmentOf(envFrom({ configMapRef: { name: "one" } }), {
      configMaps: { one: configMap({ good: "1", "bad=": "2" }) },
    });
    expect(variables).toEqual([{ key: "good", value: "1" }]);
    expect(invalidNames).toEqual([
      "Keys [bad=] from the EnvFrom configMap default/one were skipped since they are considered invalid environment variable names.",
    ]);
  });

  it("names the objects it is made from", () => {
    const container = aContainer({
      name: "c",
      ...envFrom({ configMapRef: { name: "a" } }),
      ...env({ name: "X", valueFrom: { secretKeyRef: { name: "b", key: "k" } } }),
    });
    expect(environmentObjects(container)).toEqual({ configMaps: ["a"], secrets: ["b"] });
  });

  it("is expanded in commands; probes see only what is literal", () => {
    expect(expandAll(["echo", "$(A)", "$(B)"], [{ key: "A", value: "1" }])).toEqual(["echo", "1", "$(B)"]);
    const container = aContainer({
      name: "c",
      env: [
        { name: "A", value: "1" },
        { name: "B", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
      ],
    });
    expect([...literalEnvironment(container)]).toEqual([
      ["A", "1"],
      ["B", ""],
    ]);
  });
});

describe("fields and resources", () => {
  const addresses = { hostIPs: ["192.168.0.1"], podIPs: ["10.0.0.5"] };
  it.each([
    ["metadata.name", "web"],
    ["metadata.uid", "uid-1"],
    ["metadata.labels['app']", "shop"],
    ["metadata.annotations['none']", ""],
    ["metadata.labels", 'app="shop"\ntier="front"'],
    ["spec.nodeName", "node-a"],
    ["status.hostIP", "192.168.0.1"],
    ["status.podIP", "10.0.0.5"],
  ])("reads %s", (path, want) => {
    expect(fieldValue(aPod({ metadata: { labels: { tier: "front", app: "shop" } } }), path, addresses)).toBe(want);
  });

  it.each<[string, string, string | undefined, string]>([
    ["a limit in whole cores, rounded up", "limits.cpu", undefined, "2"],
    ["a limit in thousandths", "limits.cpu", "1m", "1500"],
    ["a request in mebibytes", "requests.memory", "1Mi", "64"],
    ["an unset limit as what the node can give", "limits.memory", "1Gi", "8"],
    ["an unset request as nothing", "requests.ephemeral-storage", undefined, "0"],
  ])("reads %s", (_rule, resource, divisor, want) => {
    const container = aContainer({ name: "c", resources: { limits: { cpu: "1500m" }, requests: { memory: "64Mi" } } });
    const selector = { resource, ...(divisor === undefined ? {} : { divisor }) };
    expect(resourceFieldValue(aPod(), container, selector, { cpu: "4", memory: "8Gi" })).toBe(want);
  });
});

describe("Service variables", () => {
  const service = (
    name: string,
    namespace: string,
    ports: Service["spec"]["ports"],
    clusterIP = "10.96.0.7",
  ): Service =>
    ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, name, namespace },
      spec: { type: "ClusterIP", sessionAffinity: "None", clusterIP, ports },
      status: {},
    }) as Service;
  const port = (number: number, name?: string) => ({
    port: number,
    protocol: "TCP" as const,
    targetPort: number,
    ...(name === undefined ? {} : { name }),
  });

  it("describe each port", () => {
    const variables = serviceEnvironment([service("my-db", "shop", [port(5432, "sql"), port(9000)])], "shop", true);
    expect(Object.fromEntries(variables)).toEqual({
      MY_DB_SERVICE_HOST: "10.96.0.7",
      MY_DB_SERVICE_PORT: "5432",
      MY_DB_SERVICE_PORT_SQL: "5432",
      MY_DB_PORT: "tcp://10.96.0.7:5432",
      MY_DB_PORT_5432_TCP: "tcp://10.96.0.7:5432",
      MY_DB_PORT_5432_TCP_PROTO: "tcp",
      MY_DB_PORT_5432_TCP_PORT: "5432",
      MY_DB_PORT_5432_TCP_ADDR: "10.96.0.7",
      MY_DB_PORT_9000_TCP: "tcp://10.96.0.7:9000",
      MY_DB_PORT_9000_TCP_PROTO: "tcp",
      MY_DB_PORT_9000_TCP_PORT: "9000",
      MY_DB_PORT_9000_TCP_ADDR: "10.96.0.7",
    });
  });

  it("are those of the Pod's namespace, and always the one of the API server", () => {
    const all = [
      service("kubernetes", "default", [port(443)]),
      service("own", "shop", [port(1)]),
      service("foreign", "other", [port(1)]),
      service("headless", "shop", [port(1)], "None"),
    ];
    const hosts = (links: boolean) =>
      [...serviceEnvironment(all, "shop", links).keys()].filter((key) => key.endsWith("SERVICE_HOST"));
    expect(hosts(true)).toEqual(["KUBERNETES_SERVICE_HOST", "OWN_SERVICE_HOST"]);
    expect(hosts(false)).toEqual(["KUBERNETES_SERVICE_HOST"]);
  });
});
