// Events: two versions of the API over one storage, gone an hour after their last write (api-machinery 12.4). core/v1 is the stored form.

import { type FieldError, invalid, required } from "../../api/meta/field-errors.ts";
import { checkImmutable } from "../../api/meta/field-checks.ts";
import { textAt } from "../../api/meta/json-object.ts";
import { byteLength, dns1123SubdomainProblems, qualifiedNameProblems } from "../../api/meta/names.ts";
import { hours } from "../../base/time.ts";
import type { ApiObject } from "./api-object.ts";
import type { VersionConversion } from "./resource-definition.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

const shortTextLimit = 128;
const noteLimit = 1024;

/** What events that are made through core/v1 must obey. */
export const coreEventStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  createsOnUpdate: true,
  timeToLive: hours(1),
  validate: (event) => validateCommon(event, "reportingComponent"),
  update: {
    prepare: (next) => next,
    validate: (next) => validateCommon(next, "reportingComponent"),
  },
};

/** What events that are made through events.k8s.io/v1 must obey: the old fields are not written any more. */
export const eventStrategy: Strategy = {
  ...coreEventStrategy,
  validate: (event) => [...validateCommon(event, "reportingController"), ...validateNewEvent(event)],
  update: {
    prepare: (next) => next,
    validate: (next, old) => [...validateCommon(next, "reportingController"), ...validateNewEventUpdate(next, old)],
  },
};

/** The same event under the names of events.k8s.io/v1. */
export const eventConversion: VersionConversion = {
  apiVersion: "events.k8s.io/v1",
  fromStorage: (event) => renamed(event, "events.k8s.io/v1", newNames),
  toStorage: (event) => renamed(event, "v1", coreNames),
};

const newNames: ReadonlyMap<string, string> = new Map([
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["reportingComponent", "reportingController"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
]);
const coreNames: ReadonlyMap<string, string> = new Map([...newNames].map(([core, other]) => [other, core]));

function renamed(event: ApiObject, apiVersion: string, names: ReadonlyMap<string, string>): ApiObject {
  const fields = Object.entries(event).map(([field, value]) => [names.get(field) ?? field, value] as const);
  return { ...(Object.fromEntries(fields) as unknown as ApiObject), apiVersion };
}

/** An event that has an eventTime is of the new kind, whichever version it came through. */
function validateCommon(event: ApiObject, reporterField: string): FieldError[] {
  const namespace = event.metadata.namespace ?? "";
  const involved = textAt(event, "involvedObject", "namespace");
  const wrongNamespace = invalid("involvedObject.namespace", involved, "does not match event.namespace");
  if (textAt(event, "eventTime") === "") {
    const matches = involved === "" ? namespace === "" || namespace === "default" : namespace === involved;
    return matches ? [] : [wrongNamespace];
  }
  const errors: FieldError[] = [];
  if (involved === "" && namespace !== "default" && namespace !== "kube-system") errors.push(wrongNamespace);
  const reporter = textAt(event, "reportingComponent");
  if (reporter === "") errors.push(required(reporterField));
  for (const problem of qualifiedNameProblems(reporter)) errors.push(invalid(reporterField, reporter, problem));
  for (const field of ["reportingInstance", "action", "reason"] as const) {
    const text = textAt(event, field);
    if (text === "") errors.push(required(field));
    if (byteLength(text) > shortTextLimit) {
      errors.push(invalid(field, "", `can have at most ${shortTextLimit} characters`));
    }
  }
  if (byteLength(textAt(event, "message")) > noteLimit) {
    errors.push(invalid("message", "", `can have at most ${noteLimit} characters`));
  }
  return errors;
}

function validateNewEvent(event: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  if (textAt(event, "eventTime") === "") errors.push(required("eventTime"));
  const type = textAt(event, "type");
  if (type !== "Normal" && type !== "Warning") errors.push(invalid("type", "", `has invalid value: ${type}`));
  for (const field of ["firstTimestamp", "lastTimestamp", "count"] as const) {
    const value = event[field];
    if (value !== undefined && value !== null && value !== 0) {
      errors.push(invalid(newNames.get(field) ?? field, "", "needs to be unset"));
    }
  }
  if (textAt(event, "source", "component") !== "" || textAt(event, "source", "host") !== "") {
    errors.push(invalid("deprecatedSource", "", "needs to be unset"));
  }
  return errors;
}

/** Only the series of an event of the new kind goes on. */
function validateNewEventUpdate(next: ApiObject, old: ApiObject): FieldError[] {
  const fields = ["involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type"];
  const all = [...fields, "eventTime", "action", "related", "reportingComponent", "reportingInstance"];
  return all.flatMap((field) => checkImmutable(newNames.get(field) ?? field, next[field], old[field]));
}
