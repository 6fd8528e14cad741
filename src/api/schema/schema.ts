// The API's structure as data: which fields a message has, of what type, and how patches treat them. The data is generated; this file is the
// seam for everyone who walks objects by their schema: strict decoding, strategic merge patch, server-side apply, OpenAPI, explain.

/** A message of the API: `core/v1 PodSpec`. */
export interface Schema {
  /** `core/v1 PodSpec`: the package (the group version; `core/v1` and `meta/v1` by these names) and the message. */
  readonly name: string;
  /** By the names on the wire. */
  readonly fields: ReadonlyMap<string, SchemaField>;
  /** Fields that OpenAPI calls required. */
  readonly required: readonly string[];
  /** Fields that a stored object always has (complete at the door, certain inside). */
  readonly certain: readonly string[];
  /** Set when it is a kind: what `apiVersion` and `kind` say. */
  readonly gvk?: GroupVersionKind;
  /** Server-side apply owns the whole message, never single fields (api-machinery 5.6). */
  readonly mapType?: "atomic";
}

/** The group is empty for core. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export type SchemaType =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  /** With `ref` a message; without, a JSON object of any content. */
  | "object"
  /** A list of `items`. */
  | "array"
  /** A map from string to `items`. */
  | "map"
  /** Any JSON value. */
  | "any"
  | "intOrString"
  | "quantity"
  | "time"
  | "microTime"
  /** Base64 text. */
  | "bytes";

export interface SchemaField {
  readonly type: SchemaType;
  /** The message's name, for `schemaFor`. */
  readonly ref?: string;
  /** What an array or a map holds. */
  readonly items?: SchemaField;
  /** Of integers and numbers. */
  readonly format?: "int32" | "int64" | "double";
  /** The only values this string may have, as far as the published schema says. */
  readonly enum?: readonly string[];
  /** How Go names the field's type in errors, where the type alone does not tell: `v1.PodPhase`. */
  readonly goType?: string;
  /**
   * What happens to a zero value ("", 0, false, an empty list or map). None: it is as good as absent and is not kept. `always`: the object
   * has the field even when nobody set it. `pointer`: zero differs from absent and is kept.
   */
  readonly presence?: "always" | "pointer";
  /** Strategic merge patch (api-machinery 5.4). Without a strategy a list is replaced, a map merged. */
  readonly patchStrategy?: readonly ("merge" | "replace" | "retainKeys")[];
  /** Of a list of messages with strategy `merge`. */
  readonly patchMergeKey?: string;
  /** Server-side apply (api-machinery 5.6). Without it a list is atomic. */
  readonly listType?: "atomic" | "set" | "map";
  readonly listMapKeys?: readonly string[];
  /** Server-side apply owns this map or message as a whole; or, against its message's own rule, its fields. */
  readonly mapType?: "atomic" | "granular";
}
