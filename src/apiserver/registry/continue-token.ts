// The token with which a client asks for the next page: which state it reads and behind which key it goes on (api-machinery 3.7).

import { badRequest } from "../../api/wire/status-error.ts";
import type { Revision } from "../../store/store.ts";

export interface ContinueToken {
  /** The state that all pages show; -1: whatever is newest, because the state the list began with is gone. */
  readonly revision: Revision | -1;
  /** Below the prefix of the list: the last key of the page before. */
  readonly after: string;
}

export function encodeContinueToken({ revision, after }: ContinueToken): string {
  return toBase64Url(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${after}\u0000` }));
}

/** @throws StatusError BadRequest for anything that this server did not make */
export function decodeContinueToken(token: string): ContinueToken {
  const { v, rv, start } = parse(token);
  if (v !== "meta.k8s.io/v1") throw wrong(`server does not recognize this encoded version ${JSON.stringify(v ?? "")}`);
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || (rv < 1 && rv !== -1)) {
    throw wrong("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || !start.endsWith("\u0000"))
    throw wrong("encoded start key empty (version meta.k8s.io/v1)");
  const after = start.slice(0, -1);
  if (after === "" || after.startsWith("/") || after.split("/").includes("..")) throw wrong(JSON.stringify(start));
  return { revision: rv as Revision | -1, after };
}

function parse(token: string): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  let text: string;
  try {
    text = fromBase64Url(token);
  } catch (error) {
    throw wrong(error instanceof Error ? "illegal base64 data" : String(error));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  if (typeof value !== "object" || value === null) throw wrong("not an object");
  return value;
}

const wrong = (why: string) => badRequest(`continue key is not valid: ${why}`);

function toBase64Url(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64Url(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
