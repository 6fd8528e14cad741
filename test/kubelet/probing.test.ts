import { describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { KubeletStory } from "./kubelet-story.ts";

const http = { httpGet: { path: "/healthz", port: 8080 } };

describe("probes", () => {
  it("make a container ready as soon as it answers, looking every period", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, becomesReadyAfter: seconds(7) });
      await k.create("web", { image: "web:1", container: { readinessProbe: { ...http, periodSeconds: 2 } } });
      await k.elapse(seconds(20));
      expect(k.statuses("web").slice(2)).toEqual(["0s Running web=running", "7s Running web=running,ready"]);
      expect(k.events("web", "Unhealthy").map((line) => line.split(" ")[0])).toEqual(["1s", "3s", "5s"]);
    }));

  it("wait for the initial delay", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1", container: { readinessProbe: { ...http, initialDelaySeconds: 5 } } });
      await k.elapse(seconds(20));
      expect(k.statuses("web").slice(2)).toEqual(["0s Running web=running", "5s Running web=running,ready"]);
    }));

  it("need as many successes as the probe asks for", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("web", {
        image: "web:1",
        container: { readinessProbe: { ...http, periodSeconds: 2, successThreshold: 3 } },
      });
      await k.elapse(seconds(20));
      expect(k.statuses("web").slice(2)).toEqual(["0s Running web=running", "4s Running web=running,ready"]);
    }));

  it("take a container out of service after failureThreshold failures, and never restart it for that", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, stopsBeingReadyAfter: seconds(10) });
      await k.create("web", {
        image: "web:1",
        container: { readinessProbe: { ...http, periodSeconds: 5, failureThreshold: 2 } },
      });
      await k.elapse(minutes(2));
      expect(k.statuses("web").slice(2)).toEqual([
        "0s Running web=running",
        "0s Running web=running,ready",
        "15s Running web=running",
      ]);
    }));

  it("restart a container whose liveness probe fails, with the probe's own grace", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, stopsBeingReadyAfter: seconds(20), ignoresTerm: true });
      const livenessProbe = { ...http, periodSeconds: 5, failureThreshold: 2, terminationGracePeriodSeconds: 3 };
      await k.create("web", { image: "web:1", container: { livenessProbe } });
      await k.elapse(seconds(40));
      expect(k.events("web", "Unhealthy", "Killing")).toEqual([
        "20s Warning Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 503",
        "25s Warning Unhealthy Liveness probe failed: HTTP probe failed with statuscode: 503",
        "25s Normal Killing Container web failed liveness probe, will be restarted",
      ]);
      expect(k.statuses("web").slice(2)).toEqual(["0s Running web=running,ready", "28s Running web=running,ready,r1"]);
    }));

  it("kill the Pod for good when liveness fails and nothing is restarted", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, stopsBeingReadyAfter: seconds(20) });
      const livenessProbe = { ...http, periodSeconds: 5, failureThreshold: 1, terminationGracePeriodSeconds: 3 };
      await k.create("web", { image: "web:1", restartPolicy: "Never", container: { livenessProbe } });
      await k.elapse(seconds(40));
      expect(k.events("web", "Killing")).toEqual(["20s Normal Killing Stopping container web"]);
      expect(k.statuses("web").at(-1)).toBe("20s Failed web=Error(143)");
    }));

  it("wait with liveness and readiness until startup has succeeded", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, becomesReadyAfter: seconds(11) });
      const container = {
        startupProbe: { ...http, periodSeconds: 3, failureThreshold: 10 },
        livenessProbe: { ...http, periodSeconds: 1, failureThreshold: 1 },
        readinessProbe: { ...http, periodSeconds: 60 },
      };
      await k.create("web", { image: "web:1", container });
      await k.elapse(seconds(30));
      expect(k.statuses("web").slice(2)).toEqual(["0s Running web=running", "12s Running web=running,ready"]);
      expect(k.events("web", "Killing")).toEqual([]);
      expect(k.events("web", "Unhealthy").every((line) => line.includes("Startup probe failed"))).toBe(true);
    }));

  it("kill a container that does not start up in time", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, becomesReadyAfter: minutes(5) });
      await k.create("web", {
        image: "web:1",
        container: { startupProbe: { ...http, periodSeconds: 2, failureThreshold: 3 } },
      });
      await k.elapse(seconds(7));
      expect(k.events("web", "Killing")).toEqual([
        "6s Normal Killing Container web failed startup probe, will be restarted",
      ]);
      expect(k.statuses("web").at(-1)).toBe("6s Running web=running,r1");
    }));

  it("say what an exec probe said, also when it takes too long", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", {
        present: true,
        exec: {
          "check db": { exitCode: 2, stdout: "no ", stderr: "database" },
          "check slowly": { exitCode: 0, delay: seconds(9) },
        },
      });
      const exec = (command: readonly string[]) => ({ exec: { command }, periodSeconds: 10, timeoutSeconds: 2 });
      await k.create("web", {
        image: "web:1",
        container: { readinessProbe: exec(["check", "db"]), livenessProbe: exec(["check", "slowly"]) },
      });
      await k.elapse(seconds(15));
      expect(k.events("web", "Unhealthy")).toEqual([
        "1s Warning Unhealthy Readiness probe failed: no database",
        "11s Warning Unhealthy Readiness probe failed: no database",
        '12s Warning Unhealthy Liveness probe failed: command timed out: "check slowly" timed out after 2s',
      ]);
    }));

  it("show readiness while another container's image is still being pulled", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, becomesReadyAfter: seconds(5) });
      k.cluster.image("big:1", { pullTime: minutes(2) });
      await k.create("web", {
        containers: [
          { name: "a", image: "web:1", readinessProbe: { ...http, periodSeconds: 1 } },
          { name: "b", image: "big:1" },
        ],
      });
      await k.elapse(minutes(3));
      expect(k.statuses("web").at(-1)).toBe("120s Running a=running,ready b=running,ready");
    }));

  it("respect readiness gates", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1", readinessGates: [{ conditionType: "example.com/ok" }] });
      await k.elapse(seconds(1));
      const readyOf = async () => (await k.pod("web")).status.conditions?.find(({ type }) => type === "Ready");
      expect(await readyOf()).toMatchObject({ status: "False", reason: "ReadinessGatesNotReady" });
      const patch = { status: { conditions: [{ type: "example.com/ok", status: "True" }] } };
      await k.cluster.call(k.cluster.client.pods.patch("web", "default", "strategic", patch, "status"));
      await k.elapse(seconds(1));
      expect(await readyOf()).toMatchObject({ status: "True" });
      expect((await k.pod("web")).status.conditions?.find(({ type }) => type === "example.com/ok")?.status).toBe(
        "True",
      );
    }));
});
