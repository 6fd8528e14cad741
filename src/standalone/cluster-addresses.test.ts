import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addressOf, claimAddresses, type ClusterAddresses } from "./cluster-addresses.ts";

let folder: string;
let claimed: ClusterAddresses[];
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifepod-addresses-"));
  claimed = [];
  said = [];
});
afterEach(() => {
  for (const addresses of claimed) addresses.release();
  rmSync(folder, { recursive: true });
});

async function claim(name: string): Promise<ClusterAddresses> {
  const addresses = await claimAddresses(join(folder, name), folder, (message) => said.push(message));
  claimed.push(addresses);
  return addresses;
}

it("gives two clusters that run at one time different parts of each pool", async () => {
  const [one, other] = [await claim("one"), await claim("other")];
  expect(one.slot).not.toBe(other.slot);
  for (const pool of ["processPods", "processServices", "containerServices"] as const) {
    expect(one[pool]).not.toBe(other[pool]);
    expect(one[pool]).toMatch(/\/20$/);
  }
  expect(said).toEqual([]);
});

it("finds the addresses of the last start again", async () => {
  const first = await claim("one");
  first.release();
  expect((await claim("one")).processServices).toBe(first.processServices);
  expect(JSON.parse(readFileSync(join(folder, "one"), "utf8"))).toEqual({ slot: first.slot });
});

it("keeps them also when somebody else uses them, and says so", async () => {
  const first = await claim("one");
  expect((await claim("one")).slot).toBe(first.slot);
  expect(said).toEqual([
    `another lifepod on this machine uses the Service addresses ${first.processServices}, too; Services of both may clash`,
  ]);
});

it.each([
  ["10.96.0.0/20", 1, "10.96.0.1"],
  ["127.96.240.0/20", 10, "127.96.240.10"],
  ["10.96.240.0/20", 300, "10.96.241.44"],
])("counts addresses of %s", (range, index, address) => {
  expect(addressOf(range, index)).toBe(address);
});
