// Puts the parts together: one API server over one store, the controllers, the scheduler, and nodes as they are added. The only folder that knows
// all the parts; it is given everything that touches the machine (or simulates one).

import type { ApiServer } from "../apiserver/api-server.ts";
import { createApiServer } from "../apiserver/api-server.ts";
import type { ServerAddress } from "../apiserver/kubernetes-service.ts";
import type {
  ContainerLogAnswer,
  NodeConnector,
  NodeUsageAnswer,
  PodStreamAnswer,
} from "../apiserver/node-connector.ts";
import type { RequestHandler, UserInfo } from "../api/wire/request.ts";
import type { Random } from "../base/random.ts";
import { type Clock, type Millis, seconds } from "../base/time.ts";
import { type Client, createClient, type Transport } from "../client/client.ts";
import { createEventRecorder, type RunningEventRecorder } from "../client/event-recorder.ts";
import { type RunningControllers, startControllers } from "../controllers/start-controllers.ts";
import { type RunningDns, startDns } from "../dns/reconcile.ts";
import { type Kubelet, type KubeletNode, startKubelet } from "../kubelet/kubelet.ts";
import type { PodNetwork } from "../network/pod-network.ts";
import type { NameServer } from "../network/name-server.ts";
import type { ServiceDataPath } from "../network/service-routes.ts";
import { type RunningProxy, startProxy } from "../proxy/reconcile.ts";
import type { NodeFilesystem } from "../runtimes/node-filesystem.ts";
import type { ContainerRuntime } from "../runtimes/runtime-service.ts";
import { type RunningScheduler, startScheduler } from "../scheduler/scheduler.ts";
import type { Store } from "../store/store.ts";
import { type NodeDisk, volumeFolders } from "./volume-folders.ts";

export interface ClusterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  /** PEM of the authority that Pods should trust; published in every namespace. */
  readonly authorityCertificate: string;
  /** Where the addresses of Services come from: IPv4, `10.96.0.0/16` unless said. */
  readonly serviceCidr?: string;
  /** Told of what went wrong inside a part and was retried. */
  readonly log: (message: string) => void;
  /**
   * The way of one part (`controllers`, `scheduler`, `kubelet/<node>`) to the API server, asked for each time the part starts; the direct one if
   * absent. A simulation puts its faults there.
   */
  readonly transportFor?: (part: string, direct: Transport) => Transport;
}

/** What a node brings: its machine, real or simulated. */
export interface NodeParts {
  readonly node: KubeletNode;
  readonly runtime: ContainerRuntime;
  readonly network: PodNetwork;
  readonly filesystem: NodeFilesystem;
  /** Carries connections to Services; without it nobody on this node reaches them by their addresses. */
  readonly services?: ServiceDataPath;
  /** Wraps the node's way to the API server, for whoever wants to cut it; straight if absent. */
  readonly road?: (handle: RequestHandler) => RequestHandler;
}

/** Where Pods ask for names. */
export interface ClusterDns {
  readonly server: NameServer;
  /** The address of the Service `kube-dns`, within the range of Services. */
  readonly address: string;
  /** `cluster.local` */
  readonly domain: string;
}

export interface Cluster {
  /** The one door of the API server. */
  readonly handle: RequestHandler;
  /** A client for calls of one's own. */
  client(user: UserInfo, userAgent: string): Client;
  /** Says where the API server listens, so that Pods find it as `kubernetes.default`. May be called again when that changes. */
  publishApiServer(address: ServerAddress): Promise<void>;
  /** Starts a kubelet; resolves when it runs. Its Node object appears a moment later. */
  addNode(parts: NodeParts): Promise<Kubelet>;
  /** Starts to answer names; the server is asked to begin when Services are known. */
  startDns(dns: ClusterDns): void;
  /** Stops one node's kubelet, as if its process had been ended; its Pods go on. */
  stopNode(name: string): Promise<void>;
  /** Ends the controllers and starts them anew: they know nothing but what they find. */
  restartControllers(): Promise<void>;
  /** The same with the scheduler. */
  restartScheduler(): Promise<void>;
  /** Stops all parts; Pods go on running. Does not close the store. */
  stop(): Promise<void>;
  /** From now on no Pod is replaced: for whoever ends them all. */
  stopWorkloads(): Promise<void>;
}

/** How long the end of a cluster may wait for events that are on their way. */
const flushLimit = seconds(2);

async function atMost(limit: Millis, clock: Clock, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const late = clock.sleep(limit, enough.signal).catch(() => undefined);
  await Promise.race([work, late]);
  enough.abort();
}

/** Who the parts are when they call the API server. */
const partUser = (name: string): UserInfo => ({ username: name, groups: ["system:masters", "system:authenticated"] });

/** Starts everything but nodes; resolves when the API server answers. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { clock, random, store, log } = options;
  const kubelets = new Map<string, Kubelet>();
  const proxies = new Map<string, RunningProxy>();
  const disks = new Map<string, NodeDisk>();
  let dns: RunningDns | undefined;
  const silent = (nodeName: string) =>
    ({ kind: "refused", status: 500, message: `the kubelet of node ${nodeName} does not answer` }) as const;
  const nodes: NodeConnector = {
    async containerLogs(nodeName, request): Promise<ContainerLogAnswer> {
      return kubelets.get(nodeName)?.containerLogs(request) ?? silent(nodeName);
    },
    async nodeUsage(nodeName): Promise<NodeUsageAnswer> {
      return kubelets.get(nodeName)?.usage() ?? silent(nodeName);
    },
    async podStream(nodeName, request): Promise<PodStreamAnswer> {
      return kubelets.get(nodeName)?.podStream(request) ?? silent(nodeName);
    },
  };
  const server: ApiServer = createApiServer({
    store,
    clock,
    random,
    nodes,
    options: {
      ...(options.serviceCidr !== undefined && { serviceCidr: options.serviceCidr }),
      reportFailure: (what, error) => log(`${what} is not as it should be: ${String(error)}`),
      reportError: (error, { method, path }) =>
        log(
          `${method} ${path} failed inside lifepod: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        ),
    },
  });
  await server.start();

  const clientOf = (user: UserInfo, userAgent: string, transport: RequestHandler = server.handle): Client =>
    createClient({ transport, user, userAgent, clock });
  /** A part goes the road that it was given, and on it what is put in its way. */
  const partClientOf = (part: string, user: UserInfo, userAgent: string, road = server.handle): Client =>
    clientOf(user, userAgent, options.transportFor?.(part, road) ?? road);
  const recorders: RunningEventRecorder[] = [];
  const recorderOf = (client: Client, component: string, host?: string): RunningEventRecorder => {
    const recorder = createEventRecorder({
      client,
      clock,
      source: { component, ...(host !== undefined && { host }) },
      onDropped: (subject, note, error) =>
        log(`event ${note.reason} about ${subject.kind} ${subject.metadata.name} was dropped: ${String(error)}`),
    });
    recorders.push(recorder);
    return recorder;
  };

  const beginControllers = (): RunningControllers => {
    const client = partClientOf("controllers", partUser("system:kube-controller-manager"), "lifepod-controllers");
    return startControllers({
      client,
      clock,
      random,
      recorderFor: (component) => recorderOf(client, component),
      authorityCertificate: options.authorityCertificate,
      volumeFolders: volumeFolders((name) => disks.get(name)),
      log,
    });
  };
  const beginScheduler = (): RunningScheduler => {
    const client = partClientOf("scheduler", partUser("system:kube-scheduler"), "lifepod-scheduler");
    return startScheduler({ client, clock, random, recorder: recorderOf(client, "default-scheduler") });
  };
  let controllers = beginControllers();
  let scheduler = beginScheduler();

  const startNodeProxy = (
    nodeName: string,
    dataPath: ServiceDataPath,
    road: RequestHandler | undefined,
  ): RunningProxy => {
    const client = clientOf(partUser("system:kube-proxy"), "lifepod-proxy", road);
    const recorder = recorderOf(client, "kube-proxy", nodeName);
    return startProxy({ client, clock, random, recorder, dataPath, nodeName, log });
  };

  return {
    handle: server.handle,
    client: (user, userAgent) => clientOf(user, userAgent),
    publishApiServer: (address) => server.publish(address),
    async addNode(parts) {
      const { name } = parts.node;
      if (kubelets.has(name)) throw new Error(`node ${name} is running already`);
      const client = partClientOf(
        `kubelet/${name}`,
        { username: `system:node:${name}`, groups: ["system:nodes", "system:masters", "system:authenticated"] },
        "lifepod-kubelet",
        parts.road?.(server.handle),
      );
      const kubelet = await startKubelet({
        ...parts,
        client,
        clock,
        random,
        recorder: recorderOf(client, "kubelet", name),
        log,
      });
      kubelets.set(name, kubelet);
      disks.set(name, { filesystem: parts.filesystem, rootDirectory: parts.node.rootDirectory });
      if (parts.services !== undefined)
        proxies.set(name, startNodeProxy(name, parts.services, parts.road?.(server.handle)));
      return kubelet;
    },
    startDns(parts) {
      dns ??= startDns({ ...parts, client: clientOf(partUser("system:coredns"), "lifepod-dns"), clock, random, log });
    },
    async stopNode(name) {
      const kubelet = kubelets.get(name);
      kubelets.delete(name);
      disks.delete(name);
      await kubelet?.stop();
      await proxies.get(name)?.stop();
      proxies.delete(name);
    },
    async stopWorkloads() {
      await controllers.stopWorkloads();
      for (const kubelet of kubelets.values()) kubelet.endStaticPods();
    },
    async restartControllers() {
      await controllers.stop();
      controllers = beginControllers();
    },
    async restartScheduler() {
      await scheduler.stop();
      scheduler = beginScheduler();
    },
    async stop() {
      await Promise.all([...kubelets.values()].map((kubelet) => kubelet.stop()));
      kubelets.clear();
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
      proxies.clear();
      await dns?.stop();
      await scheduler.stop();
      await controllers.stop();
      await atMost(flushLimit, clock, Promise.all(recorders.map((recorder) => recorder.flushed())));
      await server.stop();
    },
  };
}
