// Where a Pod's things are on the node: upstream's layout, so that what reads it elsewhere reads it here.

import type { Pod } from "../api/generated/core-v1.ts";
import { namespaceOf } from "./pod-containers.ts";

export class NodePaths {
  readonly #root: string;
  readonly #logs: string;

  /** @param root the kubelet's folder; `logs`: the folder of all Pods' logs */
  constructor(root: string, logs: string) {
    this.#root = root;
    this.#logs = logs;
  }

  get pods(): string {
    return `${this.#root}/pods`;
  }

  get logs(): string {
    return this.#logs;
  }

  pod(uid: string): string {
    return `${this.pods}/${uid}`;
  }

  etcHosts(uid: string): string {
    return `${this.pod(uid)}/etc-hosts`;
  }

  /** The folder of one volume; `plugin` is upstream's, as in `kubernetes.io~empty-dir`. */
  volume(uid: string, plugin: VolumePlugin, name: string): string {
    return `${this.pod(uid)}/volumes/kubernetes.io~${plugin}/${name}`;
  }

  /** The file that an instance finds at its terminationMessagePath. */
  terminationMessage(uid: string, container: string, restartCount: number): string {
    return `${this.pod(uid)}/containers/${container}/${restartCount}`;
  }

  podLogs(pod: Pod): string {
    return this.podLogsNamed(namespaceOf(pod), pod.metadata.name, pod.metadata.uid);
  }

  podLogsNamed(namespace: string, name: string, uid: string): string {
    return `${this.#logs}/${namespace}_${name}_${uid}`;
  }
}

export type VolumePlugin = "empty-dir" | "configmap" | "secret" | "downward-api" | "projected";

/** Relative to the Pod's log folder. */
export function containerLogPath(container: string, restartCount: number): string {
  return `${container}/${restartCount}.log`;
}
