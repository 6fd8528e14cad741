// Pods and nodes as they are after admission, for tests that need little of them.

import type { Container, Node, Pod, Taint } from "../../src/api/index.ts";

export interface PodParts {
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly spec?: Partial<Pod["spec"]>;
  readonly status?: Partial<Pod["status"]>;
  /** Of the only container. */
  readonly requests?: Readonly<Record<string, string>>;
  readonly ports?: Container["ports"];
}

export function testPod(name: string, parts: PodParts = {}): Pod {
  const { namespace = "default", labels, deletionTimestamp, spec, status, requests, ports } = parts;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      uid: parts.uid ?? `uid-of-${namespace}-${name}`,
      resourceVersion: "1",
      creationTimestamp: "2025-01-01T00:00:00Z",
      ...(labels === undefined ? {} : { labels }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: {
      containers: [testContainer("main", { ...(requests && { requests }), ...(ports && { ports }) })],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
      securityContext: {},
      ...spec,
    },
    status: { phase: "Pending", ...status },
  };
}

export function testContainer(
  name: string,
  { requests, ports }: { requests?: Readonly<Record<string, string>>; ports?: Container["ports"] } = {},
): Container {
  return {
    name,
    image: "image:1",
    imagePullPolicy: "IfNotPresent",
    resources: requests === undefined ? {} : { requests },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    ...(ports === undefined ? {} : { ports }),
  };
}

export interface NodeParts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly conditions?: Node["status"]["conditions"];
}

/** Four cores, eight gibibytes and 110 Pods, unless told otherwise. */
export function testNode(name: string, parts: NodeParts = {}): Node {
  const { labels, taints, unschedulable, allocatable, conditions } = parts;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      uid: `uid-of-${name}`,
      resourceVersion: "1",
      creationTimestamp: "2025-01-01T00:00:00Z",
      labels: { "kubernetes.io/hostname": name, ...labels },
    },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(unschedulable === undefined ? {} : { unschedulable }),
    },
    status: {
      allocatable: { cpu: "4", memory: "8Gi", pods: "110", ...allocatable },
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}
