// The lab in short: enough to see that nothing planned costs a request, and that the lab would see it if it did.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { millis } from "../../src/base/time.ts";
import type { Operation } from "./lab-cluster.ts";
import { runLab } from "./lab.ts";
import { type LabGround, openGround } from "./lab-ground.ts";
import { badlyWritten, type Manifest, replicas, wellWritten } from "./manifests.ts";
import { failuresOf } from "./report.ts";

const shortPlan: readonly Operation[] = [
  { kind: "rolling update", version: "2" },
  { kind: "scale", replicas: replicas - 2 },
  { kind: "drain" },
];

describe.skipIf(process.platform !== "linux")("requests through a Service during what is planned", () => {
  let ground: LabGround;
  beforeAll(async () => {
    ground = await openGround("process");
  });
  afterAll(async () => {
    await ground?.stop();
  });

  const run = async (manifest: Manifest, plan: readonly Operation[]) => {
    const cluster = await ground.begin();
    try {
      const { launch } = ground;
      return await runLab(manifest, {
        kubeconfig: cluster.kubeconfig,
        launch,
        perSecond: 100,
        requests: 500,
        warmUp: millis(500),
        plan,
      });
    } finally {
      await cluster.stop();
    }
  };

  it("all succeed with a well-written manifest", { timeout: 120_000 }, async () => {
    const result = await run(wellWritten, shortPlan);
    expect(result.operations.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
    expect(result.sent).toBeGreaterThanOrEqual(500);
    expect({ failures: failuresOf(result), groups: result.groups }).toEqual({ failures: 0, groups: [] });
  });

  it("fail with one whose readiness lies, and the report says why", { timeout: 120_000 }, async () => {
    const liar = badlyWritten.find(({ name }) => name === "readiness-lies") as Manifest;
    const result = await run(liar, shortPlan.slice(0, 1));
    expect(Object.keys(result.failed)).toEqual(["5xx"]);
    expect(result.groups[0]).toMatchObject({ kind: "5xx", stage: "starting" });
    expect(result.worst?.life.entries.map(({ what }) => what)).toContain("Routed");
  });
});
