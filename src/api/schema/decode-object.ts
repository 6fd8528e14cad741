// From what a client sent to an object of the API's shape: what a Go server would have after reading it into its types and would write out
// again. Unknown fields are found and left out, nulls and empty values mean absent, fields that are always there are filled in, values of the
// wrong type are refused with the words of Go's decoder (api-machinery 2.2, 2.3, 3.6).

import { formatMicroTime, formatTime, parseTime } from "../../base/time.ts";
import { canonicalQuantity, quantityProblem } from "../meta/quantity.ts";
import type { JsonObject } from "../wire/request.ts";
import { goTypeOf, messageNameOf, parsingTimeProblem } from "./go-words.ts";
import { base64Problem } from "./base64-text.ts";
import type { Schema, SchemaField, SchemaType } from "./schema.ts";
import { schemaFor } from "./schemas.ts";

export interface DecodedObject {
  readonly object: JsonObject;
  /** Paths of the fields that the schema does not know, in the order of the document: `spec.containers[0].foo`. */
  readonly unknownFields: readonly string[];
}

/** A value of the wrong type; the message is that of Go's decoder: `json: cannot unmarshal string into Go struct field …`. */
export class UnmarshalError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnmarshalError";
  }
}

/**
 * Reads `value` as the message that `schema` describes. The answer is a new object; nothing of `value` is changed, and parts without a
 * structure of their own may be shared with it.
 * @param known an object that was read before: what `value` shares with it is taken as it is
 * @throws UnmarshalError
 */
export function decodeObject(value: unknown, schema: Schema, known?: JsonObject): DecodedObject {
  return new ObjectDecoder(true).decode(value, schema, known);
}

/**
 * Like `decodeObject`, but the values stay as they were sent: only unknown fields are left out. For an applied configuration, where it
 * matters which fields were named.
 * @throws UnmarshalError
 */
export function checkObject(value: unknown, schema: Schema): DecodedObject {
  return new ObjectDecoder(false).decode(value, schema);
}

const maxInt32 = 2147483647;
/** No API message is nested as deep as this; a JSON schema in a CustomResourceDefinition can be. */
const depthLimit = 1000;

/** Nobody reads more of them, and each becomes a part of the answer. */
const unknownFieldLimit = 100;

class ObjectDecoder {
  readonly #normal: boolean;
  readonly #unknown: string[] = [];
  /** Names and indices from the root to where we are. */
  readonly #path: (string | number)[] = [];
  /** The same without indices and map keys, which Go's errors do not show. */
  readonly #fieldNames: string[] = [];
  /** The message whose field is being read. */
  #message = "";

  constructor(normal: boolean) {
    this.#normal = normal;
  }

  decode(value: unknown, schema: Schema, known?: JsonObject): DecodedObject {
    if (!isObject(value))
      throw new UnmarshalError(
        `json: cannot unmarshal ${goKindOf(value)} into Go value of type ${goTypeOf({ type: "object", ref: schema.name })}`,
      );
    return { object: this.#decodeMessage(value, schema, known), unknownFields: this.#unknown };
  }

  #decodeMessage(value: JsonObject, schema: Schema, known?: JsonObject): JsonObject {
    if (this.#path.length > depthLimit) throw new UnmarshalError("json: exceeded max depth");
    const outer = this.#message;
    this.#message = schema.name;
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      const field = schema.fields.get(name);
      const same = known?.[name];
      if (field !== undefined && same !== undefined && same !== null && same === value[name]) {
        setOwn(result, name, same);
        continue;
      }
      this.#path.push(name);
      this.#fieldNames.push(name);
      if (field === undefined) this.#foundUnknown(value[name]);
      else this.#decodeInto(result, name, value[name], field, isObject(same) ? same : undefined);
      this.#fieldNames.pop();
      this.#path.pop();
    }
    if (this.#normal) this.#fill(result, schema);
    this.#message = outer;
    return result;
  }

  #decodeInto(
    result: Record<string, unknown>,
    name: string,
    value: unknown,
    field: SchemaField,
    known: JsonObject | undefined,
  ): void {
    // A caller in the same process may say "absent" in its own way.
    if (value === undefined) return;
    if (value === null) {
      if (!this.#normal) result[name] = null;
      return;
    }
    const decoded = this.#decodeValue(value, field, known);
    if (this.#normal && field.presence === undefined && isZero(decoded, field)) return;
    result[name] = decoded;
  }

  /** Adds what an object of this message has even when nobody named it. */
  #fill(result: Record<string, unknown>, schema: Schema): void {
    for (const { name, zero, message } of fillsOf(schema)) {
      if (result[name] !== undefined) continue;
      if (message === undefined) {
        result[name] = Array.isArray(zero) ? [] : zero;
        continue;
      }
      result[name] = this.#decodeMessage({}, schemaFor(message));
    }
  }

  #decodeValue(value: unknown, field: SchemaField, known?: JsonObject): unknown {
    switch (field.type) {
      case "any":
        return value;
      case "object":
        if (!isObject(value)) throw this.#mismatch(goKindOf(value), field);
        return field.ref === undefined ? value : this.#decodeMessage(value, schemaFor(field.ref), known);
      case "array":
        return this.#decodeArray(value, field);
      case "map":
        return this.#decodeMap(value, field);
      case "string":
        if (typeof value !== "string") throw this.#mismatch(goKindOf(value), field);
        return value;
      case "boolean":
        if (typeof value !== "boolean") throw this.#mismatch(goKindOf(value), field);
        return value;
      case "number":
        if (typeof value !== "number") throw this.#mismatch(goKindOf(value), field);
        return value;
      case "integer":
        if (typeof value !== "number") throw this.#mismatch(goKindOf(value), field);
        if (!fits(value, field.format)) throw this.#mismatch(`number ${value}`, field);
        return value;
      case "intOrString":
        return decodeIntOrString(value);
      case "quantity":
        return this.#decodeQuantity(value);
      case "time":
      case "microTime":
        return this.#decodeTime(value, field.type);
      case "bytes":
        return this.#decodeBytes(value, field);
    }
  }

  #decodeArray(value: unknown, field: SchemaField): unknown {
    if (!Array.isArray(value)) throw this.#mismatch(goKindOf(value), field);
    const items = field.items as SchemaField;
    return value.map((item: unknown, index) => {
      this.#path.push(index);
      const decoded =
        item === null && this.#normal ? this.#zeroOf(items) : item === null ? null : this.#decodeValue(item, items);
      this.#path.pop();
      return decoded;
    });
  }

  #decodeMap(value: unknown, field: SchemaField): unknown {
    if (!isObject(value)) throw this.#mismatch(goKindOf(value), field);
    const items = field.items as SchemaField;
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const item = value[key];
      this.#path.push(key);
      setOwn(
        result,
        key,
        item === null && this.#normal ? this.#zeroOf(items) : item === null ? null : this.#decodeValue(item, items),
      );
      this.#path.pop();
    }
    return result;
  }

  #decodeQuantity(value: unknown): unknown {
    if (typeof value !== "string" && typeof value !== "number")
      throw new UnmarshalError(quantityProblem(goKindOf(value)) ?? "");
    const text = typeof value === "string" ? value.trim() : value;
    const problem = quantityProblem(text);
    if (problem !== undefined) throw new UnmarshalError(problem);
    return this.#normal ? canonicalQuantity(text) : value;
  }

  #decodeTime(value: unknown, type: "time" | "microTime"): unknown {
    if (typeof value !== "string")
      throw new UnmarshalError(`json: cannot unmarshal ${goKindOf(value)} into Go value of type string`);
    const at = parseTime(value);
    if (at === undefined) throw new UnmarshalError(parsingTimeProblem(value, type));
    if (!this.#normal) return value;
    return type === "time" ? formatTime(at) : formatMicroTime(at);
  }

  #decodeBytes(value: unknown, field: SchemaField): unknown {
    if (typeof value !== "string") throw this.#mismatch(goKindOf(value), field);
    const text = value.replaceAll(/[\r\n]/g, "");
    const problem = base64Problem(text);
    if (problem !== undefined) throw new UnmarshalError(problem);
    return this.#normal ? text : value;
  }

  /** What Go has where a list or a map holds a null. */
  #zeroOf(field: SchemaField): unknown {
    switch (field.type) {
      case "object":
        return field.ref === undefined ? {} : this.#decodeMessage({}, schemaFor(field.ref));
      case "array":
        return [];
      case "map":
        return {};
      case "boolean":
        return false;
      case "integer":
      case "number":
      case "intOrString":
        return 0;
      case "quantity":
        return "0";
      case "string":
      case "bytes":
        return "";
      case "time":
      case "microTime":
      case "any":
        return null;
    }
  }

  #mismatch(found: string, field: SchemaField): UnmarshalError {
    const where = `${messageNameOf(this.#message)}.${this.#fieldNames.join(".")}`;
    return new UnmarshalError(
      `json: cannot unmarshal ${found} into Go struct field ${where} of type ${goTypeOf(field)}`,
    );
  }

  #foundUnknown(value: unknown): void {
    if (value !== undefined && this.#unknown.length < unknownFieldLimit) this.#unknown.push(this.#pathText());
  }

  #pathText(): string {
    let text = "";
    for (const segment of this.#path)
      text += typeof segment === "number" ? `[${segment}]` : text === "" ? segment : `.${segment}`;
    return text;
  }
}

interface Fill {
  readonly name: string;
  readonly zero: unknown;
  /** The message to fill in, instead of a zero. */
  readonly message: string | undefined;
}

const fills = new WeakMap<Schema, readonly Fill[]>();

/**
 * Scalars and lists that Go always writes, and the messages that are never missing. A required selector is left alone: there, none and an empty
 * one are different, and only validation may say so.
 */
function fillsOf(schema: Schema): readonly Fill[] {
  const known = fills.get(schema);
  if (known !== undefined) return known;
  const found: Fill[] = [];
  for (const [name, field] of schema.fields) {
    if (field.presence === "always") {
      const zero = alwaysZero[field.type];
      if (zero !== undefined) found.push({ name, zero, message: undefined });
    } else if (field.type === "intOrString" && schema.required.includes(name)) {
      found.push({ name, zero: 0, message: undefined });
    } else if (
      field.type === "object" &&
      field.ref !== undefined &&
      field.ref !== "meta/v1 LabelSelector" &&
      schema.certain.includes(name)
    ) {
      found.push({ name, zero: undefined, message: field.ref });
    }
  }
  fills.set(schema, found);
  return found;
}

const alwaysZero: Partial<Record<SchemaType, unknown>> = {
  string: "",
  boolean: false,
  integer: 0,
  number: 0,
  array: [],
};

function decodeIntOrString(value: unknown): unknown {
  if (typeof value === "string") return value;
  if (typeof value !== "number")
    throw new UnmarshalError(`json: cannot unmarshal ${goKindOf(value)} into Go value of type int32`);
  if (!fits(value, "int32"))
    throw new UnmarshalError(`json: cannot unmarshal number ${value} into Go value of type int32`);
  return value;
}

function fits(value: number, format: SchemaField["format"]): boolean {
  if (!Number.isInteger(value)) return false;
  return format === "int32" ? value <= maxInt32 && value >= -maxInt32 - 1 : Math.abs(value) < 2 ** 63;
}

function isZero(value: unknown, field: SchemaField): boolean {
  switch (field.type) {
    case "object":
    case "any":
    case "quantity":
    case "intOrString":
      return false;
    case "array":
      return (value as readonly unknown[]).length === 0;
    case "map":
      return Object.keys(value as JsonObject).length === 0;
    case "string":
    case "bytes":
    case "boolean":
    case "integer":
    case "number":
    case "time":
    case "microTime":
      return value === "" || value === 0 || value === false;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How Go's decoder names what it found. */
function goKindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** `__proto__` is a key like any other, but assigning to it is not. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
