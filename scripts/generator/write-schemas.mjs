// Writes what the server knows of the API's structure at run time: the schemas, the texts (a module of its own, because only OpenAPI and
// explain read them) and the protobuf field numbers (only the codec reads them).

import { readListTypes, readPatchStrategies } from "./read-tables.mjs";

const header =
  "// Written by scripts/generate.mjs from the published API models and scripts/tables. Change those, not this.\n\n";

/** `schemas.ts`: one entry a message, as the `Schema` of src/api/schema/schema.ts with plain objects for maps. */
export function schemasModule(api) {
  const strategies = readPatchStrategies();
  const listTypes = readListTypes();
  const used = new Set();
  const schemas = {};
  for (const { name: packageName, messages } of api.packages.values()) {
    for (const message of messages.values()) schemas[`${packageName} ${message.name}`] = schemaOf(message, packageName);
  }
  for (const where of [...strategies.keys(), ...listTypes.keys()])
    if (!used.has(where)) throw new Error(`patch or list table: nothing is called ${where}`);
  return `${header}export const schemas: string =\n  ${jsonLiteral(schemas)};\n`;

  function schemaOf(message, packageName) {
    const where = `${packageName} ${message.name}`;
    const fields = Object.fromEntries(
      message.fields.map((field) => [field.name, schemaField(field, message, `${where}.${field.name}`)]),
    );
    const schema = { fields };
    const required = message.fields.filter((field) => field.required).map((field) => field.name);
    const certain = message.fields.filter((field) => field.required || field.certain).map((field) => field.name);
    if (required.length > 0) schema.required = required;
    if (certain.length > required.length) schema.certain = certain;
    if (message.kind) schema.gvk = gvkOf(message, packageName);
    if (listTypes.has(where)) {
      used.add(where);
      schema.mapType = "atomic";
    }
    return schema;
  }

  function schemaField(field, message, where) {
    const single = { type: field.type === "ref" ? "object" : field.type === "duration" ? "integer" : field.type };
    if (field.type === "ref") single.ref = `${field.ref.package} ${field.ref.name}`;
    if (field.format) single.format = field.format;
    if (field.enum !== undefined) {
      single.goType = `v1.${field.enum.name}`;
      if (field.enum.published) single.enum = field.enum.values;
    }
    const described = inShape(field.shape, single);
    if (field.mark === "!" || (field.required && field.shape === "list")) described.presence = "always";
    else if (field.mark === "?") described.presence = "pointer";
    const strategy = strategies.get(where);
    if (strategy !== undefined) {
      used.add(where);
      described.patchStrategy = strategy.strategies;
      if (strategy.key !== undefined) described.patchMergeKey = strategy.key;
    }
    const listType = listTypes.get(where);
    if (listType !== undefined) {
      used.add(where);
      if (listType.type === "atomic" || listType.type === "granular") described.mapType = listType.type;
      else described.listType = listType.type === "list" ? "atomic" : listType.type;
      if (listType.keys.length > 0) described.listMapKeys = listType.keys;
    }
    return described;
  }
}

/** JSON inside a string literal: parsing a string at run time is much faster than evaluating a literal of this size. */
function jsonLiteral(value) {
  return `'${JSON.stringify(value).replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function inShape(shape, single) {
  switch (shape) {
    case "list":
      return { type: "array", items: single };
    case "map":
      return single.type === "quantity"
        ? { type: "map", items: single, goType: "v1.ResourceList" }
        : { type: "map", items: single };
    case "mapOfLists":
      return { type: "map", items: { type: "array", items: single } };
    default:
      return single;
  }
}

/** The kinds of meta/v1 that OpenAPI lists belong to every group and are known by that of core; the others have a group of their own. */
function gvkOf(message, packageName) {
  const [group, version] = packageName.split("/");
  if (message.additional && message.package === "meta/v1") return { group: "meta.k8s.io", version, kind: message.name };
  return { group: group === "core" || group === "meta" ? "" : group, version, kind: message.name };
}

/** `descriptions.ts`: message → [its text, field → text]. */
export function descriptionsModule(api) {
  const texts = {};
  for (const { name: packageName, messages } of api.packages.values()) {
    for (const message of messages.values()) {
      const fields = Object.fromEntries(
        message.fields.filter((field) => field.description !== "").map((field) => [field.name, field.description]),
      );
      texts[`${packageName} ${message.name}`] = [message.description, fields];
    }
  }
  return `${header}export const descriptions: string =\n  ${jsonLiteral(texts)};\n`;
}

/**
 * `protobuf-fields.ts`: message → lines `number name type`, where type is a scalar, a special message or `package Message`, with `[]` or
 * `{}` before it for lists and maps; a `~` before the name says that the message's fields belong to the parent.
 */
export function protobufModule(api) {
  const messages = {};
  for (const [packageName, fieldsOf] of api.numbers) {
    for (const [name, fields] of fieldsOf) {
      messages[`${packageName} ${name}`] = fields.map((field) => {
        const owner = api.ownerOfType(field.type, packageName);
        const type = owner === undefined ? field.type : `${owner} ${field.type}`;
        const shape = field.shape === "list" ? "[]" : field.shape === "map" ? "{}" : "";
        return [field.number, field.inline ? "~" : field.name, shape + type, field.mark];
      });
    }
  }
  for (const { name: packageName, messages: described } of api.packages.values()) {
    for (const message of described.values()) {
      if (!message.list) continue;
      messages[`${packageName} ${message.name}`] = [
        [1, "metadata", "meta/v1 ListMeta", ""],
        [2, "items", `[]${packageName} ${message.name.slice(0, -"List".length)}`, ""],
      ];
    }
  }
  return `${header}export const protobufFields: string =\n  ${jsonLiteral(messages)};\n`;
}
