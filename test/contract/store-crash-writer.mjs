// Writes to a store as fast as it can and says what was acknowledged, one line each, until it is killed. Run by store-crash.test.ts.
//
//   node store-crash-writer.mjs <folder> <round> <kept revisions>

import { writeSync } from "node:fs";
import { openLmdbStore } from "../../dist/store/lmdb/lmdb-store.js";

const [folder, round, kept] = process.argv.slice(2);

const clock = {
  now: () => Date.now(),
  setTimer: (wait, fire) => {
    const timer = setTimeout(() => fire(), wait);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (wait) => new Promise((resolve) => setTimeout(resolve, wait)),
};

const revisions = Number(kept);
const historyLimit = { age: 0, revisions, mostRevisions: revisions * 2, mostCharacters: 1e9 };
const store = await openLmdbStore({ path: folder, clock, historyLimit });

/** Each transaction makes one key and counts up another: after a crash the two must agree. */
async function writer(name) {
  for (let i = 1; ; i++) {
    const { revision } = await store.txn(
      [{ key: `key/${name}/${i}`, modRevision: 0 }],
      [
        { kind: "put", key: `key/${name}/${i}`, value: `${name} ${i} ${"x".repeat((i * 37) % 3000)}` },
        { kind: "put", key: `counter/${name}`, value: String(i) },
      ],
    );
    writeSync(1, `${revision} ${name} ${i}\n`);
  }
}

await Promise.all(["a", "b", "c", "d", "e", "f"].map((letter) => writer(`${round}${letter}`)));
