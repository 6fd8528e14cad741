// The OpenAPI documents: one of version 3 for each group version, and one of version 2 for everything, which old clients still read.

import type { ResourceKind } from "../../api/kinds.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { groupVersionsOf } from "../discovery/documents.ts";
import { kubernetesVersion } from "../discovery/version.ts";
import { componentsFor, type Descriptions, reference } from "./components.ts";
import { type Operation, operationsOf } from "./operations.ts";

/** `api/v1`, `apis/apps/v1`: how the index calls a group version's document. */
export function documentPath({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === "" ? `api/${version}` : `apis/${group}/${version}`;
}

/** The version 3 documents by path, in the order of discovery. */
export function openApiV3Documents(
  kinds: readonly ResourceKind[],
  descriptions: Descriptions,
): ReadonlyMap<string, JsonObject> {
  const documents = new Map<string, JsonObject>();
  for (const groupVersion of groupVersionsOf(kinds)) {
    const served = kinds.filter((kind) => kind.group === groupVersion.group && kind.version === groupVersion.version);
    documents.set(documentPath(groupVersion), openApiV3(served.flatMap(operationsOf), descriptions));
  }
  return documents;
}

/** The version 2 document of all resources. */
export function openApiV2(kinds: readonly ResourceKind[], descriptions: Descriptions): JsonObject {
  const operations = kinds.flatMap(operationsOf);
  const definitions = componentsFor(messagesOf(operations), "v2", descriptions);
  return { swagger: "2.0", info, paths: pathsOf(operations, operationV2, parametersV2), definitions };
}

const info = { title: "Kubernetes", version: kubernetesVersion };

function openApiV3(operations: readonly Operation[], descriptions: Descriptions): JsonObject {
  const schemas = componentsFor(messagesOf(operations), "v3", descriptions);
  return { openapi: "3.0.0", info, paths: pathsOf(operations, operationV3, parametersV3), components: { schemas } };
}

function messagesOf(operations: readonly Operation[]): ReadonlySet<string> {
  const messages = new Set<string>();
  for (const { body, responses } of operations) {
    if (body !== undefined) messages.add(body.schema);
    for (const { schema } of responses) if (schema !== undefined) messages.add(schema);
  }
  return messages;
}

function pathsOf(
  operations: readonly Operation[],
  write: (operation: Operation) => JsonObject,
  parametersOf: (path: string) => readonly JsonObject[],
): JsonObject {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const item = (paths[operation.path] ??= {});
    item[operation.method] = write(operation);
    const parameters = parametersOf(operation.path);
    if (parameters.length > 0) item["parameters"] = parameters;
  }
  return Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function operationV3(operation: Operation): JsonObject {
  const { body } = operation;
  const parameters = operation.parameters.map(({ name, type, description }) => ({
    name,
    in: "query",
    description,
    schema: { type, uniqueItems: true },
  }));
  const content = (schema: string | undefined): JsonObject =>
    schema === undefined
      ? { "text/plain": { schema: { type: "string" } } }
      : contentOf(["application/json", "application/yaml"], schema);
  const responses = operation.responses.map(
    ({ code, description, schema }) => [code, { description, content: content(schema) }] as const,
  );
  return {
    ...headOf(operation),
    parameters,
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: contentOf(body.mediaTypes, body.schema),
            ...(body.required ? { required: true } : {}),
          },
        }),
    responses: Object.fromEntries([...responses, ["401", { description: "Unauthorized" }]]),
  };
}

function contentOf(mediaTypes: readonly string[], schema: string): JsonObject {
  return Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema: reference(schema, "v3") }]));
}

function operationV2(operation: Operation): JsonObject {
  const { body } = operation;
  const query = operation.parameters.map(({ name, type, description }) => ({
    name,
    in: "query",
    type,
    description,
    uniqueItems: true,
  }));
  const bodyParameter =
    body === undefined
      ? []
      : [
          {
            name: "body",
            in: "body",
            ...(body.required ? { required: true } : {}),
            schema: reference(body.schema, "v2"),
          },
        ];
  const responses = operation.responses.map(
    ({ code, description, schema }) =>
      [code, { description, schema: schema === undefined ? { type: "string" } : reference(schema, "v2") }] as const,
  );
  return {
    ...headOf(operation),
    ...(body === undefined ? {} : { consumes: body.mediaTypes }),
    produces: operation.responses.some(({ schema }) => schema === undefined)
      ? ["text/plain"]
      : ["application/json", "application/yaml"],
    parameters: [...bodyParameter, ...query],
    responses: Object.fromEntries([...responses, ["401", { description: "Unauthorized" }]]),
  };
}

function headOf({ gvk, action, operationId, description }: Operation): JsonObject {
  const tag = `${gvk.group === "" ? "core" : (gvk.group.split(".")[0] as string)}_${gvk.version}`;
  return {
    tags: [tag],
    description,
    operationId,
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": gvk,
  };
}

function parametersV3(path: string): readonly JsonObject[] {
  return pathParametersOf(path).map(({ name, description }) => ({
    name,
    in: "path",
    required: true,
    description,
    schema: { type: "string", uniqueItems: true },
  }));
}

function parametersV2(path: string): readonly JsonObject[] {
  return pathParametersOf(path).map(({ name, description }) => ({
    name,
    in: "path",
    required: true,
    type: "string",
    description,
    uniqueItems: true,
  }));
}

function pathParametersOf(path: string): readonly { readonly name: string; readonly description: string }[] {
  const known = [
    { name: "name", description: "The name of the object." },
    { name: "namespace", description: "The namespace of the object." },
  ];
  return known.filter(({ name }) => path.includes(`{${name}}`));
}
