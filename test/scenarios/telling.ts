// A program that tells the chosen stories and prints a line for each: the hash of its transcript and its title. `node telling.js <seed>`

import { tellStory } from "../../src/testing/index.ts";
import { chosen, hashOf } from "./chosen.ts";

const seed = process.argv[2] ?? "1";
for (const story of chosen) process.stdout.write(`${hashOf(await tellStory(story, seed))} ${story.title}\n`);
