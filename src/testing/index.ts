// The testing API's public door: stories on the virtual clock (docs/stories.md).
export { hours, type Millis, millis, minutes, seconds } from "../base/time.ts";
export type {
  Answers,
  ContainerBehaviour,
  ContainerContext,
  ExecAnswer,
  ExecContext,
  HttpAnswer,
  ImageBehaviour,
  LogBehaviour,
} from "../runtimes/simulated/behaviour.ts";
export type { SimulatedFaults } from "../runtimes/simulated/faults.ts";
export type { SimulatedCluster, SimulatedNode, SimulatedNodeOptions } from "../simulation/simulated-cluster.ts";
export {
  type ContainerDraft,
  configMap,
  cronJob,
  type CronJobOptions,
  daemonSet,
  type DaemonSetOptions,
  deployment,
  type DeploymentOptions,
  job,
  type JobOptions,
  pod,
  type PodOptions,
  type ReplicaOptions,
  replicaSet,
  secret,
  statefulSet,
  type StatefulSetOptions,
} from "./builders.ts";
export * from "./predicates.ts";
export { type LogOptions, type ObjectName, type Story, StoryTeller, story, tellStory } from "./story.ts";
