import { expect, it } from "vitest";
import { minutes } from "../../src/base/time.ts";
import { settle } from "../../src/host/settle.ts";
import { SimulatedCluster } from "../../src/simulation/simulated-cluster.ts";
import { pod } from "../../src/testing/builders.ts";

it("says its status again when somebody wrote over it before the answer to its own write was there", async () => {
  let foreignWrites = 0;
  const cluster = await SimulatedCluster.start({
    seed: 1,
    settle,
    transportFor: (part, direct) => async (request) => {
      const answer = await direct(request);
      const isStatus = part === "kubelet/node-a" && request.path.endsWith("/pods/web/status");
      if (isStatus && JSON.stringify(request.body).includes('"Running"')) {
        foreignWrites++;
        if (foreignWrites === 1)
          await direct({ ...request, body: { kind: "object", object: { status: { podIP: "192.0.2.1" } } } });
      }
      return answer;
    },
  });
  cluster.image("web:1", { present: true });
  await cluster.addNode("node-a");
  await cluster.call(cluster.client.pods.create(pod("web", { image: "web:1" }), "default"));
  await cluster.elapse(minutes(5));
  const { status } = await cluster.call(cluster.client.pods.get("web", "default"));
  expect(foreignWrites).toBeGreaterThan(0);
  expect(status.podIP).toMatch(/^10\.244\./);
  expect(status.podIPs).toEqual([{ ip: status.podIP }]);
  await cluster.stop();
});
