// Short ways to say what a manifest says at length. What they give is a draft: the API server fills in the rest.

import type {
  Container,
  CronJob,
  CronJobSpec,
  DaemonSet,
  DaemonSetSpec,
  Deployment,
  DeploymentSpec,
  Draft,
  Job,
  JobSpec,
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

export interface JobOptions extends Omit<Draft<JobSpec>, "template"> {
  /** The Pods: what {@link pod} takes. Unless said their containers are never restarted. */
  readonly template: PodOptions;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * A Job whose Pods are as the template says.
 * @example job("count", { completions: 3, parallelism: 2, template: { image: "count:1" } })
 */
export function job(name: string, { namespace, labels, ...spec }: JobOptions): JsonObject {
  const draft: Draft<Job> = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: namespace ?? "default", ...(labels && { labels }) },
    spec: jobSpec(name, spec),
  };
  return draft as JsonObject;
}

export interface CronJobOptions extends Omit<Draft<CronJobSpec>, "jobTemplate"> {
  readonly schedule: string;
  /** Its Jobs: what {@link job} takes. */
  readonly job: Omit<JobOptions, "namespace">;
  readonly namespace?: string;
}

/**
 * A CronJob whose Jobs are as `job` says.
 * @example cronJob("backup", { schedule: "0 3 * * *", job: { template: { image: "backup:1" } } })
 */
export function cronJob(name: string, { namespace, job: made, ...spec }: CronJobOptions): JsonObject {
  const { labels, ...ofJob } = made;
  const draft: Draft<CronJob> = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, namespace: namespace ?? "default" },
    spec: { ...spec, jobTemplate: { ...(labels && { metadata: { labels } }), spec: jobSpec(name, ofJob) } },
  };
  return draft as JsonObject;
}

function jobSpec(name: string, { template, ...spec }: Omit<JobOptions, "namespace" | "labels">): Draft<JobSpec> {
  const { metadata, spec: podSpec } = pod(name, { restartPolicy: "Never", ...template }) as Draft<Pod>;
  const { labels, annotations } = metadata ?? {};
  return {
    ...spec,
    template: { metadata: { ...(labels && { labels }), ...(annotations && { annotations }) }, spec: podSpec ?? {} },
  };
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
