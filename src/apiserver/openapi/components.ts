// The API's messages as OpenAPI schemas, with the extensions that clients compute patches from (api-machinery 1.5). The two versions of
// OpenAPI differ in how one schema refers to another.

import type { Schema, SchemaField } from "../../api/schema/schema.ts";
import { schemaFor } from "../../api/schema/schemas.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { patchSchema } from "./operations.ts";

/** Texts by message: the message's own, and its fields'. */
export type Descriptions = Readonly<Record<string, readonly [text: string, fields: Readonly<Record<string, string>>]>>;

export type OpenApiVersion = "v2" | "v3";

/** The schemas of these messages and of everything they refer to, by their public names. */
export function componentsFor(
  messages: Iterable<string>,
  version: OpenApiVersion,
  descriptions: Descriptions,
): JsonObject {
  const writer = new SchemaWriter(version, descriptions);
  const components: Record<string, JsonObject> = {};
  const pending = [...messages];
  const seen = new Set(pending);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    components[publicName(name)] = writer.component(name);
    for (const ref of writer.takeRefs()) {
      if (seen.has(ref)) continue;
      seen.add(ref);
      pending.push(ref);
    }
  }
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `core/v1 Pod` is published as `io.k8s.api.core.v1.Pod`. */
export function publicName(message: string): string {
  const special = specialNames[message];
  if (special !== undefined) return special;
  const [groupVersion = "", name = ""] = message.split(" ");
  const [group = "", version = ""] = groupVersion.split("/");
  if (group === "meta") return `io.k8s.apimachinery.pkg.apis.meta.${version}.${name}`;
  const short = group.split(".")[0] as string;
  if (short === "apiextensions") return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}.${name}`;
  return `io.k8s.api.${short}.${version}.${name}`;
}

/** Refers to a published schema. */
export function reference(message: string, version: OpenApiVersion): JsonObject {
  return { $ref: `${version === "v3" ? "#/components/schemas/" : "#/definitions/"}${publicName(message)}` };
}

const specialNames: Readonly<Record<string, string>> = {
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  time: "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
  microTime: "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
};

/** Schemas that are no messages. */
const specialSchemas: Readonly<Record<string, JsonObject>> = {
  quantity: {
    type: "string",
    description: "An amount of a resource: a number, perhaps with a fraction, and a suffix such as m, k, M, Ki or Mi.",
  },
  intOrString: {
    type: "string",
    format: "int-or-string",
    description: "A whole number, or a text: a name or a percentage.",
  },
  time: { type: "string", format: "date-time", description: "A moment as RFC 3339 writes it, in whole seconds." },
  microTime: { type: "string", format: "date-time", description: "A moment as RFC 3339 writes it, with microseconds." },
  [patchSchema]: { type: "object", description: "A patch. The media type says of which kind." },
};

class SchemaWriter {
  readonly #version: OpenApiVersion;
  readonly #descriptions: Descriptions;
  #refs: string[] = [];

  constructor(version: OpenApiVersion, descriptions: Descriptions) {
    this.#version = version;
    this.#descriptions = descriptions;
  }

  /** What the schemas written since the last call refer to. */
  takeRefs(): readonly string[] {
    const refs = this.#refs;
    this.#refs = [];
    return refs;
  }

  component(message: string): JsonObject {
    const special = specialSchemas[message];
    if (special !== undefined) {
      // Only the third version can say that a value is of one type or of another.
      if (this.#version === "v2" || (message !== "quantity" && message !== "intOrString")) return special;
      const { type: _type, ...rest } = special;
      return { ...rest, oneOf: [{ type: "string" }, { type: message === "quantity" ? "number" : "integer" }] };
    }
    return this.#message(schemaFor(message), this.#descriptions[message]);
  }

  #message(schema: Schema, texts: Descriptions[string] | undefined): JsonObject {
    const properties = Object.fromEntries(
      [...schema.fields].map(([name, field]) => {
        // The published models lose the text of a field that holds a message: then what the message says of itself must do.
        const text = texts?.[1][name] ?? this.#descriptions[field.ref ?? ""]?.[0];
        return [name, this.#field(field, text === "" ? undefined : text)];
      }),
    );
    return {
      ...(texts === undefined || texts[0] === "" ? {} : { description: texts[0] }),
      type: "object",
      ...(schema.fields.size > 0 ? { properties } : {}),
      ...(schema.required.length > 0 ? { required: schema.required } : {}),
      ...(schema.gvk === undefined ? {} : { "x-kubernetes-group-version-kind": [schema.gvk] }),
      ...(schema.mapType === undefined ? {} : { "x-kubernetes-map-type": schema.mapType }),
    };
  }

  #field(field: SchemaField, text: string | undefined): JsonObject {
    return {
      ...this.#type(field, text !== undefined),
      ...(text === undefined ? {} : { description: text }),
      ...extensionsOf(field),
    };
  }

  #type(field: SchemaField, described: boolean): JsonObject {
    switch (field.type) {
      case "object":
        return field.ref === undefined ? { type: "object" } : this.#refer(field.ref, described);
      case "quantity":
      case "intOrString":
      case "time":
      case "microTime":
        return this.#refer(field.type, described);
      case "array":
        return { type: "array", items: this.#items(field) };
      case "map":
        return { type: "object", additionalProperties: this.#items(field) };
      case "bytes":
        return { type: "string", format: "byte" };
      case "any":
        return this.#version === "v3" ? { "x-kubernetes-preserve-unknown-fields": true } : { type: "object" };
      case "string":
        return { type: "string", ...(field.enum === undefined ? {} : { enum: field.enum }) };
      case "integer":
      case "number":
        return { type: field.type, ...(field.format === undefined ? {} : { format: field.format }) };
      case "boolean":
        return { type: "boolean" };
    }
  }

  #items(field: SchemaField): JsonObject {
    return field.items === undefined ? {} : this.#type(field.items, false);
  }

  /** OpenAPI 3.0 ignores what stands beside a `$ref`, so a described field wraps it. */
  #refer(message: string, described: boolean): JsonObject {
    this.#refs.push(message);
    const ref = reference(message, this.#version);
    return this.#version === "v3" && described ? { allOf: [ref] } : ref;
  }
}

function extensionsOf(field: SchemaField): JsonObject {
  return {
    ...(field.patchStrategy === undefined ? {} : { "x-kubernetes-patch-strategy": field.patchStrategy.join(",") }),
    ...(field.patchMergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": field.patchMergeKey }),
    ...(field.listType === undefined ? {} : { "x-kubernetes-list-type": field.listType }),
    ...(field.listMapKeys === undefined ? {} : { "x-kubernetes-list-map-keys": field.listMapKeys }),
    ...(field.mapType === undefined ? {} : { "x-kubernetes-map-type": field.mapType }),
  };
}
