// Objects, lists and events as answers. JSON as it lies in the store goes out without being parsed and written again; other forms are made when asked for.

import { apiVersionOf, type ResourceKind } from "../api/kinds.ts";
import type { ApiBody, ApiResponse, JsonObject, WatchEvent } from "../api/wire/request.ts";
import { bodyOf } from "./codec/encode.ts";
import type { Representation } from "./codec/media-types.ts";
import type { ListPage } from "./registry/list.ts";
import type { ResourceDefinition } from "./registry/resource-definition.ts";
import { watchEvent } from "./storage/change.ts";
import { type Document, documentOf, type StoredObject } from "./storage/stored-object.ts";
import type { WatchRepresentation } from "./watch/resource-watch.ts";
import type { Revision } from "../store/store.ts";

/** Makes Tables; injected, so that what a kind prints is no business of this file. */
export interface TableMaker {
  /** @param includeObject `None`, `Metadata` or `Object`: what of each object goes into its row */
  table(
    definition: ResourceKind,
    objects: readonly JsonObject[],
    metadata: JsonObject,
    options: { readonly version: string; readonly includeObject: IncludeObject; readonly withColumns: boolean },
  ): JsonObject;
}

export type IncludeObject = "None" | "Metadata" | "Object";

/** What the client wants to see of the objects. */
export interface Shape {
  readonly form: Representation;
  readonly includeObject: IncludeObject;
}

export class Documents {
  readonly #tables: TableMaker;

  constructor(tables: TableMaker) {
    this.#tables = tables;
  }

  /** One object. */
  object(status: number, definition: ResourceKind, document: Document, shape: Shape): ApiResponse {
    return response(status, this.#shaped(definition, document, shape), shape.form);
  }

  list(definition: ResourceDefinition, page: ListPage, shape: Shape): ApiResponse {
    const metadata = listMetadata(page);
    const { form } = shape;
    switch (form.as) {
      case "object":
        return response(200, new ListDocument(definition, page.objects, metadata), form);
      case "Table": {
        const objects = page.objects.map((stored) => stored.in(definition.conversion).object);
        return response(200, documentOf(this.#table(definition, objects, metadata, shape, true)), form);
      }
      case "PartialObjectMetadata":
      case "PartialObjectMetadataList": {
        const items = page.objects.map((stored) =>
          partialMetadata(stored.in(definition.conversion).object, form.version),
        );
        const list = { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${form.version}`, metadata, items };
        return response(200, documentOf(list), form);
      }
    }
  }

  /** A list of what is not stored: all of it, of no revision. */
  unstoredList(definition: ResourceKind, items: readonly JsonObject[], shape: Shape): ApiResponse {
    if (shape.form.as === "Table")
      return response(200, documentOf(this.#table(definition, items, {}, shape, true)), shape.form);
    const head = { kind: definition.listKind, apiVersion: apiVersionOf(definition), metadata: {} };
    return response(200, documentOf({ ...head, items }), shape.form);
  }

  watch(definition: ResourceDefinition, shape: Shape): WatchRepresentation {
    const { form } = shape;
    const bookmark = (revision: Revision, annotations?: Readonly<Record<string, string>>): WatchEvent =>
      watchEvent("BOOKMARK", this.#bookmark(definition, revision, annotations, shape));
    const view = definition.conversion?.apiVersion ?? "";
    switch (form.as) {
      case "object":
        return { name: view, represent: (stored) => stored.in(definition.conversion), bookmark };
      case "Table": {
        const rows = (withColumns: boolean) => ({
          name: `${view} Table ${form.version} ${shape.includeObject} ${withColumns}`,
          represent: (stored: StoredObject): Document =>
            this.#tableOf(definition, stored.in(definition.conversion), shape, withColumns),
        });
        return { ...rows(false), first: rows(true), bookmark };
      }
      case "PartialObjectMetadata":
      case "PartialObjectMetadataList":
        return {
          name: `${view} PartialObjectMetadata ${form.version}`,
          represent: (stored) => documentOf(partialMetadata(stored.in(definition.conversion).object, form.version)),
          bookmark,
        };
    }
  }

  #shaped(definition: ResourceKind, document: Document, shape: Shape): Document {
    switch (shape.form.as) {
      case "object":
        return document;
      case "Table":
        return this.#tableOf(definition, document, shape, true);
      case "PartialObjectMetadata":
      case "PartialObjectMetadataList":
        return documentOf(partialMetadata(document.object, shape.form.version));
    }
  }

  #tableOf(definition: ResourceKind, document: Document, shape: Shape, withColumns: boolean): Document {
    const { resourceVersion } = document.object["metadata"] as JsonObject;
    const metadata = resourceVersion === undefined ? {} : { resourceVersion };
    return documentOf(this.#table(definition, [document.object], metadata, shape, withColumns));
  }

  #table(
    definition: ResourceKind,
    objects: readonly JsonObject[],
    metadata: JsonObject,
    { form, includeObject }: Shape,
    withColumns: boolean,
  ): JsonObject {
    return this.#tables.table(definition, objects, metadata, { version: form.version, includeObject, withColumns });
  }

  /** An object of the watched kind that says nothing but how far the watch has come (api-machinery 4.2). */
  #bookmark(
    definition: ResourceDefinition,
    revision: Revision,
    annotations: Readonly<Record<string, string>> | undefined,
    shape: Shape,
  ): Document {
    const resourceVersion = String(revision);
    const more = annotations === undefined ? {} : { annotations };
    if (shape.form.as === "Table") return documentOf(this.#table(definition, [], { resourceVersion }, shape, false));
    const kind = shape.form.as === "object" ? definition.kind : "PartialObjectMetadata";
    const apiVersion = shape.form.as === "object" ? apiVersionOf(definition) : `meta.k8s.io/${shape.form.version}`;
    return documentOf({ kind, apiVersion, metadata: { resourceVersion, creationTimestamp: null, ...more } });
  }
}

/** A list: the texts of the items one after the other, or the items themselves, whichever is asked for. */
class ListDocument implements Document {
  readonly #definition: ResourceDefinition;
  readonly #items: readonly StoredObject[];
  readonly #metadata: JsonObject;
  #object: JsonObject | undefined;

  constructor(definition: ResourceDefinition, items: readonly StoredObject[], metadata: JsonObject) {
    this.#definition = definition;
    this.#items = items;
    this.#metadata = metadata;
  }

  get object(): JsonObject {
    this.#object ??= {
      ...this.#head(),
      items: this.#items.map((stored) => stored.in(this.#definition.conversion).object),
    };
    return this.#object;
  }

  text(): string {
    const head = JSON.stringify(this.#head()).slice(0, -1);
    const items = this.#items.map((stored) => stored.in(this.#definition.conversion).text());
    return `${head},"items":[${items.join(",")}]}`;
  }

  #head(): JsonObject {
    const { listKind } = this.#definition;
    return { kind: listKind, apiVersion: apiVersionOf(this.#definition), metadata: this.#metadata };
  }
}

/** The body of a document: plain JSON is made only if somebody reads it as text. */
function response(status: number, document: Document, form: Representation): ApiResponse {
  const headers = { "content-type": `application/${form.encoding}`, "cache-control": "no-cache, private" };
  if (form.encoding !== "json" || form.pretty) return { status, headers, body: bodyOf(document.object, form) };
  return { status, headers, body: lazyBody(document) };
}

function lazyBody(document: Document): ApiBody {
  let text: string | undefined;
  return {
    kind: "object",
    get object() {
      return document.object;
    },
    json() {
      text ??= document.text();
      return text;
    },
  };
}

function listMetadata({ revision, continueToken, remaining }: ListPage): JsonObject {
  return {
    resourceVersion: String(revision),
    ...(continueToken === undefined ? {} : { continue: continueToken }),
    ...(remaining === undefined || remaining === 0 ? {} : { remainingItemCount: remaining }),
  };
}

function partialMetadata(object: JsonObject, version: string): JsonObject {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object["metadata"] };
}
