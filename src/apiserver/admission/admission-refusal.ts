// How admission says no.

import { forbidden, StatusError } from "../../api/wire/status-error.ts";
import { groupResourceOf } from "../registry/resource-definition.ts";
import type { AdmissionRequest } from "./admission.ts";

/** `pods "web" is forbidden: <why>`. A name that is still to be generated is told by its prefix. */
export function admissionForbidden(
  request: AdmissionRequest,
  why: string,
  details: Record<string, unknown> = {},
): StatusError {
  const { definition, name, object } = request;
  const { name: objectName = "", generateName = "" } = object?.metadata ?? {};
  const shown = [name, objectName, generateName].find((candidate) => candidate !== "") ?? "Unknown";
  const { status } = forbidden(groupResourceOf(definition), shown, why);
  return new StatusError({ ...status, details: { ...status.details, ...details } });
}

/** Whether the request is about Pods themselves. */
export function isPodRequest({ definition, subresource }: AdmissionRequest): boolean {
  return definition.group === "" && definition.resource === "pods" && subresource === "";
}
