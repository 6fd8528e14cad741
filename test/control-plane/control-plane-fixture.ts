// The API server, the scheduler and the controllers on the virtual clock, with nodes that only say what a test lets them say.

import type { Event, Node, NodeCondition, Pod } from "../../src/api/index.ts";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { type ApiServer, createApiServer } from "../../src/apiserver/api-server.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { type Millis, formatMicroTime, formatTime, seconds } from "../../src/base/time.ts";
import { type Client, createClient } from "../../src/client/client.ts";
import { volumeFolders } from "../../src/cluster/volume-folders.ts";
import { createEventRecorder } from "../../src/client/event-recorder.ts";
import { type RunningControllers, startControllers } from "../../src/controllers/start-controllers.ts";
import { settle } from "../../src/host/settle.ts";
import { MemoryFilesystem } from "../../src/runtimes/simulated/memory-filesystem.ts";
import { type RunningScheduler, startScheduler } from "../../src/scheduler/scheduler.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";

export const certificate = "-----BEGIN CERTIFICATE-----\ntest\n-----END CERTIFICATE-----\n";

export class ControlPlane {
  readonly clock = new VirtualClock(settle);
  readonly client: Client;
  /** The one disk of all nodes. */
  readonly disk = new MemoryFilesystem();
  readonly log: string[] = [];
  readonly errors: unknown[] = [];
  readonly #server: ApiServer;
  readonly #beating = new Set<string>();
  #controllers: RunningControllers | undefined;
  #scheduler: RunningScheduler | undefined;

  private constructor() {
    const { clock } = this;
    this.#server = createApiServer({
      store: new MemoryStore({ clock }),
      clock,
      random: new SeededRandom(1),
      nodes: {
        containerLogs: async () => ({ kind: "refused", status: 500, message: "no kubelet" }),
        nodeUsage: async () => ({ kind: "refused", status: 500, message: "no kubelet" }),
        podStream: async () => ({ kind: "refused", status: 500, message: "no kubelet" }),
      },
      options: { freezeObjects: true, reportError: (error) => this.errors.push(error) },
    });
    this.client = createClient({
      transport: this.#server.handle,
      user: { username: "admin", groups: ["system:masters", "system:authenticated"] },
      userAgent: "test",
      clock,
    });
  }

  /** Everything runs and knows the cluster; the namespaces have what they need. */
  static async start(): Promise<ControlPlane> {
    const plane = new ControlPlane();
    await plane.#server.start();
    const { client, clock } = plane;
    const random = new SeededRandom(2);
    const recorderFor = (component: string) => createEventRecorder({ client, clock, source: { component } });
    plane.#controllers = startControllers({
      client,
      clock,
      random,
      recorderFor,
      authorityCertificate: certificate,
      volumeFolders: volumeFolders(() => ({ filesystem: plane.disk, rootDirectory: "/kubelet" })),
      log: (message) => plane.log.push(message),
    });
    plane.#scheduler = startScheduler({
      client,
      clock,
      random,
      recorder: recorderFor("default-scheduler"),
      onFailure: (error) => plane.log.push(String(error)),
    });
    await plane.settle();
    return plane;
  }

  async stop(): Promise<void> {
    this.#beating.clear();
    await this.#scheduler?.stop();
    await this.#controllers?.stop();
    await this.#server.stop();
    if (this.errors.length > 0) throw new AggregateError(this.errors, "the API server failed by itself");
  }

  settle(): Promise<void> {
    return this.clock.settle();
  }

  async advance(wait: Millis): Promise<void> {
    await this.clock.advance(wait);
  }

  /** A node that registers, says that it is ready, and renews its lease every ten seconds until it is told to be silent. */
  async addNode(name: string, { zone, cpu = "4" }: { zone?: string; cpu?: string } = {}): Promise<void> {
    const { client } = this;
    const labels = { "kubernetes.io/hostname": name, ...(zone && { "topology.kubernetes.io/zone": zone }) };
    const allocatable = { cpu, memory: "8Gi", pods: "110" };
    await client.nodes.create({ metadata: { name, labels }, status: { allocatable, capacity: allocatable } });
    await client.leases.create({ metadata: { name }, spec: { holderIdentity: name } }, "kube-node-lease");
    await this.report(name, "True");
    this.#beating.add(name);
    void this.#beat(name);
    await this.settle();
  }

  silence(name: string): void {
    this.#beating.delete(name);
  }

  /** The node's kubelet posts its status. */
  async report(name: string, ready: "True" | "False"): Promise<void> {
    const at = formatTime(this.clock.now());
    const condition = (type: string, status: "True" | "False"): NodeCondition => ({
      type,
      status,
      reason: "Kubelet",
      message: "as reported",
      lastHeartbeatTime: at,
      lastTransitionTime: at,
    });
    const conditions = [
      ...["MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => condition(type, "False")),
      condition("Ready", ready),
    ];
    await this.client.nodes.patch(name, undefined, "strategic", { status: { conditions } }, "status");
    await this.settle();
  }

  async createPod(name: string, spec: JsonObject = {}, namespace = "default"): Promise<Pod> {
    const pod = await this.client.pods.create(
      { metadata: { name }, spec: { containers: [{ name: "main", image: "image:1" }], ...spec } },
      namespace,
    );
    await this.settle();
    return pod;
  }

  pod(name: string, namespace = "default"): Promise<Pod> {
    return this.client.pods.get(name, namespace);
  }

  /** `key:effect` of each taint. */
  async taints(name: string): Promise<string[]> {
    const node: Node = await this.client.nodes.get(name);
    return (node.spec.taints ?? []).map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`);
  }

  /** `type=status` of the conditions named. */
  async conditions(name: string): Promise<Record<string, string>> {
    const node: Node = await this.client.nodes.get(name);
    return Object.fromEntries((node.status.conditions ?? []).map(({ type, status }) => [type, status]));
  }

  async events(about: string): Promise<string[]> {
    const { items } = await this.client.events.list();
    return items
      .filter(({ involvedObject }: Event) => involvedObject.name === about)
      .map(({ source, type, reason, message }: Event) => `${source?.component} ${type} ${reason} ${message}`);
  }

  async #beat(name: string): Promise<void> {
    while (this.#beating.has(name)) {
      const renewTime = formatMicroTime(this.clock.now());
      await this.client.leases.patch(name, "kube-node-lease", "merge", { spec: { renewTime } });
      await this.clock.sleep(seconds(10));
    }
  }
}
