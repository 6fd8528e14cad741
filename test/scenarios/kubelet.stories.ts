// A kubelet that is started again, and a runtime that fails: what goes on, what is repeated, what is never repeated
// (pod-lifecycle 3, 4).

import assert from "node:assert/strict";
import type { Node, NodeCondition } from "../../src/api/index.ts";
import {
  hasCondition,
  hasContainer,
  hasRestarts,
  isGone,
  isReady,
  isSucceeded,
  millis,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

/** What calls of a real runtime take, about. */
const latencies = {
  runPodSandbox: millis(200),
  createContainer: millis(50),
  startContainer: millis(100),
  listContainers: millis(5),
  listPodSandboxes: millis(5),
};

const readinessOf = async (t: StoryTeller, node: string): Promise<NodeCondition | undefined> =>
  (await t.get<Node>(`node/${node}`))?.status.conditions?.find(({ type }) => type === "Ready");

export const stories: readonly Story[] = [
  story("a kubelet that is started again adopts what runs: nothing is restarted, nothing is told twice", async (t) => {
    const node = await t.node("node-a");
    t.image("init:1", { present: true, runsFor: seconds(1) });
    t.image("app:1", { present: true });
    const probe = { httpGet: { port: 80 }, periodSeconds: 5 };
    await t.apply(
      pod("app", {
        image: "app:1",
        initContainers: [{ name: "init", image: "init:1" }],
        container: { startupProbe: probe, readinessProbe: probe, livenessProbe: probe },
      }),
    );
    await t.until("pod/app", isReady, { within: minutes(1) });
    const before = await t.pod("app");
    t.chapter();
    await node.stopKubelet();
    await t.elapse(seconds(20));
    await node.startKubelet();
    await t.elapse(minutes(5));
    assert.equal(t.timeline("pod/app"), "");
    assert.deepEqual((await t.pod("app")).status, before.status);
  }),

  story("restart counts and the crash back-off go on when the kubelet is started again in the middle", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true, runsFor: seconds(1), exits: 1 });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", hasRestarts(4), { within: minutes(10) });
    await t.elapse(seconds(5));
    await node.stopKubelet();
    await t.elapse(seconds(5));
    await node.startKubelet();
    await t.until("pod/app", hasRestarts(5), { within: minutes(6) });
    assert.equal((await t.container("app")).restartCount, 5);
  }),

  story("a container that ended while the kubelet was away is found ended, and restarted", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true, runsFor: seconds(30), exits: 9 });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(seconds(10));
    await node.stopKubelet();
    await t.elapse(seconds(40));
    t.chapter();
    await node.startKubelet();
    await t.until("pod/app", hasRestarts(1), { within: seconds(5) });
    assert.match(t.timeline("pod/app"), /0s {2}\[app\] Exited {2}code 9, after 30s/);
  }),

  story("work that was done while the kubelet was away is Succeeded when it is back", async (t) => {
    const node = await t.node("node-a");
    t.image("job:1", { present: true, runsFor: seconds(30) });
    await t.apply(pod("job", { image: "job:1", restartPolicy: "Never" }));
    await t.elapse(seconds(5));
    await node.stopKubelet();
    await t.elapse(seconds(40));
    assert.equal((await t.pod("job")).status.phase, "Running");
    await node.startKubelet();
    await t.until("pod/job", isSucceeded, { within: seconds(1) });
    assert.match(t.timeline("pod/job"), /45s {2}\[job\] Exited {2}code 0, after 30s/);
  }),

  story(
    "a Pod that was deleted while the kubelet was away is ended when it is back, with its full grace",
    async (t) => {
      const node = await t.node("node-a");
      t.image("app:1", { present: true, ignoresTerm: true });
      await t.apply(pod("app", { image: "app:1", terminationGracePeriodSeconds: 10 }));
      await t.elapse(seconds(5));
      await node.stopKubelet();
      await t.delete("pod/app");
      await t.elapse(seconds(30));
      t.chapter();
      await node.startKubelet();
      await t.until("pod/app", isGone, { within: minutes(1) });
      assert.match(t.timeline("pod/app"), / 10s {2}\[app\] Exited {2}code 137, after 45s/);
    },
  ),

  story("a Pod that vanished while the kubelet was away leaves nothing behind", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true, stopsIn: seconds(2) });
    await t.apply(pod("app", { image: "app:1" }), pod("other", { image: "app:1" }));
    await t.elapse(seconds(5));
    await node.stopKubelet();
    await t.forceDelete("pod/app");
    await t.elapse(seconds(5));
    await node.startKubelet();
    await t.elapse(minutes(1));
    const left = await node.runtime.runtime.listPodSandboxes();
    assert.deepEqual(
      left.map(({ metadata }) => metadata.name),
      ["other"],
    );
  }),

  story(
    "a kubelet that is started again during an init container goes on there and runs no init container twice",
    async (t) => {
      const node = await t.node("node-a");
      t.image("init:1", { present: true, runsFor: seconds(20) });
      t.image("app:1", { present: true });
      const initContainers = [
        { name: "a", image: "init:1" },
        { name: "b", image: "init:1" },
      ];
      await t.apply(pod("app", { image: "app:1", initContainers }));
      await t.elapse(seconds(30));
      await node.stopKubelet();
      await t.elapse(seconds(2));
      await node.startKubelet();
      await t.until("pod/app", isReady, { within: minutes(1) });
      assert.equal((await t.container("app", "a")).restartCount, 0);
      assert.equal((await t.container("app", "b")).restartCount, 0);
      assert.match(t.timeline("pod/app"), /40s {2}\[app\] Running/);
    },
  ),

  story("a sandbox that cannot be made is told and tried again until it can", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    node.faults.failNext("runPodSandbox", 2, 'plugin type="bridge" failed: no addresses left');
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(seconds(5));
    assert.deepEqual((await t.container("app")).state, { waiting: { reason: "ContainerCreating" } });
    await t.until("pod/app", isReady, { within: seconds(40) });
    const failed = t.events("pod/app").filter((line) => line.includes("FailedCreatePodSandBox"));
    assert.deepEqual(failed, [
      'Warning  FailedCreatePodSandBox (2 times)  Failed to create pod sandbox: plugin type="bridge" failed: no addresses left',
    ]);
  }),

  story("a container that cannot be created is CreateContainerError, and starts when it can", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    node.faults.failNext("createContainer", 1, "device or resource busy");
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(seconds(5));
    assert.deepEqual((await t.container("app")).state, {
      waiting: { reason: "CreateContainerError", message: "device or resource busy" },
    });
    await t.until("pod/app", isReady, { within: seconds(15) });
    t.expectEvents(
      "pod/app",
      `Normal  Scheduled …
       Normal  [app] Pulled (2 times)  Container image "app:1" already present on machine
       Warning  [app] Failed  Error: device or resource busy
       Normal  [app] Created …
       Normal  [app] Started …`,
    );
  }),

  story("a command that is not there is RunContainerError: the container ends with 128 and StartError", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, startError: 'exec: "nothing": executable file not found in $PATH' });
    await t.apply(pod("app", { image: "app:1", restartPolicy: "Never" }));
    await t.elapse(seconds(1));
    const { status } = await t.pod("app");
    assert.equal(status.phase, "Failed");
    const terminated = status.containerStatuses?.[0]?.state?.terminated;
    assert.equal(terminated?.reason, "StartError");
    assert.equal(terminated?.exitCode, 128);
    assert.match(terminated?.message ?? "", /executable file not found/);
    assert.ok(
      t.events("pod/app").some((line) => /^Warning {2}\[app\] Failed {2}Error: .*executable file not found/.test(line)),
    );
  }),

  story(
    "a runtime that is away for a while makes the node NotReady and ends nothing; when it is back all goes on",
    async (t) => {
      const node = await t.node("node-a");
      t.image("app:1", { present: true });
      await t.apply(pod("app", { image: "app:1" }));
      await t.until("pod/app", isReady, { within: minutes(1) });
      t.chapter();
      node.faults.down();
      await t.elapse(minutes(2));
      const { status } = await t.pod("app");
      assert.equal(status.phase, "Running");
      const ready = (
        await t.get<{ status: { conditions: { type: string; status: string; reason: string }[] } }>("node/node-a")
      )?.status.conditions.find(({ type }) => type === "Ready");
      assert.equal(ready?.status, "False");
      assert.equal(ready?.reason, "KubeletNotReady");
      node.faults.up();
      await t.until("pod/app", isReady, { within: minutes(1) });
      assert.equal((await t.container("app")).restartCount, 0);
      assert.equal((await t.pod("app")).metadata.deletionTimestamp, undefined);
    },
  ),

  story("a node says at once that its runtime has gone, and within a second that it is back", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isReady, { within: minutes(1) });
    await t.elapse(millis(3300));
    node.faults.down();
    await t.elapse(millis(0));
    assert.match((await readinessOf(t, "node-a"))?.message ?? "", /^container runtime is down: .*connection refused/);
    node.faults.up();
    await t.elapse(seconds(1));
    assert.equal((await readinessOf(t, "node-a"))?.status, "True");
    assert.deepEqual(
      t.events("node/node-a").filter((line) => line.includes("NodeNotReady")),
      ["Normal  NodeNotReady  Node node-a status is now: NodeNotReady"],
    );
  }),

  story(
    "a runtime that hangs for two minutes makes the node NotReady after 30 s, and ends nothing; what waited for it goes on",
    async (t) => {
      const node = await t.node("node-a");
      t.image("app:1", { present: true });
      const probe = { exec: { command: ["true"] }, periodSeconds: 5, timeoutSeconds: 1, failureThreshold: 3 };
      await t.apply(pod("app", { image: "app:1", container: { livenessProbe: probe, readinessProbe: probe } }));
      await t.until("pod/app", isReady, { within: minutes(1) });
      const methods = ["status", "listPodSandboxes", "listContainers", "runPodSandbox", "podSandboxStatus"] as const;
      const hung = methods.map((method) => node.faults.hang(method));
      await t.apply(pod("late", { image: "app:1", nodeName: "node-a" }));
      await t.delete("pod/app", { gracePeriodSeconds: 30 });
      await t.apply(pod("stays", { image: "app:1", nodeName: "node-a" }));
      await t.elapse(seconds(29));
      assert.equal((await readinessOf(t, "node-a"))?.status, "True");
      await t.elapse(seconds(12));
      const ready = await readinessOf(t, "node-a");
      assert.equal(ready?.status, "False");
      assert.equal(ready?.message, "container runtime is down");
      await t.elapse(seconds(79));
      for (const each of hung) each.release();
      await t.until("node/node-a", hasCondition("Ready"), { within: seconds(10) });
      await t.until("pod/late", isReady, { within: seconds(20) });
      await t.until("pod/stays", isReady, { within: seconds(20) });
      await t.until("pod/app", isGone, { within: seconds(40) });
      for (const name of ["late", "stays"]) assert.equal((await t.container(name)).restartCount, 0);
      const sandboxes = await t.cluster.call(node.runtime.runtime.listPodSandboxes());
      assert.deepEqual(sandboxes.map(({ metadata }) => metadata.name).sort(), ["late", "stays"]);
    },
  ),

  story("a node whose Pods nobody could look at for three minutes is not Ready, and says why", async (t) => {
    const node = await t.node("node-a");
    const hung = node.faults.hang("listContainers");
    await t.elapse(minutes(2));
    assert.equal((await readinessOf(t, "node-a"))?.status, "True");
    await t.elapse(seconds(75));
    const ready = await readinessOf(t, "node-a");
    assert.equal(ready?.message, "PLEG is not healthy: pleg was last seen active 3m10s ago; threshold is 3m0s");
    hung.release();
    await t.until("node/node-a", hasCondition("Ready"), { within: seconds(15) });
  }),

  story("when its sandbox dies a Pod gets a new one, initializes again and starts all containers", async (t) => {
    const node = await t.node("node-a");
    t.image("init:1", { present: true, runsFor: seconds(1) });
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1", initContainers: [{ name: "init", image: "init:1" }] }));
    await t.until("pod/app", isReady, { within: minutes(1) });
    const oldIp = (await t.pod("app")).status.podIP;
    const [sandbox] = await node.runtime.runtime.listPodSandboxes();
    t.chapter();
    assert.ok(sandbox);
    await node.runtime.runtime.stopPodSandbox(sandbox.id);
    await t.until("pod/app", hasContainer("init", "running"), { within: seconds(5) });
    await t.until("pod/app", isReady, { within: minutes(1) });
    assert.ok(
      t.events("pod/app").includes("Normal  SandboxChanged  Pod sandbox changed, it will be killed and re-created."),
    );
    // Nothing was tried in the sandbox that was about to go.
    assert.ok(!t.events("pod/app").some((line) => line.includes("Failed") || line.includes("BackOff")));
    assert.equal((await t.container("app", "app")).restartCount, 1);
    assert.notEqual((await t.pod("app")).status.podIP, oldIp);
    const ready = (await node.runtime.runtime.listPodSandboxes()).filter(({ state }) => state === "ready");
    assert.equal(ready.length, 1);
  }),

  story(
    "the restart count of an init container goes on when a new sandbox leaves no record and no log of it",
    async (t) => {
      const node = await t.node("node-a");
      t.image("init:1", { present: true, runsFor: seconds(1), exitsByTurn: [1, 1, 0, 0] });
      t.image("app:1", { present: true });
      await t.apply(pod("app", { image: "app:1", initContainers: [{ name: "init", image: "init:1" }] }));
      await t.until("pod/app", isReady, { within: minutes(1) });
      assert.equal((await t.container("app", "init")).restartCount, 2);
      const { uid } = (await t.pod("app")).metadata;
      const [sandbox] = await node.runtime.runtime.listPodSandboxes();
      assert.ok(sandbox);
      t.chapter();
      await node.runtime.runtime.removeLogs(`/var/log/pods/default_app_${uid}`);
      await node.runtime.runtime.stopPodSandbox(sandbox.id);
      await t.until("pod/app", hasContainer("init", "running"), { within: seconds(5) });
      assert.equal((await t.container("app", "init")).restartCount, 3);
      await t.until("pod/app", isReady, { within: minutes(1) });
      assert.equal((await t.container("app", "init")).restartCount, 3);
    },
  ),

  story("a Pod whose work is done is not done again because its sandbox has gone", async (t) => {
    const node = await t.node("node-a");
    t.image("job:1", { present: true, runsFor: seconds(60) });
    await t.apply(pod("job", { image: "job:1", restartPolicy: "Never" }));
    await t.elapse(seconds(5));
    const [sandbox] = await node.runtime.runtime.listPodSandboxes();
    assert.ok(sandbox);
    await node.runtime.runtime.stopPodSandbox(sandbox.id);
    await t.elapse(minutes(2));
    assert.equal((await t.pod("job")).status.phase, "Failed");
    assert.equal((await t.container("job")).restartCount, 0);
    assert.equal((await t.container("job")).state?.terminated?.exitCode, 137);
  }),

  story("a machine that lost its power comes back with its Pods, each once more from its beginning", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isReady, { within: minutes(1) });
    await node.stopKubelet();
    node.faults.powerLoss();
    await t.elapse(seconds(30));
    node.faults.up();
    await node.startKubelet();
    await t.until("pod/app", hasRestarts(1), { within: minutes(1) });
    await t.until("pod/app", isReady, { within: minutes(1) });
    const { lastState } = await t.container("app");
    assert.equal(lastState?.terminated?.exitCode, 255);
    assert.equal(lastState?.terminated?.reason, "Unknown");
  }),

  story("an image pull that hangs is given up when the Pod is deleted", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1");
    const pull = node.faults.hang("pullImage");
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(minutes(5));
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: seconds(35) });
    pull.release();
    await t.elapse(minutes(1));
    assert.deepEqual(await node.runtime.runtime.listContainers(), []);
  }),

  story("a failed stop of a container is tried again until the Pod is gone", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isReady, { within: minutes(1) });
    node.faults.failNext("stopContainer", 2, "context deadline exceeded");
    await t.delete("pod/app");
    await t.until("pod/app", isGone, { within: minutes(1) });
    assert.ok(
      t.events("pod/app").some((line) => /^Warning {2}FailedKillPod.* error killing pod: /.test(line)),
      t.events("pod/app").join("\n"),
    );
  }),

  ...[100, 210, 230, 400, 640, 720, 830, 900].map((at) =>
    story(
      `a kubelet that dies ${at} ms into a Pod's start leaves it to the next one, and nothing runs twice`,
      async (t) => {
        const node = await t.node("node-a", { latencies });
        t.image("init:1", { present: true, runsFor: millis(300) });
        t.image("app:1", { present: true });
        const initContainers = [
          { name: "init", image: "init:1" },
          { name: "proxy", image: "app:1", restartPolicy: "Always" as const },
        ];
        await t.apply(pod("web", { image: "app:1", initContainers }));
        await t.elapse(millis(at));
        await node.stopKubelet();
        await t.elapse(millis(500));
        await node.startKubelet();
        await t.until("pod/web", isReady, { within: seconds(5) });
        await t.elapse(minutes(1));
        const lines = t.timeline("pod/web").split("\n");
        const often = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
        assert.deepEqual(
          [often(/\[init\] Exited {2}code 0/), often(/\[proxy\] (Running|Exited)/), often(/\[web\] (Running|Exited)/)],
          [1, 1, 1],
          t.timeline("pod/web"),
        );
        const containers = await t.cluster.call(node.runtime.runtime.listContainers());
        assert.deepEqual(containers.map(({ metadata }) => metadata.name).sort(), ["init", "proxy", "web"]);
        assert.equal((await t.cluster.call(node.runtime.runtime.listPodSandboxes())).length, 1);
      },
    ),
  ),

  story(
    "a start that was given up because the kubelet died is made again, even in a Pod that restarts nothing; it counts as no restart",
    async (t) => {
      const node = await t.node("node-a", { latencies });
      t.image("job:1", { present: true, startError: "context canceled" });
      await t.apply(pod("job", { image: "job:1", restartPolicy: "Never" }));
      await t.elapse(millis(300));
      await node.stopKubelet();
      await t.elapse(seconds(1));
      const [given] = await t.cluster.call(node.runtime.runtime.listContainers());
      assert.equal(given?.state.kind === "exited" && given.state.reason, "StartError");
      t.image("job:1", { present: true, runsFor: seconds(1) });
      await node.startKubelet();
      await t.until("pod/job", isSucceeded, { within: seconds(20) });
      assert.equal((await t.container("job")).restartCount, 0);
      assert.equal((await t.cluster.call(node.runtime.runtime.listContainers())).length, 1);
    },
  ),

  story("a start that failed before the kubelet was started again, and was told, is not taken back", async (t) => {
    const node = await t.node("node-a");
    t.image("app:1", { present: true, startError: "no such command" });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", hasRestarts(2), { within: minutes(1) });
    await node.stopKubelet();
    await node.startKubelet();
    await t.elapse(seconds(5));
    assert.ok((await t.container("app")).restartCount >= 2);
  }),

  story("a container that was made and never started is no restart", async (t) => {
    const node = await t.node("node-a", { latencies });
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(millis(240));
    await node.stopKubelet();
    await t.elapse(seconds(1));
    const [made] = await t.cluster.call(node.runtime.runtime.listContainers());
    assert.equal(made?.state.kind, "created");
    await node.startKubelet();
    await t.until("pod/app", isReady, { within: seconds(20) });
    assert.equal((await t.container("app")).restartCount, 0);
    assert.equal((await t.cluster.call(node.runtime.runtime.listContainers())).length, 1);
  }),

  story("nor is one that was made, told, and removed by a kubelet that died before it made another", async (t) => {
    const node = await t.node("node-a", { latencies });
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1" }));
    await t.elapse(millis(240));
    await node.stopKubelet();
    await t.elapse(seconds(1));
    await node.startKubelet();
    while ((await t.cluster.call(node.runtime.runtime.listContainers())).length > 0) await t.elapse(millis(1));
    await node.stopKubelet();
    assert.notEqual((await t.container("app")).containerID ?? "", "");
    node.faults.down(); // with its kubelet the call is given up that was to make another
    await t.elapse(seconds(1));
    node.faults.up();
    await node.startKubelet();
    await t.until("pod/app", isReady, { within: seconds(20) });
    assert.equal((await t.container("app")).restartCount, 0);
  }),

  ...(["runPodSandbox", "createContainer", "podSandboxStatus", "imageStatus"] as const).map((method) =>
    story(`a Pod starts although ${method} fails once: it is tried again 10 to 15 s later`, async (t) => {
      const node = await t.node("node-a");
      t.image("app:1", { present: true });
      node.faults.failNext(method, 1, "try again");
      await t.apply(pod("app", { image: "app:1" }));
      await t.until("pod/app", isReady, { within: seconds(16) });
      assert.equal((await t.container("app")).restartCount, 0);
    }),
  ),

  ...(["listPodSandboxes", "listContainers"] as const).map((method) =>
    story(`a look at the runtime that fails (${method}) is taken again after a second`, async (t) => {
      const node = await t.node("node-a");
      t.image("app:1", { present: true });
      node.faults.failNext(method, 1, "try again");
      await t.apply(pod("app", { image: "app:1" }));
      await t.until("pod/app", isReady, { within: seconds(2) });
      node.faults.failNext(method, 1, "try again");
      await t.delete("pod/app");
      await t.until("pod/app", isGone, { within: seconds(2) });
    }),
  ),

  story(
    "an event of a container that cannot be asked about is not lost: everything is looked at a second later",
    async (t) => {
      const node = await t.node("node-a");
      t.image("job:1", { present: true, runsFor: seconds(5) });
      await t.apply(pod("job", { image: "job:1", restartPolicy: "Never" }));
      await t.elapse(seconds(4));
      node.faults.failNext("containerStatus", 1, "try again");
      await t.until("pod/job", isSucceeded, { within: seconds(3) });
    },
  ),
];
