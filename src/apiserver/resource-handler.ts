// Requests for resources: from method and path to a verb, and from there to the registry (api-machinery 3.1).

import { resourceKind } from "../api/kinds.ts";
import { textAt } from "../api/meta/json-object.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../api/wire/request.ts";
import { badRequest, methodNotAllowed, methodNotSupported, notFoundPath } from "../api/wire/status-error.ts";
import type { RandomStream } from "../base/random.ts";
import { minutes, seconds } from "../base/time.ts";
import type { Millis } from "../base/time.ts";
import type { Revision } from "../store/store.ts";
import { decodeBody, decodeDeleteOptions } from "./codec/decode-body.ts";
import { decodePatch } from "./codec/decode-patch.ts";
import { objectResponse } from "./codec/encode.ts";
import { negotiate, type Representation } from "./codec/media-types.ts";
import type { Documents, IncludeObject, Shape } from "./documents.ts";
import type { ApiObject } from "./registry/api-object.ts";
import { applyPatch } from "./registry/apply-patch.ts";
import { listPage, revisionOf } from "./registry/list.ts";
import {
  checkObjectName,
  checkObjectNamespace,
  type Deleted,
  namespaceMismatch,
  type Registry,
} from "./registry/registry.ts";
import type { RequestContext, Warnings } from "./registry/request-context.ts";
import { groupResourceOf, type ResourceDefinition } from "./registry/resource-definition.ts";
import { Selection } from "./registry/selection.ts";
import type {
  ConnectableSubresource,
  CreatableSubresource,
  ProjectedSubresource,
  ReadableSubresource,
  SubresourceRequest,
} from "./registry/subresource.ts";
import type { VirtualResource } from "./registry/virtual-resource.ts";
import {
  booleanParameter,
  deleteOptions,
  listRequest,
  type WatchParameters,
  watchParameters,
  writeOptions,
} from "./request-options.ts";
import type { ResourcePath } from "./request-path.ts";
import { type Document, documentOf } from "./storage/stored-object.ts";
import { ResourceWatch, type WatchStart } from "./watch/resource-watch.ts";
import type { Watches } from "./watch/watches.ts";

export interface ResourceHandlerParts {
  readonly registries: readonly Registry[];
  /** By `pods/binding`. */
  readonly creatable: ReadonlyMap<string, CreatableSubresource>;
  readonly readable: ReadonlyMap<string, ReadableSubresource>;
  readonly connectable: ReadonlyMap<string, ConnectableSubresource>;
  /** Resources that answer and store nothing. */
  readonly virtual: readonly (VirtualResource & { readonly resource: string })[];
  /** By `scale`: whatever has it has it in one shape. */
  readonly projected: ReadonlyMap<string, ProjectedSubresource>;
  readonly documents: Documents;
  readonly watches: Watches;
  readonly random: RandomStream;
}

/** What is known of a request once its path has been understood. */
interface Call {
  readonly request: ApiRequest;
  readonly path: ResourcePath;
  readonly registry: Registry;
  readonly definition: ResourceDefinition;
  readonly warnings: Warnings;
}

export class ResourceHandler {
  readonly #parts: ResourceHandlerParts;
  readonly #registries: ReadonlyMap<string, Registry>;

  constructor(parts: ResourceHandlerParts) {
    this.#parts = parts;
    this.#registries = new Map(parts.registries.map((registry) => [keyOf(registry.definition), registry]));
  }

  /** Whether anything is served under this group and version. */
  serves({ group, version }: Pick<ResourcePath, "group" | "version">): boolean {
    const { registries, virtual } = this.#parts;
    const isIts = (served: { readonly group: string; readonly version: string }): boolean =>
      served.group === group && served.version === version;
    return registries.some(({ definition }) => isIts(definition)) || virtual.some(({ gvk }) => isIts(gvk));
  }

  /** @throws StatusError */
  async handle(request: ApiRequest, path: ResourcePath, warnings: Warnings): Promise<ApiResponse> {
    const alias = collectionAlias(path);
    if (alias !== undefined) return this.#createThroughAlias(request, path, alias, warnings);
    const virtual = this.#parts.virtual.find(({ gvk, resource }) => keyOf({ ...gvk, resource }) === keyOf(path));
    if (virtual !== undefined) return this.#answerVirtual(request, path, virtual, warnings);
    const registry = this.#registries.get(keyOf(path));
    if (registry === undefined) throw notFoundPath();
    const call: Call = { request, path, registry, definition: registry.definition, warnings };
    if (path.subresource === "proxy") refuseProxy(call.definition);
    this.#checkPath(call);
    if (registry.definition.deprecation !== undefined) warnings.add(registry.definition.deprecation);
    return path.subresource === "" ? this.#resource(call) : this.#subresource(call);
  }

  #checkPath({ definition, path }: Call): void {
    if (path.tail.length > 0) throw notFoundPath();
    if (!definition.namespaced && path.namespace !== "") throw notFoundPath();
    if (definition.namespaced && path.namespace === "" && path.name !== "") throw notFoundPath();
    for (const part of [path.namespace, path.name]) {
      if (part.includes("/") || part.includes("%")) {
        const character = part.includes("/") ? "/" : "%";
        throw badRequest(`Name parameter invalid: ${JSON.stringify(part)}: may not contain '${character}'`);
      }
      if (part === "." || part === "..")
        throw badRequest(`Name parameter invalid: ${JSON.stringify(part)}: may not be '${part}'`);
    }
  }

  #resource(call: Call): Promise<ApiResponse> {
    const { request, path } = call;
    const isObject = path.name !== "";
    switch (request.method) {
      case "GET":
        if (path.isWatch || booleanParameter(request.query, "watch"))
          return this.#verb(call, "watch", () => this.#watch(call));
        return isObject
          ? this.#verb(call, "get", () => this.#get(call))
          : this.#verb(call, "list", () => this.#list(call));
      case "POST":
        if (isObject || (call.definition.namespaced && path.namespace === "")) throw methodNotAllowed();
        return this.#verb(call, "create", () => this.#create(call));
      case "PUT":
        if (!isObject) throw methodNotAllowed();
        return this.#verb(call, "update", () => this.#update(call));
      case "PATCH":
        if (!isObject) throw methodNotAllowed();
        return this.#verb(call, "patch", () => this.#patch(call));
      case "DELETE":
        if (isObject) return this.#verb(call, "delete", () => this.#delete(call));
        if (call.definition.namespaced && path.namespace === "") throw methodNotAllowed();
        return this.#verb(call, "deletecollection", () => this.#deleteCollection(call));
      case "HEAD":
      case "OPTIONS":
        throw methodNotAllowed();
    }
  }

  async #verb(
    call: Call,
    verb: ResourceDefinition["verbs"][number],
    carryOut: () => Promise<ApiResponse>,
  ): Promise<ApiResponse> {
    if (call.definition.verbs.includes(verb)) return carryOut();
    throw methodNotSupported(groupResourceOf(call.definition), verb);
  }

  async #subresource(call: Call): Promise<ApiResponse> {
    const { request, path, definition } = call;
    const row = definition.subresources.find(({ name }) => name === path.subresource);
    if (path.name === "") throw notFoundPath();
    const id = `${definition.resource}/${path.subresource}`;
    // Who asks for a token should not have to guess what it is that was not found.
    if (id === "serviceaccounts/token") throw methodNotSupported({ group: "", resource: id }, "create");
    if (row === undefined) throw notFoundPath();
    const connectable = this.#parts.connectable.get(id);
    if (connectable !== undefined && (request.method === "GET" || request.method === "POST")) {
      return connectable.connect(this.#subresourceRequest(call, false));
    }
    const creatable = this.#parts.creatable.get(id);
    if (request.method === "POST" && creatable !== undefined) return this.#createSubresource(call, creatable);
    const readable = this.#parts.readable.get(id);
    if (request.method === "GET" && readable !== undefined) return readable.get(this.#subresourceRequest(call, false));
    const projected = this.#parts.projected.get(path.subresource);
    if (projected !== undefined) return this.#projection(call, projected);
    if (request.method === "GET" && row.verbs.includes("get")) return this.#get(call);
    if (request.method === "PUT" && row.verbs.includes("update")) return this.#update(call);
    if (request.method === "PATCH" && row.verbs.includes("patch")) return this.#patch(call);
    throw methodNotAllowed();
  }

  async #get(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadata"] });
    const revision = revisionOf(request.query.get("resourceVersion") ?? "");
    if (revision !== undefined) await registry.reached(revision);
    return this.#parts.documents.object(200, definition, await registry.get(path.namespace, path.name), shape);
  }

  async #list(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadataList"] });
    const page = await listPage(registry, listRequest(request.query, path.namespace));
    return this.#parts.documents.list(definition, page, shape);
  }

  async #watch(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadata"], stream: true });
    const parameters = watchParameters(request.query);
    const fieldSelector = request.query.get("fieldSelector") ?? "";
    const named = path.name === "" ? [] : [`metadata.name=${path.name}`];
    const selection = new Selection(definition, {
      namespace: path.namespace,
      labelSelector: request.query.get("labelSelector") ?? "",
      fieldSelector: [...(fieldSelector === "" ? [] : [fieldSelector]), ...named].join(","),
    });
    const start = watchStart(parameters, this.#parts.watches.storage.revision);
    const watch = new ResourceWatch(this.#parts.watches, await registry.cache(), {
      selection,
      start,
      representation: this.#parts.documents.watch(definition, shape),
      allowBookmarks: parameters.allowBookmarks || parameters.sendInitialEvents === true,
      timeout: this.#watchTimeout(parameters),
    });
    request.signal?.addEventListener("abort", () => watch.stop(), { once: true });
    const headers = { "content-type": "application/json", "cache-control": "no-cache, private" };
    return { status: 200, headers, body: { kind: "watch", watch } };
  }

  /** Without a wish of the client: 30 to 60 minutes, so that watches do not all come back at once (api-machinery 4.4). */
  #watchTimeout({ timeoutSeconds }: WatchParameters): Millis {
    return timeoutSeconds === undefined ? minutes(this.#parts.random.between(30, 60)) : seconds(timeoutSeconds);
  }

  async #create(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadata"] });
    const options = writeOptions(request.query, "CreateOptions");
    const { object, warnings } = decodeBody(request, definition, options.fieldValidation);
    call.warnings.add(...warnings);
    const document = await registry.create(path.namespace, object as ApiObject, contextOf(call, options.dryRun));
    return this.#parts.documents.object(201, definition, document, shape);
  }

  async #update(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadata"] });
    const options = writeOptions(request.query, "UpdateOptions");
    const { object, warnings } = decodeBody(request, definition, options.fieldValidation);
    call.warnings.add(...warnings);
    const { document, created } = await registry.update(
      { ...targetOf(path), transform: () => object as ApiObject, replaces: true },
      contextOf(call, options.dryRun),
    );
    return this.#parts.documents.object(created ? 201 : 200, definition, document, shape);
  }

  async #patch(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadata"] });
    const patch = decodePatch(request);
    const options = writeOptions(request.query, "PatchOptions");
    const transform = (present: ApiObject): ApiObject =>
      applyPatch(definition, present, patch, options.fieldValidation, call.warnings);
    const { document } = await registry.update(
      { ...targetOf(path), transform, replaces: false },
      contextOf(call, options.dryRun),
    );
    return this.#parts.documents.object(200, definition, document, shape);
  }

  /** A subresource in a shape of its own: read from its object, and written into it. */
  async #projection(call: Call, projected: ProjectedSubresource): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const { kind } = projected;
    if (!["GET", "PUT", "PATCH"].includes(request.method)) throw methodNotAllowed();
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadata"] });
    try {
      const document =
        request.method === "GET"
          ? await registry.get(path.namespace, path.name)
          : await this.#writeProjection(call, projected);
      const shown = documentOf(projected.project(document.object as ApiObject));
      return this.#parts.documents.object(200, { ...definition, ...kind }, shown, shape);
    } catch (error) {
      throw projected.failure(error, path.name, definition);
    }
  }

  async #writeProjection(call: Call, projected: ProjectedSubresource): Promise<Document> {
    const { path, registry, definition } = call;
    const sent = this.#sentProjection(call, projected);
    const transform = (present: ApiObject): ApiObject => {
      const next = sent.make(projected.project(present));
      checkObjectName(next, path.name);
      checkObjectNamespace(next, path.namespace);
      return projected.merge(next, present, definition);
    };
    const context = contextOf(call, sent.dryRun);
    return (await registry.update({ ...targetOf(path), transform, replaces: false }, context)).document;
  }

  /** How the next projection is made from the present one, by a PUT or by a PATCH. */
  #sentProjection(
    { request, warnings }: Call,
    { kind }: ProjectedSubresource,
  ): { readonly make: (present: ApiObject) => ApiObject; readonly dryRun: boolean } {
    if (request.method === "PATCH") {
      const patch = decodePatch(request);
      const { dryRun, fieldValidation } = writeOptions(request.query, "PatchOptions");
      return { make: (present) => applyPatch(kind, present, patch, fieldValidation, warnings), dryRun };
    }
    const { dryRun, fieldValidation } = writeOptions(request.query, "UpdateOptions");
    const { object, warnings: problems } = decodeBody(request, kind, fieldValidation);
    warnings.add(...problems);
    return { make: () => object as ApiObject, dryRun };
  }

  async #delete(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadata"] });
    const options = deleteOptions(decodeDeleteOptions(request) as JsonObject | undefined, request.query);
    const deleted = await registry.delete(path.namespace, path.name, options, contextOf(call, options.dryRun));
    if (deleted.removed && !definition.strategy.returnsDeletedObject) {
      return objectResponse(200, deletedStatus(definition, path.name, deleted), shape.form);
    }
    const code = !deleted.removed && options.mayAnswerAccepted ? 202 : 200;
    return this.#parts.documents.object(code, definition, deleted.document, shape);
  }

  async #deleteCollection(call: Call): Promise<ApiResponse> {
    const { path, registry, definition, request } = call;
    const shape = shapeOf(request, { as: ["Table", "PartialObjectMetadataList"] });
    const options = deleteOptions(decodeDeleteOptions(request) as JsonObject | undefined, request.query);
    const page = await listPage(registry, listRequest(request.query, path.namespace));
    const context = contextOf(call, options.dryRun);
    for (const { object } of page.objects) {
      const { name = "", namespace = "", uid } = object.metadata;
      await registry.deleteIfThere(
        namespace,
        name,
        { ...options, preconditions: { ...options.preconditions, ...(uid === undefined ? {} : { uid }) } },
        context,
      );
    }
    return this.#parts.documents.list(definition, page, shape);
  }

  #createSubresource(call: Call, creatable: CreatableSubresource): Promise<ApiResponse> {
    const { object, context } = this.#subresourceBody(call.request, creatable, call.warnings);
    return this.#createBelow(call, creatable, call.path.subresource, object, context);
  }

  #subresourceBody(request: ApiRequest, { bodyKind }: CreatableSubresource, warnings: Warnings) {
    const options = writeOptions(request.query, "CreateOptions");
    const { object, warnings: problems } = decodeBody(request, bodyKind, options.fieldValidation);
    warnings.add(...problems);
    return { object: object as ApiObject, context: { user: request.user, dryRun: options.dryRun, warnings } };
  }

  async #createBelow(
    { registry, path, request }: Call,
    creatable: CreatableSubresource,
    subresource: string,
    body: ApiObject,
    context: RequestContext,
  ): Promise<ApiResponse> {
    const { namespace, name } = path;
    const sentNamespace = textAt(body, "metadata", "namespace");
    if (sentNamespace !== "" && sentNamespace !== namespace) throw namespaceMismatch();
    const admitted = await registry.admitSubresource({ namespace, name, subresource }, body, context);
    return creatable.create({ registry, namespace, name, request, context }, admitted);
  }

  #subresourceRequest(call: Call, dryRun: boolean): SubresourceRequest {
    const { registry, path, request } = call;
    return { registry, namespace: path.namespace, name: path.name, request, context: contextOf(call, dryRun) };
  }

  async #answerVirtual(
    request: ApiRequest,
    { namespace, name }: ResourcePath,
    virtual: VirtualResource,
    warnings: Warnings,
  ): Promise<ApiResponse> {
    if (namespace !== "" || name !== "") throw notFoundPath();
    if (request.method !== "POST") throw methodNotAllowed();
    const { form } = shapeOf(request, {});
    const { fieldValidation } = writeOptions(request.query, "CreateOptions");
    const { object, warnings: problems } = decodeBody(request, virtual.gvk, fieldValidation);
    warnings.add(...problems);
    const status = virtual.answer(object as ApiObject, request.user);
    return objectResponse(201, { ...object, status }, form);
  }

  /** `POST …/bindings`: the name is in the body. */
  async #createThroughAlias(
    request: ApiRequest,
    path: ResourcePath,
    alias: CollectionAlias,
    warnings: Warnings,
  ): Promise<ApiResponse> {
    const registry = this.#registries.get(keyOf({ ...path, resource: alias.resource }));
    const creatable = this.#parts.creatable.get(`${alias.resource}/${alias.subresource}`);
    if (registry === undefined || creatable === undefined || path.name !== "") throw notFoundPath();
    if (request.method !== "POST" || path.namespace === "") throw methodNotAllowed();
    const { object, context } = this.#subresourceBody(request, creatable, warnings);
    const { name = "" } = object.metadata;
    const call: Call = { request, path: { ...path, name }, registry, definition: registry.definition, warnings };
    return this.#createBelow(call, creatable, alias.subresource, object, context);
  }
}

interface CollectionAlias {
  readonly resource: string;
  readonly subresource: string;
}

/** A collection that stands for a subresource of another (`bindings`). */
/** Upstream passes requests on to Pods, Services and nodes; here `kubectl port-forward` does. @throws StatusError */
function refuseProxy({ group, resource }: ResourceDefinition): void {
  if (group !== "" || !["nodes", "pods", "services"].includes(resource)) return;
  throw methodNotSupported({ group, resource: `${resource}/proxy` }, "connect");
}

function collectionAlias({ group, version, resource }: ResourcePath): CollectionAlias | undefined {
  if (resourceKind(group, version, resource) === undefined || group !== "" || resource !== "bindings") return undefined;
  return { resource: "pods", subresource: "binding" };
}

/** api-machinery 4.3. */
function watchStart({ resourceVersion, sendInitialEvents }: WatchParameters, newest: Revision): WatchStart {
  const revision = revisionOf(resourceVersion) ?? (0 as Revision);
  if (sendInitialEvents === true) {
    return { kind: "everythingThenBookmark", notBefore: resourceVersion === "" ? newest : revision };
  }
  if (revision > 0) return { kind: "after", revision };
  return sendInitialEvents === false ? { kind: "now" } : { kind: "everything", notBefore: 0 as Revision };
}

function shapeOf(request: ApiRequest, acceptable: Parameters<typeof negotiate>[1]): Shape {
  const form: Representation = negotiate(request, acceptable);
  const includeObject = request.query.get("includeObject") ?? "";
  if (!isIncludeObject(includeObject)) {
    if (form.as !== "Table") return { form, includeObject: "Metadata" };
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(includeObject)}`);
  }
  return { form, includeObject: includeObject === "" ? "Metadata" : includeObject };
}

const isIncludeObject = (text: string): text is IncludeObject | "" =>
  text === "" || text === "None" || text === "Metadata" || text === "Object";

/** The answer about a removed object of a kind that is not returned (api-machinery 6). */
function deletedStatus({ group, resource }: ResourceDefinition, name: string, { uid }: Deleted): JsonObject {
  const details = { name, ...(group === "" ? {} : { group }), kind: resource, uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

const contextOf = ({ request, warnings }: Call, dryRun: boolean): RequestContext => ({
  user: request.user,
  dryRun,
  warnings,
});

const targetOf = ({ namespace, name, subresource }: ResourcePath) => ({ namespace, name, subresource });

const keyOf = ({
  group,
  version,
  resource,
}: {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}): string => `${group}/${version}/${resource}`;
