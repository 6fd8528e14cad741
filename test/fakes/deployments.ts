// Deployments and ReplicaSets as the API server shows them, for tests that need little of them.

import type { Deployment, PodTemplateSpec, ReplicaSet, ReplicaSetStatus } from "../../src/api/index.ts";
import {
  maxReplicasAnnotation,
  desiredReplicasAnnotation,
  revisionAnnotation,
} from "../../src/controllers/deployment/revisions.ts";

export interface DeploymentParts {
  readonly spec?: Partial<Deployment["spec"]>;
  readonly status?: Deployment["status"];
  readonly metadata?: Partial<Deployment["metadata"]>;
  readonly surge?: number | string;
  readonly unavailable?: number | string;
}

export const templateOf = (image: string): PodTemplateSpec =>
  ({
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image }] },
  }) as unknown as PodTemplateSpec;

/** Three replicas of `web:1`, with a surge of one and none unavailable. */
export function testDeployment(parts: DeploymentParts = {}): Deployment {
  const { spec, status = {}, metadata, surge = 1, unavailable = 0 } = parts;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "uid-of-web",
      resourceVersion: "1",
      creationTimestamp: "2025-01-01T00:00:00Z",
      generation: 1,
      ...metadata,
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: templateOf("web:1"),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
    },
    status,
  };
}

export interface ReplicaSetParts {
  readonly image?: string;
  readonly replicas?: number;
  /** As reported; as many as wanted unless said. */
  readonly available?: number;
  readonly status?: Partial<ReplicaSetStatus>;
  readonly revision?: string;
  /** For which size of the Deployment it was made, and the most Pods then. */
  readonly madeFor?: readonly [desired: number, most: number];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly created?: string;
}

export function testReplicaSet(name: string, parts: ReplicaSetParts = {}): ReplicaSet {
  const { image = "web:1", replicas = 3, available = replicas, status, revision, madeFor, created } = parts;
  const annotations = {
    ...(revision !== undefined && { [revisionAnnotation]: revision }),
    ...(madeFor && { [desiredReplicasAnnotation]: String(madeFor[0]), [maxReplicasAnnotation]: String(madeFor[1]) }),
    ...parts.annotations,
  };
  const template = templateOf(image);
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-of-${name}`,
      resourceVersion: "1",
      creationTimestamp: created ?? `2025-01-01T00:00:0${name.length}Z`,
      generation: 1,
      annotations,
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web", "pod-template-hash": name } },
      template: { ...template, metadata: { labels: { app: "web", "pod-template-hash": name } } },
    },
    status: {
      replicas,
      readyReplicas: available,
      availableReplicas: available,
      observedGeneration: 1,
      ...status,
    },
  };
}
