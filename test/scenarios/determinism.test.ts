// One seed, one life: the same bytes fifty times in a row, in another process and without a clock; another seed, another life.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isReady, minutes, pod, story, tellStory } from "../../src/testing/index.ts";
import { chosen, hashOf } from "./chosen.ts";

const times = 50;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

describe("one seed", () => {
  it(`gives the same bytes ${times} times, for each of twenty stories`, { timeout: 300_000 }, async () => {
    expect(chosen).toHaveLength(20);
    const first = new Map<string, string>();
    const differences: string[] = [];
    for (let turn = 0; turn < times; turn++) {
      for (const each of chosen) {
        const transcript = await tellStory(each);
        const known = first.get(each.title) ?? transcript;
        first.set(each.title, known);
        if (known !== transcript) differences.push(`${each.title}, turn ${turn}: ${difference(known, transcript)}`);
      }
    }
    expect(differences).toEqual([]);
    expect(new Set(first.values()).size).toBe(20);
  });

  it("gives the same bytes in another process, in another time zone, where there is no clock and no chance", {
    timeout: 300_000,
  }, async () => {
    const told = tellInAnotherProcess("1");
    const here = await Promise.all(chosen.map(async (each) => `${hashOf(await tellStory(each))} ${each.title}`));
    expect(told).toEqual(here);
  });
});

describe("another seed", () => {
  const jittery = story("a Pod whose first sandboxes fail is tried again after 10 to 15 s", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    node.faults.failNext("runPodSandbox", 3, "no addresses left");
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isReady, { within: minutes(2) });
  });

  it("gives other ids", async () => {
    const [story1] = chosen;
    if (story1 === undefined) throw new Error("no story is chosen");
    expect(await tellStory(story1, 2)).not.toBe(await tellStory(story1, 1));
  });

  it("gives other pauses where chance has a say in them, and the same ones where it has none", async () => {
    const pauses = async (seed: number): Promise<string> => momentsOf(await tellStory(jittery, seed));
    expect(await pauses(2)).not.toBe(await pauses(1));
    expect(await pauses(2)).toBe(await pauses(2));
  });
});

/** The first line that is not the same. */
function difference(known: string, other: string): string {
  const have = other.split("\n");
  const index = known.split("\n").findIndex((line, i) => line !== have[i]);
  return `line ${index + 1}: ${have[index] ?? "missing"}`;
}

/** When something was stored about the Pod. */
function momentsOf(transcript: string): string {
  return transcript
    .split("\n")
    .filter((line) => line.includes("/registry/core/pods/default/app "))
    .map((line) => line.split(" ")[0])
    .join("\n");
}

/** Compiles the program of stories and runs it; its lines. */
function tellInAnotherProcess(seed: string): readonly string[] {
  const compiler = here("../../node_modules/typescript/bin/tsc");
  run(compiler, "-p", here("tsconfig.telling.json"));
  const program = here("../../node_modules/.cache/lifepod/stories/test/scenarios/telling.js");
  return run("--import", here("no-ambient.mjs"), program, seed).trimEnd().split("\n");
}

function run(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: "utf8",
    env: { ...process.env, TZ: "Pacific/Chatham", LANG: "tr_TR.UTF-8" },
  });
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}
