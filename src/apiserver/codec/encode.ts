// Answers as bodies: JSON is made at most once and only when somebody reads it as text, YAML and pretty JSON at once.

import type { Status } from "../../api/generated/meta-v1.ts";
import type { ApiBody, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import type { StatusError } from "../../api/wire/status-error.ts";
import type { Representation } from "./media-types.ts";
import { formatYaml } from "../../api/wire/yaml-text.ts";

const plainJson: Pick<Representation, "encoding" | "pretty"> = { encoding: "json", pretty: false };

/** An answer that carries an object. `json` is its text where somebody has it already. */
export function objectResponse(
  status: number,
  object: JsonObject,
  representation: Pick<Representation, "encoding" | "pretty"> = plainJson,
  json?: string,
): ApiResponse {
  return {
    status,
    headers: { "content-type": `application/${representation.encoding}`, "cache-control": "no-cache, private" },
    body: bodyOf(object, representation, json),
  };
}

/** The answer to a request that failed. The client's wishes about its form do not matter so much as that it can be read. */
export function statusResponse(
  error: StatusError,
  representation: Pick<Representation, "encoding" | "pretty"> = plainJson,
): ApiResponse {
  const response = objectResponse(error.code, error.status satisfies Status as unknown as JsonObject, representation);
  const retryAfterSeconds = error.status.details?.retryAfterSeconds ?? 0;
  return retryAfterSeconds > 0
    ? { ...response, headers: { ...response.headers, "retry-after": String(retryAfterSeconds) } }
    : response;
}

/** The body of an object in the wanted form. */
export function bodyOf(
  object: JsonObject,
  { encoding, pretty }: Pick<Representation, "encoding" | "pretty">,
  json?: string,
): ApiBody {
  if (encoding === "yaml") return { kind: "text", text: formatYaml(object) };
  if (pretty) return { kind: "text", text: `${JSON.stringify(object, undefined, 2)}\n` };
  let text = json;
  return {
    kind: "object",
    object,
    json: () => {
      text ??= JSON.stringify(object);
      return text;
    },
  };
}

/** Beyond this many characters in all, long warnings are cut and further ones left out: clients and proxies bound what headers may hold. */
const warningsLimit = 4096;
const longWarningLimit = 256;

/** The `Warning` headers for these texts. */
export function warningHeaders(texts: readonly string[]): readonly string[] {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total <= warningsLimit) return texts.map(warningHeader);
  const headers: string[] = [];
  let used = 0;
  for (const text of texts) {
    const cut = text.length > longWarningLimit ? `${text.slice(0, longWarningLimit)}…` : text;
    used += cut.length;
    if (used > warningsLimit) break;
    headers.push(warningHeader(cut));
  }
  return headers;
}

/** The text of a `Warning` header: code 299, no agent, quoted (api-machinery 3.6). Other letters than ASCII's travel as the bytes of UTF-8. */
export function warningHeader(text: string): string {
  const quoted = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll(controlCharacters, " ");
  let bytes = "";
  for (const byte of new TextEncoder().encode(quoted)) bytes += String.fromCharCode(byte);
  return `299 - "${bytes}"`;
}

const controlCharacters = /\p{Cc}+/gu;
