import { describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { KubeletStory } from "./kubelet-story.ts";

describe("init containers", () => {
  it("run one after the other before the regular ones", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("init:1", { present: true, runsFor: seconds(3) });
      k.cluster.image("web:1", { present: true });
      await k.create("web", {
        containers: [{ name: "web", image: "web:1" }],
        initContainers: [
          { name: "a", image: "init:1" },
          { name: "b", image: "init:1" },
        ],
      });
      await k.elapse(seconds(10));
      expect(k.statuses("web").slice(1)).toEqual([
        "0s Pending a=PodInitializing b=PodInitializing web=PodInitializing",
        "0s Pending a=running b=PodInitializing web=PodInitializing",
        "3s Pending a=Completed(0),ready b=PodInitializing web=PodInitializing",
        "3s Pending a=Completed(0),ready b=running web=PodInitializing",
        "6s Pending a=Completed(0),ready b=Completed(0),ready web=PodInitializing",
        "6s Running a=Completed(0),ready b=Completed(0),ready web=running,ready",
      ]);
    }));

  it("are tried again with back-off when they fail", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("init:1", { present: true, runsFor: seconds(1), exitsByTurn: [1, 1, 0] });
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1", initContainers: [{ name: "a", image: "init:1" }] });
      await k.elapse(seconds(20));
      expect(k.statuses("web").slice(2)).toEqual([
        "0s Pending a=running web=PodInitializing",
        "1s Pending a=Error(1) web=PodInitializing",
        "1s Pending a=running,r1 web=PodInitializing",
        "2s Pending a=Error(1),r1 web=PodInitializing",
        "2s Pending a=CrashLoopBackOff,r1 web=PodInitializing",
        "12s Pending a=running,r2 web=PodInitializing",
        "13s Pending a=Completed(0),ready,r2 web=PodInitializing",
        "13s Running a=Completed(0),ready,r2 web=running,ready",
      ]);
    }));

  it("fail the Pod when they fail and nothing is restarted", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("init:1", { present: true, runsFor: seconds(1), exits: 1 });
      k.cluster.image("web:1", { present: true });
      await k.create("web", {
        image: "web:1",
        restartPolicy: "Never",
        initContainers: [{ name: "a", image: "init:1" }],
      });
      await k.elapse(seconds(5));
      expect(k.statuses("web").at(-1)).toBe("1s Failed a=Error(1) web=PodInitializing");
      const { conditions } = (await k.pod("web")).status;
      expect(conditions?.find(({ type }) => type === "Initialized")).toMatchObject({
        status: "False",
        reason: "ContainersNotInitialized",
        message: "containers with incomplete status: [a]",
      });
    }));
});

describe("sidecars", () => {
  it("run from their turn on until the others have ended", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("proxy:1", { present: true, becomesReadyAfter: seconds(4), exitCodeOnTerm: 0 });
      k.cluster.image("init:1", { present: true, runsFor: seconds(2) });
      k.cluster.image("job:1", { present: true, runsFor: seconds(10) });
      await k.create("job", {
        restartPolicy: "Never",
        containers: [{ name: "job", image: "job:1" }],
        initContainers: [
          {
            name: "proxy",
            image: "proxy:1",
            restartPolicy: "Always",
            startupProbe: { httpGet: { port: 80 }, periodSeconds: 2, failureThreshold: 9 },
          },
          { name: "init", image: "init:1" },
        ],
      });
      await k.elapse(seconds(30));
      expect(k.statuses("job").slice(2)).toEqual([
        "0s Pending proxy=running init=PodInitializing job=PodInitializing",
        "4s Pending proxy=running,ready init=PodInitializing job=PodInitializing",
        "4s Pending proxy=running,ready init=running job=PodInitializing",
        "6s Pending proxy=running,ready init=Completed(0),ready job=PodInitializing",
        "6s Running proxy=running,ready init=Completed(0),ready job=running,ready",
        "16s Running proxy=running,ready init=Completed(0),ready job=Completed(0)",
        "16s Running proxy=Completed(0) init=Completed(0),ready job=Completed(0)",
        "16s Succeeded proxy=Completed(0) init=Completed(0),ready job=Completed(0)",
      ]);
    }));

  it("are restarted with back-off when they end by themselves, also under Never", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("proxy:1", { present: true, runsFor: seconds(5) });
      k.cluster.image("web:1", { present: true });
      await k.create("web", {
        restartPolicy: "Never",
        containers: [{ name: "web", image: "web:1" }],
        initContainers: [{ name: "proxy", image: "proxy:1", restartPolicy: "Always" }],
      });
      await k.elapse(minutes(1));
      expect(
        k
          .events("web", "Started")
          .filter((line) => line.endsWith("proxy"))
          .map((line) => line.split(" ")[0]),
      ).toEqual(["0s", "5s", "20s", "45s"]);
      expect(
        k.statuses("web").some((line) => line.includes("Running proxy=CrashLoopBackOff,r1 web=running,ready")),
      ).toBe(true);
    }));
});
