// Manifests from files, folders or standard input: every document with where it came from, so that a refusal can say so.

import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { text } from "node:stream/consumers";
import { parseYaml } from "../api/wire/yaml-text.ts";
import type { JsonObject } from "../api/wire/request.ts";

export interface Manifest {
  /** `web.yaml`, or `web.yaml (document 2)` when the file has several. */
  readonly source: string;
  readonly object: JsonObject;
}

/** Something is wrong with the files themselves. */
export class ManifestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ManifestError";
  }
}

const extensions = new Set([".yaml", ".yml", ".json"]);

/** @throws ManifestError naming the file, what was expected and what was found */
export async function readManifests(paths: readonly string[]): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const path of paths) {
    for (const file of await filesOf(path)) manifests.push(...documentsOf(file.name, await file.read()));
  }
  if (manifests.length === 0)
    throw new ManifestError(`no manifest in ${paths.join(", ")}: expected at least one YAML or JSON document`);
  return manifests;
}

interface ManifestFile {
  readonly name: string;
  read(): Promise<string>;
}

async function filesOf(path: string): Promise<readonly ManifestFile[]> {
  if (path === "-") return [{ name: "standard input", read: () => text(process.stdin) }];
  const kind = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new ManifestError(
      error.code === "ENOENT" ? `${path} does not exist` : `cannot read ${path}: ${error.message}`,
    );
  });
  if (!kind.isDirectory()) return [{ name: path, read: () => readFile(path, "utf8") }];
  const names = (await readdir(path)).filter((name) => extensions.has(extname(name))).sort();
  return names.map((name) => ({ name: join(path, name), read: () => readFile(join(path, name), "utf8") }));
}

function documentsOf(file: string, content: string): readonly Manifest[] {
  let documents: readonly unknown[];
  try {
    documents = splitDocuments(content).map((document) => parseYaml(document).value);
  } catch (error) {
    throw new ManifestError(`${file} is neither YAML nor JSON: ${(error as Error).message}`);
  }
  return documents.flatMap((document, index) => {
    const source = documents.length === 1 ? file : `${file} (document ${index + 1})`;
    if (document === null || document === undefined) return [];
    if (typeof document !== "object" || Array.isArray(document))
      throw new ManifestError(
        `${source} is ${Array.isArray(document) ? "a list" : `a ${typeof document}`}, expected an object with apiVersion and kind`,
      );
    const object = document as JsonObject;
    if (typeof object.apiVersion !== "string" || typeof object.kind !== "string")
      throw new ManifestError(`${source} lacks apiVersion or kind`);
    // `kind: List` is how kubectl prints several objects.
    if (object.apiVersion === "v1" && object.kind === "List")
      return ((object.items as readonly JsonObject[] | undefined) ?? []).map((item, i) => ({
        source: `${source} item ${i + 1}`,
        object: item,
      }));
    return [{ source, object }];
  });
}

/** Documents end where a line begins with `---`, as kubectl splits them. */
function splitDocuments(content: string): readonly string[] {
  return content
    .split(/^---(?:[ \t].*)?$/m)
    .filter((document) => /^[^#\s]/m.test(document) || /^\s+[^#\s]/m.test(document));
}
