// ConfigMaps: what their keys may be, how large they may be, and what an immutable one refuses (api-machinery 3.2).

import type { ConfigMap } from "../../generated/core-v1.ts";
import { checkName } from "../../meta/field-checks.ts";
import { type FieldError, invalid, key, tooLong } from "../../meta/field-errors.ts";
import { byteLength, configMapKeyProblems } from "../../meta/names.ts";
import { base64ByteLength, dataLimitBytes, validateImmutable } from "./stored-data.ts";

export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [name, value] of Object.entries(data)) {
    errors.push(...checkName(key("data", name), name, configMapKeyProblems));
    if (Object.hasOwn(binaryData, name)) {
      errors.push(invalid(key("data", name), name, "duplicate of key present in binaryData"));
    }
    size += byteLength(value);
  }
  for (const [name, value] of Object.entries(binaryData)) {
    errors.push(...checkName(key("binaryData", name), name, configMapKeyProblems));
    size += base64ByteLength(value);
  }
  if (size > dataLimitBytes) errors.push(tooLong("", dataLimitBytes));
  return errors;
}

export function validateConfigMapUpdate(next: ConfigMap, old: ConfigMap): FieldError[] {
  return [...validateImmutable(next, old, ["data", "binaryData"]), ...validateConfigMap(next)];
}
