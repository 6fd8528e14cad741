// `lifepod/client`: for programs that talk to lifepod, or to any Kubernetes API server, the way lifepod's own parts do.

export { type Client, type ClientOptions, type Transport, createClient } from "./client.ts";
export {
  Controller,
  type ControllerFailure,
  type ControllerOptions,
  type ReconcileOutcome,
  done,
  keyOf,
  splitKey,
} from "./controller.ts";
export {
  type EventNote,
  type EventRecorder,
  type EventRecorderOptions,
  type EventSubject,
  type RunningEventRecorder,
  createEventRecorder,
} from "./event-recorder.ts";
export {
  type Informer,
  type InformerChange,
  type InformerOptions,
  type InformerState,
  createInformer,
} from "./informer.ts";
export type { IndexFunction, Indexes, Lister } from "./lister.ts";
export type {
  DeleteOptions,
  ListOptions,
  ListResult,
  PatchType,
  ResourceClient,
  ResourceRef,
  StoredObject,
  TypedWatchEvent,
} from "./resource-client.ts";
export { retryOnConflict } from "./retry.ts";
export { WorkQueue, type WorkQueueOptions } from "./work-queue.ts";
