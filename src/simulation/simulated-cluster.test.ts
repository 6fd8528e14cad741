import { expect, it } from "vitest";
import { minutes } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { pod } from "../testing/builders.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import { VirtualClock, virtualEpoch } from "./virtual-clock.ts";

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

it("stops a part that calls and calls without letting time pass, and names it", async () => {
  const cluster = await SimulatedCluster.start({
    seed: 1,
    settle,
    clock: new VirtualClock(settle, virtualEpoch, 2000),
    // Somebody takes back every status that the kubelet writes, and the kubelet insists.
    transportFor: (part, direct) => async (request) => {
      const answer = await direct(request);
      if (part === "kubelet/node-a" && request.path.endsWith("/pods/web/status")) {
        await direct({ ...request, body: { kind: "object", object: { status: { podIP: "10.0.0.1" } } } });
      }
      return answer;
    },
  });
  cluster.image("web:1", { present: true });
  await cluster.addNode("node-a");
  const created = cluster.call(cluster.client.pods.create(pod("web", { image: "web:1" }), "default"));
  await expect(created).rejects.toThrow(
    /2000 calls were made .*kubelet\/node-a PATCH \/api\/v1\/namespaces\/default\/pods\/web\/status/,
  );
});
