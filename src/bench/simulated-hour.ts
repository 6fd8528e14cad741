import { minutes, seconds } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { SimulatedCluster } from "../simulation/simulated-cluster.ts";
import { pod } from "../testing/builders.ts";
import type { Measurement } from "./measurement.ts";

/** One virtual hour of 100 crash-looping Pods, on the wall clock. */
export async function measureSimulation(): Promise<readonly Measurement[]> {
  const cluster = await SimulatedCluster.start({ seed: 1, settle });
  cluster.image("crasher:1", { runsFor: seconds(1), exits: 1 });
  await cluster.addNode("node-a", { capacity: { pods: "200", cpu: "64" } });
  for (let index = 0; index < 100; index++)
    await cluster.call(cluster.client.pods.create(pod(`crasher-${index}`, { image: "crasher:1" }), "default"));
  const begun = performance.now();
  await cluster.elapse(minutes(60));
  const took = (performance.now() - begun) / 1000;
  const restarts = (await cluster.call(cluster.client.pods.list())).items.reduce(
    (sum, one) => sum + (one.status.containerStatuses?.[0]?.restartCount ?? 0),
    0,
  );
  await cluster.stop();
  return [{ what: "a simulated hour of 100 crash-looping Pods", value: took, unit: "s", note: `${restarts} restarts` }];
}
