// All stories, by topic.

import type { Story } from "../../src/testing/index.ts";
import { stories as crash } from "./crash.stories.ts";
import { stories as starting } from "./starting.stories.ts";

export const topics: Readonly<Record<string, readonly Story[]>> = { starting, crash };
