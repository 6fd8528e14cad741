// What can be asked of each resource, as OpenAPI sees it: one operation a path and method. Made from the table of resources, in a form of
// which both versions of OpenAPI are written.

import { apiVersionOf, type ResourceKind, type ResourceVerb, type Subresource } from "../../api/kinds.ts";
import type { GroupVersionKind } from "../../api/schema/schema.ts";
import { rootSchema } from "../../api/schema/schemas.ts";
import { patchMediaTypes, servedPatchTypes } from "../codec/decode-patch.ts";
import { bodyMediaTypes } from "../codec/media-types.ts";

export interface Operation {
  /** With `{name}` and `{namespace}` in it. */
  readonly path: string;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly action: "get" | "list" | "post" | "put" | "patch" | "delete" | "deletecollection" | "connect";
  readonly operationId: string;
  readonly description: string;
  readonly gvk: GroupVersionKind;
  readonly parameters: readonly QueryParameter[];
  readonly body?: { readonly schema: string; readonly mediaTypes: readonly string[]; readonly required: boolean };
  readonly responses: readonly OperationResponse[];
}

export interface QueryParameter {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

export interface OperationResponse {
  readonly code: "200" | "201" | "202";
  readonly description: string;
  /** The message that is answered; without it, text. */
  readonly schema?: string;
}

/** Not a message: a patch is a document of its own kind. */
export const patchSchema = "meta/v1 Patch";

/** All operations of a resource. */
export function operationsOf(kind: ResourceKind): readonly Operation[] {
  const collection = basePathOf(kind);
  const object = `${collection}/{name}`;
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const has = (verb: ResourceVerb): boolean => kind.verbs.includes(verb);
  const make = maker(kind, gvk);
  const operations: Operation[] = [];
  if (has("list")) operations.push(make("list", collection));
  if (has("create")) operations.push(make("create", collection));
  if (has("deletecollection")) operations.push(make("deletecollection", collection));
  if (has("get")) operations.push(make("get", object));
  if (has("update")) operations.push(make("update", object));
  if (has("patch")) operations.push(make("patch", object));
  if (has("delete")) operations.push(make("delete", object));
  if (kind.namespaced && has("list")) {
    operations.push({
      ...make("list", allNamespacesPathOf(kind)),
      operationId: operationId(kind, "list", `${kind.kind}ForAllNamespaces`, false),
    });
  }
  return [
    ...operations,
    ...kind.subresources.flatMap((subresource) =>
      subresourceOperations(kind, subresource, `${object}/${subresource.name}`),
    ),
  ];
}

function subresourceOperations(kind: ResourceKind, subresource: Subresource, path: string): readonly Operation[] {
  const connectParameters = connectParametersOf(subresource);
  if (connectParameters !== undefined) return connectOperations(kind, subresource, path, connectParameters);
  const make = maker(kind, subresource.responseKind, subresource);
  return subresource.verbs.map((verb) =>
    subresource.name === "log" ? logOperation(make(verb, path)) : make(verb, path),
  );
}

/** Streams: the answer is no document, and GET and POST mean the same. */
function connectOperations(
  kind: ResourceKind,
  subresource: Subresource,
  path: string,
  parameters: readonly QueryParameter[],
): readonly Operation[] {
  const subject = `NamespacedPod${subresource.responseKind.kind.slice("Pod".length, -"Options".length)}`;
  return (["get", "post"] as const).map((method) => ({
    path,
    method,
    action: "connect",
    gvk: subresource.responseKind,
    operationId: `connect${kind.group === "" ? "Core" : capital(kind.group)}${capital(kind.version)}${capital(method)}${subject}`,
    description: `connect ${method.toUpperCase()} requests to ${subresource.name} of ${kind.kind}`,
    parameters,
    responses: [{ code: "200", description: "OK" }],
  }));
}

function connectParametersOf({ responseKind }: Subresource): readonly QueryParameter[] | undefined {
  switch (responseKind.kind) {
    case "PodAttachOptions":
      return streamParameters;
    case "PodExecOptions":
      return [commandParameter, ...streamParameters];
    case "PodPortForwardOptions":
      return [portsParameter];
    default:
      return undefined;
  }
}

function logOperation(operation: Operation): Operation {
  return {
    ...operation,
    description: "read log of the specified Pod",
    parameters: logParameters,
    responses: [{ code: "200", description: "OK" }],
  };
}

function maker(
  kind: ResourceKind,
  gvk: GroupVersionKind,
  subresource?: Subresource,
): (verb: ResourceVerb, path: string) => Operation {
  const schema = schemaName(gvk);
  const subject =
    subresource === undefined ? `the specified ${kind.kind}` : `${subresource.name} of the specified ${kind.kind}`;
  const ok: OperationResponse = { code: "200", description: "OK", schema };
  const created: OperationResponse = { code: "201", description: "Created", schema };
  const idOf = (verb: ResourceVerb): string =>
    operationId(kind, verb, `${kind.kind}${capital(subresource?.name ?? "")}`, kind.namespaced);
  return (verb, path) => {
    const common = { path, gvk, operationId: idOf(verb) };
    switch (verb) {
      case "get":
        return {
          ...common,
          method: "get",
          action: "get",
          description: `read ${subject}`,
          parameters: [pretty, resourceVersion],
          responses: [ok],
        };
      case "list":
      case "watch":
        return {
          ...common,
          method: "get",
          action: "list",
          description: `list or watch objects of kind ${kind.kind}`,
          parameters: listParameters,
          responses: [{ ...ok, schema: schemaName({ ...gvk, kind: kind.listKind }) }],
        };
      case "create":
        return {
          ...common,
          method: "post",
          action: "post",
          description: subresource === undefined ? `create a ${kind.kind}` : `create ${subject}`,
          parameters: writeParameters,
          body: { schema, mediaTypes: bodyMediaTypes, required: true },
          responses: [ok, created, { ...ok, code: "202", description: "Accepted" }],
        };
      case "update":
        return {
          ...common,
          method: "put",
          action: "put",
          description: `replace ${subject}`,
          parameters: writeParameters,
          body: { schema, mediaTypes: bodyMediaTypes, required: true },
          responses: [ok, created],
        };
      case "patch":
        return {
          ...common,
          method: "patch",
          action: "patch",
          description: `partially update ${subject}`,
          parameters: writeParameters,
          body: {
            schema: patchSchema,
            mediaTypes: servedPatchTypes.map((type) => patchMediaTypes[type]),
            required: true,
          },
          responses: [ok],
        };
      case "delete":
        return {
          ...common,
          method: "delete",
          action: "delete",
          description: `delete ${subject}`,
          parameters: deleteParameters,
          body: deleteBody,
          responses: [
            { code: "200", description: "OK", schema: kind.kind === "Pod" ? schema : "meta/v1 Status" },
            { code: "202", description: "Accepted", schema: kind.kind === "Pod" ? schema : "meta/v1 Status" },
          ],
        };
      case "deletecollection":
        return {
          ...common,
          method: "delete",
          action: "deletecollection",
          description: `delete collection of ${kind.kind}`,
          parameters: [...deleteParameters, ...listParameters.filter(({ name }) => selecting.has(name))],
          body: deleteBody,
          responses: [{ code: "200", description: "OK", schema: schemaName({ ...gvk, kind: kind.listKind }) }],
        };
    }
  };
}

function basePathOf({ group, version, namespaced, resource }: ResourceKind): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespaced ? `${root}/namespaces/{namespace}/${resource}` : `${root}/${resource}`;
}

function allNamespacesPathOf({ group, version, resource }: ResourceKind): string {
  return group === "" ? `/api/${version}/${resource}` : `/apis/${group}/${version}/${resource}`;
}

function schemaName(gvk: GroupVersionKind): string {
  const schema = rootSchema(gvk);
  if (schema === undefined) throw new RangeError(`no schema for ${apiVersionOf(gvk)} ${gvk.kind}`);
  return schema.name;
}

const verbNames: Readonly<Record<ResourceVerb, string>> = {
  get: "read",
  list: "list",
  watch: "list",
  create: "create",
  update: "replace",
  patch: "patch",
  delete: "delete",
  deletecollection: "deleteCollection",
};

/** `readCoreV1NamespacedPodStatus`. */
function operationId(
  { group, version }: ResourceKind,
  verb: ResourceVerb,
  subject: string,
  namespaced: boolean,
): string {
  const groupName = group === "" ? "core" : (group.split(".")[0] as string);
  return `${verbNames[verb]}${capital(groupName)}${capital(version)}${namespaced ? "Namespaced" : ""}${subject}`;
}

function capital(text: string): string {
  return text === "" ? "" : (text[0] as string).toUpperCase() + text.slice(1);
}

const deleteBody = { schema: "meta/v1 DeleteOptions", mediaTypes: bodyMediaTypes, required: false };
const pretty: QueryParameter = { name: "pretty", type: "string", description: "If 'true', the answer is indented." };
const resourceVersion: QueryParameter = {
  name: "resourceVersion",
  type: "string",
  description:
    "How fresh the answer must be: nothing for the latest, 0 for any, or a resource version for at least that one.",
};

const listParameters: readonly QueryParameter[] = [
  pretty,
  { name: "allowWatchBookmarks", type: "boolean", description: "Asks for watch events of type BOOKMARK." },
  { name: "continue", type: "string", description: "The token of the previous page of this list." },
  {
    name: "fieldSelector",
    type: "string",
    description: "Restricts the answer to objects whose fields have these values.",
  },
  { name: "labelSelector", type: "string", description: "Restricts the answer to objects with matching labels." },
  { name: "limit", type: "integer", description: "The largest number of objects in one page." },
  resourceVersion,
  {
    name: "resourceVersionMatch",
    type: "string",
    description: "How resourceVersion is meant for a list: Exact or NotOlderThan.",
  },
  { name: "timeoutSeconds", type: "integer", description: "How long the request may last." },
  { name: "watch", type: "boolean", description: "Asks for a stream of changes instead of a list." },
];

const selecting = new Set([
  "continue",
  "fieldSelector",
  "labelSelector",
  "limit",
  "resourceVersion",
  "resourceVersionMatch",
  "timeoutSeconds",
]);

const dryRun: QueryParameter = {
  name: "dryRun",
  type: "string",
  description: "With All everything is checked and nothing is stored.",
};

const writeParameters: readonly QueryParameter[] = [
  pretty,
  dryRun,
  { name: "fieldManager", type: "string", description: "The name of the actor that makes the change." },
  {
    name: "fieldValidation",
    type: "string",
    description:
      "What to do about unknown and duplicate fields: Ignore them, Warn about them (the default), or be Strict and refuse.",
  },
];

const deleteParameters: readonly QueryParameter[] = [
  pretty,
  dryRun,
  {
    name: "gracePeriodSeconds",
    type: "integer",
    description: "How long the object may take to end; 0 removes it at once.",
  },
  { name: "orphanDependents", type: "boolean", description: "Deprecated: use propagationPolicy." },
  {
    name: "propagationPolicy",
    type: "string",
    description: "What happens to dependents: Orphan, Background or Foreground.",
  },
];

const commandParameter: QueryParameter = {
  name: "command",
  type: "string",
  description: "A word of the command line; repeated for each one. No shell is run.",
};

const streamParameters: readonly QueryParameter[] = [
  { name: "container", type: "string", description: "In which; may be left out when the Pod has one container." },
  { name: "stderr", type: "boolean", description: "Asks for the error output." },
  { name: "stdin", type: "boolean", description: "Asks for the input." },
  { name: "stdout", type: "boolean", description: "Asks for the output." },
  { name: "tty", type: "boolean", description: "Asks for a terminal." },
];

const portsParameter: QueryParameter = {
  name: "ports",
  type: "integer",
  description: "The ports to forward; needed with WebSockets.",
};

const logParameters: readonly QueryParameter[] = [
  { name: "container", type: "string", description: "Whose log; may be left out when the Pod has one container." },
  { name: "follow", type: "boolean", description: "Keeps the stream open for what is yet to be written." },
  { name: "limitBytes", type: "integer", description: "How many bytes to answer at most." },
  { name: "previous", type: "boolean", description: "The log of the container's previous life." },
  { name: "sinceSeconds", type: "integer", description: "How far back the answer begins, in seconds." },
  { name: "sinceTime", type: "string", description: "The moment at which the answer begins." },
  { name: "tailLines", type: "integer", description: "How many lines from the end." },
  { name: "timestamps", type: "boolean", description: "Puts the time in front of every line." },
];
