// The stories whose transcripts are compared to the byte: twenty, spread over all topics.

import { createHash } from "node:crypto";
import type { Story } from "../../src/testing/index.ts";
import { topics } from "./topics.ts";

const all = Object.values(topics).flat();
const step = Math.floor(all.length / 20);

export const chosen: readonly Story[] = all.filter((_, index) => index % step === 3).slice(0, 20);

export const hashOf = (transcript: string): string => createHash("sha256").update(transcript).digest("hex");
