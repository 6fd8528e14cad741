// Writes src/api/generated: the API's types, its schemas and their texts, from the published models of Kubernetes 1.34 (a development
// dependency) and the hand tables in scripts/tables. The output is not committed. A file whose content would not change is left alone, so
// that compilers and watchers see only real changes.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readApi } from "./generator/api-messages.mjs";
import { descriptionsModule, protobufModule, schemasModule } from "./generator/write-schemas.mjs";
import { typesModule } from "./generator/write-types.mjs";

const output = new URL("../src/api/generated/", import.meta.url);

const api = readApi();
const files = new Map();
for (const apiPackage of api.packages.values()) files.set(`${apiPackage.module}.ts`, typesModule(apiPackage, api));
files.set("schemas.ts", schemasModule(api));
files.set("descriptions.ts", descriptionsModule(api));
files.set("protobuf-fields.ts", protobufModule(api));
writeAll(files);

function writeAll(files) {
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(output)) if (!files.has(name)) rmSync(new URL(name, output));
  for (const [name, text] of files) {
    const file = new URL(name, output);
    if (contentOf(file) !== text) writeFileSync(file, text);
  }
}

function contentOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
