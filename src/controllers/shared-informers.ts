// One copy of the cluster for all controllers: each resource is listed and watched once, however many look at it.

import type { ConfigMap, Lease, Namespace, Node, Pod, ServiceAccount } from "../api/index.ts";
import type { Random } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { type Informer, createInformer } from "../client/informer.ts";

/** The Pods of a node, by its name: for `pods.lister.byIndex`. */
export const podsByNode = "nodeName";

export interface SharedInformers {
  readonly namespaces: Informer<Namespace>;
  readonly nodes: Informer<Node>;
  readonly pods: Informer<Pod>;
  readonly serviceAccounts: Informer<ServiceAccount>;
  /** Only those called `kube-root-ca.crt`. */
  readonly rootCertificates: Informer<ConfigMap>;
  /** Only those in `kube-node-lease`. */
  readonly nodeLeases: Informer<Lease>;
}

export function sharedInformers(parts: {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFailure?: (error: unknown) => void;
}): SharedInformers {
  const { client, ...shared } = parts;
  const name = (resource: string): string => `controllers/${resource}`;
  return {
    namespaces: createInformer({ ...shared, resource: client.namespaces, name: name("namespaces") }),
    nodes: createInformer({ ...shared, resource: client.nodes, name: name("nodes") }),
    pods: createInformer({
      ...shared,
      resource: client.pods,
      name: name("pods"),
      indexes: { [podsByNode]: ({ spec }) => (spec.nodeName === undefined ? [] : [spec.nodeName]) },
    }),
    serviceAccounts: createInformer({ ...shared, resource: client.serviceAccounts, name: name("serviceaccounts") }),
    rootCertificates: createInformer({
      ...shared,
      resource: client.configMaps,
      name: name("configmaps"),
      fieldSelector: "metadata.name=kube-root-ca.crt",
    }),
    nodeLeases: createInformer({
      ...shared,
      resource: client.leases,
      name: name("leases"),
      namespace: "kube-node-lease",
    }),
  };
}

export function allOf(informers: SharedInformers): readonly Informer<never>[] {
  return Object.values(informers) as Informer<never>[];
}
