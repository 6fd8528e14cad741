import { readFileSync } from "node:fs";

/** lifepod's own version, as its package says. */
export const lifepodVersion: string = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
).version;
