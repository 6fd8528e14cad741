// Short ways to say what a kubelet sees, for its decision tables: a Pod as it is after admission, and sandboxes and containers as a runtime reports them.

import type { Container, Pod, PodSpec, PodStatus, RestartPolicy } from "../../src/api/generated/core-v1.ts";
import { type Instant, seconds } from "../../src/base/time.ts";
import { containerAnnotations } from "../../src/kubelet/container-labels.ts";
import { observedPod, type ObservedPod, type ProbeResults } from "../../src/kubelet/observed-pod.ts";
import type { SeenPod } from "../../src/kubelet/pod-action.ts";
import type {
  ContainerId,
  ContainerRuntimeState,
  ContainerStatus,
  PodSandboxStatus,
  SandboxId,
} from "../../src/runtimes/runtime-service.ts";

/** 2025-01-01T00:00:00Z: all tables count from here. */
export const start = 1_735_689_600_000 as Instant;
/** The instant `n` seconds after {@link start}. */
export const at = (n: number): Instant => (start + seconds(n)) as Instant;

export type ContainerPart = Partial<Container> & { readonly name: string };

export function aContainer(part: ContainerPart | string): Container {
  const given = typeof part === "string" ? { name: part } : part;
  return {
    image: "image:1",
    imagePullPolicy: "IfNotPresent",
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    ...given,
  };
}

export interface PodParts {
  readonly restartPolicy?: RestartPolicy;
  readonly containers?: readonly (ContainerPart | string)[];
  readonly initContainers?: readonly (ContainerPart | string)[];
  readonly spec?: Partial<PodSpec>;
  readonly status?: Partial<PodStatus>;
  readonly metadata?: Partial<Pod["metadata"]>;
}

/** The Pod `web` of namespace `default`, with one container `c` unless told otherwise. */
export function aPod(parts: PodParts = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "uid-1",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2025-01-01T00:00:00Z",
      ...parts.metadata,
    },
    spec: {
      restartPolicy: parts.restartPolicy ?? "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
      securityContext: {},
      nodeName: "node-a",
      containers: (parts.containers ?? ["c"]).map(aContainer),
      ...(parts.initContainers === undefined ? {} : { initContainers: parts.initContainers.map(aContainer) }),
      ...parts.spec,
    },
    status: { phase: "Pending", qosClass: "BestEffort", ...parts.status },
  };
}

export const sidecar = (name: string, more: Partial<Container> = {}): ContainerPart => ({
  name,
  restartPolicy: "Always",
  ...more,
});

export function aSandbox(parts: Partial<PodSandboxStatus> & { attempt?: number } = {}): PodSandboxStatus {
  const { attempt = 0, ...rest } = parts;
  return {
    id: `sandbox-${attempt}` as SandboxId,
    metadata: { name: "web", namespace: "default", uid: "uid-1", attempt },
    state: "ready",
    createdAt: at(attempt),
    ips: ["10.0.0.5"],
    network: "POD",
    labels: {},
    annotations: {},
    ...rest,
  };
}

export const running = (from = 0): ContainerRuntimeState => ({ kind: "running", startedAt: at(from) });
export const created: ContainerRuntimeState = { kind: "created" };
export const unknown: ContainerRuntimeState = { kind: "unknown" };
export const exited = (exitCode: number, finished = 1, reason?: string, started = 0): ContainerRuntimeState => ({
  kind: "exited",
  startedAt: at(started),
  finishedAt: at(finished),
  exitCode,
  reason: reason ?? (exitCode === 0 ? "Completed" : "Error"),
  message: "",
});

/** One instance of a container: `seen("c", running())`; the id is `<name>-<attempt>`. */
export function seen(
  name: string,
  state: ContainerRuntimeState,
  more: Partial<ContainerStatus> & { attempt?: number; madeFrom?: Container } = {},
): ContainerStatus {
  const { attempt = 0, madeFrom = aContainer(name), ...rest } = more;
  return {
    id: `${name}-${attempt}` as ContainerId,
    sandboxId: "sandbox-0" as SandboxId,
    metadata: { name, attempt },
    state,
    createdAt: at(attempt),
    image: "image:1",
    imageRef: "sha256:1",
    labels: {},
    annotations: containerAnnotations(aPod(), madeFrom, attempt),
    logPath: `/var/log/pods/default_web_uid-1/${name}/${attempt}.log`,
    ...rest,
  };
}

/** A Pod with a good sandbox and these containers. */
export const sighting = (...containers: readonly ContainerStatus[]): ObservedPod =>
  observedPod([aSandbox()], containers);

export function seenPod(
  observed: ObservedPod,
  more: {
    probes?: Readonly<Record<string, ProbeResults>>;
    backOffs?: SeenPod["backOffs"];
    podAddresses?: boolean;
    endedHere?: readonly string[];
  } = {},
): SeenPod {
  return {
    observed,
    probes: new Map(Object.entries(more.probes ?? {}).map(([id, results]) => [id as ContainerId, results])),
    backOffs: more.backOffs ?? new Map(),
    podAddresses: more.podAddresses ?? true,
    endedHere: new Set((more.endedHere ?? []).map((id) => id as ContainerId)),
  };
}
