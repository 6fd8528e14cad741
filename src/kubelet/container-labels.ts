// What the kubelet writes on sandboxes and containers, so that after a restart of its own it knows them again: upstream's keys, so that other tools
// (crictl, log collectors) know them too.

import type { Container, EphemeralContainer, Pod } from "../api/generated/core-v1.ts";
import type { ContainerStatus } from "../runtimes/runtime-service.ts";
import { namespaceOf } from "./pod-containers.ts";

export const podNameLabel = "io.kubernetes.pod.name";
export const podNamespaceLabel = "io.kubernetes.pod.namespace";
export const podUidLabel = "io.kubernetes.pod.uid";
export const containerNameLabel = "io.kubernetes.container.name";

const hashAnnotation = "io.kubernetes.container.hash";
const restartCountAnnotation = "io.kubernetes.container.restartCount";
const messagePathAnnotation = "io.kubernetes.container.terminationMessagePath";
const messagePolicyAnnotation = "io.kubernetes.container.terminationMessagePolicy";
const portsAnnotation = "io.kubernetes.container.ports";
const preStopAnnotation = "io.kubernetes.container.preStopHandler";
const deletionGraceAnnotation = "io.kubernetes.pod.deletionGracePeriod";
const terminationGraceAnnotation = "io.kubernetes.pod.terminationGracePeriod";

export function podLabels(pod: Pod): Record<string, string> {
  return {
    [podNameLabel]: pod.metadata.name,
    [podNamespaceLabel]: namespaceOf(pod),
    [podUidLabel]: pod.metadata.uid,
  };
}

/** The Pod's own labels travel with its sandbox. */
export function sandboxLabels(pod: Pod): Record<string, string> {
  return { ...pod.metadata.labels, ...podLabels(pod) };
}

export function containerLabels(pod: Pod, name: string): Record<string, string> {
  return { ...podLabels(pod), [containerNameLabel]: name };
}

export function containerAnnotations(
  pod: Pod,
  container: Container | EphemeralContainer,
  restartCount: number,
): Record<string, string> {
  const annotations: Record<string, string> = {
    [hashAnnotation]: containerHash(container),
    [restartCountAnnotation]: String(restartCount),
    [messagePathAnnotation]: container.terminationMessagePath,
    [messagePolicyAnnotation]: container.terminationMessagePolicy,
    [terminationGraceAnnotation]: String(pod.spec.terminationGracePeriodSeconds),
  };
  if (pod.metadata.deletionGracePeriodSeconds !== undefined) {
    annotations[deletionGraceAnnotation] = String(pod.metadata.deletionGracePeriodSeconds);
  }
  if (container.lifecycle?.preStop !== undefined) annotations[preStopAnnotation] = JSON.stringify(container.lifecycle);
  if (container.ports !== undefined && container.ports.length > 0) {
    annotations[portsAnnotation] = JSON.stringify(container.ports);
  }
  return annotations;
}

/** Whether the running instance was made from another name or image (pod-lifecycle 4.3.3). */
export function definitionChanged(container: Container | EphemeralContainer, instance: ContainerStatus): boolean {
  const made = instance.annotations[hashAnnotation];
  return made !== undefined && made !== containerHash(container);
}

/** What a container of a Pod that is no longer in the API was made with, as far as ending it needs. */
export interface RecordedContainer {
  readonly lifecycle?: Container["lifecycle"];
  readonly ports?: Container["ports"];
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: string;
  readonly terminationGracePeriodSeconds?: number;
}

export function recordedContainer(instance: ContainerStatus): RecordedContainer {
  const { annotations } = instance;
  const path = annotations[messagePathAnnotation];
  const policy = annotations[messagePolicyAnnotation];
  const grace = Number(annotations[terminationGraceAnnotation] ?? Number.NaN);
  const lifecycle = parsed<NonNullable<Container["lifecycle"]>>(annotations[preStopAnnotation]);
  const ports = parsed<NonNullable<Container["ports"]>>(annotations[portsAnnotation]);
  return {
    ...(path === undefined ? {} : { terminationMessagePath: path }),
    ...(policy === undefined ? {} : { terminationMessagePolicy: policy }),
    ...(Number.isInteger(grace) ? { terminationGracePeriodSeconds: grace } : {}),
    ...(lifecycle === undefined ? {} : { lifecycle }),
    ...(ports === undefined ? {} : { ports }),
  };
}

/** Carried by everything that a kubelet makes, so that kubelets that share a runtime leave each other's Pods alone. */
export function ownerLabels(nodeName: string, rootDirectory: string): Readonly<Record<string, string>> {
  return { "lifepod.dev/kubelet": `${nodeName}.${hashOf(rootDirectory)}` };
}

/** Only name and image make a running container another one. */
export function containerHash(container: Pick<Container, "name" | "image">): string {
  return hashOf(`${container.name}\n${container.image}`);
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}

/** Someone else's container may carry anything here: what does not parse is as if it were not there. */
function parsed<T>(json: string | undefined): T | undefined {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json) as T;
  } catch {
    return undefined;
  }
}
