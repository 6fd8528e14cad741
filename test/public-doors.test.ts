// What `import … from "lifepod"` and its further doors give: the doors that package.json names are there after a build, with these names.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

interface Door {
  readonly types: string;
  readonly default: string;
}
const { exports, bin, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly exports: Readonly<Record<string, Door>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** The values behind each door; types are the compiler's to check. */
const names: Readonly<Record<string, readonly string[]>> = {
  ".": ["startCluster"],
  "./client": ["createClient", "createInformer"],
  "./api": [],
  "./testing": [
    "StoryTeller",
    "configMap",
    "cronJob",
    "daemonSet",
    "deployment",
    "exists",
    "hasCondition",
    "hasContainer",
    "hasPhase",
    "hasReadyReplicas",
    "hasRestarts",
    "hours",
    "isComplete",
    "isFailed",
    "isGone",
    "isReady",
    "isRolledOut",
    "isRunning",
    "isScheduled",
    "isSucceeded",
    "isTerminating",
    "job",
    "millis",
    "minutes",
    "pod",
    "replicaSet",
    "seconds",
    "secret",
    "statefulSet",
    "story",
    "tellStory",
    "waitsFor",
  ],
  "./simulation": ["RunawayError", "SimulatedCluster", "VirtualClock", "runawayLimit", "virtualEpoch"],
  "./runtimes": [
    "ExecTimeoutError",
    "RuntimeNotFoundError",
    "RuntimeUnsupportedError",
    "runtimeContract",
    "shellScriptOf",
  ],
};

describe.skipIf(!existsSync(join(root, "dist")))("after a build", () => {
  it("package.json names exactly the doors that are listed here", () => {
    expect(Object.keys(exports)).toEqual(Object.keys(names));
  });

  it.each(Object.entries(exports))(
    "the door %s opens, with its types beside it",
    async (door, { types, default: code }) => {
      expect(existsSync(join(root, types))).toBe(true);
      const module = (await import(pathToFileURL(join(root, code)).href)) as object;
      expect(Object.keys(module).sort()).toEqual(names[door]);
    },
  );

  it.each(Object.entries(bin))("the command %s is there, and says so to the shell", (_name, path) => {
    expect(readFileSync(join(root, path), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

describe("the package", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/\.test\.ts$|^bench\b/.test(path))
    .map((path) => readFileSync(join(root, "src", path), "utf8"));
  /** What the shipped code imports from outside, by package. */
  const imported = new Set(
    sources
      .flatMap((text) => [...text.matchAll(/(?:from|import|import\()\s*"([@a-z][^":\s]*)"/g)])
      .map((match) => (match[1] as string).match(/^(?:@[^/]+\/)?[^/]+/)?.[0]),
  );

  it("depends on exactly what its code imports", () => {
    expect(imported).toEqual(new Set(Object.keys(dependencies)));
  });
});
