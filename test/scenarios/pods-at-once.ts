// Watches the Pods of an owner at every single change: of what should be there once, there are never more.

import assert from "node:assert/strict";
import type { Pod } from "../../src/api/index.ts";
import { createInformer } from "../../src/client/informer.ts";
import type { StoryTeller } from "../../src/testing/index.ts";

export interface PodsAtOnceWatch {
  /** Ends the watch. @throws AssertionError with everything that was there too often */
  check(): void;
}

/**
 * Begins to watch the Pods labelled `app=<app>`.
 * @param placeOf what a Pod must share with few others: its ordinal, its node; undefined if it has none yet
 * @param most how many may share it at once, those on their way out included
 */
export function watchPodsAtOnce(
  t: StoryTeller,
  app: string,
  placeOf: (pod: Pod) => string | undefined,
  most = 1,
): PodsAtOnceWatch {
  const { client, clock, random } = t.cluster;
  const pods = createInformer({
    resource: client.pods,
    clock,
    random,
    name: "pods-at-once",
    labelSelector: `app=${app}`,
  });
  const faults: string[] = [];
  let changes = 0;
  pods.onAny(() => {
    changes++;
    const counts = new Map<string, number>();
    for (const pod of pods.lister.list()) {
      const place = placeOf(pod);
      if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    for (const [place, count] of counts) {
      if (count > most) faults.push(`${count} Pods of ${place}, at most ${most} allowed, after change ${changes}`);
    }
  });
  pods.start();
  return {
    check() {
      pods.stop();
      assert.ok(changes > 0, "nothing was watched");
      assert.deepEqual(faults, []);
    },
  };
}
