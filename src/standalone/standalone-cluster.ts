// A cluster on this machine: data folder, certificates, HTTPS, store, runtime, node, and all parts on the machine's clock. What `lifepod run`, `lifepod up`
// and the library's startCluster stand on.

import type { RequestHandler, UserInfo } from "../api/wire/request.ts";
import type { Node } from "../api/index.ts";
import type { Random } from "../base/random.ts";
import { type Clock, millis } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { type Cluster, startCluster as startParts } from "../cluster/cluster.ts";
import { loadOrCreateCertificates } from "../host/certificates.ts";
import { startHttpServer } from "../host/http-server.ts";
import { writeKubeconfig } from "../host/kubeconfig.ts";
import { readMachine, readMachineUsage } from "../host/machine.ts";
import { HostFilesystem } from "../host/node-filesystem.ts";
import { entropicRandom, WallClock } from "../host/wall-clock.ts";
import { HostNetwork } from "../network/host/host-network.ts";
import type { ServiceDataPath } from "../network/service-routes.ts";
import type { ContainerRuntime } from "../runtimes/runtime-service.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";
import {
  addressOf,
  apiServerIndex,
  type ClusterAddresses,
  claimAddresses,
  clusterDnsIndex,
} from "./cluster-addresses.ts";
import { type ChosenRuntime, chooseRuntime, type ImageCommands, type RuntimeChoice } from "./choose-runtime.ts";
import { type DataFolder, dataFolder, makeDataFolder, writeServerRecord } from "./data-folder.ts";
import { endPods } from "./end-pods.ts";
import { LazyDataPath, openDataPath } from "./open-data-path.ts";
import { clusterDnsPlace, LazyNameServer, openNameServer } from "./open-name-server.ts";

export interface StandaloneOptions {
  /** The one folder that holds everything; made if it is not there. */
  readonly folder: string;
  /** Keep the state on disk, so that the next start finds it; else only in memory. */
  readonly durable: boolean;
  /** Address to listen on. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly runtime: RuntimeChoice;
  /** Socket of containerd, if it is not at a usual place. */
  readonly runtimeEndpoint?: string;
  /** On the process runtime: what an image stands for, as a command line of the shell. */
  readonly images?: ImageCommands;
  /** A folder of manifests that the node runs by itself. */
  readonly staticPodPath?: string;
  /** The node's name; the machine's host name if absent. */
  readonly nodeName?: string;
  readonly log: (message: string) => void;
}

export interface StandaloneCluster {
  /** `https://127.0.0.1:6443` */
  readonly url: string;
  readonly kubeconfigPath: string;
  readonly runtimeName: string;
  /** Why this runtime, as one clause. */
  readonly runtimeReason: string;
  readonly nodeName: string;
  /** Calls as the administrator, without a socket. */
  readonly client: Client;
  /** The API server's door, and who the administrator is. */
  readonly handle: RequestHandler;
  readonly user: UserInfo;
  readonly clock: Clock;
  readonly random: Random;
  /** Resolves when the node takes Pods: Ready, and without the taint of a node that is not. Rejects with what it waits for if that takes too long. */
  whenNodeReady(): Promise<void>;
  /** Ends everything. Pods are left running (the next start adopts them) or ended with their own grace. */
  stop(options: { readonly pods: "leave" | "end" }): Promise<void>;
}

const administrator: UserInfo = { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] };

/** Resolves when `/readyz` answers 200. @throws Error fit for people when the folder, the port or the runtime cannot be had */
export async function startStandaloneCluster(options: StandaloneOptions): Promise<StandaloneCluster> {
  const clock = new WallClock({
    onSetBack: (by) =>
      options.log(
        `the machine's clock was set back by ${Math.round(by / 1000)}s: lifepod's goes on, a little slower until they agree; start lifepod again to set it at once`,
      ),
  });
  const random = entropicRandom();
  const folder = dataFolder(options.folder);
  await makeDataFolder(folder);
  const machine = await readMachine(folder.root);
  const nodeName = options.nodeName ?? machine.hostname;
  const started: (() => Promise<void>)[] = [];
  try {
    const store = await openStore(folder, options, clock);
    started.push(() => store.close());
    const addresses = await claimAddresses(folder.addresses, folder.root, options.log);
    started.push(async () => addresses.release());
    const chosenRuntime = chooseRuntime({
      choice: options.runtime,
      ...(options.runtimeEndpoint !== undefined && { endpoint: options.runtimeEndpoint }),
      ...(options.images !== undefined && { images: options.images }),
      processState: folder.processes,
      processPods: addresses.processPods,
      clock,
    });
    // Looked at below; until then its failure must not count as unheard. Whatever else fails meanwhile, it is closed.
    const opened = chosenRuntime.catch(() => undefined);
    started.push(async () => (await opened)?.runtime.close());
    const certificates = await loadOrCreateCertificates(
      folder.certificates,
      serverNames(options.host, machine.hostname, machine.address, addresses),
    );
    const serviceCidr = (await isProcess(options.runtime, opened))
      ? addresses.processServices
      : addresses.containerServices;
    const cluster = await startParts({
      clock,
      random,
      store,
      serviceCidr,
      authorityCertificate: certificates.authority,
      log: options.log,
    });
    started.push(() => cluster.stop());
    const http = await startHttpServer({
      handle: cluster.handle,
      certificates,
      host: options.host,
      port: options.port,
      log: options.log,
    });
    started.push(() => http.close());
    const url = `https://${reachableAddress(options.host)}:${http.port}`;
    await writeKubeconfig(folder.kubeconfig, url, certificates);
    await cluster.publishApiServer({ address: publishedAddress(options.host, machine.address), port: http.port });

    const { runtime, name, reason } = await chosenRuntime;
    await writeServerRecord(folder, {
      url,
      host: options.host,
      port: http.port,
      pid: process.pid,
      runtime: name,
      ...(options.runtimeEndpoint !== undefined && { runtimeEndpoint: options.runtimeEndpoint }),
      ...(options.images !== undefined && { images: options.images }),
    });
    const nodeAddress = name === "process" ? "127.0.0.1" : machine.address;
    const services = new LazyDataPath(() =>
      openDataPath({
        clock,
        random,
        nodeAddresses: nodePortAddresses(nodeAddress, options.host),
        kernelTable: `lifepod-${addresses.slot}`,
        log: options.log,
      }),
    );
    const dns = clusterDnsPlace(addressOf(serviceCidr, clusterDnsIndex), name);
    await addThisMachine(cluster, {
      ...(options.staticPodPath !== undefined && { staticPodPath: options.staticPodPath }),
      folder,
      runtime,
      machine,
      nodeName,
      nodeAddress,
      services,
      ...(dns.isReachedByPods && { clusterDns: dns.address }),
    });
    cluster.startDns({
      server: new LazyNameServer(() => openNameServer({ ...dns, random, log: options.log })),
      address: dns.address,
      domain: clusterDomain,
    });
    const client = cluster.client(administrator, "lifepod");
    return {
      url,
      kubeconfigPath: folder.kubeconfig,
      runtimeName: name,
      runtimeReason: reason,
      nodeName,
      client,
      handle: cluster.handle,
      user: administrator,
      clock,
      random,
      whenNodeReady: () => nodeReady(client, nodeName, clock),
      async stop({ pods }) {
        if (pods === "end") {
          await cluster.stopWorkloads();
          await endPods(client, clock, folder.pods);
        }
        await endAll(started);
      },
    };
  } catch (error) {
    await endAll(started);
    throw error;
  }
}

const clusterDomain = "cluster.local";

/** Only a containerd that has to be asked first makes the start wait for it. */
const isProcess = async (choice: RuntimeChoice, opened: Promise<ChosenRuntime | undefined>): Promise<boolean> =>
  choice === "process" || (choice === "auto" && (await opened)?.name === "process");

/** How long a node may take until it takes Pods, in milliseconds. */
const nodeReadyLimit = millis(60_000);

async function nodeReady(client: Client, name: string, clock: Clock): Promise<void> {
  let latest: Node | undefined;
  const tooLate = new AbortController();
  const watching = new Promise<void>((resolve, reject) => {
    const receiver = {
      event: ({ object }: { readonly object: Node }) => {
        latest = object;
        if (takesPods(object)) resolve();
      },
      closed: () => reject(new Error(`the watch of node ${name} ended`)),
    };
    client.nodes.watch({ fieldSelector: `metadata.name=${name}` }, receiver).then((watch) => {
      tooLate.signal.addEventListener("abort", () => watch.stop(), { once: true });
    }, reject);
  });
  const limit = clock.setTimer(nodeReadyLimit, () => tooLate.abort());
  const late = new Promise<never>((_, reject) => {
    tooLate.signal.addEventListener("abort", () => {
      const why = latest?.status.conditions?.find(({ type }) => type === "Ready")?.message ?? "it has not registered";
      reject(new Error(`node ${name} does not take Pods after ${nodeReadyLimit / 1000}s: ${why}`));
    });
  });
  late.catch(() => undefined);
  await Promise.race([watching, late]);
  limit.cancel();
  tooLate.abort();
}

const takesPods = (node: Node): boolean =>
  node.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true &&
  !(node.spec.taints ?? []).some(({ key }) => key === "node.kubernetes.io/not-ready");

/** In the opposite order of starting. */
async function endAll(started: readonly (() => Promise<void>)[]): Promise<void> {
  for (const end of [...started].reverse()) await end();
}

async function openStore(
  folder: DataFolder,
  { durable, log }: Pick<StandaloneOptions, "durable" | "log">,
  clock: Clock,
): Promise<Store> {
  if (!durable) return new MemoryStore({ clock });
  const { openLmdbStore } = await import("../store/lmdb/lmdb-store.ts");
  return openLmdbStore({ path: folder.store, clock, log });
}

/** What the server's certificate must be valid for. */
function serverNames(
  host: string,
  hostname: string,
  address: string,
  { processServices, containerServices }: ClusterAddresses,
): readonly string[] {
  const names = [
    "localhost",
    "127.0.0.1",
    "::1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    addressOf(processServices, apiServerIndex),
    addressOf(containerServices, apiServerIndex),
    hostname,
    address,
  ];
  return [...new Set(host === "0.0.0.0" || host === "::" ? names : [...names, host])];
}

/** Where clients on this machine reach a server that listens on `host`. */
const reachableAddress = (host: string): string =>
  host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;

/** Where Pods find the server: its own address, and the machine's when it listens on all. */
function publishedAddress(host: string, machineAddress: string): string {
  if (host === "0.0.0.0" || host === "::") return machineAddress;
  return host.includes(":") || host === "localhost" ? "127.0.0.1" : host;
}

interface ThisMachine {
  readonly staticPodPath?: string;
  readonly folder: DataFolder;
  readonly runtime: ContainerRuntime;
  readonly machine: Awaited<ReturnType<typeof readMachine>>;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly services: ServiceDataPath;
  readonly clusterDns?: string;
}

/** Node ports are open at the node's own address, and where the API server was told to listen. */
const nodePortAddresses = (nodeAddress: string, host: string): readonly string[] =>
  host === "0.0.0.0" || host === "::" ? [host] : [...new Set([nodeAddress, "127.0.0.1", host])];

async function addThisMachine(
  cluster: Cluster,
  { staticPodPath, folder, runtime, machine, nodeName, nodeAddress, services, clusterDns }: ThisMachine,
): Promise<void> {
  await cluster.addNode({
    node: {
      name: nodeName,
      labels: {
        "kubernetes.io/hostname": nodeName,
        "kubernetes.io/os": machine.operatingSystem,
        "kubernetes.io/arch": machine.architecture,
      },
      addresses: [
        { type: "InternalIP", address: nodeAddress },
        { type: "Hostname", address: nodeName },
      ],
      capacity: {
        cpu: String(machine.cpus),
        memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
        "ephemeral-storage": `${Math.floor(machine.storageBytes / 1024)}Ki`,
        pods: "110",
      },
      systemInfo: {
        machineID: machine.machineId,
        systemUUID: machine.systemUuid,
        bootID: machine.bootId,
        kernelVersion: machine.kernelVersion,
        osImage: machine.osImage,
        operatingSystem: machine.operatingSystem,
        architecture: machine.architecture,
      },
      ...(staticPodPath !== undefined && { staticPodPath }),
      rootDirectory: folder.pods,
      podLogsDirectory: folder.podLogs,
      ...(clusterDns !== undefined && { clusterDns: [clusterDns] }),
      clusterDomain,
      machineUsage: readMachineUsage,
    },
    runtime,
    network: new HostNetwork(),
    filesystem: new HostFilesystem(),
    services,
  });
}
