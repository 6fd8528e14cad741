// Writes to a store until the disk takes no more, then says what happened. Run by store-crash.test.ts under a limit of the file size.
//
//   node store-full-disk-writer.mjs <folder>

import { openLmdbStore } from "../../dist/store/lmdb/lmdb-store.js";

const clock = { now: () => Date.now(), setTimer: () => ({ cancel: () => undefined }), sleep: () => Promise.resolve() };
const store = await openLmdbStore({ path: process.argv[2], clock });
const put = (key) => store.txn([], [{ kind: "put", key, value: "x".repeat(5000) }]);

let acknowledged = 1;
let failure;
while (failure === undefined) {
  const outcomes = await Promise.allSettled([put(`${acknowledged}/a`), put(`${acknowledged}/b`)]);
  failure = outcomes.find(({ status }) => status === "rejected")?.reason.message;
  for (const { value } of outcomes) acknowledged = Math.max(acknowledged, value?.revision ?? 0);
}
// What needs more room than what failed fails as well.
const again = await store.txn([], [{ kind: "put", key: "again", value: "x".repeat(200_000) }]).then(
  () => "written",
  (error) => error.message,
);
const { count } = await store.range({ prefix: "" });
await store.close();
process.stdout.write(`${JSON.stringify({ failure, again, acknowledged, revision: store.revision(), count })}\n`);
