import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dataFolder, makeDataFolder, readServerRecord, writeServerRecord } from "./data-folder.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "lifepod-folder-"));
});
afterEach(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

it("lets only its owner look into a new folder", async () => {
  const folder = dataFolder(join(parent, "new/data"));
  await makeDataFolder(folder);
  expect(modeOf(folder.root)).toBe(0o700);
});

it("keeps what holds secrets to its owner in a folder that everybody can read", async () => {
  chmodSync(parent, 0o755);
  const folder = dataFolder(parent);
  await makeDataFolder(folder);
  await makeDataFolder(folder);
  expect([modeOf(folder.store), modeOf(folder.processes)]).toEqual([0o700, 0o700]);
  expect(modeOf(parent)).toBe(0o755);
});

it("remembers the server of the last start", async () => {
  const folder = dataFolder(parent);
  expect(await readServerRecord(folder)).toBeUndefined();
  const record = { url: "https://127.0.0.1:1", host: "127.0.0.1", port: 1, pid: 2, runtime: "process" } as const;
  await writeServerRecord(folder, record);
  expect(await readServerRecord(folder)).toEqual(record);
});
