// The story of docs/stories.md goes as it is told there.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { type Story, tellStory } from "../../src/testing/index.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = here("../../node_modules/.cache/lifepod/documentation");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("tells the story of the documentation", async () => {
  const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(readFileSync(here("../../docs/stories.md"), "utf8")) ?? [];
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/example.ts`;
  writeFileSync(file, code.replace('"lifepod/testing"', JSON.stringify(here("../../src/testing/index.ts"))));
  const { restarts } = (await import(pathToFileURL(file).href)) as { restarts: Story };
  expect(await tellStory(restarts)).toContain("/registry/core/pods/default/web");
});
