// The contract over nftables, in the network namespace that the tests run in: its own table, its own addresses, and nothing left.

import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import { WallClock } from "../../src/host/wall-clock.ts";
import { NftablesDataPath, isForKernel, whyNotNftables } from "../../src/network/host/services/nftables-data-path.ts";
import { UserspaceDataPath } from "../../src/network/host/services/userspace-data-path.ts";
import { dataPathContract } from "./data-path-checks.ts";
import { absentRunner, vitestRunner } from "./vitest-runner.ts";

const table = `lifepod-test-${process.pid}`;
const absent = process.getuid?.() === 0 ? await whyNotNftables(table) : "needs root";
const runner = absent === undefined ? vitestRunner : absentRunner(absent);

const open = (nodeAddress: string): NftablesDataPath =>
  new NftablesDataPath({
    table,
    nodeAddresses: [nodeAddress],
    rest: new UserspaceDataPath({
      clock: new WallClock(),
      random: new SeededRandom(1),
      nodeAddresses: [nodeAddress],
      carries: (frontend) => !isForKernel(frontend),
    }),
  });

dataPathContract(
  runner,
  "nftables",
  { open },
  {
    "tries another endpoint when one refuses": "the kernel does not look whether an endpoint answers",
  },
);

it("takes the place of a table that a crash left, and is gone at the end", async (test) => {
  test.skip(absent !== undefined, absent);
  execFileSync("nft", ["add", "table", "ip", table]);
  execFileSync("nft", ["add", "chain", "ip", table, "left-over"]);
  const dataPath = open("127.0.0.1");
  await dataPath.apply([]);
  const meanwhile = listed();
  await dataPath.close();
  expect(meanwhile).not.toContain("left-over");
  expect(meanwhile).toContain(table);
  expect(listed()).not.toContain(`${table} `);
});

const listed = (): string => execFileSync("nft", ["list", "ruleset"], { encoding: "utf8", stdio: "pipe" });

it("says why it cannot be used", async () => {
  expect(absent ?? "").toMatch(/^$|needs root|nft/);
});
