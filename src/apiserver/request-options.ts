// The parameters of requests, read and checked (api-machinery 2.3, 3.6, 3.7, 4.1, 5.1, 6).

import { type FieldError, forbidden, invalid as invalidField, notSupported } from "../api/meta/field-errors.ts";
import { isJsonObject } from "../api/meta/json-object.ts";
import type { JsonObject } from "../api/wire/request.ts";
import { badRequest, invalid, type StatusError } from "../api/wire/status-error.ts";
import type { FieldValidation } from "./codec/decode-body.ts";
import type { DeletionOptions } from "./registry/deletion-plan.ts";
import type { ListRequest } from "./registry/list.ts";
import type { Preconditions } from "./registry/preconditions.ts";

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

export interface DeleteOptions extends DeletionOptions {
  readonly dryRun: boolean;
  readonly preconditions: Preconditions;
  /** `orphanDependents=false` was sent explicitly: the one case that is answered with 202. */
  readonly mayAnswerAccepted: boolean;
}

export interface WatchParameters {
  readonly resourceVersion: string;
  /** `undefined`: the client does not say. */
  readonly sendInitialEvents: boolean | undefined;
  readonly allowBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

/** Absent, `false` in any case and `0` are false; anything else, also nothing, is true. */
export function booleanParameter(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value.toLowerCase() !== "false" && value !== "0";
}

/** @throws StatusError BadRequest */
export function integerParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw badRequest(
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${/^[+-]?\d+$/.test(text) ? "value out of range" : "invalid syntax"}`,
    );
  }
  return value;
}

/**
 * `fieldManager` is checked and not used: nobody manages fields before server-side apply is served.
 * @throws StatusError Invalid
 */
export function writeOptions(
  query: URLSearchParams,
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
): WriteOptions {
  const errors: FieldError[] = [...dryRunErrors(query.getAll("dryRun"))];
  const fieldValidation = query.get("fieldValidation") ?? "";
  if (!isFieldValidation(fieldValidation)) {
    errors.push(notSupported("fieldValidation", fieldValidation, ["", "Ignore", "Strict", "Warn"]));
  }
  errors.push(...fieldManagerErrors(query.get("fieldManager") ?? ""));
  if (query.has("force") && kind === "PatchOptions") {
    errors.push(forbidden("force", "may not be specified for non-apply patch"));
  }
  refuse(kind, errors);
  return {
    dryRun: query.getAll("dryRun").includes("All"),
    fieldValidation: isFieldValidation(fieldValidation) && fieldValidation !== "" ? fieldValidation : "Warn",
  };
}

/** @throws StatusError Invalid, BadRequest */
export function listRequest(query: URLSearchParams, namespace: string): ListRequest {
  const resourceVersion = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  const continueToken = query.get("continue") ?? "";
  const limit = integerParameter(query, "limit") ?? 0;
  const errors: FieldError[] = [];
  if (query.has("sendInitialEvents"))
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  if (match !== "") {
    const at = "resourceVersionMatch";
    if (resourceVersion === "") {
      errors.push(forbidden(at, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (continueToken !== "") errors.push(forbidden(at, "resourceVersionMatch is forbidden when continue is provided"));
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.push(notSupported(at, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0") {
      errors.push(forbidden(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  refuse("ListOptions", errors);
  if (continueToken !== "" && resourceVersion !== "" && resourceVersion !== "0") {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  return {
    namespace,
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    limit: Math.max(0, limit),
    continueToken,
    resourceVersion,
    resourceVersionMatch: match as ListRequest["resourceVersionMatch"],
  };
}

/** @throws StatusError Invalid, BadRequest */
export function watchParameters(query: URLSearchParams): WatchParameters {
  const match = query.get("resourceVersionMatch") ?? "";
  const sendInitialEvents = query.has("sendInitialEvents") ? booleanParameter(query, "sendInitialEvents") : undefined;
  const errors: FieldError[] = [];
  const at = "resourceVersionMatch";
  if (sendInitialEvents === undefined) {
    if (match !== "") {
      errors.push(forbidden(at, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    }
  } else if (match !== "NotOlderThan") {
    errors.push(forbidden(at, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    if (match !== "") errors.push(notSupported(at, match, ["NotOlderThan"]));
  }
  if ((query.get("continue") ?? "") !== "" && sendInitialEvents !== undefined) {
    errors.push(forbidden(at, "resourceVersionMatch is forbidden when continue is provided"));
  }
  refuse("ListOptions", errors);
  const timeoutSeconds = integerParameter(query, "timeoutSeconds");
  return {
    resourceVersion: query.get("resourceVersion") ?? "",
    sendInitialEvents,
    allowBookmarks: booleanParameter(query, "allowWatchBookmarks"),
    timeoutSeconds: timeoutSeconds !== undefined && timeoutSeconds > 0 ? timeoutSeconds : undefined,
  };
}

/**
 * From the body, or, if there is none, from the query.
 * @throws StatusError Invalid, BadRequest
 */
export function deleteOptions(body: JsonObject | undefined, query: URLSearchParams): DeleteOptions {
  const source = body ?? optionsFromQuery(query);
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, dryRun } = source;
  const errors: FieldError[] = [...dryRunErrors(dryRun === undefined ? [] : (dryRun as readonly string[]))];
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    errors.push(
      invalidField(
        "propagationPolicy",
        propagationPolicy,
        "orphanDependents and deletionPropagation cannot be both set",
      ),
    );
  } else if (propagationPolicy !== undefined && !isPropagationPolicy(propagationPolicy)) {
    errors.push(notSupported("propagationPolicy", propagationPolicy, ["Background", "Foreground", "Orphan", "nil"]));
  }
  refuse("DeleteOptions", errors);
  const preconditions = isJsonObject(source["preconditions"]) ? (source["preconditions"] as Preconditions) : {};
  return {
    ...(typeof gracePeriodSeconds === "number" ? { gracePeriodSeconds } : {}),
    ...(isPropagationPolicy(propagationPolicy) ? { propagationPolicy } : {}),
    ...(typeof orphanDependents === "boolean" ? { orphanDependents } : {}),
    dryRun: Array.isArray(dryRun) && dryRun.includes("All"),
    preconditions,
    mayAnswerAccepted: orphanDependents === false,
  };
}

function optionsFromQuery(query: URLSearchParams): JsonObject {
  const gracePeriodSeconds = integerParameter(query, "gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(policy === null || policy === "" ? {} : { propagationPolicy: policy }),
    ...(query.has("orphanDependents") ? { orphanDependents: booleanParameter(query, "orphanDependents") } : {}),
    ...(query.has("dryRun") ? { dryRun: query.getAll("dryRun") } : {}),
  };
}

function dryRunErrors(values: readonly string[]): FieldError[] {
  const isKnown = values.every((value) => value === "All");
  return isKnown
    ? []
    : [
        notSupported(
          "dryRun",
          values.find((value) => value !== "All"),
          ["All"],
        ),
      ];
}

function fieldManagerErrors(fieldManager: string): FieldError[] {
  const errors: FieldError[] = [];
  const limit = 128;
  if (fieldManager.length > limit) {
    errors.push({
      type: "FieldValueTooLong",
      field: "fieldManager",
      body: `Too long: may not be more than ${limit} bytes`,
    });
  }
  if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u.test(fieldManager)) {
    errors.push(invalidField("fieldManager", fieldManager, "should only contain printable characters"));
  }
  return errors;
}

function refuse(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidOptions(kind, errors);
}

/** `ListOptions.meta.k8s.io "" is invalid: …` */
export function invalidOptions(kind: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map(({ type, body, field }) => ({ reason: type, message: body, field }));
  return invalid({ group: "meta.k8s.io", kind }, "", causes);
}

const isFieldValidation = (text: string): text is FieldValidation | "" =>
  text === "" || text === "Ignore" || text === "Warn" || text === "Strict";

const isPropagationPolicy = (policy: unknown): policy is NonNullable<DeletionOptions["propagationPolicy"]> =>
  policy === "Background" || policy === "Foreground" || policy === "Orphan";
