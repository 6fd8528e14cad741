// Random worlds: some seeds in which every invariant must hold, and the same bytes from the same seed.

import { describe, expect, it } from "vitest";
import { settle } from "../../src/host/settle.ts";
import { runWorld } from "../../src/simulation/worlds/world.ts";
import { resultOf } from "./world-result.ts";

/** A third of a world's hour; `npm run worlds` lives through all of it, a thousand times. */
const rounds = 1;

describe("random worlds", () => {
  it.each(Array.from({ length: 20 }, (_, index) => [index + 1]))(
    "every invariant holds in seed %i",
    {
      timeout: 120_000,
    },
    async (seed) => {
      expect(resultOf(await runWorld({ seed, settle, rounds })).failure).toBeUndefined();
    },
  );

  it("one seed gives the same bytes, another seed another life", { timeout: 120_000 }, async () => {
    const hashOf = async (seed: number): Promise<string> => resultOf(await runWorld({ seed, settle, rounds })).hash;
    const first = await hashOf(1);
    expect(await hashOf(1)).toBe(first);
    expect(await hashOf(2)).not.toBe(first);
  });
});
