// The lab's hands in a cluster: what a person does with kubectl, and what a person would see.

import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  PolicyV1Api,
  setHeaderOptions,
  type V1Pod,
} from "@kubernetes/client-node";
import { type Millis, millis, minutes } from "../../src/base/time.ts";
import { clock, until } from "../containerd/until.ts";
import { budget, deploymentOf, type Launch, type Manifest, service } from "./manifests.ts";

const namespace = "default";
const name = "web";
const labelSelector = "app=web";
const mergePatch = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);

/** What is done to the Deployment while requests come. */
export type Operation =
  | { readonly kind: "rolling update"; readonly version: string }
  | { readonly kind: "scale"; readonly replicas: number }
  | { readonly kind: "drain" };

export class LabCluster {
  readonly config = new KubeConfig();
  readonly #apps: AppsV1Api;
  readonly #core: CoreV1Api;
  readonly #policy: PolicyV1Api;

  constructor(kubeconfig: string) {
    this.config.loadFromFile(kubeconfig);
    this.#apps = this.config.makeApiClient(AppsV1Api);
    this.#core = this.config.makeApiClient(CoreV1Api);
    this.#policy = this.config.makeApiClient(PolicyV1Api);
  }

  /** @returns the Service's address, when all replicas are Ready */
  async deploy(manifest: Manifest, launch: Launch, warmUpMillis: number): Promise<string> {
    await this.#apps.createNamespacedDeployment({ namespace, body: deploymentOf(manifest, launch, warmUpMillis) });
    await this.#policy.createNamespacedPodDisruptionBudget({ namespace, body: budget });
    const { spec } = await this.#core.createNamespacedService({ namespace, body: service });
    await this.#whole(minutes(1));
    // Ready without a probe says nothing about the server.
    await clock.sleep(millis(2 * warmUpMillis));
    return spec?.clusterIP ?? "";
  }

  /** Resolves when it is carried out and no Pod is on its way out any more. @throws Error if that does not happen within the limit */
  async carryOut(operation: Operation, within: Millis): Promise<void> {
    switch (operation.kind) {
      case "rolling update": {
        const env = [{ name: "VERSION", value: operation.version }];
        await this.#patch({ template: { spec: { containers: [{ name: "web", env }] } } });
        break;
      }
      case "scale":
        await this.#patch({ replicas: operation.replicas });
        break;
      case "drain":
        return this.#drain(within);
    }
    await this.#whole(within);
  }

  /**
   * Evicts every Pod, as `kubectl drain` does: again and again where the disruption budget does not allow it yet. The node stays open for new Pods: there
   * is no other.
   */
  async #drain(within: Millis): Promise<void> {
    for (const { metadata } of await this.#pods()) {
      const pod = metadata?.name ?? "";
      await until(`the eviction of ${pod} is granted`, () => this.#evict(pod), within);
    }
    await this.#whole(within);
  }

  /** @returns undefined if a disruption budget does not allow it now */
  async #evict(pod: string): Promise<true | undefined> {
    try {
      await this.#core.createNamespacedPodEviction({
        name: pod,
        namespace,
        body: { metadata: { name: pod, namespace } },
      });
      return true;
    } catch (error) {
      const { code } = error as { readonly code?: number };
      if (code === 429) return undefined;
      if (code === 404) return true;
      throw error;
    }
  }

  async #patch(spec: object): Promise<void> {
    await this.#apps.patchNamespacedDeployment({ name, namespace, body: { spec } }, mergePatch);
  }

  async #whole(within: Millis): Promise<void> {
    await until(
      "the Deployment is whole",
      async () => {
        const { metadata, spec, status } = await this.#apps.readNamespacedDeployment({ name, namespace });
        if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return undefined;
        const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
        if (!counts.every((count) => count === spec?.replicas)) return undefined;
        return (await this.#pods()).length === spec?.replicas ? true : undefined;
      },
      within,
    );
  }

  async #pods(): Promise<readonly V1Pod[]> {
    return (await this.#core.listNamespacedPod({ namespace, labelSelector })).items;
  }
}
