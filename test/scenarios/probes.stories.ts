// Startup, liveness and readiness probes by every handler: when they ask, what counts, what follows (pod-lifecycle 6).

import assert from "node:assert/strict";
import type { Draft, Probe } from "../../src/api/index.ts";
import type { ContainerBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import {
  hasRestarts,
  isReady,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const http: Draft<Probe> = { httpGet: { port: 80, path: "/healthz" } };

/** One Pod `app` on one node, its image on the machine. */
async function runApp(
  t: StoryTeller,
  behaviour: ContainerBehaviour,
  probes: Parameters<typeof pod>[1]["container"],
  options = {},
): Promise<void> {
  await t.nodes("node-a");
  t.image("app:1", { present: true, ...behaviour });
  await t.apply(pod("app", { image: "app:1", container: probes ?? {}, ...options }));
}

const unhealthy = (t: StoryTeller): readonly string[] =>
  t.events("pod/app").filter((line) => line.includes("Unhealthy"));

export const stories: readonly Story[] = [
  story(
    "a readiness probe asks a second after the start and then each period, and the Pod is Ready with the first success",
    async (t) => {
      await runApp(t, { becomesReadyAfter: seconds(12) }, { readinessProbe: { ...http, periodSeconds: 5 } });
      await t.until("pod/app", isReady, { within: minutes(1) });
      t.expectTimeline(
        "pod/app",
        `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       0s  [app] Running
       0s  Running
       1s  [app] Unhealthy  Readiness probe failed: HTTP probe failed with statuscode: 503
       6s  [app] Unhealthy  Readiness probe failed: HTTP probe failed with statuscode: 503 (2 times)
       11s  [app] Unhealthy  Readiness probe failed: HTTP probe failed with statuscode: 503 (3 times)
       16s  Ready`,
      );
    },
  ),

  story(
    "a Pod loses Ready after failureThreshold failures and gets it back after successThreshold successes; nothing is restarted",
    async (t) => {
      const sick = (since: number): boolean => since >= seconds(20) && since < seconds(40);
      await runApp(
        t,
        { answers: { http: { "*": (since) => ({ status: sick(since) ? 500 : 200 }) } } },
        { readinessProbe: { ...http, periodSeconds: 2, failureThreshold: 3, successThreshold: 2 } },
      );
      await t.until("pod/app", isReady, { within: minutes(1) });
      t.chapter();
      await t.elapse(minutes(1));
      const lines = t
        .timeline("pod/app")
        .split("\n")
        .filter((line) => /Ready/.test(line))
        .map((line) => line.trim());
      assert.equal(lines.length, 2, t.timeline("pod/app"));
      assert.match(lines[0] ?? "", /NotReady {2}containers with unready status: \[app\]$/);
      assert.match(lines[1] ?? "", / Ready$/);
      assert.equal((await t.container("app")).restartCount, 0);
    },
  ),

  story(
    "a failing liveness probe kills the container after failureThreshold failures, and it is restarted",
    async (t) => {
      await runApp(
        t,
        { stopsBeingReadyAfter: seconds(18) },
        { livenessProbe: { ...http, periodSeconds: 5, failureThreshold: 3 } },
      );
      await t.until("pod/app", hasRestarts(1), { within: minutes(2) });
      t.expectTimeline(
        "pod/app",
        `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       0s  [app] Running
       0s  Running
       0s  Ready
       20s  [app] Unhealthy  Liveness probe failed: HTTP probe failed with statuscode: 503
       25s  [app] Unhealthy  Liveness probe failed: HTTP probe failed with statuscode: 503 (2 times)
       30s  [app] Unhealthy  Liveness probe failed: HTTP probe failed with statuscode: 503 (3 times)
       30s  [app] Killing  Container app failed liveness probe, will be restarted
       30s  [app] Exited  code 143, after 30s
       30s  [app] Running  restart 1
       30s  [app] Pulled …`,
      );
    },
  ),

  story("single failures below the threshold, with successes between, kill nothing", async (t) => {
    await runApp(
      t,
      { answers: { http: { "*": (since) => ({ status: Math.round(since / 5000) % 3 === 0 ? 200 : 500 }) } } },
      { livenessProbe: { ...http, periodSeconds: 5, failureThreshold: 3 } },
    );
    await t.elapse(minutes(10));
    assert.equal((await t.container("app")).restartCount, 0);
    assert.ok(unhealthy(t).length > 0);
  }),

  story("under Never the only container's failed liveness probe ends the Pod, with the Pod's own grace", async (t) => {
    await runApp(
      t,
      { stopsBeingReadyAfter: seconds(8), ignoresTerm: true },
      { livenessProbe: { ...http, periodSeconds: 5, failureThreshold: 1, terminationGracePeriodSeconds: 3 } },
      { restartPolicy: "Never", terminationGracePeriodSeconds: 20 },
    );
    await t.elapse(minutes(1));
    t.expectTimeline(
      "pod/app",
      `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       0s  [app] Running
       0s  Running
       0s  Ready
       10s  [app] Unhealthy …
       10s  [app] Killing  Stopping container app
       30s  [app] Exited  code 137, after 30s
       30s  Failed`,
    );
  }),

  story("a liveness probe's own grace goes before the Pod's when it kills", async (t) => {
    await runApp(
      t,
      { stopsBeingReadyAfter: seconds(8), ignoresTerm: true },
      { livenessProbe: { ...http, periodSeconds: 5, failureThreshold: 1, terminationGracePeriodSeconds: 3 } },
      { terminationGracePeriodSeconds: 600 },
    );
    await t.until("pod/app", hasRestarts(1), { within: minutes(1) });
    const { terminated } = (await t.container("app")).lastState ?? {};
    assert.equal(terminated?.exitCode, 137);
    assert.match(t.timeline("pod/app"), /13s {2}\[app\] Exited {2}code 137, after 13s/);
  }),

  story("a startup probe gives the container its time: liveness waits until it has succeeded once", async (t) => {
    await runApp(
      t,
      { becomesReadyAfter: seconds(28) },
      {
        startupProbe: { ...http, periodSeconds: 5, failureThreshold: 10 },
        livenessProbe: { ...http, periodSeconds: 5, failureThreshold: 1 },
      },
    );
    await t.elapse(seconds(20));
    const starting = await t.container("app");
    assert.equal(starting.started, false);
    assert.equal(starting.ready, false);
    await t.until("pod/app", isReady, { within: minutes(1) });
    assert.equal((await t.container("app")).restartCount, 0);
    assert.ok(
      unhealthy(t).every((line) => line.includes("Startup probe failed")),
      "liveness did not ask before",
    );
    t.chapter();
    await t.elapse(minutes(5));
    assert.equal(t.timeline("pod/app"), "");
  }),

  story("a container that does not start up in time is killed and restarted", async (t) => {
    await runApp(
      t,
      { becomesReadyAfter: minutes(5) },
      { startupProbe: { ...http, periodSeconds: 10, failureThreshold: 3 } },
    );
    await t.until("pod/app", hasRestarts(1), { within: minutes(2) });
    t.expectTimeline(
      "pod/app",
      `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       0s  [app] Running
       0s  Running
       10s  [app] Unhealthy  Startup probe failed: HTTP probe failed with statuscode: 503
       20s  [app] Unhealthy  Startup probe failed: HTTP probe failed with statuscode: 503 (2 times)
       30s  [app] Unhealthy  Startup probe failed: HTTP probe failed with statuscode: 503 (3 times)
       30s  [app] Killing  Container app failed startup probe, will be restarted
       30s  [app] Exited  code 143, after 30s
       30s  [app] Running  restart 1
       30s  [app] Pulled …`,
    );
  }),

  story("initialDelaySeconds counts from the container's start", async (t) => {
    await runApp(t, {}, { readinessProbe: { ...http, initialDelaySeconds: 17, periodSeconds: 10 } });
    await t.until("pod/app", isReady, { within: minutes(1) });
    t.expectTimeline(
      "pod/app",
      `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       0s  [app] Running
       0s  Running
       17s  Ready`,
    );
  }),

  ...(
    [
      ["tcp", { tcpSocket: { port: 5432 } }, /^dial tcp [\d.]+:\d+: connect: connection refused$/],
      ["exec", { exec: { command: ["cat", "/tmp/ready"] } }, /^not ready$/],
      ["grpc", { grpc: { port: 9000 } }, /^service unhealthy \(responded with "NOT_SERVING"\)$/],
      ["http", { httpGet: { port: "web", path: "/" } }, /^HTTP probe failed with statuscode: 503$/],
    ] as const
  ).map(([kind, handler, failure]) =>
    story(`a ${kind} probe fails while the container is not ready, and succeeds when it is`, async (t) => {
      const ports = [{ name: "web", containerPort: 8080 }];
      await runApp(t, { becomesReadyAfter: seconds(12) }, { ports, readinessProbe: { ...handler, periodSeconds: 5 } });
      await t.until("pod/app", isReady, { within: minutes(1) });
      assert.match(t.timeline("pod/app").split("\n").at(-1) ?? "", /^ *16s {2}Ready$/);
      assert.equal(unhealthy(t).length, 1, "one event, counted");
      const message = unhealthy(t)[0]?.replace(/^.*Readiness probe failed: ?/, "") ?? "no event";
      assert.match(message, failure);
    }),
  ),

  story("a probe whose answer takes longer than timeoutSeconds has failed", async (t) => {
    await runApp(
      t,
      { answers: { http: { "*": { status: 200, delay: seconds(3) } } } },
      { readinessProbe: { ...http, periodSeconds: 10, timeoutSeconds: 2 } },
    );
    await t.elapse(seconds(5));
    assert.match(
      unhealthy(t)[0] ?? "",
      /Readiness probe failed: Get "http:\/\/[\d.]+:\d+\/healthz": context deadline exceeded \(Client\.Timeout exceeded while awaiting headers\)$/,
    );
    assert.equal((await t.container("app")).ready, false);
  }),

  story("a command that takes longer than timeoutSeconds has failed", async (t) => {
    await runApp(
      t,
      { exec: { check: { exitCode: 0, delay: seconds(3) } } },
      { readinessProbe: { exec: { command: ["check"] }, timeoutSeconds: 1 } },
    );
    await t.elapse(seconds(5));
    assert.match(unhealthy(t)[0] ?? "", /Readiness probe failed: command timed out: "check" timed out after 1s$/);
  }),

  story("what a failing command wrote is in the event", async (t) => {
    await runApp(
      t,
      { exec: { check: { exitCode: 2, stdout: "queue is full\n", stderr: "giving up\n" } } },
      { readinessProbe: { exec: { command: ["check"] } } },
    );
    await t.elapse(seconds(1));
    assert.match(unhealthy(t)[0] ?? "", /Readiness probe failed: queue is full\s+giving up/);
  }),

  story("readiness is asked until the last moment of a Pod that is being deleted, liveness is not", async (t) => {
    await runApp(
      t,
      { answers: { http: { "*": (since) => ({ status: since > seconds(13) ? 500 : 200 }) } }, stopsIn: seconds(25) },
      {
        livenessProbe: { ...http, periodSeconds: 5, failureThreshold: 1 },
        readinessProbe: { ...http, periodSeconds: 5, failureThreshold: 1 },
      },
    );
    await t.elapse(seconds(10));
    await t.delete("pod/app");
    await t.elapse(seconds(10));
    assert.equal((await t.container("app")).ready, false);
    assert.ok(
      unhealthy(t).every((line) => line.includes("Readiness")),
      unhealthy(t).join("\n"),
    );
  }),

  story(
    "a container that is being killed for its liveness is not probed, nor told to be unhealthy, while it ends",
    async (t) => {
      await runApp(
        t,
        { stopsBeingReadyAfter: seconds(9), stopsIn: seconds(25) },
        { livenessProbe: { ...http, periodSeconds: 2, failureThreshold: 2 } },
      );
      await t.elapse(seconds(30));
      assert.deepEqual(unhealthy(t), [
        "Warning  [app] Unhealthy (2 times)  Liveness probe failed: HTTP probe failed with statuscode: 503",
      ]);
      await t.elapse(seconds(10));
      assert.equal((await t.container("app")).restartCount, 1);
    },
  ),

  story("under Never a container that does not start up in time fails its Pod", async (t) => {
    await runApp(
      t,
      { becomesReadyAfter: minutes(5) },
      { startupProbe: { ...http, periodSeconds: 2, failureThreshold: 2 } },
      { restartPolicy: "Never" },
    );
    await t.elapse(seconds(10));
    const { status } = await t.pod("app");
    assert.equal(status.phase, "Failed");
    assert.equal(status.containerStatuses?.[0]?.restartCount, 0);
  }),
];
