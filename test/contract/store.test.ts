import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreBacking } from "../../src/store/contract.ts";
import { storeContract } from "../../src/store/contract.ts";
import { openLmdbStore } from "../../src/store/lmdb/lmdb-store.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import { storeModelTest } from "./store-model.ts";
import { vitestRunner } from "./vitest-runner.ts";

const noDisk = "memory ends with its process";

const memory = async (): Promise<StoreBacking> => ({
  open: async (options) => new MemoryStore(options),
  dispose: async () => undefined,
});

const lmdb = async (): Promise<StoreBacking> => {
  const path = await mkdtemp(join(tmpdir(), "lifepod-store-"));
  return {
    open: (options) => openLmdbStore({ path, ...options }),
    dispose: () => rm(path, { recursive: true }),
  };
};

storeContract(vitestRunner, "memory", memory, {
  cannot: {
    "everything survives: values, revisions, history": noDisk,
    "the revision never goes back, even when the newest key is gone and compacted": noDisk,
    "compaction survives, and so does what it keeps": noDisk,
    "what is forgotten by itself takes no room after many writes, and the rest survives": noDisk,
    "keys that expired while the store was closed go when it is opened; the others at their time": noDisk,
    "one place cannot be opened twice at a time": "there is no place: every store is its own",
  },
});
storeContract(vitestRunner, "lmdb", lmdb);

storeModelTest("memory", memory, { runs: 300, reopens: false });
storeModelTest("lmdb", lmdb, { runs: 40, reopens: true });
