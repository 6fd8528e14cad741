// Which stories agree when they are told on the wall clock with a real runtime, as `npm run truth -- --update` last wrote it down.

import { existsSync, readFileSync } from "node:fs";
import type { Runtime } from "./rule.ts";

/** By runtime and story title: `agrees`, or why not. */
type Agreement = Partial<Readonly<Record<Runtime, Readonly<Record<string, string>>>>>;

const record = new URL("../truth/agreement.json", import.meta.url);
let read: Agreement | undefined;

export function agreement(): Agreement {
  read ??= existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as Agreement) : {};
  return read;
}
