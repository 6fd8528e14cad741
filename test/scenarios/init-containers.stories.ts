// Init containers and sidecars: their order, failures, restarts and end (pod-lifecycle 4.3, 8.4, 9).

import assert from "node:assert/strict";
import {
  hasContainer,
  isFailed,
  isGone,
  isReady,
  isSucceeded,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  waitsFor,
} from "../../src/testing/index.ts";

const sidecar = (name: string, image: string) => ({ name, image, restartPolicy: "Always" as const });

export const stories: readonly Story[] = [
  story("init containers run to their end one after another before the app starts", async (t) => {
    await t.nodes("node-a");
    t.image("a:1", { present: true, runsFor: seconds(3) });
    t.image("b:1", { present: true, runsFor: seconds(4) });
    t.image("app:1", { present: true });
    await t.apply(
      pod("web", {
        image: "app:1",
        initContainers: [
          { name: "a", image: "a:1" },
          { name: "b", image: "b:1" },
        ],
      }),
    );
    await t.elapse(seconds(1));
    assert.deepEqual((await t.container("web", "web")).state, { waiting: { reason: "PodInitializing" } });
    assert.deepEqual((await t.container("web", "b")).state, { waiting: { reason: "PodInitializing" } });
    await t.expectConditions(
      "pod/web",
      `PodReadyToStartContainers True
       Initialized False ContainersNotInitialized  containers with incomplete status: [a b]
       Ready False ContainersNotReady  containers with unready status: [web]
       ContainersReady False ContainersNotReady  containers with unready status: [web]
       PodScheduled True`,
    );
    await t.until("pod/web", isReady, { within: minutes(1) });
    t.expectTimeline(
      "pod/web",
      `0s  Pending
       0s  Scheduled …
       0s  [a] Pulled …
       0s  [a] Running
       3s  [a] Exited  code 0, after 3s
       3s  [b] Pulled …
       3s  [b] Running
       7s  [b] Exited  code 0, after 4s
       7s  [web] Pulled …
       7s  [web] Running
       7s  Running
       7s  Ready`,
    );
  }),

  story(
    "a failing init container is restarted with back-off while the Pod is Pending, until it succeeds",
    async (t) => {
      await t.nodes("node-a");
      t.image("init:1", { present: true, runsFor: seconds(2), exitsByTurn: [1, 1, 0] });
      t.image("app:1", { present: true });
      await t.apply(pod("web", { image: "app:1", initContainers: [{ name: "init", image: "init:1" }] }));
      await t.until("pod/web", waitsFor("CrashLoopBackOff"), { within: minutes(1) });
      assert.equal((await t.pod("web")).status.phase, "Pending");
      assert.equal((await t.container("web", "init")).lastState?.terminated?.exitCode, 1);
      await t.until("pod/web", isReady, { within: minutes(1) });
      t.expectTimeline(
        "pod/web",
        `0s  Pending
       0s  Scheduled …
       0s  [init] Pulled …
       0s  [init] Running
       2s  [init] Exited  code 1, after 2s
       2s  [init] Pulled …
       2s  [init] Running  restart 1
       4s  [init] Exited  code 1, after 2s
       4s  [init] CrashLoopBackOff  back-off 10s restarting failed container=init pod=web_default(<uid>)
       14s  [init] Pulled …
       14s  [init] Running  restart 2
       16s  [init] Exited  code 0, after 2s
       16s  [web] Pulled …
       16s  [web] Running
       16s  Running
       16s  Ready`,
      );
    },
  ),

  story("under Never a failed init container fails the Pod, and its app never starts", async (t) => {
    await t.nodes("node-a");
    t.image("init:1", { present: true, runsFor: seconds(2), exits: 7 });
    t.image("app:1", { present: true });
    await t.apply(
      pod("job", {
        image: "app:1",
        restartPolicy: "Never",
        initContainers: [
          { name: "init", image: "init:1" },
          { name: "later", image: "init:1" },
        ],
      }),
    );
    await t.until("pod/job", isFailed, { within: minutes(1) });
    t.expectTimeline(
      "pod/job",
      `0s  Pending
       0s  Scheduled …
       0s  [init] Pulled …
       0s  [init] Running
       2s  [init] Exited  code 7, after 2s
       2s  Failed`,
    );
    assert.deepEqual((await t.container("job", "job")).state, { waiting: { reason: "PodInitializing" } });
    assert.deepEqual((await t.container("job", "later")).state, { waiting: { reason: "PodInitializing" } });
    await t.expectConditions(
      "pod/job",
      `PodReadyToStartContainers False
       Initialized False ContainersNotInitialized  containers with incomplete status: [init later]
       Ready False PodFailed
       ContainersReady False PodFailed
       PodScheduled True`,
    );
  }),

  story("under OnFailure init containers that succeeded are not run again when the app is restarted", async (t) => {
    await t.nodes("node-a");
    t.image("init:1", { present: true, runsFor: seconds(1) });
    t.image("app:1", { present: true, runsFor: seconds(5), exitsByTurn: [1, 0] });
    await t.apply(
      pod("job", { image: "app:1", restartPolicy: "OnFailure", initContainers: [{ name: "init", image: "init:1" }] }),
    );
    await t.until("pod/job", isSucceeded, { within: minutes(1) });
    assert.equal((await t.container("job", "init")).restartCount, 0);
    assert.equal((await t.container("job", "job")).restartCount, 1);
  }),

  story("a sidecar starts before the next init container and runs beside the app", async (t) => {
    await t.nodes("node-a");
    t.image("proxy:1", { present: true });
    t.image("init:1", { present: true, runsFor: seconds(2) });
    t.image("app:1", { present: true });
    await t.apply(
      pod("web", { image: "app:1", initContainers: [sidecar("proxy", "proxy:1"), { name: "init", image: "init:1" }] }),
    );
    await t.until("pod/web", isReady, { within: minutes(1) });
    t.expectTimeline(
      "pod/web",
      `0s  Pending
       0s  Scheduled …
       0s  [proxy] Pulled …
       0s  [proxy] Running
       0s  [init] Running
       0s  [init] Pulled …
       2s  [init] Exited  code 0, after 2s
       2s  [web] Pulled …
       2s  [web] Running
       2s  Running
       2s  Ready`,
    );
    const proxy = await t.container("web", "proxy");
    assert.equal(proxy.ready, true);
    assert.equal(proxy.started, true);
  }),

  story("a sidecar's startup probe holds back what comes after it", async (t) => {
    await t.nodes("node-a");
    t.image("proxy:1", { present: true, becomesReadyAfter: seconds(5) });
    t.image("app:1", { present: true });
    const proxy = {
      ...sidecar("proxy", "proxy:1"),
      startupProbe: { tcpSocket: { port: 15001 }, periodSeconds: 2, failureThreshold: 10 },
    };
    await t.apply(pod("web", { image: "app:1", initContainers: [proxy] }));
    await t.elapse(seconds(5));
    assert.equal((await t.container("web", "proxy")).started, false);
    assert.equal((await t.pod("web")).status.phase, "Pending");
    t.chapter();
    await t.until("pod/web", isReady, { within: minutes(1) });
    t.expectTimeline(
      "pod/web",
      `1s  [web] Pulled …
       1s  [web] Running
       1s  Running
       1s  Ready`,
    );
  }),

  story(
    "a sidecar that ends is restarted with back-off, even under Never; meanwhile its Pod is not Ready and stays initialized",
    async (t) => {
      await t.nodes("node-a");
      t.image("proxy:1", { present: true, runsFor: seconds(5), exits: 0 });
      t.image("app:1", { present: true });
      await t.apply(
        pod("web", { image: "app:1", restartPolicy: "Never", initContainers: [sidecar("proxy", "proxy:1")] }),
      );
      await t.until("pod/web", waitsFor("CrashLoopBackOff"), { within: minutes(1) });
      await t.expectConditions(
        "pod/web",
        `PodReadyToStartContainers True
       Initialized True
       Ready False ContainersNotReady  containers with unready status: [proxy]
       ContainersReady False ContainersNotReady  containers with unready status: [proxy]
       PodScheduled True`,
      );
      assert.equal((await t.pod("web")).status.phase, "Running");
      await t.until("pod/web", hasContainer("proxy", "running"), { within: seconds(11) });
      assert.equal((await t.container("web", "proxy")).restartCount, 2);
    },
  ),

  story(
    "when the work of a Pod is done its sidecar is stopped and the Pod has Succeeded, whatever the sidecar's exit code",
    async (t) => {
      await t.nodes("node-a");
      t.image("proxy:1", { present: true, exitCodeOnTerm: 3 });
      t.image("job:1", { present: true, runsFor: seconds(10) });
      await t.apply(
        pod("job", { image: "job:1", restartPolicy: "Never", initContainers: [sidecar("proxy", "proxy:1")] }),
      );
      await t.until("pod/job", isSucceeded, { within: minutes(1) });
      t.expectTimeline(
        "pod/job",
        `0s  Pending
       0s  Scheduled …
       0s  [proxy] Pulled …
       0s  [proxy] Running
       0s  [job] Running
       0s  Running
       0s  Ready
       0s  [job] Pulled …
       10s  [job] Exited  code 0, after 10s
       10s  NotReady  containers with unready status: [job]
       10s  [proxy] Killing  Stopping container proxy
       10s  [proxy] Exited  code 3, after 10s
       10s  Succeeded`,
      );
    },
  ),

  story("sidecars end after the app and in the reverse of their order", async (t) => {
    await t.nodes("node-a");
    t.image("one:1", { present: true, stopsIn: seconds(1), exitCodeOnTerm: 0 });
    t.image("two:1", { present: true, stopsIn: seconds(3), exitCodeOnTerm: 0 });
    t.image("app:1", { present: true, stopsIn: seconds(5), exitCodeOnTerm: 0 });
    await t.apply(pod("web", { image: "app:1", initContainers: [sidecar("one", "one:1"), sidecar("two", "two:1")] }));
    await t.until("pod/web", isReady, { within: minutes(1) });
    await t.elapse(seconds(10));
    t.chapter();
    await t.delete("pod/web");
    await t.until("pod/web", isGone, { within: minutes(1) });
    t.expectTimeline(
      "pod/web",
      `0s  Terminating  30s of grace
       0s  [one] Killing  Stopping container one
       0s  [two] Killing  Stopping container two
       0s  [web] Killing  Stopping container web
       9s  [one] Exited  code 0, after 19s
       9s  [two] Exited  code 0, after 18s
       9s  [web] Exited  code 0, after 15s
       9s  Succeeded
       9s  Gone  removed from the API`,
    );
  }),

  story("an app that uses up all the grace leaves two seconds to each sidecar, at the same time", async (t) => {
    await t.nodes("node-a");
    t.image("stubborn:1", { present: true, ignoresTerm: true });
    const options = {
      image: "stubborn:1",
      terminationGracePeriodSeconds: 10,
      initContainers: [sidecar("one", "stubborn:1"), sidecar("two", "stubborn:1")],
    };
    await t.apply(pod("web", options));
    await t.until("pod/web", isReady, { within: minutes(1) });
    t.chapter();
    await t.delete("pod/web");
    await t.until("pod/web", isGone, { within: minutes(1) });
    t.expectTimeline(
      "pod/web",
      `0s  Terminating  10s of grace
       0s  [one] Killing …
       0s  [two] Killing …
       0s  [web] Killing …
       12s  [one] Exited  code 137, after 12s
       12s  [two] Exited  code 137, after 12s
       12s  [web] Exited  code 137, after 10s
       12s  Failed
       12s  Gone  removed from the API`,
    );
  }),

  story("an init container that is killed for lack of memory has failed", async (t) => {
    await t.nodes("node-a");
    t.image("init:1", { present: true, oomAfter: seconds(3) });
    t.image("app:1", { present: true });
    await t.apply(
      pod("job", { image: "app:1", restartPolicy: "Never", initContainers: [{ name: "init", image: "init:1" }] }),
    );
    await t.until("pod/job", isFailed, { within: minutes(1) });
    assert.equal((await t.container("job", "init")).state?.terminated?.reason, "OOMKilled");
  }),

  story("a sidecar that fails its liveness probe is restarted alone", async (t) => {
    await t.nodes("node-a");
    t.image("proxy:1", { present: true, stopsBeingReadyAfter: seconds(12) });
    t.image("app:1", { present: true });
    const livenessProbe = { httpGet: { port: 15021 }, periodSeconds: 5, failureThreshold: 2 };
    await t.apply(pod("web", { image: "app:1", initContainers: [{ ...sidecar("proxy", "proxy:1"), livenessProbe }] }));
    await t.elapse(seconds(21));
    assert.ok(
      t.events("pod/web").includes("Normal  [proxy] Killing  Init container proxy failed liveness probe"),
      t.events("pod/web").join("\n"),
    );
    assert.equal((await t.container("web", "proxy")).restartCount, 1);
    assert.equal((await t.container("web", "web")).restartCount, 0);
  }),

  story("a sidecar's preStop runs at once, its TERM waits for the app", async (t) => {
    await t.nodes("node-a");
    const asked: number[] = [];
    const since = (): number => (t.cluster.clock.now() - Date.UTC(2025, 0, 1)) / 1000;
    t.image("proxy:1", {
      present: true,
      exec: () => {
        asked.push(since());
        return { exitCode: 0 };
      },
    });
    t.image("app:1", { present: true, stopsIn: seconds(6) });
    const lifecycle = { preStop: { exec: { command: ["drain"] } } };
    await t.apply(pod("web", { image: "app:1", initContainers: [{ ...sidecar("proxy", "proxy:1"), lifecycle }] }));
    await t.elapse(seconds(10));
    await t.delete("pod/web");
    await t.until("pod/web", isGone, { within: minutes(1) });
    assert.deepEqual(asked, [10]);
    assert.match(t.timeline("pod/web"), /16s {2}\[proxy\] Exited {2}code 143, after 16s/);
  }),
];
