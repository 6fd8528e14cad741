// Who may import whom, as a test (ARCHITECTURE.md shows the same table to people).

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Reading order: everything a folder needs is above it. A key may be a sub-folder; the longest match wins. */
const mayImport: Record<string, readonly string[]> = {
  base: [],
  api: ["base"],
  store: ["base"],
  "store/memory": ["base", "store"],
  "store/lmdb": ["base", "store", "store/memory", "host"],
  apiserver: ["base", "api", "store"],
  client: ["base", "api"],
  runtimes: ["base"],
  "runtimes/simulated": ["base", "runtimes", "network", "network/simulated"],
  "runtimes/process": ["base", "runtimes", "host"],
  "runtimes/cri": ["base", "runtimes", "host"],
  network: ["base"],
  "network/simulated": ["base", "network"],
  "network/host": ["base", "network", "host"],
  controllers: ["base", "api", "client"],
  scheduler: ["base", "api", "client"],
  kubelet: ["base", "api", "client", "runtimes", "network"],
  proxy: ["base", "api", "client", "network"],
  dns: ["base", "api", "client", "network"],
  timeline: ["base", "api", "client"],
  cluster: [
    "base",
    "api",
    "store",
    "apiserver",
    "client",
    "controllers",
    "scheduler",
    "kubelet",
    "proxy",
    "dns",
    "runtimes",
    "network",
    "timeline",
  ],
  simulation: [
    "base",
    "api",
    "store",
    "store/memory",
    "client",
    "apiserver",
    "cluster",
    "runtimes",
    "runtimes/simulated",
    "network",
    "network/simulated",
    "timeline",
  ],
  testing: [
    "base",
    "api",
    "client",
    "cluster",
    "timeline",
    "simulation",
    "runtimes",
    "runtimes/simulated",
    "network/simulated",
    "host",
  ],
  host: ["base", "api", "apiserver", "store", "network", "runtimes"],
  standalone: ["*"],
  cli: ["*"],
  bench: ["*"],
  "": ["*"],
};

/** Folders that may touch the machine; the rest compiles under tsconfig.pure.json. */
const machine = [
  "testing",
  "host",
  "standalone",
  "cli",
  "bench",
  "store/lmdb",
  "runtimes/process",
  "runtimes/cri",
  "network/host",
  "",
];

/** What a pure folder may import from outside: libraries that are pure themselves. */
const pureLibraries = new Set(["yaml", "fast-json-patch"]);

interface Import {
  readonly file: string;
  readonly target: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.endsWith(".d.ts") ? [path] : [];
  });
}

export function importsOf(file: string, text: string): Import[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => ({ file, target: (match[1] ?? match[2] ?? match[3]) as string }));
}

/** The layer of a path below src: the longest key of the table that it lies in. */
export function layerOf(path: string): string | undefined {
  const folder = posix.dirname(path);
  if (folder === ".") return "";
  const parts = folder.split("/");
  for (let length = parts.length; length > 0; length--) {
    const key = parts.slice(0, length).join("/");
    if (key in mayImport) return key;
  }
  return undefined;
}

export function violationsOf(file: string, text: string): string[] {
  const from = layerOf(file);
  if (from === undefined) return [`${file}: lies in no known layer`];
  const allowed = mayImport[from] ?? [];
  return importsOf(file, text).flatMap(({ target }) => {
    if (!target.startsWith(".")) {
      if (machine.includes(from) || pureLibraries.has(target)) return [];
      return [`${file}: ${from} is pure and may not import ${target}`];
    }
    const to = layerOf(posix.normalize(posix.join(posix.dirname(file), target)));
    if (to === undefined) return [`${file}: imports ${target}, which lies in no known layer`];
    if (to === from || allowed.includes("*") || allowed.includes(to)) return [];
    return [`${file}: ${from} may not import ${to}`];
  });
}

describe("the house", () => {
  const files = sourceFiles(join(root, "src")).map((path) => ({
    path: relative(join(root, "src"), path).replaceAll("\\", "/"),
    text: readFileSync(path, "utf8"),
  }));

  it("imports point one way", () => {
    expect(files.flatMap(({ path, text }) => violationsOf(path, text))).toEqual([]);
  });

  it("siblings under controllers do not meet", () => {
    const meetings = files
      .filter(({ path }) => path.startsWith("controllers/") && path.split("/").length > 2)
      .flatMap(({ path, text }) => {
        const own = path.split("/")[1];
        return importsOf(path, text)
          .filter(({ target }) => target.startsWith("."))
          .map(({ target }) => posix.normalize(posix.join(posix.dirname(path), target)))
          .filter(
            (target) =>
              target.startsWith("controllers/") && target.split("/").length > 2 && target.split("/")[1] !== own,
          )
          .map((target) => `${path} imports ${target}`);
      });
    expect(meetings).toEqual([]);
  });

  it("no folder is called utils, helpers, common or managers", () => {
    const names = files
      .flatMap(({ path }) => path.split("/"))
      .filter((name) => /^(utils?|helpers?|common|managers?|types)(\.ts)?$/.test(name));
    expect(names).toEqual([]);
  });

  it("ARCHITECTURE.md shows the same table", () => {
    const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
    const rows = [...text.matchAll(/^\| `([^`]+)` \| ([^|]*) \| (yes|no) \|$/gm)].map((match) => ({
      folder: match[1],
      mayImport: [...(match[2] as string).matchAll(/`([^`]+)`/g)].map((name) => name[1]),
      touchesTheMachine: match[3] === "yes",
    }));
    const table = Object.entries(mayImport)
      .filter(([, allowed]) => !allowed.includes("*"))
      .map(([folder, allowed]) => ({
        folder,
        mayImport: [...allowed],
        touchesTheMachine: machine.includes(folder),
      }));
    expect(rows).toEqual(table);
  });

  it("tsconfig.pure.json compiles exactly the folders that may not touch the machine", () => {
    const { include, exclude } = JSON.parse(readFileSync(join(root, "tsconfig.pure.json"), "utf8")) as {
      readonly include: readonly string[];
      readonly exclude: readonly string[];
    };
    const covers = (folders: readonly string[], layer: string): boolean =>
      folders.some((folder) => folder === `src/${layer}` || `src/${layer}`.startsWith(`${folder}/`));
    const compiled = Object.keys(mayImport).filter((layer) => covers(include, layer) && !covers(exclude, layer));
    expect(compiled).toEqual(Object.keys(mayImport).filter((layer) => !machine.includes(layer)));
  });
});

describe("the rules of the house themselves", () => {
  it("finds an import that points the wrong way", () => {
    expect(violationsOf("kubelet/a.ts", `import { x } from "../apiserver/b.ts";`)).toEqual([
      "kubelet/a.ts: kubelet may not import apiserver",
    ]);
  });

  it("finds a pure folder that reaches for the machine, statically or dynamically", () => {
    expect(violationsOf("scheduler/a.ts", `import fs from "node:fs";`)).toEqual([
      "scheduler/a.ts: scheduler is pure and may not import node:fs",
    ]);
    expect(violationsOf("scheduler/a.ts", `const os = await import("node:os");`)).toHaveLength(1);
  });

  it("lets the contract of a neighbour be seen, and not its makers", () => {
    expect(violationsOf("kubelet/a.ts", `import type { R } from "../runtimes/runtime-service.ts";`)).toEqual([]);
    expect(violationsOf("kubelet/a.ts", `import type { R } from "../runtimes/process/runtime.ts";`)).toHaveLength(1);
  });
});
