// What the API answers when it does not do what was asked: a Status object with the texts that Kubernetes' clients know (api-machinery 7.1).

import type { Status, StatusCause, StatusDetails } from "../generated/meta-v1.ts";

/** A request's failure as the client will see it. Everything that handles requests throws this and nothing else for an expected failure. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? "");
    this.name = "StatusError";
    this.status = status;
  }

  /** The HTTP status code. */
  get code(): number {
    return this.status.code;
  }

  /** The reason that clients switch on: `NotFound`, `Conflict`, … Empty for an unclassified failure. */
  get reason(): string {
    return this.status.reason ?? "";
  }
}

/** A resource by group and plural name; the group is empty for core. `name` may be `pods/eviction`. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** A kind by group and name; the group is empty for core. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** One field's fault: `reason` is the error type (`FieldValueRequired`), `message` the text without the field (api-machinery 7.2). */
export interface FieldCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** Whether this failure is a StatusError with that reason. */
export function isReason(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason;
}

export function badRequest(message: string): StatusError {
  return failure(400, "BadRequest", message);
}

export function unauthorized(message = "Unauthorized"): StatusError {
  return failure(401, "Unauthorized", message);
}

/** `name` is empty when the request named no object. */
export function forbidden(resource: GroupResource, name: string, why: string): StatusError {
  const subject =
    resource.resource === ""
      ? ""
      : name === ""
        ? `${qualified(resource)} is `
        : `${qualified(resource)} ${quoted(name)} is `;
  return failure(403, "Forbidden", `${subject}forbidden: ${why}`, {
    ...groupOf(resource),
    ...kindOf(resource.resource),
    ...nameOf(name),
  });
}

export function notFound(resource: GroupResource, name: string): StatusError {
  return failure(404, "NotFound", `${qualified(resource)} ${quoted(name)} not found`, detailsOf(resource, name));
}

/** A path below an API group that names nothing this server serves. */
export function notFoundPath(): StatusError {
  return failure(404, "NotFound", "the server could not find the requested resource", {});
}

/** A verb (`delete`, `deletecollection`, …) that this resource does not have. */
export function methodNotSupported(resource: GroupResource, verb: string): StatusError {
  return failure(
    405,
    "MethodNotAllowed",
    `${verb} is not supported on resources of kind ${quoted(qualified(resource))}`,
    {
      ...groupOf(resource),
      kind: resource.resource,
    },
  );
}

/** A method that no resource has at this path. */
export function methodNotAllowed(): StatusError {
  return failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return failure(406, "NotAcceptable", `only the following media types are accepted: ${accepted.join(", ")}`, {});
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return failure(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
    {},
  );
}

export function alreadyExists(resource: GroupResource, name: string): StatusError {
  return failure(
    409,
    "AlreadyExists",
    `${qualified(resource)} ${quoted(name)} already exists`,
    detailsOf(resource, name),
  );
}

/** A name made from `generateName` was taken every time it was tried (api-machinery 3.2). */
export function generatedNameExists(resource: GroupResource, name: string): StatusError {
  const message = `${qualified(resource)} ${quoted(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, "AlreadyExists", message, { ...detailsOf(resource, name), retryAfterSeconds: 1 });
}

export function conflict(resource: GroupResource, name: string, why: string): StatusError {
  return failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(resource)} ${quoted(name)}: ${why}`,
    detailsOf(resource, name),
  );
}

/** Server-side apply met fields that others manage. `causes` have the reason `FieldManagerConflict`. */
export function applyConflict(message: string, causes: readonly FieldCause[]): StatusError {
  return failure(409, "Conflict", message, { causes: causes.map(causeOf) });
}

/** The resource version is too old for a watch, or a continue token ran out. */
export function expired(message: string): StatusError {
  return failure(410, "Expired", message);
}

export function gone(message: string): StatusError {
  return failure(410, "Gone", message);
}

export function requestEntityTooLarge(limitBytes: number): StatusError {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}

/** The object is not valid. The message lists every fault, the causes name them one by one (api-machinery 7.2). */
export function invalid(kind: GroupKind, name: string, causes: readonly FieldCause[]): StatusError {
  const qualifiedKind = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return failure(422, "Invalid", `${qualifiedKind} ${quoted(name)} is invalid: ${aggregate(causes)}`, {
    ...groupOf(kind),
    ...kindOf(kind.kind),
    ...nameOf(name),
    causes: causes.map(causeOf),
  });
}

/** The client may try again after `retryAfterSeconds`; 0 leaves the choice to it. */
export function tooManyRequests(
  message: string,
  retryAfterSeconds: number,
  causes: readonly FieldCause[] = [],
): StatusError {
  return failure(429, "TooManyRequests", message, {
    ...retry(retryAfterSeconds),
    ...(causes.length > 0 ? { causes: causes.map(causeOf) } : {}),
  });
}

export function internalError(why: string): StatusError {
  return failure(500, "InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] });
}

/** The server could not finish `operation` in time, though nothing is wrong with it. */
export function serverTimeout(resource: GroupResource, operation: string, retryAfterSeconds: number): StatusError {
  const message = `The ${operation} operation against ${qualified(resource)} could not be completed at this time, please try again.`;
  return failure(500, "ServerTimeout", message, { ...detailsOf(resource, operation), ...retry(retryAfterSeconds) });
}

/** A failure that nobody classified: its text, code 500, no reason. */
export function unknownError(message: string): StatusError {
  return new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}

export function serviceUnavailable(message: string, retryAfterSeconds = 0): StatusError {
  return failure(503, "ServiceUnavailable", message, retryAfterSeconds > 0 ? retry(retryAfterSeconds) : undefined);
}

export function timeout(why: string, retryAfterSeconds = 0): StatusError {
  return failure(504, "Timeout", `Timeout: ${why}`, retry(retryAfterSeconds));
}

/** The faults of an object as one text: one alone as it is, several in brackets, repeated ones once. */
export function aggregate(causes: readonly FieldCause[]): string {
  const texts = [...new Set(causes.map((cause) => `${cause.field}: ${cause.message}`))];
  return texts.length === 1 ? (texts[0] as string) : `[${texts.join(", ")}]`;
}

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  });
}

function qualified({ group, resource }: GroupResource): string {
  return group === "" ? resource : `${resource}.${group}`;
}

/** Go's quoting for the names that occur here. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function detailsOf(resource: GroupResource, name: string): StatusDetails {
  return { ...nameOf(name), ...groupOf(resource), kind: resource.resource };
}

function groupOf({ group }: { readonly group: string }): StatusDetails {
  return group === "" ? {} : { group };
}

function kindOf(kind: string): StatusDetails {
  return kind === "" ? {} : { kind };
}

function nameOf(name: string): StatusDetails {
  return name === "" ? {} : { name };
}

function retry(seconds: number): StatusDetails {
  return seconds > 0 ? { retryAfterSeconds: seconds } : {};
}

function causeOf({ reason, message, field }: FieldCause): StatusCause {
  return { reason, message, ...(field === "" ? {} : { field }) };
}
