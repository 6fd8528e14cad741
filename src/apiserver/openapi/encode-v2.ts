// The version 2 document in protobuf, the only form in which older kubectl asks for it. The messages mirror the JSON; extensions are carried as
// YAML texts, of which JSON is a part.

import { WireWriter } from "../../api/protobuf/wire-writer.ts";
import type { JsonObject } from "../../api/wire/request.ts";

/** The document of `openApiV2` as an `openapi.v2.Document`. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const info = objectAt(document, "info");
  const paths = new WireWriter();
  for (const [path, item] of entriesOf(document["paths"])) paths.message(2, named(path, pathItem(item)));
  return new WireWriter()
    .text(1, textAt(document, "swagger"))
    .message(2, new WireWriter().text(1, textAt(info, "title")).text(2, textAt(info, "version")))
    .message(8, paths)
    .message(9, namedSchemas(document["definitions"]))
    .finish();
}

const methodNumbers: Readonly<Record<string, number>> = {
  get: 2,
  put: 3,
  post: 4,
  delete: 5,
  options: 6,
  head: 7,
  patch: 8,
};

function pathItem(item: JsonObject): WireWriter {
  const writer = new WireWriter();
  for (const [method, number] of Object.entries(methodNumbers)) {
    if (item[method] !== undefined) writer.message(number, operation(objectAt(item, method)));
  }
  for (const one of listAt(item, "parameters")) writer.message(9, parameter(one as JsonObject));
  return writer;
}

function operation(value: JsonObject): WireWriter {
  const writer = new WireWriter();
  for (const tag of listAt(value, "tags")) writer.text(1, String(tag));
  writer.text(3, textAt(value, "description")).text(5, textAt(value, "operationId"));
  for (const mediaType of listAt(value, "produces")) writer.text(6, String(mediaType));
  for (const mediaType of listAt(value, "consumes")) writer.text(7, String(mediaType));
  for (const one of listAt(value, "parameters")) writer.message(8, parameter(one as JsonObject));
  const responses = new WireWriter();
  for (const [code, response] of entriesOf(value["responses"])) {
    const body = new WireWriter().text(1, textAt(response, "description"));
    if (response["schema"] !== undefined)
      body.message(2, new WireWriter().message(1, schema(objectAt(response, "schema"))));
    responses.message(1, named(code, new WireWriter().message(1, body)));
  }
  return extensions(writer.message(9, responses), value, 13);
}

function parameter(value: JsonObject): WireWriter {
  const required = value["required"] === true;
  const wrap = (number: number, inner: WireWriter): WireWriter =>
    new WireWriter().message(1, new WireWriter().message(2, new WireWriter().message(number, inner)));
  if (value["in"] === "body") {
    const body = new WireWriter()
      .text(2, textAt(value, "name"))
      .text(3, "body")
      .boolean(4, required)
      .message(5, schema(objectAt(value, "schema")));
    return new WireWriter().message(1, new WireWriter().message(1, body));
  }
  const plain = new WireWriter()
    .boolean(1, required)
    .text(2, textAt(value, "in"))
    .text(3, textAt(value, "description"))
    .text(4, textAt(value, "name"));
  return value["in"] === "path"
    ? wrap(4, plain.text(5, textAt(value, "type")))
    : wrap(3, plain.text(6, textAt(value, "type")).boolean(20, true));
}

function schema(value: JsonObject): WireWriter {
  const writer = new WireWriter();
  if (value["$ref"] !== undefined) writer.text(1, textAt(value, "$ref"));
  if (value["format"] !== undefined) writer.text(2, textAt(value, "format"));
  if (value["description"] !== undefined) writer.text(4, textAt(value, "description"));
  for (const name of listAt(value, "required")) writer.text(19, String(name));
  for (const one of listAt(value, "enum")) writer.message(20, yamlOf(one));
  if (value["additionalProperties"] !== undefined)
    writer.message(21, new WireWriter().message(1, schema(objectAt(value, "additionalProperties"))));
  if (value["type"] !== undefined) writer.message(22, new WireWriter().text(1, textAt(value, "type")));
  if (value["items"] !== undefined) writer.message(23, new WireWriter().message(1, schema(objectAt(value, "items"))));
  if (value["properties"] !== undefined) writer.message(25, namedSchemas(value["properties"]));
  return extensions(writer, value, 31);
}

function namedSchemas(value: unknown): WireWriter {
  const writer = new WireWriter();
  for (const [name, one] of entriesOf(value)) writer.message(1, named(name, schema(one)));
  return writer;
}

function extensions(writer: WireWriter, value: JsonObject, number: number): WireWriter {
  for (const [name, extension] of Object.entries(value)) {
    if (name.startsWith("x-")) writer.message(number, named(name, yamlOf(extension)));
  }
  return writer;
}

function named(name: string, value: WireWriter): WireWriter {
  return new WireWriter().text(1, name).message(2, value);
}

function yamlOf(value: unknown): WireWriter {
  return new WireWriter().text(2, JSON.stringify(value));
}

function entriesOf(value: unknown): readonly (readonly [string, JsonObject])[] {
  return Object.entries((value ?? {}) as Readonly<Record<string, JsonObject>>);
}

function objectAt(value: JsonObject, field: string): JsonObject {
  return value[field] as JsonObject;
}

function listAt(value: JsonObject, field: string): readonly unknown[] {
  return (value[field] ?? []) as readonly unknown[];
}

function textAt(value: JsonObject, field: string): string {
  return value[field] as string;
}
