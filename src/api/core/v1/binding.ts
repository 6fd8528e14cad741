// Bindings: where a Pod is put (api-machinery 8.4).

import type { Binding } from "../../generated/core-v1.ts";
import { checkPresent } from "../../meta/field-checks.ts";
import { type FieldError, notSupported } from "../../meta/field-errors.ts";

export function validateBinding({ target }: Binding): FieldError[] {
  const kind = target.kind ?? "";
  return [
    ...(kind === "" || kind === "Node" ? [] : [notSupported("target.kind", kind, ["Node", "<empty>"])]),
    ...checkPresent("target.name", target.name),
  ];
}
