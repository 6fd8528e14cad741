// One revision of one object as the store holds it. The store's value is JSON text without a resourceVersion (which is not known before the write);
// the text always begins with kind, apiVersion and metadata, so that the resourceVersion is spliced in without parsing. The text is
// parsed at most once per revision, and the result is shared by lists, watches and callers in the process.

import type { JsonObject } from "../../api/wire/request.ts";
import type { KeyValue, Revision } from "../../store/store.ts";
import { type ApiObject, withMetadata } from "../registry/api-object.ts";

/** How a stored object looks in another version of the API than the one that is stored. */
export interface VersionView {
  /** Names the view among all: `events.k8s.io/v1`. */
  readonly apiVersion: string;
  fromStorage(object: ApiObject): ApiObject;
}

/** An object and its JSON text. */
export interface Document {
  readonly object: JsonObject;
  text(): string;
}

export class StoredObject implements Document {
  readonly key: string;
  /** The revision of its last write: its resourceVersion. */
  readonly revision: Revision;
  /** As the store holds it: without the resourceVersion. */
  readonly value: string;
  readonly #freeze: boolean;
  #object: ApiObject | undefined;
  #views: Map<string, Document> | undefined;

  constructor(key: string, revision: Revision, value: string, freeze: boolean) {
    this.key = key;
    this.revision = revision;
    this.value = value;
    this.#freeze = freeze;
  }

  get object(): ApiObject {
    if (this.#object === undefined) {
      const parsed = JSON.parse(this.text()) as ApiObject;
      this.#object = this.#freeze ? deepFreeze(parsed) : parsed;
    }
    return this.#object;
  }

  /** The JSON text with the resourceVersion in it. Not kept: splicing costs less than holding every object twice. */
  text(): string {
    return spliceResourceVersion(this.value, this.revision);
  }

  /** The object as the given version shows it. */
  in(view: VersionView | undefined): Document {
    if (view === undefined) return this;
    let document = this.#views?.get(view.apiVersion);
    if (document === undefined) {
      document = documentOf(view.fromStorage(this.object), this.#freeze);
      this.#views ??= new Map();
      this.#views.set(view.apiVersion, document);
    }
    return document;
  }

  /** The last state of an object that was removed at `revision`: what a DELETED event carries (api-machinery 4.2). */
  asDeletedAt(revision: Revision): StoredObject {
    return new StoredObject(this.key, revision, this.value, this.#freeze);
  }
}

/** The stored object that a key of the store holds. */
export function storedObjectOf(entry: KeyValue, freeze: boolean): StoredObject {
  return new StoredObject(entry.key, entry.modRevision, entry.value, freeze);
}

/** The text that goes into the store: the object without its resourceVersion. */
export function serialize(object: ApiObject): string {
  const { kind, apiVersion, metadata, ...rest } = withMetadata(object, { resourceVersion: undefined });
  return JSON.stringify({ kind, apiVersion, metadata, ...rest });
}

export function documentOf(object: JsonObject, freeze = false): Document {
  let text: string | undefined;
  if (freeze) deepFreeze(object);
  return {
    object,
    text: () => {
      text ??= JSON.stringify(object);
      return text;
    },
  };
}

const metadataStart = '"metadata":{';

function spliceResourceVersion(value: string, revision: Revision): string {
  const at = value.indexOf(metadataStart) + metadataStart.length;
  const separator = value[at] === "}" ? "" : ",";
  return `${value.slice(0, at)}"resourceVersion":"${revision}"${separator}${value.slice(at)}`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const field of Object.values(value)) deepFreeze(field);
  }
  return value;
}
