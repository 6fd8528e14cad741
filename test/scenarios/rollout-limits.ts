// Watches the Pods of a Deployment at every single change: there are never more than it allows, and never fewer of them available.

import assert from "node:assert/strict";
import type { Pod } from "../../src/api/index.ts";
import { createInformer } from "../../src/client/informer.ts";
import type { StoryTeller } from "../../src/testing/index.ts";

export interface RolloutLimits {
  /** The most Pods that are not on their way out. */
  readonly most: number;
  /** The fewest available Pods, once there were so many. */
  readonly fewestAvailable: number;
}

export interface LimitWatch {
  /** From now on others hold; those of before are forgotten. */
  change(limits: RolloutLimits): void;
  /** Ends the watch. @throws AssertionError with everything that went beyond the limits */
  check(): void;
}

/** Begins to watch the Pods labelled `app=<app>`. A Pod that is Ready is available: use it without minReadySeconds. */
export function watchLimits(t: StoryTeller, app: string, initial: RolloutLimits): LimitWatch {
  const { client, clock, random } = t.cluster;
  const pods = createInformer({
    resource: client.pods,
    clock,
    random,
    name: "rollout-limits",
    labelSelector: `app=${app}`,
  });
  const faults: string[] = [];
  let limits = initial;
  let wasMet = false;
  let changes = 0;
  pods.onAny(() => {
    changes++;
    const staying = pods.lister.list().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const available = staying.filter(isReady).length;
    wasMet ||= available >= limits.fewestAvailable;
    const at = `after change ${changes}`;
    if (staying.length > limits.most) faults.push(`${staying.length} Pods, at most ${limits.most} allowed, ${at}`);
    if (wasMet && available < limits.fewestAvailable) {
      faults.push(`${available} available Pods, at least ${limits.fewestAvailable} promised, ${at}`);
    }
  });
  pods.start();
  return {
    change(next) {
      limits = next;
      wasMet = false;
    },
    check() {
      pods.stop();
      assert.ok(changes > 0, "nothing was watched");
      assert.deepEqual(faults, []);
    },
  };
}

const isReady = ({ status }: Pod): boolean =>
  (status.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");
