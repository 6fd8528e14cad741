import { describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { KubeletStory } from "./kubelet-story.ts";

describe("ending a Pod", () => {
  it("takes a Pod that handles TERM out of the API as soon as it has stopped", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, stopsIn: seconds(3), exitCodeOnTerm: 0 });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(10));
      await k.delete("web");
      await k.elapse(seconds(10));
      expect(k.statuses("web").slice(2)).toEqual([
        "0s Running web=running,ready",
        "10s -Running web=running,ready",
        "13s -Succeeded web=Completed(0)",
        "13s gone",
      ]);
      expect(k.events("web", "Killing")).toEqual(["10s Normal Killing Stopping container web"]);
      expect(await k.node.runtime.runtime.listPodSandboxes()).toEqual([]);
      expect(await k.node.runtime.runtime.listContainers()).toEqual([]);
    }));

  it("kills a Pod that ignores TERM when its grace is over", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, ignoresTerm: true });
      await k.create("web", { image: "web:1", terminationGracePeriodSeconds: 5 });
      await k.elapse(seconds(10));
      await k.delete("web");
      await k.elapse(seconds(10));
      expect(k.statuses("web").slice(-2)).toEqual(["15s -Failed web=Error(137)", "15s gone"]);
    }));

  it("shortens a grace that is running, and never lengthens it", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, ignoresTerm: true });
      await k.create("web", { image: "web:1", terminationGracePeriodSeconds: 60 });
      await k.elapse(seconds(10));
      await k.delete("web");
      await k.elapse(seconds(5));
      await k.delete("web", 8);
      await k.delete("web", 50);
      await k.elapse(seconds(10));
      expect(k.statuses("web").at(-1)).toBe("23s gone");
    }));

  it("gives a forced deletion's containers the Pod's own grace although the object is gone", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, ignoresTerm: true });
      await k.create("web", { image: "web:1", terminationGracePeriodSeconds: 5 });
      await k.elapse(seconds(10));
      await k.delete("web", 0);
      expect(await k.isGone("web")).toBe(true);
      await k.elapse(seconds(4));
      expect(await k.node.runtime.runtime.listContainers()).toHaveLength(1);
      await k.elapse(seconds(2));
      expect(await k.node.runtime.runtime.listContainers()).toEqual([]);
      expect(await k.node.filesystem.list("/var/lib/lifepod/node-a/pods")).toEqual([]);
    }));

  it("runs preStop first, takes its time from the grace, and leaves at least 2 s", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, ignoresTerm: true });
      const lifecycle = { preStop: { sleep: { seconds: 3 } } };
      await k.create("three-of-five", { image: "web:1", terminationGracePeriodSeconds: 5, container: { lifecycle } });
      await k.create("all", { image: "web:1", terminationGracePeriodSeconds: 3, container: { lifecycle } });
      await k.elapse(seconds(10));
      await k.delete("three-of-five");
      await k.delete("all");
      await k.elapse(seconds(10));
      expect(k.statuses("three-of-five").at(-1)).toBe("15s gone");
      expect(k.statuses("all").at(-1)).toBe("15s gone");
    }));

  it("ends a container although its preStop fails, and says that it failed", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, exec: { "say goodbye": { exitCode: 1 } } });
      const lifecycle = { preStop: { exec: { command: ["say", "goodbye"] } } };
      await k.create("web", { image: "web:1", container: { lifecycle } });
      await k.elapse(seconds(1));
      await k.delete("web");
      await k.elapse(seconds(1));
      expect(k.events("web", "Killing", "FailedPreStopHook")).toEqual([
        "1s Normal Killing Stopping container web",
        "1s Warning FailedPreStopHook PreStopHook failed",
      ]);
      expect(k.statuses("web").at(-1)).toBe("1s gone");
    }));

  it("stops sidecars after the others, the last one first", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("slow:1", { present: true, stopsIn: seconds(2), exitCodeOnTerm: 0 });
      await k.create("web", {
        containers: [{ name: "web", image: "slow:1" }],
        initContainers: [
          { name: "first", image: "slow:1", restartPolicy: "Always" },
          { name: "second", image: "slow:1", restartPolicy: "Always" },
        ],
      });
      await k.elapse(seconds(10));
      const ends: string[] = [];
      k.node.runtime.runtime.subscribe?.({
        event: (event) => {
          if (event.kind === "containerExited") ends.push(`${(k.cluster.clock.now() % 60_000) / 1000}s`);
        },
        lost: () => undefined,
      });
      await k.delete("web");
      await k.elapse(seconds(10));
      expect(ends).toEqual(["12s", "14s", "16s"]);
      expect(k.statuses("web").slice(-2)).toEqual([
        "16s -Succeeded first=Completed(0) second=Completed(0) web=Completed(0)",
        "16s gone",
      ]);
    }));

  it("fails a Pod that is deleted before any of its containers started", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { pullTime: minutes(5) });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(3));
      await k.delete("web");
      await k.elapse(seconds(1));
      expect(k.statuses("web").slice(-2)).toEqual(["3s -Failed web=ContainerStatusUnknown(137)", "3s gone"]);
    }));

  it("fails a Pod that outlives its deadline, after its containers have stopped", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, stopsIn: seconds(4) });
      await k.create("web", { image: "web:1", activeDeadlineSeconds: 20 });
      await k.elapse(seconds(30));
      expect(k.statuses("web").slice(2)).toEqual([
        "0s Running web=running,ready",
        "24s Failed/DeadlineExceeded web=Error(143)",
      ]);
      expect(k.events("web", "DeadlineExceeded", "Killing")).toEqual([
        "20s Normal DeadlineExceeded Pod was active on the node longer than the specified deadline",
        "20s Normal Killing Stopping container web",
      ]);
    }));

  it("keeps a finished Pod and its log, and gives its volumes back", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("job:1", { present: true, runsFor: seconds(5), logs: [{ at: seconds(1), text: "half way" }] });
      await k.create("job", {
        image: "job:1",
        restartPolicy: "Never",
        container: { volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] },
        volumes: [{ name: "scratch", emptyDir: {} }],
      });
      await k.elapse(seconds(10));
      expect(k.statuses("job").slice(2)).toEqual([
        "0s Running job=running,ready",
        "5s Running job=Completed(0)",
        "5s Succeeded job=Completed(0)",
      ]);
      const { metadata, status } = await k.pod("job");
      expect(status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
        status: "False",
        reason: "PodCompleted",
      });
      expect(await k.node.filesystem.list(`/var/lib/lifepod/node-a/pods/${metadata.uid}`)).not.toContain("volumes");
      expect(await k.node.runtime.runtime.listContainers()).toHaveLength(1);

      await k.delete("job");
      await k.elapse(seconds(1));
      expect(await k.node.runtime.runtime.listContainers()).toEqual([]);
    }));

  it("leaves a message behind that was written to the termination message file", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("job:1", {
        present: true,
        runsFor: seconds(1),
        exits: 3,
        writesTerminationMessage: "out of luck",
      });
      await k.create("job", { image: "job:1", restartPolicy: "Never" });
      await k.elapse(seconds(3));
      expect((await k.pod("job")).status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
        exitCode: 3,
        message: "out of luck",
      });
    }));

  it("falls back to the end of the log for a message where the container asks for it", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("job:1", {
        present: true,
        runsFor: seconds(2),
        exits: 3,
        logs: [{ at: seconds(1), text: "no such table" }],
      });
      await k.create("job", {
        image: "job:1",
        restartPolicy: "Never",
        container: { terminationMessagePolicy: "FallbackToLogsOnError" },
      });
      await k.elapse(seconds(3));
      expect((await k.pod("job")).status.containerStatuses?.[0]?.state?.terminated?.message).toBe("no such table\n");
    }));
});

describe("restarting", () => {
  it("backs off 10s, 20s, 40s and begins anew after ten good minutes", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, runsFor: seconds(1), exits: 1 });
      await k.create("web", { image: "web:1" });
      await k.elapse(minutes(2));
      expect(k.events("web", "Started").map((line) => line.split(" ")[0])).toEqual(["0s", "1s", "12s", "33s", "74s"]);
      expect(k.events("web", "BackOff").map((line) => line.split(" ")[0])).toEqual(["2s", "13s", "34s", "75s"]);
      expect(k.statuses("web").slice(-3)).toEqual([
        "74s Running web=running,ready,r4",
        "75s Running web=Error(1),r4",
        "75s Running web=CrashLoopBackOff,r4",
      ]);
      // The instance before the newest is all that is kept.
      expect((await k.node.runtime.runtime.listContainers()).length).toBeLessThanOrEqual(2);
    }));

  it("restarts at once after a long good run", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, runsFor: minutes(11), exits: 1 });
      await k.create("web", { image: "web:1" });
      await k.elapse(minutes(40));
      expect(k.events("web", "Started").map((line) => line.split(" ")[0])).toEqual(["0s", "660s", "1320s", "1980s"]);
      expect(k.events("web", "BackOff")).toEqual([]);
    }));

  it("makes a new sandbox when the old one is gone, and starts from the first init container", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("init:1", { present: true, runsFor: seconds(1) });
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1", initContainers: [{ name: "init", image: "init:1" }] });
      await k.elapse(seconds(10));
      const [sandbox] = await k.node.runtime.runtime.listPodSandboxes();
      await k.node.runtime.runtime.stopPodSandbox((sandbox as NonNullable<typeof sandbox>).id);
      await k.elapse(seconds(5));
      expect(k.events("web", "SandboxChanged")).toEqual([
        "10s Normal SandboxChanged Pod sandbox changed, it will be killed and re-created.",
      ]);
      expect(k.events("web", "Started").map((line) => `${line.split(" ")[0]} ${line.split(" ").at(-1)}`)).toEqual([
        "0s init",
        "1s web",
        "10s init",
        "11s web",
      ]);
      expect(k.statuses("web").at(-1)).toBe("11s Running init=Completed(0),ready,r1 web=running,ready,r1");
    }));
});
