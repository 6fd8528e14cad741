// lifepod, or the runtime under it, stands still for a while and goes on. STOPPED_SECONDS says for how long lifepod does: beyond 50 s a node would be taken for
// silent, beyond 180 s its Pods for unlooked at.

import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { clock, until } from "../containerd/until.ts";
import { runtimeRows } from "./runtimes-at-hand.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { processesWith } from "./traces.ts";

const stoppedFor = seconds(Number(process.env["STOPPED_SECONDS"] ?? 4));

describe.concurrent.each(runtimeRows)("over %s", (_, { absence, start }) => {
  it("what stands still for a while and goes on costs no Pod anything", { timeout: 240_000 }, async (test) => {
    test.skip(absence !== undefined, absence);
    const runtime = await start();
    const cluster = await StandingCluster.start(runtime.arguments);
    const pod = (podName: string): V1Pod => {
      const probe = { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 5 };
      const env = [{ name: "MARK", value: `${cluster.folder}/${podName}` }];
      const command = ["sh", "-c", "exec sleep 1000"];
      const main = { name: "main", image: runtime.image, command, env, readinessProbe: probe };
      return { metadata: { name: podName }, spec: { terminationGracePeriodSeconds: 1, containers: [main] } };
    };
    const readiness = async () => (await nodeOf(cluster)).status?.conditions?.find(({ type }) => type === "Ready");
    try {
      await cluster.create(pod("app"));
      const before = await cluster.until("app", "is Ready", isReady);
      const processes = processesWith(`MARK=${cluster.folder}/app`);

      cluster.process.signal("SIGSTOP");
      await clock.sleep(stoppedFor);
      cluster.process.signal("SIGCONT");
      await cluster.create(pod("next"));
      await cluster.until("next", "is Ready", isReady, seconds(60));
      const { containerd } = runtime;
      const said: (string | undefined)[] = [];
      if (containerd !== undefined) {
        containerd.signal("SIGSTOP");
        await cluster.create(pod("late"));
        const down = await until(
          "the node says that its runtime does not answer",
          async () => {
            const ready = await readiness();
            return ready?.status === "False" ? ready : undefined;
          },
          seconds(90),
        );
        said.push(down.message);
        containerd.signal("SIGCONT");
        await until(
          "the node is Ready",
          async () => ((await readiness())?.status === "True" ? true : undefined),
          seconds(30),
        );
        await cluster.until("late", "is Ready", isReady, seconds(60));
      }
      expect(said).toEqual(containerd === undefined ? [] : ["container runtime is down"]);
      const after = await cluster.until("app", "is Ready", isReady);
      expect(after.status?.containerStatuses).toEqual(before.status?.containerStatuses);
      expect(processesWith(`MARK=${cluster.folder}/app`)).toEqual(expect.arrayContaining([...processes]));
      const about = (await cluster.api.listNamespacedEvent({ namespace: "default" })).items;
      const blamed = about.filter(({ reason, source }) => reason === "NodeNotReady" && source?.component !== "kubelet");
      expect(blamed.map(({ involvedObject }) => involvedObject.name)).toEqual([]);
      expect(about.filter(({ reason }) => reason === "Killing" || reason === "BackOff")).toEqual([]);
      expect(about.some(({ reason }) => reason === "NodeNotReady")).toBe(containerd !== undefined);
    } finally {
      runtime.containerd?.signal("SIGCONT");
      cluster.process.signal("SIGCONT");
      await cluster.stop();
      await runtime.stop();
    }
  });
});

const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

async function nodeOf(cluster: StandingCluster): Promise<V1Node> {
  const { items } = await cluster.api.listNode();
  const [node] = items;
  if (node === undefined) throw new Error("there is no node");
  return node;
}
