// A story: a cluster on a virtual clock, told in verbs that a Kubernetes user knows, checked against timelines that a person can read.

import type { ContainerStatus, Deployment, Node, Pod, ReplicaSet, Taint, TaintEffect } from "../api/index.ts";
import { kindOf, parseApiVersion } from "../api/kinds.ts";
import type { JsonObject } from "../api/wire/request.ts";
import { isReason } from "../api/wire/status-error.ts";
import { after, type Clock, minutes, type Millis } from "../base/time.ts";
import type { DeleteOptions, ResourceClient, StoredObject } from "../client/resource-client.ts";
import { settle } from "../host/settle.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import type { ImageBehaviour } from "../runtimes/simulated/behaviour.ts";
import { SimulatedCluster, type SimulatedNode, type SimulatedNodeOptions } from "../simulation/simulated-cluster.ts";
import type { VirtualClock } from "../simulation/virtual-clock.ts";
import { Chronicle, expectLines, expectTimeline, type TimelineLine } from "./chronicle.ts";
import { hasCondition, type Predicate } from "./predicates.ts";

/** What a story is told in: a simulated cluster, or one that does the same in another way. */
export type StoryCluster = Pick<
  SimulatedCluster,
  | "addNode"
  | "call"
  | "client"
  | "complaints"
  | "elapse"
  | "ground"
  | "image"
  | "logs"
  | "nodes"
  | "random"
  | "step"
  | "stop"
  | "transcript"
> & { readonly clock: Clock & Pick<VirtualClock, "settle"> };

/** A named story; `tell` runs it and throws when it does not go as told. */
export interface Story {
  readonly title: string;
  readonly tell: (t: StoryTeller) => Promise<void>;
}

/**
 * Names a story, to be told later and as often as one likes.
 * @example story("a Pod starts", async (t) => { await t.nodes("node-a"); … })
 */
export const story = (title: string, tell: (t: StoryTeller) => Promise<void>): Story => ({ title, tell });

/**
 * Tells a story in a cluster of its own, from a seed: the same seed gives the same life to the byte.
 * @returns the transcript: everything that was ever stored, with moment and revision
 * @throws what the story throws when it does not go as told
 */
export async function tellStory({ tell }: Story, seed: number | string = 1): Promise<string> {
  const cluster = await SimulatedCluster.start({ seed, settle });
  const teller = new StoryTeller(cluster);
  try {
    await teller.begin();
    await tell(teller);
    return cluster.transcript();
  } finally {
    await teller.end();
  }
}

/** A name like `pod/web`, `pod/other-namespace/web`, `node/node-a`. */
export type ObjectName = string;

export interface LogOptions {
  readonly container?: string;
  readonly previous?: boolean;
  readonly tailLines?: number;
  readonly timestamps?: boolean;
}

/** The verbs of a story, over one cluster. Each resolves when everything that follows from it at that moment has happened. */
export class StoryTeller {
  /** The cluster itself, for what has no verb: its client, its clock, its nodes. */
  readonly cluster: StoryCluster;
  readonly #chronicle: Chronicle;

  constructor(cluster: StoryCluster) {
    this.cluster = cluster;
    this.#chronicle = new Chronicle(cluster);
  }

  /** Begins to follow what happens; `tellStory` does it. */
  async begin(): Promise<void> {
    this.#chronicle.start();
    await this.cluster.clock.settle();
  }

  /** Begins a new chapter: timelines show what happens from now on, and count from now. */
  chapter(): void {
    this.#chronicle.chapter();
  }

  /** Adds nodes and waits until they are Ready. */
  async nodes(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.node(name);
  }

  /** Adds a node, waits until it is Ready, and gives its machine: there things can be made to go wrong. */
  async node(name: string, options: SimulatedNodeOptions = {}): Promise<SimulatedNode> {
    const node = await this.cluster.addNode(name, options);
    await this.until(`node/${name}`, hasCondition("Ready"), { within: minutes(1) });
    return node;
  }

  /** Declares how containers of an image behave. */
  image(name: string, behaviour: ImageBehaviour = {}): void {
    this.cluster.image(name, behaviour);
  }

  /** Creates objects. @throws StatusError as the API server words it */
  async apply(...objects: readonly JsonObject[]): Promise<void> {
    for (const object of objects) {
      const { namespace } = object.metadata as { namespace?: string };
      await this.cluster.call(this.#clientFor(object).create(object, namespace));
    }
    await this.cluster.clock.settle();
  }

  /** Deletes an object, a Pod gracefully unless told otherwise; what it owns goes in the background unless told otherwise. */
  async delete(
    name: ObjectName,
    options: Pick<DeleteOptions, "gracePeriodSeconds" | "propagationPolicy"> = {},
  ): Promise<void> {
    const { client, objectName, namespace } = this.#locate(name);
    await this.#call(client.delete(objectName, namespace, options));
  }

  /** `kubectl delete --force --grace-period=0` */
  async forceDelete(name: ObjectName): Promise<void> {
    await this.delete(name, { gracePeriodSeconds: 0 });
  }

  /** Asks the eviction API to take a Pod away. */
  async evict(name: ObjectName): Promise<void> {
    const { client, objectName, namespace } = this.#locate(name);
    const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: objectName, namespace } };
    await this.#call(client.createSubresource(objectName, namespace, "eviction", body));
  }

  /** `kubectl scale`: through the scale subresource. */
  async scale(name: ObjectName, replicas: number): Promise<void> {
    await this.patch(name, { spec: { replicas } }, "scale");
  }

  /** The Pods that carry these labels, in order of their names; those that are on their way out, too. */
  async pods(labels: Readonly<Record<string, string>>, namespace = "default"): Promise<readonly Pod[]> {
    const labelSelector = Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(",");
    return (await this.cluster.call(this.cluster.client.pods.list({ namespace, labelSelector }))).items;
  }

  /** The ReplicaSets of a namespace, in order of their names. */
  async replicaSets(namespace = "default"): Promise<readonly ReplicaSet[]> {
    return (await this.cluster.call(this.cluster.client.replicaSets.list({ namespace }))).items;
  }

  /** Patches an object by a merge patch, also its status or another subresource. */
  async patch(name: ObjectName, patch: JsonObject, subresource?: string): Promise<void> {
    const { client, objectName, namespace } = this.#locate(name);
    await this.#call(client.patch(objectName, namespace, "merge", patch, subresource));
  }

  /** Sets labels; `null` takes one away. */
  async label(name: ObjectName, labels: Readonly<Record<string, string | null>>): Promise<void> {
    await this.patch(name, { metadata: { labels } });
  }

  /** No new Pods for the node. */
  async cordon(node: string): Promise<void> {
    await this.patch(`node/${node}`, { spec: { unschedulable: true } });
  }

  async uncordon(node: string): Promise<void> {
    await this.patch(`node/${node}`, { spec: { unschedulable: null } });
  }

  /** Adds a taint as kubectl writes it: `key=value:NoExecute`, `key:NoSchedule`. */
  async taint(node: string, taint: string): Promise<void> {
    const [subject = "", effect = ""] = taint.split(":");
    const [key = "", value] = subject.split("=");
    const added: Taint = { key, ...(value !== undefined && { value }), effect: effect as TaintEffect };
    await this.#setTaints(node, (taints) => [...taints, added]);
  }

  /** Takes all taints with a key away. */
  async untaint(node: string, key: string): Promise<void> {
    await this.#setTaints(node, (taints) => taints.filter((taint) => taint.key !== key));
  }

  /** The disk that the cluster's state lies on has no space left: nothing can be written. */
  fillDisk(): void {
    this.cluster.ground.fillDisk();
  }

  freeDisk(): void {
    this.cluster.ground.freeDisk();
  }

  /** Somebody puts the machine's clock forward; no time passes. */
  putClockForward(by: Millis): void {
    this.cluster.ground.putClockForward(by);
  }

  /** Lets time pass. */
  async elapse(wait: Millis): Promise<void> {
    await this.cluster.elapse(wait);
  }

  /** Lets time pass until the object is in a state. Fails with the object and its timeline. */
  async until(name: ObjectName, state: Predicate, { within }: { readonly within: Millis }): Promise<void> {
    const { clock } = this.cluster;
    const limit = after(clock.now(), within);
    for (;;) {
      await clock.settle();
      const latest = await this.get(name);
      if (state(latest)) return;
      if (!(await this.cluster.step(limit))) {
        const found = JSON.stringify(latest?.status ?? latest, undefined, 1);
        throw new Error(
          `${name} was not ${state.title} within ${within / 1000}s; it is ${found}\n${this.timeline(name)}`,
        );
      }
    }
  }

  /** The object as it stands; `undefined` if it is not there. */
  async get<T = JsonObject>(name: ObjectName): Promise<T | undefined> {
    const { client, objectName, namespace } = this.#locate(name);
    try {
      return (await this.cluster.call(client.get(objectName, namespace))) as T;
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** A Pod that must be there; its name alone, or `namespace/name`. */
  async pod(name: string): Promise<Pod> {
    const found = await this.get<Pod>(`pod/${name}`);
    if (found === undefined) throw new Error(`there is no Pod ${name}`);
    return found;
  }

  /** The status of a Pod's container of any sort; of its first regular one if none is named. */
  async container(name: string, container?: string): Promise<ContainerStatus> {
    const { status } = await this.pod(name);
    const all = [
      ...(status.containerStatuses ?? []),
      ...(status.initContainerStatuses ?? []),
      ...(status.ephemeralContainerStatuses ?? []),
    ];
    const found = container === undefined ? all[0] : all.find((each) => each.name === container);
    if (found === undefined) throw new Error(`Pod ${name} has no status of a container ${container ?? ""}`);
    return found;
  }

  /** The runtime's id of a Pod's container, for faults. */
  async containerId(name: string, container?: string): Promise<ContainerId> {
    const { containerID = "" } = await this.container(name, container);
    return containerID.replace(/^.*:\/\//, "") as ContainerId;
  }

  /** What a container wrote. @throws StatusError as the API server words it */
  async logs(name: ObjectName, options: LogOptions = {}): Promise<string> {
    const { client, objectName, namespace } = this.#locate(name);
    return this.cluster.logs(`/api/v1/namespaces/${namespace}/${client.ref.resource}/${objectName}/log`, {
      ...options,
    });
  }

  /** What happened to one Pod in this chapter, a line each: `12s  [app] Running  restart 1`. */
  timeline(name: ObjectName): string {
    return this.#timeline(name)
      .map(({ text }) => text)
      .join("\n");
  }

  /**
   * Compares the timeline with a text, line by line; blanks at the ends of lines and the width of gaps do not matter, `<uid>` stands for every uid.
   * A line of the text may end in `…`: then only its beginning counts. Whether an event comes before or after a change of the status at the same
   * moment does not count.
   */
  expectTimeline(name: ObjectName, text: string): void {
    expectTimeline(`the timeline of ${name} is`, this.#timeline(name), text);
  }

  /** The events about an object that there are, oldest first: `Warning  [app] BackOff (3 times)  Back-off restarting…`. */
  events(name: ObjectName): readonly string[] {
    const { client, objectName, namespace } = this.#locate(name);
    return this.#chronicle.events(client.ref.kind, namespace, objectName);
  }

  /** Compares the events about an object with a text, in the same way as `expectTimeline`. */
  expectEvents(name: ObjectName, text: string): void {
    expectLines(`the events of ${name} are`, this.events(name), text);
  }

  /** Compares an object's conditions with a text: lines like `Ready False ContainersNotReady  containers with unready status: [app]`. */
  async expectConditions(name: ObjectName, text: string): Promise<void> {
    const found = await this.get<Pod | Node | Deployment>(name);
    const lines = (found?.status?.conditions ?? []).map(({ type, status, reason = "", message = "" }) =>
      [type, status, reason, message].join(" "),
    );
    expectLines(`the conditions of ${name} are`, lines, text);
  }

  /** Ends the story: stops everything. */
  async end(): Promise<void> {
    this.#chronicle.stop();
    await this.cluster.stop();
  }

  #timeline(name: ObjectName): readonly TimelineLine[] {
    const { objectName, namespace } = this.#locate(name);
    return this.#chronicle.timeline(namespace ?? "", objectName);
  }

  async #call(call: Promise<unknown>): Promise<void> {
    await this.cluster.call(call);
    await this.cluster.clock.settle();
  }

  async #setTaints(node: string, change: (taints: readonly Taint[]) => readonly Taint[]): Promise<void> {
    const found = await this.get<Node>(`node/${node}`);
    if (found === undefined) throw new Error(`there is no node ${node}`);
    await this.patch(`node/${node}`, { spec: { taints: change(found.spec?.taints ?? []) } });
  }

  #clientFor(object: JsonObject): ResourceClient<StoredObject> {
    const { apiVersion, kind } = object as { apiVersion: string; kind: string };
    const found = kindOf({ ...parseApiVersion(apiVersion), kind });
    if (found === undefined) throw new Error(`${apiVersion} ${kind} is not a kind that is served`);
    return this.cluster.client.resource(found);
  }

  #locate(name: ObjectName): {
    client: ResourceClient<StoredObject>;
    objectName: string;
    namespace: string | undefined;
  } {
    const parts = name.split("/");
    const kind = parts[0] as string;
    const { client: all } = this.cluster;
    const clients: Record<string, unknown> = {
      pod: all.pods,
      node: all.nodes,
      namespace: all.namespaces,
      configmap: all.configMaps,
      secret: all.secrets,
      serviceaccount: all.serviceAccounts,
      replicationcontroller: all.replicationControllers,
      replicaset: all.replicaSets,
      deployment: all.deployments,
      statefulset: all.statefulSets,
      daemonset: all.daemonSets,
      job: all.jobs,
      cronjob: all.cronJobs,
      controllerrevision: all.controllerRevisions,
      service: all.services,
      endpoints: all.endpoints,
      endpointslice: all.endpointSlices,
      horizontalpodautoscaler: all.horizontalPodAutoscalers,
      poddisruptionbudget: all.podDisruptionBudgets,
    };
    const client = clients[kind] as ResourceClient<StoredObject> | undefined;
    if (client === undefined)
      throw new Error(`"${name}" does not begin with one of ${Object.keys(clients).join(", ")}`);
    const namespace = client.ref.namespaced ? (parts.length > 2 ? (parts[1] as string) : "default") : undefined;
    return { client, objectName: parts.at(-1) as string, namespace };
  }
}
