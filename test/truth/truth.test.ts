// A few stories on the real runtimes at hand, with time to spare: the order of what happens must be that of the virtual clock on any machine.
// `npm run truth` tells all of them and looks at the time.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { topics } from "../scenarios/topics.ts";
import { wordsOf } from "./agreement.ts";
import { type Machine, machineAbsence, openMachine, runtimeNames } from "./machine.ts";
import { tellAll, type Told } from "./tell-all.ts";

/** How their titles begin. */
const sample = [
  "between crashes the container waits in CrashLoopBackOff",
  "under OnFailure a container that ends with 1",
  "a Pod whose only container ends well is Succeeded",
  "under Never a failed init container fails the Pod",
  "init containers run to their end one after another",
  "when the work of a Pod is done its sidecar is stopped",
  "a container is not seen running before its postStart hook is over",
  "a sleep as preStop waits its seconds",
  "a Pod that is deleted during its crash back-off",
  "initialDelaySeconds counts from the container's start",
];

const stories = Object.values(topics)
  .flat()
  .filter(({ title }) => sample.some((beginning) => title.startsWith(beginning)));

it("takes a sample of stories that there are", () => {
  expect(stories).toHaveLength(sample.length);
});

for (const name of runtimeNames) {
  const absence = machineAbsence(name);
  describe.skipIf(absence !== undefined)(`stories on ${name}${absence === undefined ? "" : ` (${absence})`}`, () => {
    let machine: Machine;
    let told: readonly Told[] = [];
    beforeAll(async () => {
      machine = await openMachine(name);
      told = await tellAll(stories, machine, {
        longest: seconds(30),
        atOnce: 5,
        tolerance: () => seconds(4),
        retries: 1,
      });
    }, 240_000);
    afterAll(() => machine.close());

    it.each(stories.map((story) => story.title))("%s", (story) => {
      const found = told.find((one) => one.title === story);
      expect(found && wordsOf(found.outcome)).toBe("agrees");
    });
  });
}
