// The generic registry: what every kind can do, with one set of rules (api-machinery 3, 6). A kind brings its strategy; nothing here knows any kind.

import type { FieldError } from "../../api/meta/field-errors.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../api/meta/object-meta.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  generatedNameExists,
  invalid,
  isReason,
  notFound,
  serverTimeout,
  type StatusError,
  unknownError,
} from "../../api/wire/status-error.ts";
import type { Random, RandomStream } from "../../base/random.ts";
import type { Clock } from "../../base/time.ts";
import type { Revision } from "../../store/store.ts";
import type { AdmissionChain, AdmissionRequest } from "../admission/admission.ts";
import type { ObjectStorage, WriteResult } from "../storage/object-storage.ts";
import type { ResourceCache } from "../storage/resource-cache.ts";
import { type Document, documentOf, type StoredObject } from "../storage/stored-object.ts";
import { type Allocator, nothingToAllocate } from "./allocator.ts";
import { type ApiObject, withMetadata } from "./api-object.ts";
import { type DeletionOptions, planDeletion } from "./deletion-plan.ts";
import {
  dedupedOwnerReferences,
  fillSystemMetadata,
  generatedName,
  keepSystemMetadata,
  nextGeneration,
} from "./metadata-rules.ts";
import { checkFreshness, checkPreconditions, type Preconditions, uidConflict } from "./preconditions.ts";
import { tooLargeResourceVersion } from "./read-failures.ts";
import type { RequestContext } from "./request-context.ts";
import { groupKindOf, groupResourceOf, keyFor, prefixFor, type ResourceDefinition } from "./resource-definition.ts";
import type { UpdateStrategy } from "./strategy.ts";

/** How often a name is made anew when it was taken (api-machinery 3.2). */
export const nameAttemptLimit = 8;
/** How often a write is tried again when somebody else was faster. Each time at least one other writer got through. */
export const conflictRetryLimit = 256;

export interface RegistryParts {
  readonly storage: ObjectStorage;
  readonly admission: AdmissionChain;
  readonly clock: Clock;
  readonly random: Random;
  /** Fills in what exists only once; nothing unless said. */
  readonly allocator?: Allocator;
}

/** Makes the object to be stored from the present one, both as the served version shows them. Called again when somebody else was faster. */
export type Transform = (present: ApiObject) => ApiObject | Promise<ApiObject>;

export interface UpdateRequest {
  readonly namespace: string;
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly transform: Transform;
  /** The update is a PUT of a whole object: it may create, and its uid is a precondition. */
  readonly replaces: boolean;
}

export interface Updated {
  readonly document: Document;
  readonly created: boolean;
}

export interface Deleted {
  /** The object as it is now, or as it was when it went. */
  readonly document: Document;
  readonly uid: string;
  readonly removed: boolean;
}

export class Registry {
  readonly definition: ResourceDefinition;
  readonly #parts: RegistryParts;
  readonly #allocator: Allocator;
  readonly #random: RandomStream;

  constructor(definition: ResourceDefinition, parts: RegistryParts) {
    this.definition = definition;
    this.#parts = parts;
    this.#allocator = parts.allocator ?? nothingToAllocate;
    this.#random = parts.random.stream("api-server/objects");
  }

  get storage(): ObjectStorage {
    return this.#parts.storage;
  }

  /** The loaded cache of all objects of this resource. */
  cache(): Promise<ResourceCache> {
    return this.#parts.storage.cache(prefixFor(this.definition));
  }

  /** The object as the served version shows it. @throws StatusError NotFound */
  async get(namespace: string, name: string): Promise<Document> {
    return (await this.getStored(namespace, name)).in(this.definition.conversion);
  }

  /** @throws StatusError NotFound */
  async getStored(namespace: string, name: string): Promise<StoredObject> {
    const stored = (await this.cache()).get(keyFor(this.definition, namespace, name));
    if (stored === undefined) throw notFound(groupResourceOf(this.definition), name);
    return stored;
  }

  /** @throws StatusError AlreadyExists, Invalid, Forbidden, … */
  async create(namespace: string, sent: ApiObject, context: RequestContext): Promise<Document> {
    const { strategy, conversion } = this.definition;
    const placed = this.#inNamespace(sent, namespace);
    const object = strategy.default(conversion === undefined ? placed : conversion.toStorage(placed));
    const request = this.#admissionRequest("CREATE", "", namespace, object.metadata.name ?? "", context);
    const admitted = await this.#parts.admission.mutate(request, object);
    const hadResourceVersion = (sent.metadata.resourceVersion ?? "") !== "";

    for (let attempt = 1; ; attempt++) {
      const isGenerated = (admitted.metadata.name ?? "") === "" && (admitted.metadata.generateName ?? "") !== "";
      const named = this.#named(admitted, isGenerated, context);
      const prepared = this.#prepareForCreate(await this.#allocator.allocate(named, undefined));
      const name = prepared.metadata.name ?? "";
      this.#refuse(name, [...this.#metadataErrors(prepared), ...strategy.validate(prepared)]);
      context.warnings.add(...(strategy.warnings?.(prepared) ?? []));
      await this.#parts.admission.validate({ ...request, name, object: prepared });
      if (hadResourceVersion) throw unknownError("resourceVersion should not be set on objects to be created");
      const written = await this.#insert(namespace, name, prepared, context);
      if (written === "claimed") {
        // Somebody took an address in the meantime: choose again, or say so.
        if (attempt >= conflictRetryLimit) throw serverTimeout(groupResourceOf(this.definition), "create", 1);
        continue;
      }
      if (written !== undefined) return written;
      if (!isGenerated) throw alreadyExists(groupResourceOf(this.definition), name);
      if (attempt >= nameAttemptLimit) throw generatedNameExists(groupResourceOf(this.definition), name);
    }
  }

  /** @throws StatusError NotFound, Conflict, Invalid, … */
  async update(request: UpdateRequest, context: RequestContext): Promise<Updated> {
    const { namespace, name, subresource } = request;
    const key = keyFor(this.definition, namespace, name);
    let stored = (await this.cache()).get(key);
    for (let attempt = 1; attempt <= conflictRetryLimit; attempt++) {
      if (stored === undefined) return await this.#createOnUpdate(request, context);
      const next = await this.#next(request, stored, context);
      if (isLetGo(next, stored.object) && this.definition.strategy.isHeld?.(next) !== true) {
        if (context.dryRun) return this.#updated(this.#show(next, stored));
        const removed = await this.#remove(stored);
        if (removed.kind === "written") return this.#updated(removed.stored.in(this.definition.conversion));
        stored = removed.current;
        continue;
      }
      // A write that changes nothing keeps the resourceVersion and is no event (api-machinery 3.4).
      if (sameJson(next, withMetadata(stored.object, { resourceVersion: undefined }))) {
        return this.#updated(stored.in(this.definition.conversion));
      }
      if (context.dryRun) return this.#updated(this.#show(next, stored));
      const written = await this.#write(key, stored, next);
      if (written.kind === "written") return this.#updated(written.stored.in(this.definition.conversion));
      stored = written.current;
    }
    throw serverTimeout(groupResourceOf(this.definition), subresource === "" ? "update" : `update ${subresource}`, 1);
  }

  /** @throws StatusError NotFound, Conflict, Forbidden */
  async delete(
    namespace: string,
    name: string,
    options: DeletionOptions & { readonly preconditions?: Preconditions },
    context: RequestContext,
  ): Promise<Deleted> {
    const request = this.#admissionRequest("DELETE", "", namespace, name, context);
    await this.#parts.admission.validate(request);
    const key = keyFor(this.definition, namespace, name);
    let stored = (await this.cache()).get(key);
    for (let attempt = 1; attempt <= conflictRetryLimit; attempt++) {
      if (stored === undefined) throw notFound(groupResourceOf(this.definition), name);
      checkPreconditions(this.definition, stored, options.preconditions ?? {});
      const outcome = await this.#carryOutDeletion(stored, name, options, context);
      if (outcome.kind === "done") return outcome.deleted;
      stored = outcome.current;
    }
    throw serverTimeout(groupResourceOf(this.definition), "delete", 1);
  }

  /** What admission says about a creation below an object (binding, eviction). @throws StatusError */
  async admitSubresource(
    { namespace, name, subresource }: Pick<UpdateRequest, "namespace" | "name" | "subresource">,
    body: ApiObject,
    context: RequestContext,
  ): Promise<ApiObject> {
    const request = this.#admissionRequest("CREATE", subresource, namespace, name, context);
    const admitted = await this.#parts.admission.mutate(request, body);
    await this.#parts.admission.validate({ ...request, object: admitted });
    return admitted;
  }

  /** Like `delete`, for one of many: an object that went, or was replaced, in the meantime is no fault. */
  async deleteIfThere(...parameters: Parameters<Registry["delete"]>): Promise<void> {
    try {
      await this.delete(...parameters);
    } catch (error) {
      if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
    }
  }

  /** Waits until the server has seen `revision`. @throws StatusError Timeout when that takes too long */
  async reached(revision: Revision): Promise<void> {
    const { storage } = this.#parts;
    if (!(await storage.waitFor(revision))) throw tooLargeResourceVersion(revision, storage.revision);
  }

  async #carryOutDeletion(
    stored: StoredObject,
    name: string,
    options: DeletionOptions,
    context: RequestContext,
  ): Promise<
    | { readonly kind: "done"; readonly deleted: Deleted }
    | { readonly kind: "retry"; readonly current: StoredObject | undefined }
  > {
    const { clock } = this.#parts;
    const plan = planDeletion(stored.object, this.definition.strategy, options, clock.now());
    const done = (last: StoredObject, removed: boolean) =>
      ({ kind: "done", deleted: this.#deleted(last, removed) }) as const;
    switch (plan.kind) {
      case "held":
        throw conflict(groupResourceOf(this.definition), name, contentIsBeingRemoved);
      case "pending":
        return done(stored, false);
      case "remove": {
        if (context.dryRun) return done(stored, true);
        const removed = await this.#remove(stored);
        return removed.kind === "written" ? done(removed.stored, true) : { kind: "retry", current: removed.current };
      }
      case "mark":
      case "markAndRemove": {
        const goes = plan.kind === "markAndRemove";
        if (context.dryRun) {
          const document = this.#show(plan.object, stored);
          return { kind: "done", deleted: { document, uid: stored.object.metadata.uid ?? "", removed: goes } };
        }
        const marked = await this.#write(stored.key, stored, plan.object);
        if (marked.kind === "conflict") return { kind: "retry", current: marked.current };
        if (!goes) return done(marked.stored, false);
        const removed = await this.#remove(marked.stored);
        if (removed.kind === "written") return done(removed.stored, true);
        // Somebody removed it between the two writes: what was asked for has happened.
        return removed.current === undefined ? done(marked.stored, true) : { kind: "retry", current: removed.current };
      }
    }
  }

  #deleted(last: StoredObject, removed: boolean): Deleted {
    return { document: last.in(this.definition.conversion), uid: last.object.metadata.uid ?? "", removed };
  }

  #named(admitted: ApiObject, isGenerated: boolean, context: RequestContext): ApiObject {
    const now = this.#parts.clock.now();
    let object = admitted;
    if (isGenerated) {
      object = withMetadata(object, { name: generatedName(object.metadata.generateName ?? "", this.#random) });
    }
    object = this.#dedupe(fillSystemMetadata(object, this.#random, now), context);
    return this.definition.keepsGeneration ? withMetadata(object, { generation: 1 }) : object;
  }

  #prepareForCreate(object: ApiObject): ApiObject {
    const now = this.#parts.clock.now();
    return this.definition.strategy.prepareForCreate(object, { now, random: this.#random });
  }

  /** Writes the object over what is stored, or as a new one, with the claims that come and go with the change. */
  #write(key: string, stored: StoredObject | undefined, next: ApiObject): Promise<WriteResult> {
    const { strategy } = this.definition;
    const wanted = this.#allocator.claims(next);
    const held = stored === undefined ? [] : this.#allocator.claims(stored.object);
    return this.#parts.storage.write(key, stored?.revision ?? 0, next, {
      ttl: strategy.timeToLive,
      claims: {
        take: wanted.filter((claim) => !held.includes(claim)),
        giveBack: held.filter((claim) => !wanted.includes(claim)),
      },
    });
  }

  #remove(stored: StoredObject): Promise<WriteResult> {
    return this.#parts.storage.remove(stored, this.#allocator.claims(stored.object));
  }

  /** Stores a new object. @returns undefined if the name is taken, "claimed" if something else that it needs is */
  async #insert(
    namespace: string,
    name: string,
    object: ApiObject,
    context: RequestContext,
  ): Promise<Document | "claimed" | undefined> {
    const key = keyFor(this.definition, namespace, name);
    if (context.dryRun) {
      return (await this.cache()).get(key) === undefined ? this.#show(object, undefined) : undefined;
    }
    await this.cache(); // loaded before the write, so that the answer can share what the cache holds
    const written = await this.#write(key, undefined, object);
    if (written.kind === "written") return written.stored.in(this.definition.conversion);
    return written.current === undefined ? "claimed" : undefined;
  }

  async #createOnUpdate(request: UpdateRequest, context: RequestContext): Promise<Updated> {
    const missing = notFound(groupResourceOf(this.definition), request.name);
    if (!request.replaces || request.subresource !== "" || !this.definition.strategy.createsOnUpdate) throw missing;
    const sent = await request.transform({ apiVersion: "", kind: "", metadata: {} });
    checkObjectName(sent, request.name);
    // The client means one particular object, and a new one would not be that one.
    const { uid = "" } = sent.metadata;
    if (uid !== "") {
      throw uidConflict(
        this.definition,
        request.name,
        keyFor(this.definition, request.namespace, request.name),
        uid,
        "",
      );
    }
    const fresh = withMetadata(sent, { resourceVersion: undefined });
    return { document: await this.create(request.namespace, fresh, context), created: true };
  }

  /** The object that the update would store: transformed, admitted, prepared and valid. */
  async #next(request: UpdateRequest, stored: StoredObject, context: RequestContext): Promise<ApiObject> {
    const { strategy, conversion } = this.definition;
    const old = withMetadata(stored.object, { resourceVersion: undefined });
    const sent = await request.transform(stored.in(conversion).object as ApiObject);
    checkObjectName(sent, request.name);
    checkFreshness(this.definition, sent, stored, { isWhole: request.replaces });

    const placed = this.#inNamespace(sent, request.namespace);
    const defaulted = strategy.default(conversion === undefined ? placed : conversion.toStorage(placed));
    const admission = {
      ...this.#admissionRequest("UPDATE", request.subresource, request.namespace, request.name, context),
      oldObject: stored.object,
    };
    const admitted = await this.#parts.admission.mutate(admission, defaulted);
    const rules = this.#updateStrategy(request.subresource);
    const merged = this.#dedupe(keepSystemMetadata(admitted, old), context);
    const allocated = request.subresource === "" ? await this.#allocator.allocate(merged, old) : merged;
    let next = rules.prepare(allocated, old);
    if (this.definition.keepsGeneration && rules.leavesGeneration !== true) {
      next = withMetadata(next, { generation: nextGeneration(next, old, rules) });
    }
    // Upstream checks changes of the metadata twice, and shows their faults as two causes (pod-lifecycle 15.1).
    const changes = validateObjectMetaUpdate(next.metadata, old.metadata);
    const faults = [...this.#metadataErrors(next), ...changes, ...changes, ...rules.validate(next, old)];
    this.#refuse(request.name, faults);
    context.warnings.add(...(rules.warnings?.(next, old) ?? []));
    await this.#parts.admission.validate({ ...admission, object: next });
    return next;
  }

  #updateStrategy(subresource: string): UpdateStrategy {
    if (subresource === "") return this.definition.strategy.update;
    const rules = this.definition.strategy.subresources[subresource];
    if (rules === undefined) throw new Error(`${this.definition.resource} has no subresource ${subresource}`);
    return rules;
  }

  #inNamespace(object: ApiObject, namespace: string): ApiObject {
    const sent = object.metadata.namespace ?? "";
    if (!this.definition.namespaced) {
      return sent === "" && object.metadata.namespace === undefined
        ? object
        : withMetadata(object, { namespace: undefined });
    }
    if (sent === namespace) return object;
    if (sent === "") return withMetadata(object, { namespace });
    throw namespaceMismatch();
  }

  #dedupe(object: ApiObject, context: RequestContext): ApiObject {
    const deduped = dedupedOwnerReferences(object);
    if (deduped.duplicates.length > 0) {
      context.warnings.add(
        `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${deduped.duplicates.join(" ")}`,
      );
    }
    return deduped.object;
  }

  #metadataErrors(object: ApiObject): FieldError[] {
    const { namespaced, strategy } = this.definition;
    return validateObjectMeta(object.metadata, { namespaced, nameProblems: strategy.nameProblems });
  }

  #refuse(name: string, errors: readonly FieldError[]): void {
    if (errors.length === 0) return;
    throw invalidObject(this.definition, name, errors);
  }

  #admissionRequest(
    operation: AdmissionRequest["operation"],
    subresource: string,
    namespace: string,
    name: string,
    context: RequestContext,
  ): AdmissionRequest {
    return { operation, definition: this.definition, subresource, namespace, name, context };
  }

  /** How a dry run answers: as the write would, with the resourceVersion of what is there (none for a new object). */
  #show(object: ApiObject, stored: StoredObject | undefined): Document {
    const shown = stored === undefined ? object : withMetadata(object, { resourceVersion: String(stored.revision) });
    return documentOf(this.definition.conversion?.fromStorage(shown) ?? shown);
  }

  #updated(document: Document): Updated {
    return { document, created: false };
  }
}

/** The 400 for an object that says it lives elsewhere than where it was sent. */
export function namespaceMismatch(): StatusError {
  return badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** The name in the body is the one in the URL. @throws StatusError BadRequest */
export function checkObjectName(sent: ApiObject, name: string): void {
  const sentName = sent.metadata.name ?? "";
  if (sentName === "") throw badRequest("name must be provided");
  if (sentName !== name) {
    throw badRequest(`the name of the object (${sentName}) does not match the name on the URL (${name})`);
  }
}

/** The namespace in the body, if there is one, is the one in the URL. @throws StatusError BadRequest */
export function checkObjectNamespace(sent: ApiObject, namespace: string): void {
  const sentNamespace = sent.metadata.namespace ?? "";
  if (sentNamespace !== "" && sentNamespace !== namespace) throw namespaceMismatch();
}

/** The 422 for an object with these faults. */
export function invalidObject(
  definition: ResourceDefinition,
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const causes = errors.map(({ type, body, field }) => ({ reason: type, message: body, field }));
  return invalid(groupKindOf(definition), name, causes);
}

/** Whether this update takes away the last thing that held an object under deletion (pod-lifecycle 8.1.5). */
function isLetGo(next: ApiObject, old: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
  if (deletionTimestamp === undefined || (deletionGracePeriodSeconds ?? 0) !== 0) return false;
  return (next.metadata.finalizers ?? []).length === 0;
}

const contentIsBeingRemoved =
  "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.";
