// The images of a random world: every way in which a container can behave, well or badly.

import { millis, minutes, seconds } from "../../base/time.ts";
import type { ImageBehaviour } from "../../runtimes/simulated/behaviour.ts";

/** Containers that go on until they are stopped. */
export const servers: Readonly<Record<string, ImageBehaviour>> = {
  "server:1": { present: true },
  "server:2": { pullTime: seconds(2) },
  "slow-start:1": { present: true, becomesReadyAfter: seconds(15) },
  "slow-stop:1": { present: true, stopsIn: seconds(7), exitCodeOnTerm: 0 },
  "deaf:1": { present: true, ignoresTerm: true },
  "flaky:1": { present: true, becomesReadyAfter: seconds(3), stopsBeingReadyAfter: seconds(100) },
  "short-lived:1": { present: true, runsFor: minutes(4), exits: 3 },
  "big:1": { pullTime: seconds(45) },
  "leaky:1": { present: true, oomAfter: seconds(130) },
};

/** Containers that come to an end. */
export const jobs: Readonly<Record<string, ImageBehaviour>> = {
  "done:1": { present: true, runsFor: seconds(5), exits: 0, writesTerminationMessage: "done" },
  "instant:1": { present: true, runsFor: millis(3), exits: 0 },
  "longer:1": { present: true, runsFor: seconds(70), exits: 0 },
  "fails:1": { present: true, runsFor: seconds(2), exits: 1 },
  "fails-first:1": { present: true, runsFor: seconds(1), exitsByTurn: [1, 2, 0] },
};

/** Containers that never come to life. */
export const troubles: Readonly<Record<string, ImageBehaviour>> = {
  "unstartable:1": { present: true, startError: 'exec: "/app": stat /app: no such file or directory: unknown' },
  "uncreatable:1": { present: true, createError: "failed to generate container spec" },
  "unpullable:1": { pullFails: { message: "failed to pull: unexpected status: 500" } },
  "late:1": { pullFails: { times: 2, message: "failed to pull: i/o timeout" }, pullTime: seconds(1) },
};

export const worldImages: Readonly<Record<string, ImageBehaviour>> = { ...servers, ...jobs, ...troubles };
