// ControllerRevisions: what a workload's template was at a time (pod-lifecycle 13.4, 13.7). Their data never changes, only their number.

import type { ControllerRevision } from "../../generated/apps-v1.ts";
import { checkImmutable, checkNotNegative } from "../../meta/field-checks.ts";
import { type FieldError, required } from "../../meta/field-errors.ts";

export function validateControllerRevision({ data, revision }: ControllerRevision): FieldError[] {
  return [
    ...(data === undefined || data === null ? [required("data", "data is mandatory")] : []),
    ...checkNotNegative("revision", revision),
  ];
}

export function validateControllerRevisionUpdate(next: ControllerRevision, old: ControllerRevision): FieldError[] {
  return [...validateControllerRevision(next), ...checkImmutable("data", next.data, old.data)];
}
