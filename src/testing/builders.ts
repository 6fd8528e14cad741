// Short ways to say what a manifest says at length. What they give is a draft: the API server fills in the rest.

import type {
  Container,
  DaemonSet,
  DaemonSetSpec,
  Deployment,
  DeploymentSpec,
  Draft,
  Pod,
  PodSpec,
  ReplicaSet,
  StatefulSet,
  StatefulSetSpec,
} from "../api/index.ts";
import type { JsonObject } from "../api/wire/request.ts";

/** A container of a test: only what matters to the story; `name` defaults to the Pod's name, `image` is needed. */
export interface ContainerDraft extends Omit<Draft<Container>, "image" | "name"> {
  readonly name?: string;
  readonly image: string;
}

/** What a story says of a Pod: the fields of its spec, and short ways to its containers and metadata. */
export interface PodOptions extends Omit<Draft<PodSpec>, "containers" | "initContainers"> {
  /** The image of the only container. */
  readonly image?: string;
  /** More of the only container. */
  readonly container?: Omit<Draft<Container>, "image">;
  /** Instead of one container: all of them. */
  readonly containers?: readonly ContainerDraft[];
  readonly initContainers?: readonly ContainerDraft[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly namespace?: string;
}

/**
 * A Pod as one writes it in a test.
 * @example pod("web", { image: "web:1", terminationGracePeriodSeconds: 5, container: { livenessProbe: { httpGet: { port: 80 } } } })
 */
export function pod(name: string, options: PodOptions): JsonObject {
  const {
    image,
    container,
    containers,
    initContainers,
    labels,
    annotations,
    finalizers,
    namespace = "default",
    ...spec
  } = options;
  const only = image === undefined ? [] : [{ name, image, ...container }];
  const draft: Draft<Pod> = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
    },
    spec: {
      ...spec,
      containers: [...only, ...(containers ?? []).map((one) => ({ name, ...one }))],
      ...(initContainers !== undefined && {
        initContainers: initContainers.map((one) => ({ name: `init-${name}`, ...one })),
      }),
    },
  };
  return draft as JsonObject;
}

export interface ReplicaOptions {
  /** The Pods: what {@link pod} takes. Without labels of its own they are labelled `app=<name>`. */
  readonly template: PodOptions;
  readonly replicas?: number;
  readonly namespace?: string;
  readonly minReadySeconds?: number;
}

/** A ReplicaSet that selects what its template's labels say. */
export function replicaSet(name: string, options: ReplicaOptions): JsonObject {
  const draft: Draft<ReplicaSet> = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name, namespace: options.namespace ?? "default" },
    spec: replicaSpec(name, options),
  };
  return draft as JsonObject;
}

export interface DeploymentOptions
  extends ReplicaOptions,
    Pick<Draft<DeploymentSpec>, "paused" | "progressDeadlineSeconds" | "revisionHistoryLimit" | "strategy"> {
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * A Deployment that selects what its template's labels say.
 * @example deployment("web", { replicas: 3, template: { image: "web:1" } })
 */
export function deployment(name: string, options: DeploymentOptions): JsonObject {
  const {
    template: _template,
    replicas: _replicas,
    minReadySeconds: _seconds,
    namespace,
    annotations,
    ...spec
  } = options;
  const draft: Draft<Deployment> = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: namespace ?? "default", ...(annotations && { annotations }) },
    spec: { ...spec, ...replicaSpec(name, options) },
  };
  return draft as JsonObject;
}

export interface StatefulSetOptions
  extends ReplicaOptions,
    Pick<
      Draft<StatefulSetSpec>,
      | "ordinals"
      | "persistentVolumeClaimRetentionPolicy"
      | "podManagementPolicy"
      | "revisionHistoryLimit"
      | "serviceName"
      | "updateStrategy"
      | "volumeClaimTemplates"
    > {}

/**
 * A StatefulSet that selects what its template's labels say; its Service has its own name unless said.
 * @example statefulSet("db", { replicas: 3, template: { image: "db:1" } })
 */
export function statefulSet(name: string, options: StatefulSetOptions): JsonObject {
  const { template: _template, replicas: _replicas, minReadySeconds: _seconds, namespace, ...spec } = options;
  const draft: Draft<StatefulSet> = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, namespace: namespace ?? "default" },
    spec: { serviceName: name, ...spec, ...replicaSpec(name, options) },
  };
  return draft as JsonObject;
}

export interface DaemonSetOptions
  extends Omit<ReplicaOptions, "replicas">,
    Pick<Draft<DaemonSetSpec>, "revisionHistoryLimit" | "updateStrategy"> {}

/**
 * A DaemonSet that selects what its template's labels say.
 * @example daemonSet("agent", { template: { image: "agent:1" } })
 */
export function daemonSet(name: string, options: DaemonSetOptions): JsonObject {
  const { template: _template, minReadySeconds: _seconds, namespace, ...spec } = options;
  const draft: Draft<DaemonSet> = {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name, namespace: namespace ?? "default" },
    spec: { ...spec, ...replicaSpec(name, options) },
  };
  return draft as JsonObject;
}

function replicaSpec(name: string, { template, replicas, minReadySeconds }: ReplicaOptions) {
  const labels = template.labels ?? { app: name };
  const { metadata, spec } = pod(name, { ...template, labels }) as Draft<Pod>;
  const { annotations } = metadata ?? {};
  return {
    ...(replicas !== undefined && { replicas }),
    ...(minReadySeconds !== undefined && { minReadySeconds }),
    selector: { matchLabels: labels },
    template: { metadata: { labels, ...(annotations && { annotations }) }, spec },
  } as Draft<ReplicaSet["spec"]>;
}

/** A ConfigMap with these texts. */
export function configMap(name: string, data: Readonly<Record<string, string>>, namespace = "default"): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
}

/** A Secret with these texts, given in the clear. */
export function secret(name: string, stringData: Readonly<Record<string, string>>, namespace = "default"): JsonObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData };
}
