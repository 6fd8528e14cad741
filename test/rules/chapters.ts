// All rules, by chapter.

import { phases } from "./01-phases.ts";
import { conditionsChapter } from "./02-conditions.ts";
import { containerStates } from "./03-container-states.ts";
import { startingChapter } from "./04-starting.ts";
import { restartingChapter } from "./05-restarting.ts";
import { probes } from "./06-probes.ts";
import { hooks } from "./07-hooks.ts";
import { endingChapter } from "./08-ending.ts";
import { initAndSidecars } from "./09-init-and-sidecars.ts";
import { whereItRuns } from "./11-where-it-runs.ts";
import { lostNodes } from "./12-lost-nodes.ts";
import { volumesChapter } from "./14-volumes.ts";
import { podApi } from "./15-pod-api.ts";
import type { Chapter, Rule } from "./rule.ts";

/** Numbered like the sections of the specification that they come from. */
export const chapters: readonly Chapter[] = [
  phases,
  conditionsChapter,
  containerStates,
  startingChapter,
  restartingChapter,
  probes,
  hooks,
  endingChapter,
  initAndSidecars,
  whereItRuns,
  lostNodes,
  volumesChapter,
  podApi,
];

export const rules: readonly Rule[] = chapters.flatMap(({ parts }) => parts.flatMap((part) => part.rules));
