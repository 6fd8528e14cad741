// The client everyone but the API server holds. In one process its transport is the server's own request handler, and objects change hands
// without being written out; over the network the transport is HTTP. Callers cannot tell which.

import type {
  ConfigMap,
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  Endpoints,
  EndpointSlice,
  Event,
  Job,
  Lease,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
} from "../api/index.ts";
import type { HorizontalPodAutoscaler } from "../api/generated/autoscaling-v2.ts";
import type { RequestHandler, UserInfo } from "../api/wire/request.ts";
import type { Clock } from "../base/time.ts";
import type { ResourceClient, ResourceRef, StoredObject } from "./resource-client.ts";
import { TransportResourceClient } from "./transport-resource-client.ts";

/** Takes a request to the API server and brings the answer back. Rejects only if there was no answer. */
export type Transport = RequestHandler;

export interface ClientOptions {
  readonly transport: Transport;
  /** Who the calls come from. A transport with credentials of its own (HTTP) ignores it. */
  readonly user: UserInfo;
  /** Sent as `User-Agent`; names the part: `lifepod-scheduler`. */
  readonly userAgent: string;
  /** Waits between retries go by this clock. */
  readonly clock: Clock;
}

export interface Client {
  /** Any resource, typed by the caller: also those without a property here. */
  resource<T extends StoredObject>(ref: ResourceRef): ResourceClient<T>;
  readonly pods: ResourceClient<Pod>;
  readonly nodes: ResourceClient<Node>;
  readonly namespaces: ResourceClient<Namespace>;
  readonly configMaps: ResourceClient<ConfigMap>;
  readonly secrets: ResourceClient<Secret>;
  readonly serviceAccounts: ResourceClient<ServiceAccount>;
  readonly services: ResourceClient<Service>;
  readonly endpoints: ResourceClient<Endpoints>;
  readonly endpointSlices: ResourceClient<EndpointSlice>;
  readonly events: ResourceClient<Event>;
  readonly leases: ResourceClient<Lease>;
  readonly replicationControllers: ResourceClient<ReplicationController>;
  readonly replicaSets: ResourceClient<ReplicaSet>;
  readonly deployments: ResourceClient<Deployment>;
  readonly controllerRevisions: ResourceClient<ControllerRevision>;
  readonly statefulSets: ResourceClient<StatefulSet>;
  readonly daemonSets: ResourceClient<DaemonSet>;
  readonly jobs: ResourceClient<Job>;
  readonly cronJobs: ResourceClient<CronJob>;
  readonly persistentVolumeClaims: ResourceClient<PersistentVolumeClaim>;
  readonly horizontalPodAutoscalers: ResourceClient<HorizontalPodAutoscaler>;
  readonly podDisruptionBudgets: ResourceClient<PodDisruptionBudget>;
  readonly persistentVolumes: ResourceClient<PersistentVolume>;
  readonly storageClasses: ResourceClient<StorageClass>;
  readonly priorityClasses: ResourceClient<PriorityClass>;
}

/**
 * @example
 * const client = createClient({ transport: server.handle, user: admin, userAgent: "example", clock });
 * const pod = await client.pods.get("web", "default");
 */
export function createClient(options: ClientOptions): Client {
  const resource = <T extends StoredObject>(ref: ResourceRef): ResourceClient<T> =>
    new TransportResourceClient<T>(ref, options);
  return {
    resource,
    pods: resource(coreResource("pods", "Pod")),
    nodes: resource(coreResource("nodes", "Node", { namespaced: false })),
    namespaces: resource(coreResource("namespaces", "Namespace", { namespaced: false })),
    configMaps: resource(coreResource("configmaps", "ConfigMap")),
    secrets: resource(coreResource("secrets", "Secret")),
    serviceAccounts: resource(coreResource("serviceaccounts", "ServiceAccount")),
    services: resource(coreResource("services", "Service")),
    endpoints: resource(coreResource("endpoints", "Endpoints")),
    endpointSlices: resource({
      group: "discovery.k8s.io",
      version: "v1",
      resource: "endpointslices",
      kind: "EndpointSlice",
      namespaced: true,
    }),
    events: resource(coreResource("events", "Event")),
    replicationControllers: resource(coreResource("replicationcontrollers", "ReplicationController")),
    replicaSets: resource(appsResource("replicasets", "ReplicaSet")),
    deployments: resource(appsResource("deployments", "Deployment")),
    controllerRevisions: resource(appsResource("controllerrevisions", "ControllerRevision")),
    statefulSets: resource(appsResource("statefulsets", "StatefulSet")),
    daemonSets: resource(appsResource("daemonsets", "DaemonSet")),
    jobs: resource(batchResource("jobs", "Job")),
    cronJobs: resource(batchResource("cronjobs", "CronJob")),
    persistentVolumeClaims: resource(coreResource("persistentvolumeclaims", "PersistentVolumeClaim")),
    horizontalPodAutoscalers: resource({
      group: "autoscaling",
      version: "v2",
      resource: "horizontalpodautoscalers",
      kind: "HorizontalPodAutoscaler",
      namespaced: true,
    }),
    podDisruptionBudgets: resource({
      group: "policy",
      version: "v1",
      resource: "poddisruptionbudgets",
      kind: "PodDisruptionBudget",
      namespaced: true,
    }),
    persistentVolumes: resource(coreResource("persistentvolumes", "PersistentVolume", { namespaced: false })),
    storageClasses: resource({
      group: "storage.k8s.io",
      version: "v1",
      resource: "storageclasses",
      kind: "StorageClass",
      namespaced: false,
    }),
    priorityClasses: resource({
      group: "scheduling.k8s.io",
      version: "v1",
      resource: "priorityclasses",
      kind: "PriorityClass",
      namespaced: false,
    }),
    leases: resource({
      group: "coordination.k8s.io",
      version: "v1",
      resource: "leases",
      kind: "Lease",
      namespaced: true,
    }),
  };
}

function appsResource(resource: string, kind: string): ResourceRef {
  return { group: "apps", version: "v1", resource, kind, namespaced: true };
}

function batchResource(resource: string, kind: string): ResourceRef {
  return { group: "batch", version: "v1", resource, kind, namespaced: true };
}

function coreResource(resource: string, kind: string, { namespaced } = { namespaced: true }): ResourceRef {
  return { group: "", version: "v1", resource, kind, namespaced };
}
