import { describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { KubeletStory } from "./kubelet-story.ts";

const instances = async (k: KubeletStory): Promise<readonly string[]> =>
  (await k.node.runtime.runtime.listContainers())
    .map(({ id, metadata, state }) => `${id} ${metadata.name} ${metadata.attempt} ${state.kind}`)
    .sort();

describe("a kubelet that comes back", () => {
  it("adopts what runs and changes nothing", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("init:1", { present: true, runsFor: seconds(1) });
      k.cluster.image("web:1", { present: true });
      await k.create("web", {
        image: "web:1",
        initContainers: [{ name: "init", image: "init:1" }],
        container: { readinessProbe: { httpGet: { port: 80 } } },
      });
      await k.elapse(seconds(30));
      const before = await instances(k);
      const statuses = k.statuses("web");
      const events = k.events("web").length;

      await k.node.stopKubelet();
      await k.elapse(seconds(5));
      await k.node.startKubelet();
      await k.elapse(minutes(2));

      expect(await instances(k)).toEqual(before);
      expect(k.events("web").length).toBe(events);
      expect(k.statuses("web")).toEqual(statuses);
    }));

  it("goes on with the back-off of a container that crashes", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, runsFor: seconds(1), exits: 1 });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(40));
      await k.node.stopKubelet();
      await k.node.startKubelet();
      await k.elapse(minutes(2));
      expect(k.events("web", "Started").map((line) => line.split(" ")[0])).toEqual([
        "0s",
        "1s",
        "12s",
        "33s",
        "74s",
        "155s",
      ]);
      expect((await k.pod("web")).status.containerStatuses?.[0]?.restartCount).toBe(5);
    }));

  it("restarts what ended meanwhile, once", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, runsFor: seconds(60), exits: 1 });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(50));
      await k.node.stopKubelet();
      await k.elapse(seconds(30));
      await k.node.startKubelet();
      await k.elapse(seconds(10));
      expect(k.events("web", "Started").map((line) => line.split(" ")[0])).toEqual(["0s", "80s"]);
      expect(k.statuses("web").at(-1)).toBe("80s Running web=running,ready,r1");
    }));

  it("ends Pods that were force-deleted while it was away, and leaves nothing of them", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, stopsIn: seconds(3) });
      await k.create("web", { image: "web:1" });
      await k.create("other", { image: "web:1" });
      await k.elapse(seconds(10));
      await k.node.stopKubelet();
      await k.delete("web", 0);
      await k.elapse(seconds(5));
      expect(await instances(k)).toHaveLength(2);

      await k.node.startKubelet();
      await k.elapse(seconds(5));

      expect((await instances(k)).map((line) => line.split(" ")[1])).toEqual(["other"]);
      expect(await k.node.filesystem.list("/var/lib/lifepod/node-a/pods")).toEqual([
        (await k.pod("other")).metadata.uid,
      ]);
    }));

  it("goes on ending a Pod that was being deleted", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, ignoresTerm: true });
      await k.create("web", { image: "web:1", terminationGracePeriodSeconds: 20 });
      await k.elapse(seconds(10));
      await k.delete("web");
      await k.elapse(seconds(5));
      await k.node.stopKubelet();
      await k.elapse(seconds(2));
      await k.node.startKubelet();
      await k.elapse(seconds(30));
      expect(await k.isGone("web")).toBe(true);
      expect(await instances(k)).toEqual([]);
    }));

  it("keeps a finished Pod finished, with its message", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("job:1", { present: true, runsFor: seconds(5), exits: 2, writesTerminationMessage: "done for" });
      await k.create("job", { image: "job:1", restartPolicy: "Never" });
      await k.elapse(seconds(10));
      const before = (await k.pod("job")).status;
      await k.node.stopKubelet();
      await k.node.startKubelet();
      await k.elapse(minutes(1));
      expect((await k.pod("job")).status).toEqual(before);
    }));

  it("starts its Pods again after the machine lost power", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(10));
      await k.node.stopKubelet();
      k.node.faults.powerLoss();
      k.node.faults.up();
      await k.node.startKubelet();
      await k.elapse(seconds(30));
      expect(k.statuses("web").at(-1)).toMatch(/Running web=running,ready,r1$/);
      expect(k.events("web", "SandboxChanged")).toHaveLength(1);
    }));
});

describe("a runtime that goes away", () => {
  it("makes the node not ready, and its Pods are looked after again when it is back", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, runsFor: seconds(30), exits: 1 });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(20));
      k.node.faults.down();
      await k.elapse(seconds(25));
      const node = await k.cluster.call(k.cluster.client.nodes.get("node-a"));
      expect(node.status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
        status: "False",
        reason: "KubeletNotReady",
      });
      k.node.faults.up();
      await k.elapse(seconds(20));
      const again = await k.cluster.call(k.cluster.client.nodes.get("node-a"));
      expect(again.status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({ status: "True" });
      expect((await k.pod("web")).status.containerStatuses?.[0]?.restartCount).toBe(1);
    }));
});

describe("a runtime that does not do what it says", () => {
  it("does not keep the kubelet busy", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      const { runtime } = k.node.runtime;
      let asked = 0;
      const original = runtime.startContainer.bind(runtime);
      runtime.startContainer = async () => {
        asked++;
      };
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(60));
      expect(asked).toBeLessThan(60);
      runtime.startContainer = original;
      await k.elapse(seconds(20));
      expect(k.statuses("web").at(-1)).toMatch(/Running web=running,ready/);
    }));
});
