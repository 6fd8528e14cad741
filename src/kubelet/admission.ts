// Whether a node takes a Pod that was bound to it (pod-lifecycle 4.2.2). The scheduler has looked already, but a Pod may be bound by hand, and things
// may have changed since.

import { matchesRequiredNodeAffinity } from "../api/core/v1/node-affinity.ts";
import { podRequests } from "../api/core/v1/pod-requests.ts";
import { untoleratedTaint } from "../api/core/v1/taints.ts";
import type { Node, Pod } from "../api/generated/core-v1.ts";
import { parseQuantity, type Quantity, quantityMilliValue, quantityValue } from "../api/meta/quantity.ts";
import { isHostNetwork } from "./pod-containers.ts";
import { isStaticPod } from "./static-pod.ts";

export type Admission =
  | { readonly kind: "admitted" }
  /** `reason` and `message` are those of the event; the status says `Pod was rejected: ` before the message. */
  | { readonly kind: "rejected"; readonly reason: string; readonly message: string };

export interface AdmissionInput {
  /** The node as it is in the API: labels and taints are read there. */
  readonly node: Node;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Pods that this node has admitted and that have not ended. */
  readonly others: readonly Pod[];
}

/** The first objection, in upstream's order. */
export function admitPod(pod: Pod, input: AdmissionInput): Admission {
  return (
    operatingSystemObjection(pod, input.node) ??
    sysctlObjection(pod) ??
    resourceObjection(pod, input) ??
    placementObjection(pod, input) ?? { kind: "admitted" }
  );
}

/** The message that goes into the status of a rejected Pod. */
export function rejectionMessage(message: string): string {
  return `Pod was rejected: ${message}`;
}

function operatingSystemObjection(pod: Pod, node: Node): Admission | undefined {
  const nodeOs = node.metadata.labels?.["kubernetes.io/os"];
  const selected = pod.spec.nodeSelector?.["kubernetes.io/os"];
  if (selected !== undefined && nodeOs !== undefined && selected !== nodeOs) {
    const message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
    return { kind: "rejected", reason: "PodOSSelectorNodeLabelDoesNotMatch", message };
  }
  const own = pod.spec.os?.name;
  if (own !== undefined && nodeOs !== undefined && own !== nodeOs) {
    const message = "Failed to admit pod as the OS field doesn't match node OS";
    return { kind: "rejected", reason: "PodOSNotSupported", message };
  }
  return undefined;
}

const safeSysctls = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

function sysctlObjection(pod: Pod): Admission | undefined {
  for (const { name } of pod.spec.securityContext.sysctls ?? []) {
    const dotted = name.replaceAll("/", ".");
    const shared = isHostNetwork(pod) && dotted.startsWith("net.");
    const sharedIpc = pod.spec.hostIPC === true && dotted.startsWith("kernel.shm");
    if (!safeSysctls.has(dotted)) {
      return { kind: "rejected", reason: "SysctlForbidden", message: `forbidden sysctl: "${name}" not allowlisted` };
    }
    if (shared || sharedIpc) {
      const namespace = shared ? "Host net" : "Host ipc";
      const message = `forbidden sysctl: "${name}" not allowed with ${namespace} enabled`;
      return { kind: "rejected", reason: "SysctlForbidden", message };
    }
  }
  return undefined;
}

function resourceObjection(pod: Pod, { allocatable, others }: AdmissionInput): Admission | undefined {
  const podCapacity = Number(quantityValue(parseQuantity(allocatable["pods"] ?? "0")));
  if (others.length + 1 > podCapacity) return outOf("pods", 1n, BigInt(others.length), BigInt(podCapacity));
  const requested = podRequests(pod);
  const used = others.map((other) => podRequests(other));
  for (const [resource, quantity] of Object.entries(requested).sort(
    ([a], [b]) => resourceOrder(a) - resourceOrder(b),
  )) {
    const capacity = allocatable[resource];
    if (quantity.nanos === 0n || (capacity === undefined && resourceOrder(resource) === extended)) continue;
    const inUse = used.reduce((sum, amounts) => sum + amountOf(resource, amounts[resource]), 0n);
    const wanted = amountOf(resource, quantity);
    const whole = capacity === undefined ? 0n : amountOf(resource, parseQuantity(capacity));
    if (wanted + inUse > whole) return outOf(resource, wanted, inUse, whole);
  }
  return undefined;
}

const extended = 3;

function resourceOrder(resource: string): number {
  const order = ["cpu", "memory", "ephemeral-storage"].indexOf(resource);
  return order < 0 ? extended : order;
}

function outOf(resource: string, requested: bigint, used: bigint, capacity: bigint): Admission {
  const message = `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { kind: "rejected", reason: `OutOf${resource}`, message };
}

/** cpu counts in thousandths, all else in whole units. */
function amountOf(resource: string, quantity: Quantity | undefined): bigint {
  if (quantity === undefined) return 0n;
  return resource === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);
}

function placementObjection(pod: Pod, { node, others }: AdmissionInput): Admission | undefined {
  const failed = (predicate: string, text: string): Admission => ({
    kind: "rejected",
    reason: predicate,
    message: `Predicate ${predicate} failed: ${text}`,
  });
  if (!matchesRequiredNodeAffinity(pod, node)) {
    return failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  }
  if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== node.metadata.name) {
    return failed("NodeName", "node(s) didn't match the requested node name");
  }
  const taken = others.flatMap(hostPorts);
  if (hostPorts(pod).some((wanted) => taken.some((other) => portsClash(wanted, other)))) {
    return failed("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  // What a node runs by itself is not driven away by its taints.
  if (!isStaticPod(pod) && untoleratedTaint(pod, node.spec.taints ?? [], ["NoExecute"]) !== undefined) {
    return failed("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  }
  return undefined;
}

interface HostPort {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
}

function hostPorts(pod: Pod): readonly HostPort[] {
  const containers = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === "Always"),
  ];
  return containers
    .flatMap((container) => container.ports ?? [])
    .filter((port) => (port.hostPort ?? 0) !== 0)
    .map((port) => ({ ip: port.hostIP ?? "", port: port.hostPort ?? 0, protocol: port.protocol }));
}

function portsClash(a: HostPort, b: HostPort): boolean {
  const any = (ip: string): boolean => ip === "" || ip === "0.0.0.0";
  return a.port === b.port && a.protocol === b.protocol && (any(a.ip) || any(b.ip) || a.ip === b.ip);
}
