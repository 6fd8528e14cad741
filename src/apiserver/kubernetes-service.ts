// The `kubernetes` Service of the namespace default: how Pods find this server (api-machinery 12.5).

import type { Endpoints, EndpointSlice, Service } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import { ownContext } from "./bootstrap.ts";
import type { ApiObject } from "./registry/api-object.ts";
import { addressAt, type Ipv4Range } from "./registry/ipv4-range.ts";
import type { Registry } from "./registry/registry.ts";
import { keyFor } from "./registry/resource-definition.ts";
import type { ChangeListener } from "./storage/resource-cache.ts";

/** Where an API server listens. */
export interface ServerAddress {
  /** IPv4. */
  readonly address: string;
  readonly port: number;
}

/** What has to do with the Service. */
export interface KubernetesServiceRegistries {
  readonly services: Registry;
  readonly endpoints: Registry;
  readonly endpointSlices: Registry;
}

/** The Service, and that it is true as long as the server runs. */
export class KubernetesService {
  readonly #registries: KubernetesServiceRegistries;
  readonly #addresses: Ipv4Range;
  readonly #onFailure: (error: unknown) => void;
  readonly #unsubscribe: (() => void)[] = [];
  #published: ServerAddress | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(registries: KubernetesServiceRegistries, addresses: Ipv4Range, onFailure: (error: unknown) => void) {
    this.#registries = registries;
    this.#addresses = addresses;
    this.#onFailure = onFailure;
  }

  /** Makes the Service, and makes it again whenever somebody deletes it or where it leads. */
  async start(): Promise<void> {
    const { services, endpoints, endpointSlices } = this.#registries;
    await createKubernetesService(services, this.#addresses);
    for (const registry of [services, endpoints, endpointSlices]) {
      const cache = await registry.cache();
      const key = keyFor(registry.definition, namespace, name);
      const listener: ChangeListener = (change) => {
        if (change.key === key && change.current === undefined) this.#restore();
      };
      cache.subscribe(listener);
      this.#unsubscribe.push(() => cache.unsubscribe(listener));
    }
  }

  /** Makes the Service lead to where the server listens now. */
  publish(address: ServerAddress): Promise<void> {
    this.#published = address;
    return this.#inTurn(() => publishServer(address, this.#registries));
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  #restore(): void {
    const restored = this.#inTurn(async () => {
      await createKubernetesService(this.#registries.services, this.#addresses);
      if (this.#published !== undefined) await publishServer(this.#published, this.#registries);
    });
    restored.catch(this.#onFailure);
  }

  /** One thing at a time: two restorations at once would be in each other's way. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#work.then(work);
    this.#work = turn.catch(() => undefined); // the caller hears of it
    return turn;
  }
}

const name = "kubernetes";
const namespace = "default";
const servicePort = 443;
/** Where API servers listen unless it is said. */
const usualPort = 6443;

/** Makes the Service, at the first address of the range, if it is not there. */
async function createKubernetesService(services: Registry, addresses: Ipv4Range): Promise<void> {
  const address = addressAt(addresses, 1);
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      clusterIP: address,
      clusterIPs: [address],
      ports: [httpsPort(usualPort)],
      sessionAffinity: "None",
      type: "ClusterIP",
    },
  };
  const cache = await services.cache();
  if (cache.get(keyFor(services.definition, namespace, name)) !== undefined) return;
  await createIfMissing(services, service);
}

/** Makes the Service lead to where the server listens now. */
async function publishServer({ address, port }: ServerAddress, registries: KubernetesServiceRegistries): Promise<void> {
  await update(registries.services, (present) => {
    const { spec } = present as unknown as Service;
    return { ...present, spec: { ...spec, ports: [httpsPort(port)] } };
  });
  const endpoints: Pick<Endpoints, "subsets"> = {
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: "https", port, protocol: "TCP" }] }],
  };
  await write(registries.endpoints, {
    apiVersion: "v1",
    kind: "Endpoints",
    // The slice below says the same: nobody needs to copy it.
    metadata: { name, namespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    ...endpoints,
  });
  const slice: Pick<EndpointSlice, "addressType" | "endpoints" | "ports"> = {
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }],
  };
  await write(registries.endpointSlices, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    ...slice,
  });
}

function httpsPort(targetPort: number): object {
  return { name: "https", port: servicePort, protocol: "TCP", targetPort };
}

async function write(registry: Registry, wanted: ApiObject): Promise<void> {
  if (await createIfMissing(registry, wanted)) return;
  await update(registry, (present) => ({
    ...present,
    ...wanted,
    metadata: { ...present.metadata, labels: { ...present.metadata.labels, ...wanted.metadata.labels } },
  }));
}

async function createIfMissing(registry: Registry, object: ApiObject): Promise<boolean> {
  try {
    await registry.create(namespace, object, ownContext());
    return true;
  } catch (error) {
    if (isReason(error, "AlreadyExists")) return false;
    throw error;
  }
}

async function update(registry: Registry, change: (present: ApiObject) => ApiObject): Promise<void> {
  await registry.update({ namespace, name, subresource: "", transform: change, replaces: false }, ownContext());
}
