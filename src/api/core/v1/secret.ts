// Secrets: their types and what each needs (api-machinery 3.2).

import type { Draft } from "../../draft.ts";
import type { Secret } from "../../generated/core-v1.ts";
import { checkImmutable, checkName } from "../../meta/field-checks.ts";
import { type FieldError, invalid, key, required, tooLong } from "../../meta/field-errors.ts";
import { isJsonObject, setOwn } from "../../meta/json-object.ts";
import { configMapKeyProblems } from "../../meta/names.ts";
import { base64ToBytes, bytesToBase64 } from "../../protobuf/base64.ts";
import { base64ByteLength, dataLimitBytes, validateImmutable } from "./stored-data.ts";

/** The Secret as it is stored: with a type, and with `stringData` moved into `data`, where it wins over what is there. */
export function defaultSecret(secret: Draft<Secret>): Secret {
  const { stringData, ...stored } = secret;
  const type = secret.type || "Opaque";
  if (stringData === undefined) return { ...stored, type } as Secret;
  const data: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(secret.data ?? {})) setOwn(data, name, value);
  for (const [name, text] of Object.entries(stringData)) {
    setOwn(data, name, bytesToBase64(new TextEncoder().encode(text ?? "")));
  }
  return { ...stored, type, data } as Secret;
}

export function validateSecret({ type, data = {}, metadata }: Secret): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [name, value] of Object.entries(data)) {
    errors.push(...checkName(key("data", name), name, configMapKeyProblems));
    size += base64ByteLength(value);
  }
  if (size > dataLimitBytes) errors.push(tooLong("data", dataLimitBytes));
  return [...errors, ...validateContent(type, data, metadata.annotations ?? {})];
}

export function validateSecretUpdate(next: Secret, old: Secret): FieldError[] {
  return [
    ...checkImmutable("type", next.type, old.type),
    ...validateImmutable(next, old, ["data"]),
    ...validateSecret(next),
  ];
}

const accountNameAnnotation = "kubernetes.io/service-account.name";

type Texts = Readonly<Record<string, string>>;

/** What the well-known types need; any other type is its users' business. */
function validateContent(type: string, data: Texts, annotations: Texts): FieldError[] {
  switch (type) {
    case "kubernetes.io/service-account-token":
      if ((annotations[accountNameAnnotation] ?? "") !== "") return [];
      return [required(key("metadata.annotations", accountNameAnnotation))];
    case "kubernetes.io/dockercfg":
      return validateJson(data, ".dockercfg");
    case "kubernetes.io/dockerconfigjson":
      return validateJson(data, ".dockerconfigjson");
    case "kubernetes.io/basic-auth":
      if (Object.hasOwn(data, "username") || Object.hasOwn(data, "password")) return [];
      return [required("data[username]"), required("data[password]")];
    case "kubernetes.io/ssh-auth":
      return (data["ssh-privatekey"] ?? "") === "" ? [required("data[ssh-privatekey]")] : [];
    case "kubernetes.io/tls":
      return ["tls.crt", "tls.key"]
        .filter((name) => !Object.hasOwn(data, name))
        .map((name) => required(key("data", name)));
    default:
      return [];
  }
}

/** The value must be a JSON object. The error never shows it. */
function validateJson(data: Texts, name: string): FieldError[] {
  const path = key("data", name);
  const value = data[name];
  if (value === undefined) return [required(path)];
  const problem = jsonObjectProblem(new TextDecoder().decode(base64ToBytes(value)));
  return problem === undefined ? [] : [invalid(path, "<secret contents redacted>", problem)];
}

function jsonObjectProblem(text: string): string | undefined {
  const first = text.trimStart().charAt(0);
  if (first === "") return "unexpected end of JSON input";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return first === "{" ? "invalid JSON" : `invalid character '${first}' looking for beginning of value`;
  }
  if (value === null || isJsonObject(value)) return undefined;
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
}
