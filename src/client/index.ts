// The client's public door.
export { type Client, type ClientOptions, createClient, type Transport } from "./client.ts";
export { createInformer, type Informer, type InformerChange, type InformerOptions } from "./informer.ts";
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
