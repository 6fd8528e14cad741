// Tells every story once.

import { describe, expect, it } from "vitest";
import { tellStory } from "../../src/testing/index.ts";
import { topics } from "./topics.ts";

describe.each(Object.entries(topics))("%s", (_topic, stories) => {
  it.each(stories.map((story) => [story.title, story] as const))("%s", async (_title, story) => {
    expect(await tellStory(story)).not.toBe("");
  });
});
