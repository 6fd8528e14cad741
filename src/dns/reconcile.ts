// Keeps the cluster's name server at what Services, EndpointSlices and namespaces say, and the Service by which people find it.

import { isReason } from "../api/wire/status-error.ts";
import type { Random } from "../base/random.ts";
import { type Clock, seconds } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { Controller, type ReconcileOutcome, done } from "../client/controller.ts";
import { createInformer } from "../client/informer.ts";
import type { NameServer } from "../network/name-server.ts";
import { planRecords } from "./plan.ts";

export interface DnsParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly server: NameServer;
  /** `cluster.local` */
  readonly domain: string;
  /** Where Pods ask: the address of the Service `kube-dns`. */
  readonly address: string;
  /** Told of what failed and is tried again. */
  readonly log: (message: string) => void;
}

export interface RunningDns {
  stop(): Promise<void>;
}

const zoneKey = "zone";
const serviceKey = "service";

/** Changes that come within this time are answered with together. */
const settleTime = seconds(0.02);

export function startDns(parts: DnsParts): RunningDns {
  const { client, clock, random, server, domain, address, log } = parts;
  const onFailure = (error: unknown): void => log(`dns: list or watch failed: ${String(error)}`);
  const shared = { clock, random, onFailure };
  const services = createInformer({ ...shared, resource: client.services, name: "dns/services" });
  const slices = createInformer({ ...shared, resource: client.endpointSlices, name: "dns/endpointslices" });
  const namespaces = createInformer({ ...shared, resource: client.namespaces, name: "dns/namespaces" });
  const all = [services, slices, namespaces] as const;
  let serial = Math.floor(clock.now() / 1000);

  const serveZone = async (): Promise<ReconcileOutcome> => {
    const records = planRecords(services.lister.list(), slices.lister.list(), domain);
    serial += 1;
    await server.serve({
      domain,
      serial,
      serverAddress: address,
      records,
      namespaces: new Set(namespaces.lister.list().map(({ metadata }) => metadata.name)),
    });
    return done;
  };
  const controller = new Controller({
    name: "dns",
    clock,
    reconcile: (key) => (key === zoneKey ? serveZone() : ensureService(client, address)),
    onFailure: ({ key, error, retryAfter }) => log(`dns: ${key}: ${String(error)}; again in ${retryAfter} ms`),
  });
  const wake = (): void => {
    if (all.every((informer) => informer.hasSynced())) controller.queue.addAfter(zoneKey, settleTime);
  };
  services.onAny(({ kind, object }) => {
    wake();
    const { name, namespace } = object.metadata;
    if (kind === "deleted" && namespace === serviceNamespace && name === serviceName) controller.queue.add(serviceKey);
  });
  slices.onAny(wake);
  namespaces.onAny(({ kind, object }) => {
    wake();
    if (kind === "added" && object.metadata.name === serviceNamespace) controller.queue.add(serviceKey);
  });
  for (const informer of all) informer.start();
  void Promise.all(all.map((informer) => informer.whenSynced())).then(wake);
  controller.start();
  return {
    async stop() {
      for (const informer of all) informer.stop();
      await controller.stop();
      await server.close();
    },
  };
}

const serviceNamespace = "kube-system";
const serviceName = "kube-dns";

/** The Service of the name people know. lifepod itself answers at its address, so no proxy may take the traffic. */
async function ensureService(client: Client, address: string): Promise<ReconcileOutcome> {
  const labels = {
    "k8s-app": "kube-dns",
    "kubernetes.io/cluster-service": "true",
    "kubernetes.io/name": "CoreDNS",
    "service.kubernetes.io/service-proxy-name": "lifepod-dns",
  };
  const ports = [
    { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
    { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
  ];
  const draft = {
    metadata: { name: serviceName, namespace: serviceNamespace, labels },
    spec: { clusterIP: address, ports },
  };
  try {
    await client.services.create(draft, serviceNamespace);
  } catch (error) {
    // There from an earlier start, or somebody made one of their own.
    if (!isReason(error, "AlreadyExists") && !isReason(error, "Invalid")) throw error;
  }
  return done;
}
