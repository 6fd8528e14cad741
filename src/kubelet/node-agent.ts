// The node's side of being a member of a cluster: registration, status, lease (pod-lifecycle 12.1).

import type { Lease } from "../api/generated/coordination-v1.ts";
import type { Node } from "../api/generated/core-v1.ts";
import { isReason } from "../api/wire/status-error.ts";
import { formatMicroTime, type Millis, millis, seconds } from "../base/time.ts";
import type { RuntimeVersion } from "../runtimes/runtime-service.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import {
  computeNodeStatus,
  labelCorrections,
  needsReport,
  newNode,
  type NodeStatusInput,
  readyCondition,
} from "./node-status.ts";
import type { NodeWork } from "./node-work.ts";
import { repeat } from "./repeat.ts";
import { RuntimeExaminer } from "./runtime-health.ts";

const statusPeriod = seconds(10);
/** While something is wrong with the runtime, it is asked more often. */
const anxiousPeriod = seconds(1);
const leaseDurationSeconds = 40;
const leasePeriod = seconds(10);
const leaseNamespace = "kube-node-lease";
/** Registration is tried again after this, doubling up to the longest. */
const firstRegistrationRetry = millis(100);
const longestRegistrationRetry = seconds(7);

export class NodeAgent {
  readonly #work: NodeWork;
  readonly #parts: KubeletParts;
  readonly #signal: AbortSignal;
  readonly #runtimeVersion: RuntimeVersion;
  #node: Node | undefined;
  #lease: Lease | undefined;
  #wasReady: boolean | undefined;
  readonly #examiner: RuntimeExaminer;
  /** Ends the pause before the next report. */
  #ring = (): void => undefined;

  constructor(work: NodeWork, runtimeVersion: RuntimeVersion, signal: AbortSignal) {
    this.#work = work;
    this.#parts = work.parts;
    this.#signal = signal;
    this.#runtimeVersion = runtimeVersion;
    this.#examiner = new RuntimeExaminer(this.#parts.runtime.runtime, this.#parts.clock);
  }

  /** The object as this kubelet knows it. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** All Pods of the runtime were looked at, or could not be: then the node's status is due now. */
  runtimeLookedAt(succeeded: boolean): void {
    if (succeeded) this.#examiner.looked();
    else if (this.#wasReady === true) this.#ring();
  }

  /** Another state of the object was seen. */
  seenInApi(node: Node): void {
    this.#node = node;
  }

  /** Resolves when the node is registered; goes on trying until then. */
  async register(): Promise<void> {
    const { clock, log } = this.#parts;
    let wait: Millis = firstRegistrationRetry;
    for (;;) {
      try {
        await this.#registerOnce();
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        log(`registering the node: ${errorText(error)}`);
        await clock.sleep(wait, this.#signal);
        wait = Math.min(wait * 2, longestRegistrationRetry) as Millis;
      }
    }
  }

  /** Starts the heartbeats; they end with the signal. */
  start(): void {
    const { clock, log } = this.#parts;
    const signal = this.#signal;
    const statusPause = (): Millis =>
      this.#work.networkFault === "" && this.#wasReady === true ? statusPeriod : anxiousPeriod;
    const bell = (ring: () => void): void => {
      this.#ring = ring;
    };
    void repeat({ clock, signal, pause: statusPause, bell, label: "node status", log }, () => this.#reportStatus());
    void repeat({ clock, signal, pause: () => leasePeriod, label: "node lease", log }, () => this.#renewLease());
  }

  async #registerOnce(): Promise<void> {
    const { client, clock, node, recorder } = this.#parts;
    const input = await this.#askRuntime();
    const status = computeNodeStatus(node, undefined, input, clock.now());
    try {
      this.#node = await client.nodes.create(newNode(node, status));
      if (this.#node.status.conditions === undefined)
        this.#node = await client.nodes.updateStatus({ ...this.#node, status });
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error;
      this.#node = await this.#takeOver(await client.nodes.get(node.name));
    }
    recorder.record(this.#node, { type: "Normal", reason: "Starting", message: "Starting kubelet." });
    this.#tellReadiness();
  }

  /** The object is there from an earlier life of this node. */
  async #takeOver(existing: Node): Promise<Node> {
    const { client, node, recorder } = this.#parts;
    const known = existing.status.nodeInfo?.bootID;
    if (known !== undefined && known !== node.systemInfo.bootID) {
      const message = `Node ${node.name} has been rebooted, boot id: ${node.systemInfo.bootID}`;
      recorder.record(existing, { type: "Warning", reason: "Rebooted", message });
    }
    const labels = labelCorrections(existing, node);
    const labelled =
      labels === undefined
        ? existing
        : await client.nodes.patch(node.name, undefined, "strategic", { metadata: { labels } });
    return this.#writeStatus(labelled);
  }

  async #reportStatus(): Promise<void> {
    const { client, node } = this.#parts;
    if (this.#node === undefined) return;
    try {
      this.#node = await this.#writeStatus(this.#node);
    } catch (error) {
      if (isReason(error, "NotFound")) {
        await this.#registerOnce(); // somebody deleted the object; the node is still here
        return;
      }
      if (!isReason(error, "Conflict")) throw error;
      this.#node = await this.#writeStatus(await client.nodes.get(node.name));
    }
    this.#tellReadiness();
  }

  async #writeStatus(known: Node): Promise<Node> {
    const { client, clock, node } = this.#parts;
    const status = computeNodeStatus(node, known.status, await this.#askRuntime(), clock.now());
    if (!needsReport(known.status, status, clock.now())) return known;
    return client.nodes.patch(node.name, undefined, "strategic", { status }, "status");
  }

  async #askRuntime(): Promise<NodeStatusInput> {
    const runtime = await this.#examiner.examine();
    const network = runtime.conditions.find((condition) => condition.type === "NetworkReady");
    if (runtime.conditions.length > 0 || runtime.errors.length === 0)
      this.#work.networkFault =
        network === undefined || network.status
          ? ""
          : `container runtime network not ready: NetworkReady=false reason:${network.reason} message:${network.message}`;
    return { runtimeVersion: this.#runtimeVersion, runtime };
  }

  #tellReadiness(): void {
    const { node, recorder } = this.#parts;
    if (this.#node === undefined) return;
    const isReady = readyCondition(this.#node.status)?.status === "True";
    if (isReady === this.#wasReady) return;
    const isFirst = this.#wasReady === undefined;
    this.#wasReady = isReady;
    if (isFirst && !isReady) return;
    const reason = isReady ? "NodeReady" : "NodeNotReady";
    recorder.record(this.#node, { type: "Normal", reason, message: `Node ${node.name} status is now: ${reason}` });
  }

  async #renewLease(): Promise<void> {
    const { client, clock, node } = this.#parts;
    const renewTime = formatMicroTime(clock.now());
    try {
      if (this.#lease !== undefined) {
        this.#lease = await client.leases.update({ ...this.#lease, spec: { ...this.#lease.spec, renewTime } });
        return;
      }
    } catch (error) {
      this.#lease = undefined;
      if (!isReason(error, "Conflict") && !isReason(error, "NotFound")) throw error;
    }
    const existing = await client.leases.get(node.name, leaseNamespace).catch((error: unknown) => {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    });
    const spec = { holderIdentity: node.name, leaseDurationSeconds, renewTime };
    this.#lease =
      existing === undefined
        ? await client.leases.create(this.#newLease(spec), leaseNamespace)
        : await client.leases.update({ ...existing, spec: { ...existing.spec, ...spec } });
  }

  #newLease(spec: Lease["spec"]): Readonly<Record<string, unknown>> {
    const { name } = this.#parts.node;
    const uid = this.#node?.metadata.uid;
    const owner = uid === undefined ? [] : [{ apiVersion: "v1", kind: "Node", name, uid }];
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: leaseNamespace, ownerReferences: owner },
      spec,
    };
  }
}
