// ConfigMaps, Secrets, tokens and Services that Pods refer to, read when they are needed.

import type { ConfigMap, Pod, Secret, Service } from "../api/generated/core-v1.ts";
import { isReason, StatusError } from "../api/wire/status-error.ts";
import { createInformer, type Informer } from "../client/informer.ts";
import type { KubeletParts } from "./kubelet-parts.ts";
import { namespaceOf } from "./pod-containers.ts";
import { serviceEnvironment } from "./service-environment.ts";
import { tokenKey, type TokenRequest } from "./volumes.ts";

export class ApiObjects {
  readonly #parts: KubeletParts;
  /** Pods that start together often want the same object: one question answers them all. */
  readonly #asking = new Map<string, Promise<ConfigMap | Secret | undefined>>();
  #stopped = false;
  #services: Informer<Service> | undefined;

  constructor(parts: KubeletParts) {
    this.#parts = parts;
  }

  /** Follows Services, if this API server has them. */
  async start(): Promise<void> {
    const { client, clock, random, node } = this.#parts;
    const resource = client.resource<Service>({
      group: "",
      version: "v1",
      resource: "services",
      kind: "Service",
      namespaced: true,
    });
    try {
      await resource.list({ limit: 1 });
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return;
      if (!this.#stopped) this.#parts.log(`listing services: ${String(error)}`);
    }
    // The kubelet may have been stopped while the question was under way.
    if (this.#stopped) return;
    this.#services = createInformer({ resource, clock, random, name: `kubelet-services/${node.name}` });
    this.#services.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#services?.stop();
  }

  configMaps(namespace: string, names: readonly string[]): Promise<ReadonlyMap<string, ConfigMap | undefined>> {
    return this.#all(names, (name) =>
      this.#ask(`configmap ${namespace}/${name}`, () => this.#parts.client.configMaps.get(name, namespace)),
    );
  }

  secrets(namespace: string, names: readonly string[]): Promise<ReadonlyMap<string, Secret | undefined>> {
    return this.#all(names, (name) =>
      this.#ask(`secret ${namespace}/${name}`, () => this.#parts.client.secrets.get(name, namespace)),
    );
  }

  /** Tokens of the Pod's service account, bound to the Pod. */
  async tokens(pod: Pod, requests: readonly TokenRequest[]): Promise<ReadonlyMap<string, string>> {
    const tokens = new Map<string, string>();
    for (const request of requests) {
      const account = pod.spec.serviceAccountName ?? "default";
      const answer = await this.#parts.client.serviceAccounts.createSubresource(account, namespaceOf(pod), "token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          audiences: request.audience === "" ? [] : [request.audience],
          expirationSeconds: request.expirationSeconds,
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid },
        },
      });
      const { token } = (answer["status"] ?? {}) as { readonly token?: string };
      tokens.set(tokenKey(request), token ?? "");
    }
    return tokens;
  }

  /** @throws Error while the Services have not been read once */
  serviceVariables(pod: Pod): ReadonlyMap<string, string> {
    if (this.#services === undefined) return new Map();
    if (!this.#services.hasSynced()) {
      throw new Error("services have not yet been read at least once, cannot construct envvars");
    }
    return serviceEnvironment(this.#services.lister.list(), namespaceOf(pod), pod.spec.enableServiceLinks ?? true);
  }

  async #all<T>(
    names: readonly string[],
    get: (name: string) => Promise<T | undefined>,
  ): Promise<ReadonlyMap<string, T | undefined>> {
    return new Map(await Promise.all([...new Set(names)].map(async (name) => [name, await get(name)] as const)));
  }

  #ask<T extends ConfigMap | Secret>(key: string, get: () => Promise<T>): Promise<T | undefined> {
    const asked = this.#asking.get(key);
    if (asked !== undefined) return asked as Promise<T | undefined>;
    const answer = get()
      .catch((error: unknown) => {
        if (isReason(error, "NotFound")) return undefined;
        throw error;
      })
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, answer);
    return answer;
  }
}
