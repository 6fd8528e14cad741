// What every acting part of one kubelet shares: its way to the API server, its machine, its clock and chance.

import type { NodeAddress, NodeSystemInfo } from "../api/generated/core-v1.ts";
import type { Random } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import type { PodNetwork } from "../network/pod-network.ts";
import type { NodeFilesystem } from "../runtimes/node-filesystem.ts";
import type { ContainerRuntime } from "../runtimes/runtime-service.ts";
import type { NodePaths } from "./node-paths.ts";
import type { MachineUsage } from "./usage-meter.ts";

/** The machine that a kubelet speaks for. */
export interface KubeletNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The primary InternalIP first. */
  readonly addresses: readonly NodeAddress[];
  /** All of it is allocatable. `pods` is the number of Pods at most; 110 if it is missing. */
  readonly capacity: Readonly<Record<string, string>>;
  readonly systemInfo: Omit<NodeSystemInfo, "containerRuntimeVersion" | "kubeletVersion" | "kubeProxyVersion">;
  /** The kubelet's own folder. */
  readonly rootDirectory: string;
  /** The folder of manifests that the node runs by itself; none if absent. */
  readonly staticPodPath?: string;
  /** Where the logs of all Pods are. */
  readonly podLogsDirectory: string;
  /** Addresses of the cluster's DNS; without them Pods resolve as the node does. */
  readonly clusterDns?: readonly string[];
  readonly clusterDomain: string;
  /** What the machine as a whole has used; without it the node uses what its containers use. */
  readonly machineUsage?: () => Promise<MachineUsage>;
}

export interface KubeletDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: EventRecorder;
  readonly runtime: ContainerRuntime;
  readonly network: PodNetwork;
  readonly filesystem: NodeFilesystem;
  readonly node: KubeletNode;
  /** Told of what went wrong inside and is tried again. */
  readonly log: (message: string) => void;
}

export interface KubeletParts extends KubeletDependencies {
  readonly paths: NodePaths;
  /** `containerd`: the prefix of container ids. */
  readonly runtimeName: string;
  /** Marks what this kubelet has made, among all that the runtime has. */
  readonly ownLabel: Readonly<Record<string, string>>;
}

/** The node's addresses as Pods on its network see them. */
export function nodeIps(node: KubeletNode): readonly string[] {
  return node.addresses.filter((address) => address.type === "InternalIP").map((address) => address.address);
}

export const defaultMaxPods = "110";

export function allocatableOf(node: KubeletNode): Readonly<Record<string, string>> {
  return { pods: defaultMaxPods, ...node.capacity };
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
