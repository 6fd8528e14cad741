// Joins the models (names, types, texts) with the hand tables (packages, field numbers, certainty, enums) into one description of the API, and
// fails when the two do not agree: a field without a number, a number without a field, a type that differs.

import { hasModel, readModel } from "./read-models.mjs";
import {
  readAdditionalMessages,
  readCertainFields,
  readEnums,
  readPackages,
  readProtobufFields,
} from "./read-tables.mjs";

/** Never sent as protobuf, or newer than the published field numbers. */
const withoutNumbers = {
  "meta/v1": [
    "APIGroup",
    "APIGroupList",
    "APIResource",
    "APIResourceList",
    "APIVersions",
    "GroupVersionForDiscovery",
    "ServerAddressByClientCIDR",
  ],
  "core/v1": [
    "PodCertificateProjection",
    "PodExtendedResourceClaimStatus",
    "ContainerExtendedResourceRequest",
    "VolumeProjection.podCertificate",
    "PodStatus.extendedResourceClaimStatus",
  ],
};

/** Messages whose JSON is not an object with their fields: written and read by hand in the codec. */
const specialMessages = new Set([
  "JSONSchemaPropsOrArray",
  "JSONSchemaPropsOrBool",
  "JSONSchemaPropsOrStringArray",
  "CustomResourceSubresourceStatus",
]);

const specialTypes = {
  Time: "time",
  MicroTime: "microTime",
  Qty: "quantity",
  IntOrStr: "intOrString",
  RawExt: "object",
  FieldsV1: "object",
  JSON: "any",
  Duration: "duration",
  any: "any",
};
const wireScalars = {
  string: "string",
  bool: "boolean",
  i32: "integer",
  i64: "integer",
  f64: "number",
  bytes: "bytes",
};

/**
 * @returns {{ packages: Map<string, ApiPackage>, enums: object[] }} where a package holds `messages`: name → `{ package, name, description, kind,
 * list, stored, fields }`, and a field is `{ name, type, ref, shape, format, required, certain, enum, description, number, wire, mark, inlined }`.
 */
export function readApi() {
  const packages = readPackages();
  const numbers = readProtobufFields();
  const additional = readAdditionalMessages();
  const { certain, notStored } = readCertainFields();
  const enums = readEnums();
  const enumOf = new Map(enums.flatMap((e) => e.fields.map((field) => [field, e])));

  const api = new Map();
  const byModel = new Map();
  const ownerOf = (message, from) => {
    for (const name of [from, "core/v1", "meta/v1"])
      if (api.get(name)?.messages.has(message) || numbers.get(name)?.has(message)) return name;
    throw new Error(`${from}: unknown message ${message}`);
  };

  for (const { name, module, prefix } of packages) {
    const messages = new Map();
    api.set(name, { name, module, messages });
    const listed = new Set([
      ...(numbers.get(name)?.keys() ?? []),
      ...(withoutNumbers[name] ?? []).filter((entry) => !entry.includes(".")),
    ]);
    for (const message of listed) {
      const model = modelFor(message, prefix);
      if (model === undefined) continue; // inlined into its parents, or special
      byModel.set(model, { package: name, name: message });
      const read = readModel(model);
      messages.set(message, { package: name, name: message, model: read });
      if (!read.fields.some((field) => field.name === "kind")) continue;
      const listModel = modelFor(`${message}List`, prefix);
      if (listModel !== undefined && !listed.has(`${message}List`)) {
        byModel.set(listModel, { package: name, name: `${message}List` });
        messages.set(`${message}List`, {
          package: name,
          name: `${message}List`,
          model: readModel(listModel),
          list: true,
        });
      }
    }
  }

  for (const { name, messages } of api.values()) {
    for (const message of messages.values()) describeMessage(message);
    for (const [messageName, { kind, fields }] of additional.get(name) ?? [])
      messages.set(messageName, additionalMessage(name, messageName, kind, fields));
  }
  checkTables();
  return { packages: api, enums, numbers, ownerOfType };

  /** The package of a message type that occurs in `packageName`; undefined for scalars and special messages. */
  function ownerOfType(type, packageName) {
    const plain = specialTypes[type] !== undefined || wireScalars[type] !== undefined || type === "StrItems";
    return plain ? undefined : ownerOf(type, packageName);
  }

  function describeMessage(message) {
    const { package: packageName, name, model } = message;
    const has = (field) => model.fields.some((f) => f.name === field);
    message.kind =
      has("apiVersion") && has("kind") && (has("metadata") || packageName === "meta/v1") && name !== "OwnerReference";
    message.stored = message.kind && !message.list && !notStored.has(`${packageName} ${name}`);
    message.description = model.description;
    const wire = message.list ? listFields(packageName, name) : flattenedFields(packageName, name);
    const always = certain.get(`${packageName} ${name}`) ?? new Set();
    message.fields = model.fields.map((field) => describeField(message, field, wire, always));
    for (const w of wire.values())
      if (!has(w.name)) throw new Error(`${packageName} ${name}.${w.name}: has a number but no model`);
    for (const field of always)
      if (!has(field)) throw new Error(`certain-after-admission.txt: ${packageName} ${name} has no field ${field}`);
    delete message.model;
  }

  function describeField(message, field, wire, always) {
    const { package: packageName, name } = message;
    const where = `${packageName} ${name}.${field.name}`;
    const found = wire.get(field.name);
    const typeMeta = message.kind && (field.name === "apiVersion" || field.name === "kind");
    if (found === undefined && !typeMeta && !isWithoutNumber(packageName, name, field.name))
      throw new Error(`${where}: has no protobuf field number`);
    const type = modelType(field, where);
    const described = { name: field.name, ...type, description: field.description, required: !field.optional };
    if (found !== undefined) joinWire(described, found, packageName, where);
    described.certain =
      always.has(field.name) ||
      (typeMeta && name !== "DeleteOptions") ||
      (field.name === "metadata" && (message.stored || message.list === true));
    const closed = enumOf.get(where);
    if (closed !== undefined) described.enum = closed;
    return described;
  }

  function joinWire(described, found, packageName, where) {
    const special = specialTypes[found.type];
    const wanted =
      special ??
      wireScalars[found.type] ??
      (found.type === "StrItems" || specialMessages.has(found.type) ? "any" : "ref");
    const quantityAsString = wanted === "quantity" && described.type === "string";
    const agreed =
      quantityAsString ||
      described.type === wanted ||
      (described.type === "any" && wanted === "object") ||
      found.type === "StrItems" ||
      specialMessages.has(found.type);
    if (!agreed) throw new Error(`${where}: the model says ${described.type}, the table ${found.type}`);
    const shape = found.type === "StrItems" ? "mapOfLists" : found.shape;
    if (shape !== described.shape && !specialMessages.has(found.type))
      throw new Error(`${where}: the model says ${described.shape}, the table ${shape}`);
    if (special !== undefined) described.type = special;
    if (wanted === "ref" && `${described.ref.package} ${described.ref.name}` !== `${found.owner} ${found.type}`)
      throw new Error(
        `${where}: the model says ${described.ref.name} of ${described.ref.package}, the table ${found.type} of ${found.owner}`,
      );
    Object.assign(described, { number: found.number, wire: found.type, mark: found.mark, path: found.path });
    if (specialMessages.has(found.type)) described.type = "any";
    if (found.type === "JSONSchemaPropsOrArray") described.tsType = "JSONSchemaProps | readonly JSONSchemaProps[]";
    if (found.type === "JSONSchemaPropsOrBool") described.tsType = "JSONSchemaProps | boolean";
    if (found.type === "JSONSchemaPropsOrStringArray") described.tsType = "JSONSchemaProps | readonly string[]";
    if (found.type === "CustomResourceSubresourceStatus") described.type = "object";
  }

  /** The wire fields of a message by JSON name; those of an inlined message carry the way to it. */
  function flattenedFields(packageName, name, way = []) {
    const fields = new Map();
    for (const field of numbers.get(packageName)?.get(name) ?? []) {
      if (!field.inline) {
        const owner = ownerOfType(field.type, packageName);
        fields.set(field.name, { ...field, owner, path: way });
        continue;
      }
      for (const [inner, value] of flattenedFields(ownerOf(field.type, packageName), field.type, [
        ...way,
        field.number,
      ]))
        fields.set(inner, value);
    }
    return fields;
  }

  function listFields(packageName, name) {
    const item = name.slice(0, -"List".length);
    return new Map([
      [
        "metadata",
        { number: 1, name: "metadata", type: "ListMeta", shape: "single", mark: "", owner: "meta/v1", path: [] },
      ],
      ["items", { number: 2, name: "items", type: item, shape: "list", mark: "!", owner: packageName, path: [] }],
    ]);
  }

  function modelType(field, where) {
    const list = /^Array<(.+)>$/.exec(field.type);
    const map = /^\{ \[key: string\]: (.+); \}$/.exec(field.type);
    const mapOfLists = map === null ? null : /^Array<(.+)>$/.exec(map[1]);
    const shape = mapOfLists !== null ? "mapOfLists" : map !== null ? "map" : list !== null ? "list" : "single";
    const inner = mapOfLists?.[1] ?? map?.[1] ?? list?.[1] ?? field.type;
    switch (inner) {
      case "string":
        return { shape, type: field.format === "byte" ? "bytes" : "string" };
      case "boolean":
        return { shape, type: "boolean" };
      case "number":
        return { shape, type: field.format === "double" ? "number" : "integer", format: field.format };
      case "Date":
      case "V1MicroTime":
        return { shape, type: field.format === "date-time-micro" || inner === "V1MicroTime" ? "microTime" : "time" };
      case "IntOrString":
        return { shape, type: "intOrString" };
      case "any":
        return { shape, type: "any" };
    }
    const ref = byModel.get(inner);
    if (ref === undefined) throw new Error(`${where}: no package has ${inner}`);
    return { shape, type: "ref", ref };
  }

  function additionalMessage(packageName, name, kind, fields) {
    const described = fields.map((field) => {
      const special = specialTypes[field.type] ?? wireScalars[field.type];
      const format = field.type === "i32" ? "int32" : undefined;
      const base = {
        name: field.name,
        shape: field.shape,
        description: "",
        required: field.mark === "!",
        certain: false,
        format,
      };
      return special === undefined
        ? { ...base, type: "ref", ref: { package: additionalOwner(packageName, field.type), name: field.type } }
        : { ...base, type: special };
    });
    const typeMeta = ["apiVersion", "kind"].map((field) => ({
      name: field,
      shape: "single",
      type: "string",
      description: "",
      required: true,
      certain: true,
    }));
    return {
      package: packageName,
      name,
      description: "",
      kind,
      stored: false,
      additional: true,
      fields: kind ? [...typeMeta, ...described] : described,
    };
  }

  function additionalOwner(packageName, type) {
    return additional.get(packageName)?.has(type) ? packageName : ownerOf(type, packageName);
  }

  function checkTables() {
    for (const [section, messages] of numbers) {
      const inlined = new Set(
        [...messages.values()]
          .flat()
          .filter((field) => field.inline)
          .map((field) => field.name),
      );
      for (const message of messages.keys()) {
        if (!api.get(section).messages.has(message) && !inlined.has(message) && !specialMessages.has(message))
          throw new Error(`protobuf-fields.txt: no model for ${section} ${message}`);
      }
    }
    for (const e of enums) {
      for (const where of e.fields) {
        const [packageName, path] = where.split(" ");
        const [message, field] = path.split(".");
        if (
          !api
            .get(packageName)
            ?.messages.get(message)
            ?.fields.some((f) => f.name === field && f.type === "string")
        )
          throw new Error(`enums.txt: no string field ${where}`);
      }
    }
  }
}

function modelFor(message, prefix) {
  const names =
    prefix === undefined ? [`V1${message}`] : [`${prefix}${message}`, ...(prefix === "V2" ? [] : [`V1${message}`])];
  return names.find(hasModel);
}

function isWithoutNumber(packageName, message, field) {
  const list = withoutNumbers[packageName] ?? [];
  return list.includes(message) || list.includes(`${message}.${field}`);
}
