// The stories whose transcripts are compared to the byte: twenty, spread over all topics.

import { createHash } from "node:crypto";
import type { Story } from "../../src/testing/index.ts";
import { topics } from "./topics.ts";

/** Two of each topic, none of them long: they are told fifty times. */
const places = [4, 7];

export const chosen: readonly Story[] = Object.values(topics)
  .flatMap((stories) => places.map((place) => stories[place]))
  .filter((story) => story !== undefined)
  .slice(0, 20);

export const hashOf = (transcript: string): string => createHash("sha256").update(transcript).digest("hex");
