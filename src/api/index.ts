// The API's vocabulary for the rest of lifepod and for its users. The commonly used types have their plain names here. Every group version
// is also there as a whole, under its name, because some kinds exist in several (`eventsV1.Event` beside `Event` of core/v1).

export type {
  Affinity,
  Binding,
  Capabilities,
  ConfigMap,
  ConfigMapList,
  Container,
  ContainerPort,
  ContainerState,
  ContainerStateRunning,
  ContainerStateTerminated,
  ContainerStateWaiting,
  ContainerStatus,
  DNSPolicy,
  EndpointAddress,
  EndpointPort,
  Endpoints,
  EndpointsList,
  EndpointSubset,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  EphemeralContainer,
  Event,
  EventList,
  EventSeries,
  EventSource,
  ExecAction,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  LocalObjectReference,
  Namespace,
  NamespaceList,
  NamespacePhase,
  NamespaceSpec,
  NamespaceStatus,
  Node,
  NodeAddress,
  NodeAffinity,
  NodeCondition,
  NodeList,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  NodeSpec,
  NodeStatus,
  NodeSystemInfo,
  ObjectReference,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimCondition,
  PersistentVolumeClaimList,
  PersistentVolumeClaimSpec,
  PersistentVolumeList,
  PersistentVolumeSpec,
  Pod,
  PodAffinity,
  PodAffinityTerm,
  PodAntiAffinity,
  PodCondition,
  PodIP,
  PodList,
  PodPhase,
  PodQOSClass,
  PodReadinessGate,
  PodSecurityContext,
  PodSpec,
  PodStatus,
  PodTemplateSpec,
  Probe,
  Protocol,
  PullPolicy,
  ReplicationController,
  ReplicationControllerCondition,
  ReplicationControllerList,
  ReplicationControllerSpec,
  ReplicationControllerStatus,
  ResourceRequirements,
  RestartPolicy,
  Secret,
  SecretList,
  SecurityContext,
  Service,
  ServiceAccount,
  ServiceAccountList,
  ServiceList,
  ServicePort,
  ServiceSpec,
  ServiceStatus,
  Taint,
  TaintEffect,
  TCPSocketAction,
  TerminationMessagePolicy,
  Toleration,
  TolerationOperator,
  TopologySpreadConstraint,
  Volume,
  VolumeMount,
} from "./generated/core-v1.ts";
export type {
  ControllerRevision,
  ControllerRevisionList,
  DaemonSet,
  DaemonSetCondition,
  DaemonSetList,
  DaemonSetSpec,
  DaemonSetStatus,
  Deployment,
  DeploymentCondition,
  DeploymentList,
  DeploymentSpec,
  DeploymentStatus,
  DeploymentStrategy,
  ReplicaSet,
  ReplicaSetCondition,
  ReplicaSetList,
  ReplicaSetSpec,
  ReplicaSetStatus,
  StatefulSet,
  StatefulSetCondition,
  StatefulSetList,
  StatefulSetSpec,
  StatefulSetStatus,
} from "./generated/apps-v1.ts";
export type {
  CronJob,
  CronJobList,
  CronJobSpec,
  CronJobStatus,
  Job,
  JobCondition,
  JobList,
  JobSpec,
  JobStatus,
} from "./generated/batch-v1.ts";
export type { Scale, ScaleSpec, ScaleStatus } from "./generated/autoscaling-v1.ts";
export type { Endpoint, EndpointConditions, EndpointSlice, EndpointSliceList } from "./generated/discovery-v1.ts";
export type { Lease, LeaseList, LeaseSpec } from "./generated/coordination-v1.ts";
export type {
  Eviction,
  PodDisruptionBudget,
  PodDisruptionBudgetList,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from "./generated/policy-v1.ts";
export type { StorageClass, StorageClassList } from "./generated/storage-v1.ts";
export type { PriorityClass, PriorityClassList } from "./generated/scheduling-v1.ts";
export type {
  Condition,
  ConditionStatus,
  DeleteOptions,
  DeletionPropagation,
  LabelSelector,
  LabelSelectorRequirement,
  ListMeta,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  PartialObjectMetadata,
  PartialObjectMetadataList,
  Preconditions,
  Status,
  StatusCause,
  StatusDetails,
  Table,
  TableColumnDefinition,
  TableRow,
} from "./generated/meta-v1.ts";
export type * as admissionregistrationV1 from "./generated/admissionregistration-v1.ts";
export type * as apiextensionsV1 from "./generated/apiextensions-v1.ts";
export type * as appsV1 from "./generated/apps-v1.ts";
export type * as authenticationV1 from "./generated/authentication-v1.ts";
export type * as authorizationV1 from "./generated/authorization-v1.ts";
export type * as autoscalingV1 from "./generated/autoscaling-v1.ts";
export type * as autoscalingV2 from "./generated/autoscaling-v2.ts";
export type * as batchV1 from "./generated/batch-v1.ts";
export type * as certificatesV1 from "./generated/certificates-v1.ts";
export type * as coordinationV1 from "./generated/coordination-v1.ts";
export type * as coreV1 from "./generated/core-v1.ts";
export type * as discoveryV1 from "./generated/discovery-v1.ts";
export type * as eventsV1 from "./generated/events-v1.ts";
export type * as metaV1 from "./generated/meta-v1.ts";
export type * as networkingV1 from "./generated/networking-v1.ts";
export type * as nodeV1 from "./generated/node-v1.ts";
export type * as policyV1 from "./generated/policy-v1.ts";
export type * as rbacV1 from "./generated/rbac-v1.ts";
export type * as schedulingV1 from "./generated/scheduling-v1.ts";
export type * as storageV1 from "./generated/storage-v1.ts";
export type { Draft } from "./draft.ts";
