import { expect, it } from "vitest";
import { minutes } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

it("leaves nothing waiting behind when it is stopped, also with a runtime that is away", async () => {
  const cluster = await SimulatedCluster.start({ seed: 1, settle });
  await cluster.addNode("node-a");
  const away = await cluster.addNode("node-b");
  await cluster.elapse(minutes(10));
  away.faults.down();
  await cluster.stop();
  await cluster.clock.settle();
  expect(cluster.clock.nextDue()).toBeUndefined();
});

it("says what was complained about", async () => {
  const cluster = await SimulatedCluster.start({ seed: 1, settle });
  const node = await cluster.addNode("node-a");
  node.faults.down();
  await cluster.elapse(minutes(1));
  expect(cluster.complaints).toContainEqual(expect.stringContaining("connection refused"));
  await cluster.stop();
});
