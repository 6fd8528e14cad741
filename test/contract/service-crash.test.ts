import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import { ManualClock } from "../../src/store/contract/store-bench.ts";
import { openLmdbStore } from "../../src/store/lmdb/lmdb-store.ts";
import { serviceFaults } from "./service-claims.ts";

const writer = fileURLToPath(new URL("./service-crash-writer.mjs", import.meta.url));
const built = fileURLToPath(new URL("../../dist/apiserver/api-server.js", import.meta.url));

it("gives no address and no port twice and loses none, through five kills of a server in the middle of writes", async () => {
  if (!existsSync(built)) throw new Error(`${built} is missing: build first (npm run build)`);
  const folder = await mkdtemp(join(tmpdir(), "lifepod-services-"));
  const random = new SeededRandom("service-crash").stream("answers before the kill");
  try {
    for (let round = 0; round < 5; round++) {
      const answers = await writeUntilKilled(folder, round, random.integer(20, 400));
      expect(answers).toContain("POST 201");
      const store = await openLmdbStore({ path: folder, clock: new ManualClock() });
      const { services, ...faults } = await serviceFaults(store);
      await store.close();
      expect(faults).toEqual({ shared: [], unclaimed: [], lost: [] });
      expect(services).toBeGreaterThan(1);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);

/** Lets the process live until it has given so many answers; returns all of them. */
async function writeUntilKilled(folder: string, round: number, kill: number): Promise<ReadonlySet<string>> {
  const child = spawn(process.execPath, [writer, folder, `round-${round}`], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const answers = new Set<string>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    answers.add(line);
    if (++count === kill) child.kill("SIGKILL");
  }
  expect(await closed).toEqual([null, "SIGKILL"]);
  return answers;
}
