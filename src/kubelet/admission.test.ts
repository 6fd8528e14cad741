import { describe, expect, it } from "vitest";
import { aPod, at, type PodParts } from "../../test/fakes/kubelet-pods.ts";
import type { Node, Taint } from "../api/generated/core-v1.ts";
import type { RuntimeCondition } from "../runtimes/runtime-service.ts";
import { admitPod } from "./admission.ts";
import type { KubeletNode } from "./kubelet-parts.ts";
import { computeNodeStatus, needsReport, readyCondition } from "./node-status.ts";
import { projectVolume, volumeKind } from "./volumes.ts";

const node = (taints: readonly Taint[] = []): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: "node-a",
    uid: "n",
    resourceVersion: "1",
    creationTimestamp: "",
    labels: { "kubernetes.io/os": "linux", disk: "ssd" },
  },
  spec: { taints },
  status: {},
});
const asks = (requests: Record<string, string>, more: Partial<PodParts> = {}): PodParts => ({
  containers: [{ name: "c", resources: { requests } }],
  ...more,
});
const port = (hostPort: number, hostIP?: string): PodParts => ({
  containers: [
    {
      name: "c",
      ports: [{ containerPort: 80, protocol: "TCP", hostPort, ...(hostIP === undefined ? {} : { hostIP }) }],
    },
  ],
});

describe("a node takes a Pod", () => {
  const allocatable = { cpu: "4", memory: "8Gi", pods: "3" };
  const verdict = (parts: PodParts, others: readonly PodParts[] = [], taints: readonly Taint[] = []): string => {
    const result = admitPod(aPod(parts), {
      node: node(taints),
      allocatable,
      others: others.map((other) => aPod(other)),
    });
    return result.kind === "admitted" ? "yes" : `${result.reason}: ${result.message}`;
  };
  const taint = (effect: Taint["effect"]): Taint => ({ key: "k", effect });
  it.each<[string, string, string]>([
    ["that fits", verdict(asks({ cpu: "4" })), "yes"],
    [
      "unless the CPU is too little",
      verdict(asks({ cpu: "3" }), [asks({ cpu: "1500m" })]),
      "OutOfcpu: Node didn't have enough resource: cpu, requested: 3000, used: 1500, capacity: 4000",
    ],
    [
      "unless the memory is too little",
      verdict(asks({ memory: "9Gi" })),
      "OutOfmemory: Node didn't have enough resource: memory, requested: 9663676416, used: 0, capacity: 8589934592",
    ],
    [
      "unless there are too many",
      verdict({}, [{}, {}, {}]),
      "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    ],
    ["with a resource that nobody here counts", verdict(asks({ "example.com/thing": "1" })), "yes"],
    ["with the right labels", verdict({ spec: { nodeSelector: { disk: "ssd" } } }), "yes"],
    [
      "unless its selector names others",
      verdict({ spec: { nodeSelector: { disk: "hdd" } } }),
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    [
      "unless it is for another node",
      verdict({ spec: { nodeName: "node-b" } }),
      "NodeName: Predicate NodeName failed: node(s) didn't match the requested node name",
    ],
    [
      "unless a host port is taken",
      verdict(port(80), [port(80)]),
      "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ],
    ["with a host port on another address", verdict(port(80, "10.0.0.1"), [port(80, "10.0.0.2")]), "yes"],
    ["in spite of a NoSchedule taint", verdict({}, [], [taint("NoSchedule")]), "yes"],
    [
      "unless a NoExecute taint is not tolerated",
      verdict({}, [], [taint("NoExecute")]),
      "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    ],
    [
      "with the toleration",
      verdict({ spec: { tolerations: [{ operator: "Exists" }] } }, [], [taint("NoExecute")]),
      "yes",
    ],
    [
      "unless it is for another system",
      verdict({ spec: { os: { name: "windows" } } }),
      "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
    ],
    [
      "unless its sysctl is not allowed",
      verdict({ spec: { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } } }),
      'SysctlForbidden: forbidden sysctl: "kernel.msgmax" not allowlisted',
    ],
  ])("%s", (_rule, have, want) => expect(have).toBe(want));
});

describe("what a node says of itself", () => {
  const machine: KubeletNode = {
    name: "node-a",
    labels: {},
    addresses: [{ type: "InternalIP", address: "192.168.0.1" }],
    capacity: { cpu: "4" },
    systemInfo: {
      machineID: "",
      systemUUID: "",
      bootID: "",
      kernelVersion: "",
      osImage: "",
      operatingSystem: "linux",
      architecture: "amd64",
    },
    rootDirectory: "/r",
    podLogsDirectory: "/l",
    clusterDomain: "cluster.local",
  };
  const of = (conditions: readonly RuntimeCondition[], error = "", now = 0, previous?: Node["status"]) =>
    computeNodeStatus(
      machine,
      previous,
      {
        runtimeVersion: { runtimeName: "containerd", runtimeVersion: "1.6.20" },
        runtime: { conditions, errors: error === "" ? [] : [error] },
      },
      at(now),
    );
  const network: RuntimeCondition = {
    type: "NetworkReady",
    status: false,
    reason: "NoCni",
    message: "cni plugin not initialized",
  };

  it("is ready when its runtime is", () => {
    const status = of([{ ...network, status: true }]);
    expect(readyCondition(status)).toMatchObject({
      status: "True",
      reason: "KubeletReady",
      message: "kubelet is posting ready status",
    });
    expect(status).toMatchObject({
      allocatable: { cpu: "4", pods: "110" },
      nodeInfo: { containerRuntimeVersion: "containerd://1.6.20", kubeletVersion: "v1.34.0" },
    });
  });

  it.each<[string, readonly RuntimeCondition[], string, string]>([
    [
      "the network is missing",
      [network],
      "",
      "container runtime network not ready: NetworkReady=false reason:NoCni message:cni plugin not initialized",
    ],
    [
      "the runtime does not answer",
      [],
      "container runtime is down: connection refused",
      "container runtime is down: connection refused",
    ],
  ])("is not ready when %s", (_rule, conditions, error, message) => {
    expect(readyCondition(of(conditions, error))).toMatchObject({
      status: "False",
      reason: "KubeletNotReady",
      message,
    });
  });

  it("is written when something changed, or after five minutes", () => {
    const first = of([]);
    expect([
      needsReport(first, of([], "", 60, first), at(60)),
      needsReport(first, of([network], "", 60, first), at(60)),
      needsReport(first, of([], "", 300, first), at(300)),
    ]).toEqual([false, true, true]);
  });

  it("keeps the time of a condition that did not change", () => {
    expect(readyCondition(of([], "", 60, of([])))).toMatchObject({
      lastTransitionTime: "2025-01-01T00:00:00Z",
      lastHeartbeatTime: "2025-01-01T00:01:00Z",
    });
  });
});

describe("the contents of a volume", () => {
  const metadata = { name: "x", uid: "u", resourceVersion: "1", creationTimestamp: "" };
  const sources = {
    configMaps: new Map([
      [
        "settings",
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata,
          data: { b: "2", a: "1" },
          binaryData: { raw: btoa("\u0001") },
        } as const,
      ],
    ]),
    secrets: new Map([
      ["key", { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data: { k: btoa("hush") } } as const],
    ]),
    tokens: new Map([["api 3600", "token-1"]]),
    addresses: { hostIPs: [], podIPs: [] },
    allocatable: {},
  };
  const files = (projection: Parameters<typeof projectVolume>[1][number]): readonly string[] =>
    projectVolume(aPod(), [projection], 0o644, sources).map(
      ({ path, content, mode }) => `${path} ${mode.toString(8)} ${new TextDecoder().decode(content)}`,
    );
  it.each<[string, Parameters<typeof files>[0], readonly string[]]>([
    ["are all keys of a ConfigMap", { configMap: { name: "settings" } }, ["a 644 1", "b 644 2", "raw 644 \u0001"]],
    [
      "are the chosen keys, where and how they are wanted",
      { configMap: { name: "settings", items: [{ key: "a", path: "x/y", mode: 0o600 }] } },
      ["x/y 600 1"],
    ],
    ["are a Secret's values", { secret: { name: "key" } }, ["k 644 hush"]],
    [
      "are the Pod's own fields",
      { downwardAPI: { items: [{ path: "name", fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } }] } },
      ["name 644 web"],
    ],
    [
      "are a token",
      { serviceAccountToken: { path: "token", audience: "api", expirationSeconds: 3600 } },
      ["token 644 token-1"],
    ],
    ["are nothing when what is missing is optional", { secret: { name: "no", optional: true } }, []],
  ])("%s", (_rule, projection, want) => expect(files(projection)).toEqual(want));

  it.each<[string, Parameters<typeof files>[0], string]>([
    ["a ConfigMap is missing", { configMap: { name: "no" } }, 'configmap "no" not found'],
    ["a Secret is missing", { secret: { name: "no" } }, 'secret "no" not found'],
    [
      "a key is missing",
      { configMap: { name: "settings", items: [{ key: "z", path: "z" }] } },
      "configmap references non-existent config key: z",
    ],
    [
      "a Secret's key is missing",
      { secret: { name: "key", items: [{ key: "z", path: "z" }] } },
      "references non-existent secret key: z",
    ],
  ])("cannot be made when %s", (_rule, projection, message) => expect(() => files(projection)).toThrow(message));

  it.each<[string, Parameters<typeof volumeKind>[0], string]>([
    ["an empty folder", { name: "v", emptyDir: { medium: "Memory" } }, "emptyDir"],
    ["an empty folder if nothing is said", { name: "v" }, "emptyDir"],
    ["a folder of the host", { name: "v", hostPath: { path: "/x", type: "" } }, "hostPath"],
    ["a claim", { name: "v", persistentVolumeClaim: { claimName: "c" } }, "claim"],
    ["something this node cannot give", { name: "v", nfs: { server: "s", path: "/" } }, "unsupported"],
  ])("come from %s", (_rule, volume, kind) => expect(volumeKind(volume, "web").kind).toBe(kind));
});
