// Field selectors: `status.phase!=Succeeded,spec.nodeName=node-a` (api-machinery 3.9). Only the fields in the table below can be selected.

import type { GroupVersionKind } from "../schema/schema.ts";
import type { JsonObject } from "../wire/request.ts";
import { textAt, valueAt } from "./json-object.ts";

/** One term of a selector; all terms must hold. */
export interface FieldTerm {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** `problem` is the upstream text of the 400. */
export type ParsedFieldSelector =
  | { readonly kind: "parsed"; readonly terms: readonly FieldTerm[] }
  | { readonly kind: "wrong"; readonly problem: string };

/** How to read each selectable field of a kind. What is not set reads as the empty text. */
export type FieldGetters = ReadonlyMap<string, (object: JsonObject) => string>;

/** Reads a selector for objects of a kind. The empty text selects everything; an unknown field is an error. */
export function parseFieldSelector(text: string, gvk: GroupVersionKind): ParsedFieldSelector {
  const terms: FieldTerm[] = [];
  const getters = selectableFields(gvk);
  for (const part of splitUnescaped(text)) {
    const term = termOf(part, text);
    if (typeof term === "string") return { kind: "wrong", problem: term };
    const field = aliases.get(gvk.kind)?.get(term.field) ?? term.field;
    if (!getters.has(field)) return { kind: "wrong", problem: unknownFieldProblem(term.field, gvk) };
    terms.push({ ...term, field });
  }
  return { kind: "parsed", terms };
}

/** Whether all terms hold for an object of that kind. */
export function matchesFields(terms: readonly FieldTerm[], object: JsonObject, gvk: GroupVersionKind): boolean {
  const getters = selectableFields(gvk);
  return terms.every(({ field, operator, value }) => (getters.get(field)?.(object) === value) === (operator === "="));
}

/** The value that `field` must have for the selector to match, if it demands one: a list can then be answered by a get. */
export function exactFieldValue(terms: readonly FieldTerm[], field: string): string | undefined {
  return terms.find((term) => term.field === field && term.operator === "=")?.value;
}

/** The fields of a kind that a selector may name. */
export function selectableFields(gvk: GroupVersionKind): FieldGetters {
  return byKind.get(kindKey(gvk)) ?? metadataFields;
}

const kindKey = ({ group, kind }: { readonly group: string; readonly kind: string }): string => `${group}/${kind}`;

const name = ["metadata.name", text("metadata", "name")] as const;
const namespace = ["metadata.namespace", text("metadata", "namespace")] as const;
const metadataFields: FieldGetters = new Map([name, namespace]);

const involvedFields = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

const byKind: ReadonlyMap<string, FieldGetters> = new Map([
  [
    "/Pod",
    new Map([
      name,
      namespace,
      ["spec.nodeName", text("spec", "nodeName")],
      ["spec.restartPolicy", text("spec", "restartPolicy")],
      ["spec.schedulerName", text("spec", "schedulerName")],
      ["spec.serviceAccountName", text("spec", "serviceAccountName")],
      ["spec.hostNetwork", flag("spec", "hostNetwork")],
      ["status.phase", text("status", "phase")],
      ["status.podIP", text("status", "podIP")],
      // Upstream accepts it and compares with nothing.
      ["status.podIPs", () => ""],
      ["status.nominatedNodeName", text("status", "nominatedNodeName")],
    ]),
  ],
  ["/Node", new Map([name, ["spec.unschedulable", flag("spec", "unschedulable")]])],
  ["/Namespace", new Map([name, ["status.phase", text("status", "phase")]])],
  ["/Secret", new Map([name, namespace, ["type", text("type")]])],
  [
    "/Service",
    new Map([name, namespace, ["spec.clusterIP", text("spec", "clusterIP")], ["spec.type", text("spec", "type")]]),
  ],
  ["/ReplicationController", new Map([name, namespace, ["status.replicas", count("status", "replicas")]])],
  ["batch/Job", new Map([name, namespace, ["status.successful", count("status", "succeeded")]])],
  [
    "/Event",
    new Map([
      name,
      namespace,
      ...involvedFields.map((field) => [`involvedObject.${field}`, text("involvedObject", field)] as const),
      ["reason", text("reason")],
      ["reportingComponent", text("reportingComponent")],
      ["source", sourceOf("source", "reportingComponent")],
      ["type", text("type")],
    ]),
  ],
  [
    "events.k8s.io/Event",
    new Map([
      name,
      namespace,
      ...involvedFields.map((field) => [`regarding.${field}`, text("regarding", field)] as const),
      ["reason", text("reason")],
      ["reportingController", text("reportingController")],
      ["source", sourceOf("deprecatedSource", "reportingController")],
      ["type", text("type")],
    ]),
  ],
  ["certificates.k8s.io/CertificateSigningRequest", new Map([name, ["spec.signerName", text("spec", "signerName")]])],
  [
    "resource.k8s.io/ResourceSlice",
    new Map([name, ["spec.nodeName", text("spec", "nodeName")], ["spec.driver", text("spec", "driver")]]),
  ],
]);

const aliases: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ["Pod", new Map([["spec.host", "spec.nodeName"]])],
]);

function unknownFieldProblem(field: string, gvk: GroupVersionKind): string {
  if (byKind.has(kindKey(gvk))) return `field label not supported: ${field}`;
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

function text(...path: readonly string[]): (object: JsonObject) => string {
  return (object) => textAt(object, ...path);
}

function flag(...path: readonly string[]): (object: JsonObject) => string {
  return (object) => String(valueAt(object, ...path) === true);
}

function count(...path: readonly string[]): (object: JsonObject) => string {
  return (object) => {
    const value = valueAt(object, ...path);
    return typeof value === "number" ? String(value) : "0";
  };
}

/** Events written through the new API have no source; their reporting controller stands in for its component. */
function sourceOf(source: string, controller: string): (object: JsonObject) => string {
  return (object) => textAt(object, source, "component") || textAt(object, controller);
}

/** The parts between commas that are not escaped; empty ones are left out. */
function splitUnescaped(selector: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let position = 0; position < selector.length; position++) {
    if (selector[position] === "\\") position++;
    else if (selector[position] === ",") {
      parts.push(selector.slice(start, position));
      start = position + 1;
    }
  }
  parts.push(selector.slice(start));
  return parts.filter((part) => part !== "");
}

/** The term in a part, or the complaint. The first operator that is not escaped divides it. */
function termOf(part: string, selector: string): FieldTerm | string {
  for (let position = 0; position < part.length; position++) {
    if (part[position] === "\\") {
      position++;
      continue;
    }
    const two = part.slice(position, position + 2);
    const operator = two === "!=" || two === "==" ? two : part[position] === "=" ? "=" : undefined;
    if (operator === undefined) continue;
    const value = unescapeValue(part.slice(position + operator.length));
    if (value.kind === "wrong") return value.problem;
    return { field: part.slice(0, position), operator: operator === "!=" ? "!=" : "=", value: value.text };
  }
  return `invalid selector: '${selector}'; can't understand '${part}'`;
}

function unescapeValue(
  value: string,
): { readonly kind: "ok"; readonly text: string } | { readonly kind: "wrong"; readonly problem: string } {
  let plain = "";
  for (let position = 0; position < value.length; position++) {
    const character = value[position] ?? "";
    if (character === "\\") {
      const escaped = value[++position] ?? "";
      if (!["\\", ",", "="].includes(escaped) || escaped === "") {
        return { kind: "wrong", problem: `invalid field selector: invalid escape sequence: \\${escaped}` };
      }
      plain += escaped;
    } else if (character === "=") {
      return { kind: "wrong", problem: `invalid field selector: unescaped character in value: ${character}` };
    } else {
      plain += character;
    }
  }
  return { kind: "ok", text: plain };
}
