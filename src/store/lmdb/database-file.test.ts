import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ManualClock } from "../contract/store-bench.ts";
import { openLmdbStore } from "./lmdb-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifepod-file-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => openLmdbStore({ path: folder, clock: new ManualClock() });

it.each<[string, Uint8Array]>([
  ["text", Buffer.from("hello")],
  ["nothing but zeros", new Uint8Array(65_536)],
  ["random bytes", Uint8Array.from({ length: 65_536 }, (_, i) => (i * 7919 + 13) % 251)],
])("a file of %s is refused with a message", async (_content, bytes) => {
  writeFileSync(join(folder, "revisions.mdb"), bytes);
  await expect(open()).rejects.toThrow("revisions.mdb is no database of lifepod: it is a file of another kind");
});

it.each([
  ["in its head", 3000],
  ["before its data", 8192],
])("a file that was cut short %s is refused with a message", async (_where, length) => {
  const store = await open();
  for (let i = 0; i < 50; i++) await store.txn([], [{ kind: "put", key: `k${i}`, value: "x".repeat(2000) }]);
  await store.close();
  truncateSync(join(folder, "revisions.mdb"), length);
  await expect(open()).rejects.toThrow("revisions.mdb is no database of lifepod: it is cut short");
});

it("an empty file becomes a store, and a store opens again and again", async () => {
  writeFileSync(join(folder, "revisions.mdb"), "");
  for (const revision of [1, 2, 3, 4]) {
    const store = await open();
    expect(store.revision()).toBe(revision);
    await store.txn([], [{ kind: "put", key: "a", value: String(revision) }]);
    await store.close();
  }
});

it("a place that is no folder is refused", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  await expect(openLmdbStore({ path: file, clock: new ManualClock() })).rejects.toThrow("EEXIST");
  await expect(openLmdbStore({ path: "", clock: new ManualClock() })).rejects.toThrow("must be named");
});
