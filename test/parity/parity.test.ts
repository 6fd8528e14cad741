// docs/parity.md says what the code does, or this fails. `npx vitest run test/parity --update` writes it anew.

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { podSupport } from "../../src/api/core/v1/pod-support-table.ts";
import { parityDocument } from "./parity-document.ts";

it("docs/parity.md is what the code says", async () => {
  await expect(parityDocument()).toMatchFileSnapshot("../../docs/parity.md");
});

const source = new URL("../../src/", import.meta.url);

/** What of the API's own rules others decide by. */
const rules = ["api/core/v1/node-affinity.ts", "api/core/v1/taints.ts", "api/meta/label-selector.ts"];

/** Everything that acts on Pods, without what only checks or fills in their fields. */
function actingCode(): string {
  const folders = ["kubelet", "scheduler", "controllers", "apiserver/registry", "apiserver/admission"];
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, source), { recursive: true, encoding: "utf8" }).map(
      (name) => `${folder}/${name}`,
    ),
  );
  return [...files.filter((name) => /(?<!\.test)\.ts$/.test(name)), ...rules]
    .map((name) => readFileSync(new URL(name, source), "utf8"))
    .join("\n");
}

it("every field that is said to be acted on is read by the code that acts on Pods", () => {
  const code = actingCode();
  const unread = Object.entries(podSupport).flatMap(([message, fields]) =>
    Object.entries(fields)
      .filter(([, rules]) => rules.some(({ kind }) => kind === "actedOn"))
      .filter(([field]) => !new RegExp(`\\b${field}\\b`).test(code))
      .map(([field]) => `${message} ${field}`),
  );
  expect(unread).toEqual([]);
});
