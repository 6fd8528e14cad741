// One copy of the cluster for all controllers: each resource is listed and watched once, however many look at it.

import type {
  ConfigMap,
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  Endpoints,
  EndpointSlice,
  Job,
  Lease,
  Namespace,
  Node,
  ObjectMeta,
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
import { claimsOfPod } from "../api/core/v1/pod-claims.ts";
import type { Random } from "../base/random.ts";
import type { Clock } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { type Informer, createInformer } from "../client/informer.ts";
import type { Indexes } from "../client/lister.ts";
import type { ResourceClient, StoredObject } from "../client/resource-client.ts";

/** The Pods of a node, by its name: for `pods.lister.byIndex`. */
export const podsByNode = "nodeName";

/** The Pods that use a claim, by the claim's key: for `pods.lister.byIndex`. */
export const podsByClaim = "claim";

/** The objects that name an owner, by its uid: for `lister.byIndex` of every informer here. */
export const byOwner = "ownerUid";

/** The Pods, ReplicaSets or ControllerRevisions that no controller owns, by namespace: for `lister.byIndex`. */
export const orphans = "orphans";

export interface SharedInformers {
  readonly configMaps: Informer<ConfigMap>;
  readonly controllerRevisions: Informer<ControllerRevision>;
  readonly cronJobs: Informer<CronJob>;
  readonly daemonSets: Informer<DaemonSet>;
  readonly deployments: Informer<Deployment>;
  readonly endpoints: Informer<Endpoints>;
  readonly endpointSlices: Informer<EndpointSlice>;
  readonly jobs: Informer<Job>;
  readonly leases: Informer<Lease>;
  readonly namespaces: Informer<Namespace>;
  readonly nodes: Informer<Node>;
  readonly horizontalPodAutoscalers: Informer<HorizontalPodAutoscaler>;
  readonly podDisruptionBudgets: Informer<PodDisruptionBudget>;
  readonly persistentVolumeClaims: Informer<PersistentVolumeClaim>;
  readonly persistentVolumes: Informer<PersistentVolume>;
  readonly pods: Informer<Pod>;
  readonly priorityClasses: Informer<PriorityClass>;
  readonly replicationControllers: Informer<ReplicationController>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly secrets: Informer<Secret>;
  readonly serviceAccounts: Informer<ServiceAccount>;
  readonly services: Informer<Service>;
  readonly statefulSets: Informer<StatefulSet>;
  readonly storageClasses: Informer<StorageClass>;
}

/** What every object here has. */
export interface FollowedObject extends StoredObject {
  readonly metadata: ObjectMeta;
}

export function sharedInformers(parts: {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFailure?: (error: unknown) => void;
}): SharedInformers {
  const { client, ...shared } = parts;
  const follow = <T extends FollowedObject>(resource: ResourceClient<T>, indexes: Indexes<T> = {}): Informer<T> =>
    createInformer({
      ...shared,
      resource,
      name: `controllers/${resource.ref.resource}`,
      indexes: { [byOwner]: ownerUids, ...indexes },
    });
  return {
    configMaps: follow(client.configMaps),
    controllerRevisions: follow(client.controllerRevisions, { [orphans]: namespaceOfOrphan }),
    cronJobs: follow(client.cronJobs),
    daemonSets: follow(client.daemonSets),
    deployments: follow(client.deployments),
    endpoints: follow(client.endpoints),
    endpointSlices: follow(client.endpointSlices),
    jobs: follow(client.jobs),
    leases: follow(client.leases),
    namespaces: follow(client.namespaces),
    nodes: follow(client.nodes),
    horizontalPodAutoscalers: follow(client.horizontalPodAutoscalers),
    podDisruptionBudgets: follow(client.podDisruptionBudgets),
    persistentVolumeClaims: follow(client.persistentVolumeClaims),
    persistentVolumes: follow(client.persistentVolumes),
    pods: follow(client.pods, {
      [podsByClaim]: keysOfClaims,
      [podsByNode]: ({ spec }) => (spec.nodeName === undefined ? [] : [spec.nodeName]),
      [orphans]: namespaceOfOrphan,
    }),
    priorityClasses: follow(client.priorityClasses),
    replicationControllers: follow(client.replicationControllers),
    replicaSets: follow(client.replicaSets, { [orphans]: namespaceOfOrphan }),
    secrets: follow(client.secrets),
    serviceAccounts: follow(client.serviceAccounts),
    services: follow(client.services),
    statefulSets: follow(client.statefulSets),
    storageClasses: follow(client.storageClasses),
  };
}

export function allOf(informers: SharedInformers): readonly Informer<never>[] {
  return Object.values(informers) as Informer<never>[];
}

/** The informer of a resource; undefined if the controllers do not follow it. */
export function informerOf(
  informers: SharedInformers,
  { group, resource }: { readonly group: string; readonly resource: string },
): Informer<FollowedObject> | undefined {
  const property = properties.get(`${group}/${resource}`);
  // What an informer tells is only read, so one of Pods serves whoever wants objects with metadata.
  return property === undefined ? undefined : (informers[property] as unknown as Informer<FollowedObject>);
}

const properties: ReadonlyMap<string, keyof SharedInformers> = new Map([
  ["/configmaps", "configMaps"],
  ["apps/controllerrevisions", "controllerRevisions"],
  ["batch/cronjobs", "cronJobs"],
  ["apps/daemonsets", "daemonSets"],
  ["apps/deployments", "deployments"],
  ["discovery.k8s.io/endpointslices", "endpointSlices"],
  ["/endpoints", "endpoints"],
  ["batch/jobs", "jobs"],
  ["coordination.k8s.io/leases", "leases"],
  ["/namespaces", "namespaces"],
  ["/nodes", "nodes"],
  ["autoscaling/horizontalpodautoscalers", "horizontalPodAutoscalers"],
  ["policy/poddisruptionbudgets", "podDisruptionBudgets"],
  ["/persistentvolumeclaims", "persistentVolumeClaims"],
  ["/persistentvolumes", "persistentVolumes"],
  ["/pods", "pods"],
  ["scheduling.k8s.io/priorityclasses", "priorityClasses"],
  ["/replicationcontrollers", "replicationControllers"],
  ["apps/replicasets", "replicaSets"],
  ["apps/statefulsets", "statefulSets"],
  ["storage.k8s.io/storageclasses", "storageClasses"],
  ["/secrets", "secrets"],
  ["/serviceaccounts", "serviceAccounts"],
  ["/services", "services"],
]);

const nobody: readonly string[] = [];

function keysOfClaims(pod: Pod): readonly string[] {
  return pod.spec.volumes === undefined
    ? nobody
    : claimsOfPod(pod).map(({ claimName }) => `${pod.metadata.namespace}/${claimName}`);
}

function namespaceOfOrphan({ metadata }: FollowedObject): readonly string[] {
  const { ownerReferences = [], namespace } = metadata;
  return namespace === undefined || ownerReferences.some(({ controller }) => controller === true)
    ? nobody
    : [namespace];
}

function ownerUids({ metadata }: FollowedObject): readonly string[] {
  const { ownerReferences } = metadata;
  return ownerReferences === undefined ? nobody : ownerReferences.map(({ uid }) => uid);
}
