// From Kubernetes' protobuf to the JSON form of the same object (api-machinery 2.2). The field numbers are generated from a table; this file
// knows the frame around an object, the special messages, and that Go writes zeros which mean nothing.

import { formatMicroTime, formatTime, type Instant } from "../../base/time.ts";
import { protobufFields } from "../generated/protobuf-fields.ts";
import { apiVersionOf, parseApiVersion } from "../kinds.ts";
import { rootSchema } from "../schema/schemas.ts";
import type { JsonObject } from "../wire/request.ts";
import { bytesToBase64 } from "./base64.ts";
import { ProtobufError, WireReader, type WireType } from "./wire-reader.ts";

export interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object without apiVersion and kind. */
  readonly raw: Uint8Array;
}

/** Reads the frame `k8s\0` + Unknown. @throws ProtobufError */
export function decodeEnvelope(bytes: Uint8Array): ProtobufEnvelope {
  if (!isEnvelope(bytes))
    throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix 6b387300");
  let apiVersion = "";
  let kind = "";
  let raw: Uint8Array = new Uint8Array();
  const reader = new WireReader(bytes.subarray(4));
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire !== "bytes") reader.skip(wire);
    else if (number === 1) {
      const typeMeta = new WireReader(reader.bytes());
      while (!typeMeta.done) {
        const field = typeMeta.tag();
        if (field.wire !== "bytes") typeMeta.skip(field.wire);
        else if (field.number === 1) apiVersion = textOf(typeMeta.bytes());
        else if (field.number === 2) kind = textOf(typeMeta.bytes());
        else typeMeta.bytes();
      }
    } else if (number === 2) raw = reader.bytes();
    else reader.bytes();
  }
  return { apiVersion, kind, raw };
}

export function isEnvelope(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x6b && bytes[1] === 0x38 && bytes[2] === 0x73 && bytes[3] === 0;
}

/** Whether there are field numbers for this message (`core/v1 Pod`). */
export function hasProtobuf(message: string): boolean {
  return tables()[message] !== undefined;
}

/** Reads the bytes of a message (`core/v1 Pod`) as its JSON form, without apiVersion and kind. @throws ProtobufError */
export function decodeMessage(message: string, bytes: Uint8Array): JsonObject {
  const result: Record<string, unknown> = {};
  decodeInto(result, message, bytes, 0);
  return result;
}

interface WireField {
  readonly name: string;
  readonly shape: "single" | "list" | "map";
  /** A scalar, a special message, or `package Message`. */
  readonly type: string;
  /** The message's fields belong to the parent. */
  readonly inline: boolean;
  /** Kept even when zero. */
  readonly keepZero: boolean;
}

const depthLimit = 100;
const fieldsByMessage = new Map<string, ReadonlyMap<number, WireField>>();
let parsedTables: Readonly<Record<string, readonly (readonly [number, string, string, string])[]>> | undefined;

function tables(): NonNullable<typeof parsedTables> {
  parsedTables ??= JSON.parse(protobufFields) as NonNullable<typeof parsedTables>;
  return parsedTables;
}

function fieldsOf(message: string): ReadonlyMap<number, WireField> {
  const known = fieldsByMessage.get(message);
  if (known !== undefined) return known;
  const rows = tables()[message];
  if (rows === undefined) throw new ProtobufError(`no protobuf field numbers are known for ${message}`);
  const fields = new Map(rows.map(([number, name, type, mark]) => [number, wireField(name, type, mark)]));
  fieldsByMessage.set(message, fields);
  return fields;
}

function wireField(name: string, type: string, mark: string): WireField {
  const shape = type.startsWith("[]") ? "list" : type.startsWith("{}") ? "map" : "single";
  return { name, shape, type: shape === "single" ? type : type.slice(2), inline: name === "~", keepZero: mark !== "" };
}

function decodeInto(result: Record<string, unknown>, message: string, bytes: Uint8Array, depth: number): void {
  if (depth > depthLimit) throw new ProtobufError("proto: exceeded max depth");
  const fields = fieldsOf(message);
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    const field = fields.get(number);
    if (field === undefined) reader.skip(wire);
    else if (field.inline) decodeInto(result, field.type, reader.bytes(), depth + 1);
    else decodeField(result, field, wire, reader, depth);
  }
}

function decodeField(
  result: Record<string, unknown>,
  field: WireField,
  wire: WireType,
  reader: WireReader,
  depth: number,
): void {
  switch (field.shape) {
    case "single": {
      const value = decodeValue(field.type, wire, reader, depth);
      if (value === undefined || (!field.keepZero && (value === "" || value === 0 || value === false))) return;
      result[field.name] = value;
      return;
    }
    case "list": {
      const list = (result[field.name] ??= []) as unknown[];
      const packed = wire === "bytes" && (field.type === "i32" || field.type === "i64" || field.type === "bool");
      if (!packed) {
        list.push(decodeValue(field.type, wire, reader, depth) ?? null);
        return;
      }
      const numbers = new WireReader(reader.bytes());
      while (!numbers.done) list.push(decodeValue(field.type, "varint", numbers, depth));
      return;
    }
    case "map": {
      const [key, value] = decodeEntry(field.type, reader.bytes(), depth);
      Object.defineProperty((result[field.name] ??= {}) as object, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      return;
    }
  }
}

function decodeEntry(type: string, bytes: Uint8Array, depth: number): [key: string, value: unknown] {
  let key = "";
  let value: unknown;
  const entry = new WireReader(bytes);
  while (!entry.done) {
    const { number, wire } = entry.tag();
    if (number === 1 && wire === "bytes") key = textOf(entry.bytes());
    else if (number === 2) value = decodeValue(type, wire, entry, depth);
    else entry.skip(wire);
  }
  return [key, value ?? (type === "string" || type === "bytes" ? "" : null)];
}

/** Undefined means absent: an empty time, a raw value without bytes. */
function decodeValue(type: string, wire: WireType, reader: WireReader, depth: number): unknown {
  const expected: WireType =
    type === "i32" || type === "i64" || type === "bool" ? "varint" : type === "f64" ? "fixed64" : "bytes";
  if (wire !== expected) throw new ProtobufError(`proto: wrong wireType = ${wire} for a field of type ${type}`);
  switch (type) {
    case "bool":
      return reader.boolean();
    case "i32":
    case "i64":
      return reader.integer();
    case "f64":
      return reader.double();
    case "string":
      return textOf(reader.bytes());
    case "bytes":
      return bytesToBase64(reader.bytes());
    default:
      return special(type, reader.bytes(), depth);
  }
}

function special(type: string, bytes: Uint8Array, depth: number): unknown {
  switch (type) {
    case "Time":
    case "MicroTime":
      return timeOf(bytes, type);
    case "Duration":
      return numbersOf(bytes).get(1) ?? 0;
    case "Qty":
      return textOf(partsOf(bytes).get(1)?.at(-1) ?? new Uint8Array());
    case "IntOrStr":
      return numbersOf(bytes).get(1) === 1
        ? textOf(partsOf(bytes).get(3)?.at(-1) ?? new Uint8Array())
        : (numbersOf(bytes).get(2) ?? 0);
    case "StrItems":
      return (partsOf(bytes).get(1) ?? []).map(textOf);
    case "RawExt":
    case "FieldsV1":
    case "JSON":
      return rawValue(partsOf(bytes).get(1)?.at(-1), depth);
  }
  const result: Record<string, unknown> = {};
  decodeInto(result, type, bytes, depth + 1);
  switch (type.slice(type.indexOf(" ") + 1)) {
    case "JSONSchemaPropsOrArray":
      return result["schema"] ?? result["jSONSchemas"] ?? [];
    case "JSONSchemaPropsOrBool":
      return result["schema"] ?? result["allows"] ?? false;
    case "JSONSchemaPropsOrStringArray":
      return result["schema"] ?? result["property"] ?? [];
    default:
      return result;
  }
}

function timeOf(bytes: Uint8Array, type: "Time" | "MicroTime"): string | undefined {
  if (bytes.length === 0) return undefined;
  const parts = numbersOf(bytes);
  const at = ((parts.get(1) ?? 0) * 1000 + (parts.get(2) ?? 0) / 1e6) as Instant;
  if (Math.abs(at) > 8.64e15) throw new ProtobufError("proto: time out of range");
  return type === "Time" ? formatTime(at) : formatMicroTime(at);
}

/** A value kept as raw bytes: a JSON document, or an object in a frame of its own. */
function rawValue(bytes: Uint8Array | undefined, depth: number): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  if (!isEnvelope(bytes)) {
    try {
      return JSON.parse(textOf(bytes)) as unknown;
    } catch (error) {
      throw new ProtobufError(`raw value: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const { apiVersion, kind, raw } = decodeEnvelope(bytes);
  const schema = rootSchema({ ...parseApiVersion(apiVersion), kind });
  if (schema === undefined) throw new ProtobufError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  const result: Record<string, unknown> = { apiVersion: apiVersionOf(parseApiVersion(apiVersion)), kind };
  decodeInto(result, schema.name, raw, depth + 1);
  return result;
}

function numbersOf(bytes: Uint8Array): ReadonlyMap<number, number> {
  const numbers = new Map<number, number>();
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire === "varint") numbers.set(number, reader.integer());
    else reader.skip(wire);
  }
  return numbers;
}

function partsOf(bytes: Uint8Array): ReadonlyMap<number, readonly Uint8Array[]> {
  const parts = new Map<number, Uint8Array[]>();
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire !== "bytes") {
      reader.skip(wire);
      continue;
    }
    const known = parts.get(number);
    if (known === undefined) parts.set(number, [reader.bytes()]);
    else known.push(reader.bytes());
  }
  return parts;
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
