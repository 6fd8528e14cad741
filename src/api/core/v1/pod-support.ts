// Reject or warn, never ignore: compares a new Pod with the table of supported fields.

import type { Pod, PodTemplateSpec } from "../../generated/core-v1.ts";
import { child, type FieldError, forbidden, index, key } from "../../meta/field-errors.ts";
import { isJsonObject, ownValue } from "../../meta/json-object.ts";
import type { SchemaField } from "../../schema/schema.ts";
import { schemaFor } from "../../schema/schemas.ts";
import type { JsonObject } from "../../wire/request.ts";
import { podSupport, type SupportRule } from "./pod-support-table.ts";
import { upstreamPodWarnings, upstreamTemplateWarnings } from "./pod-warnings.ts";

/**
 * The texts of the `Warning` headers for a new Pod, as admission left it: one for each field that nothing follows from, and those that upstream
 * gives for odd Pods.
 */
export function podWarnings(pod: Pod): string[] {
  const unsupported = findings(pod)
    .filter(({ rule }) => rule.kind === "warned")
    .map((finding) => warningText(finding));
  return [...upstreamPodWarnings(pod), ...unsupported];
}

/** The same for ephemeral containers that are added to a Pod: what was said of it before is not said again. */
export function ephemeralContainerWarnings(next: Pod, old: Pod): string[] {
  const said = new Set(findings(old).map((finding) => warningText(finding)));
  return findings(next)
    .filter(({ rule }) => rule.kind === "warned")
    .map((finding) => warningText(finding))
    .filter((text) => !said.has(text));
}

/** The same for a template of Pods. @param path where the template is */
export function podTemplateWarnings(template: PodTemplateSpec, path: string): string[] {
  const unsupported = findings(template, child(path, "spec"))
    .filter(({ rule }) => rule.kind === "warned")
    .map((finding) => warningText(finding));
  return [...upstreamTemplateWarnings(template, path), ...unsupported];
}

/** The fields of a template that its Pods would be refused for: its author should hear of it, not a controller. */
export function refusedTemplateFields(template: PodTemplateSpec, path: string): FieldError[] {
  return refusals(findings(template, child(path, "spec")));
}

/** The fields of a new Pod that lifepod must refuse, because without them the Pod would not be what its author means. */
export function refusedPodFields(pod: Pod): FieldError[] {
  return refusals(findings(pod));
}

function refusals(found: readonly Finding[]): FieldError[] {
  return found.filter(({ rule }) => rule.kind === "refused").map(({ path, rule }) => forbidden(path, reasonOf(rule)));
}

const warningText = ({ path, rule }: Finding): string => `${path}: lifepod does not act on this: ${reasonOf(rule)}`;

interface Finding {
  readonly path: string;
  readonly rule: SupportRule;
}

function findings({ spec }: Pick<Pod, "spec">, path = "spec"): Finding[] {
  return inMessage(spec as unknown as JsonObject, "core/v1 PodSpec", path);
}

function inMessage(message: JsonObject, name: string, path: string): Finding[] {
  const rules = podSupport[name] ?? {};
  return [...schemaFor(name).fields].flatMap(([fieldName, field]) => {
    const value = ownValue(message, fieldName);
    if (value === undefined || isEmpty(value)) return [];
    return inField(value, field, rules[fieldName] ?? [], { message, path: child(path, fieldName) });
  });
}

interface Place {
  /** Where conditions on other fields look: the message around the field, or the element of a list. */
  readonly message: JsonObject;
  readonly path: string;
}

function inField(value: unknown, field: SchemaField, rules: readonly SupportRule[], place: Place): Finding[] {
  if (Array.isArray(value)) {
    return value.flatMap((element, position) =>
      inField(element, field.items ?? field, rules, {
        message: isJsonObject(element) ? element : place.message,
        path: index(place.path, position),
      }),
    );
  }
  const rule = rules.find((candidate) => applies(candidate, value, place.message));
  if (rule !== undefined && rule.kind !== "actedOn") {
    const keys = rule.keys?.filter((name) => isJsonObject(value) && Object.hasOwn(value, name));
    return keys === undefined
      ? [{ path: place.path, rule }]
      : keys.map((name) => ({ path: key(place.path, name), rule }));
  }
  return field.type === "object" && field.ref !== undefined && isJsonObject(value)
    ? inMessage(value, field.ref, place.path)
    : [];
}

function applies({ values, keys, when }: SupportRule, value: unknown, message: JsonObject): boolean {
  if (values !== undefined && !values.some((candidate) => candidate === value)) return false;
  if (keys !== undefined && !(isJsonObject(value) && keys.some((name) => Object.hasOwn(value, name)))) return false;
  return when === undefined || when.values.some((candidate) => candidate === ownValue(message, when.field));
}

/** An empty list or text asks for nothing. An empty message does: `emptyDir: {}`. */
function isEmpty(value: unknown): boolean {
  return value === "" || (Array.isArray(value) && value.length === 0);
}

function reasonOf(rule: SupportRule): string {
  return rule.kind === "actedOn" ? "" : rule.why;
}
