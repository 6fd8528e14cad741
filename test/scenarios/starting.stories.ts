// How a Pod comes to life: phases, conditions, containers one after another, and the events that tell of it (pod-lifecycle 1, 2, 4).

import assert from "node:assert/strict";
import type { Node } from "../../src/api/index.ts";
import {
  isReady,
  isSucceeded,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const addressOf = async (t: StoryTeller, node: string): Promise<string | undefined> =>
  (await t.get<Node>(`node/${node}`))?.status.addresses?.find(({ type }) => type === "InternalIP")?.address;

export const stories: readonly Story[] = [
  story("a healthy Pod is scheduled, pulled, created, started and Ready, and says so in that order", async (t) => {
    await t.nodes("node-a");
    t.image("web:1", { pullTime: seconds(3) });
    await t.apply(pod("web", { image: "web:1" }));
    await t.until("pod/web", isReady, { within: minutes(1) });
    t.expectTimeline(
      "pod/web",
      `0s  Pending
       0s  Scheduled  Successfully assigned default/web to node-a
       0s  [web] Pulling  Pulling image "web:1"
       3s  [web] Pulled  Successfully pulled image "web:1" in 3s (3s including waiting). Image size: 1000000 bytes.
       3s  [web] Running
       3s  Running
       3s  Ready`,
    );
    t.expectEvents(
      "pod/web",
      `Normal  Scheduled  Successfully assigned default/web to node-a
       Normal  [web] Pulling  Pulling image "web:1"
       Normal  [web] Pulled  Successfully pulled image "web:1" in 3s (3s including waiting). Image size: 1000000 bytes.
       Normal  [web] Created  Created container: web
       Normal  [web] Started  Started container web`,
    );
    await t.expectConditions(
      "pod/web",
      `PodReadyToStartContainers True
       Initialized True
       Ready True
       ContainersReady True
       PodScheduled True`,
    );
  }),

  story(
    "while its image is pulled a Pod is Pending, initialized and not Ready, and its container is being created",
    async (t) => {
      await t.nodes("node-a");
      t.image("web:1", { pullTime: seconds(30) });
      await t.apply(pod("web", { image: "web:1" }));
      await t.elapse(seconds(10));
      const { status } = await t.pod("web");
      assert.equal(status.phase, "Pending");
      assert.equal(status.qosClass, "BestEffort");
      assert.equal(status.hostIP, await addressOf(t, "node-a"));
      assert.equal(
        status.podIP,
        undefined,
        "the sandbox is there, but the kubelet reports only between its operations",
      );
      assert.deepEqual((await t.container("web")).state, { waiting: { reason: "ContainerCreating" } });
      await t.expectConditions(
        "pod/web",
        `PodReadyToStartContainers False
       Initialized True
       Ready False ContainersNotReady  containers with unready status: [web]
       ContainersReady False ContainersNotReady  containers with unready status: [web]
       PodScheduled True`,
      );
    },
  ),

  story(
    "containers start one after another in the order of the manifest; the second image waits for the first container",
    async (t) => {
      await t.nodes("node-a");
      t.image("a:1", { pullTime: seconds(2) });
      t.image("b:1", { pullTime: seconds(5) });
      await t.apply(
        pod("two", {
          containers: [
            { name: "second-by-name", image: "a:1" },
            { name: "first-by-name", image: "b:1" },
          ],
        }),
      );
      await t.until("pod/two", isReady, { within: minutes(1) });
      t.expectTimeline(
        "pod/two",
        `0s  Pending
       0s  Scheduled  Successfully assigned default/two to node-a
       0s  [second-by-name] Pulling  Pulling image "a:1"
       2s  [second-by-name] Pulled …
       2s  [first-by-name] Pulling  Pulling image "b:1"
       7s  [first-by-name] Pulled …
       7s  [first-by-name] Running
       7s  [second-by-name] Running
       7s  Running
       7s  Ready`,
      );
      const statuses = (await t.pod("two")).status.containerStatuses ?? [];
      assert.deepEqual(
        statuses.map(({ name }) => name),
        ["first-by-name", "second-by-name"],
        "statuses are sorted by name",
      );
    },
  ),

  story(
    "a Pod whose only container ends well is Succeeded under OnFailure, and its conditions say completed",
    async (t) => {
      await t.nodes("node-a");
      t.image("job:1", { runsFor: seconds(5) });
      await t.apply(pod("job", { image: "job:1", restartPolicy: "OnFailure" }));
      await t.until("pod/job", isSucceeded, { within: minutes(1) });
      t.expectTimeline(
        "pod/job",
        `0s  Pending
       0s  Scheduled …
       0s  [job] Pulling …
       0s  [job] Pulled …
       0s  [job] Running
       0s  Running
       0s  Ready
       5s  [job] Exited  code 0, after 5s
       5s  Succeeded`,
      );
      await t.expectConditions(
        "pod/job",
        `PodReadyToStartContainers False
       Initialized True PodCompleted
       Ready False PodCompleted
       ContainersReady False PodCompleted
       PodScheduled True`,
      );
      const { state } = await t.container("job");
      assert.equal(state?.terminated?.reason, "Completed");
    },
  ),

  story("a Pod with one container done and one running stays Running, and is not Ready", async (t) => {
    await t.nodes("node-a");
    t.image("short:1", { runsFor: seconds(5) });
    t.image("long:1");
    await t.apply(
      pod("mixed", {
        restartPolicy: "Never",
        containers: [
          { name: "long", image: "long:1" },
          { name: "short", image: "short:1" },
        ],
      }),
    );
    await t.elapse(seconds(20));
    assert.equal((await t.pod("mixed")).status.phase, "Running");
    await t.expectConditions(
      "pod/mixed",
      `PodReadyToStartContainers True
       Initialized True
       Ready False ContainersNotReady  containers with unready status: [short]
       ContainersReady False ContainersNotReady  containers with unready status: [short]
       PodScheduled True`,
    );
  }),

  story("a readiness gate holds Ready back until somebody sets its condition", async (t) => {
    await t.nodes("node-a");
    t.image("web:1");
    await t.apply(pod("web", { image: "web:1", readinessGates: [{ conditionType: "example.com/ok" }] }));
    await t.elapse(seconds(5));
    await t.expectConditions(
      "pod/web",
      `PodReadyToStartContainers True
       Initialized True
       Ready False ReadinessGatesNotReady  corresponding condition of pod readiness gate "example.com/ok" does not exist.
       ContainersReady True
       PodScheduled True`,
    );
    const { conditions = [] } = (await t.pod("web")).status;
    await t.patch(
      "pod/web",
      { status: { conditions: [...conditions, { type: "example.com/ok", status: "False" }] } },
      "status",
    );
    await t.elapse(seconds(1));
    const notTrue = (await t.pod("web")).status.conditions?.find(({ type }) => type === "Ready");
    assert.equal(notTrue?.message, 'the status of pod readiness gate "example.com/ok" is not "True", but False');
    await t.patch(
      "pod/web",
      { status: { conditions: [...conditions, { type: "example.com/ok", status: "True" }] } },
      "status",
    );
    await t.until("pod/web", isReady, { within: seconds(1) });
    assert.equal((await t.pod("web")).status.conditions?.[0]?.type, "example.com/ok", "a foreign condition is kept");
  }),

  story("a changed image ends the running container and starts the new one, whatever the restart policy", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true, stopsIn: seconds(2) });
    t.image("app:2", { pullTime: seconds(3) });
    await t.apply(pod("app", { image: "app:1", restartPolicy: "Never" }));
    await t.until("pod/app", isReady, { within: seconds(1) });
    t.chapter();
    const [container] = (await t.pod("app")).spec.containers;
    await t.patch("pod/app", { spec: { containers: [{ ...container, image: "app:2" }] } });
    await t.elapse(seconds(10));
    t.expectTimeline(
      "pod/app",
      `0s  [app] Killing  Container app definition changed, will be restarted
       2s  [app] Pulling  Pulling image "app:2"
       5s  [app] Pulled …
       5s  [app] Exited  code 143, after 2s
       5s  [app] Running  restart 1`,
    );
    assert.equal((await t.container("app")).image, "app:2");
    const { metadata, status } = await t.pod("app");
    assert.equal(metadata.generation, 2);
    assert.equal(status.observedGeneration, 2);
  }),

  story("a Pod on the host's network has the node's address", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    await t.apply(pod("app", { image: "app:1", hostNetwork: true }));
    await t.until("pod/app", isReady, { within: seconds(1) });
    const { podIP, hostIP, podIPs } = (await t.pod("app")).status;
    assert.equal(podIP, await addressOf(t, "node-a"));
    assert.equal(hostIP, podIP);
    assert.deepEqual(podIPs, [{ ip: podIP }]);
  }),

  story("a container that must not run as root and would is a config error", async (t) => {
    await t.nodes("node-a");
    t.image("root:1", { present: true });
    t.image("user:1", { present: true, user: 1000 });
    const securityContext = { runAsNonRoot: true };
    await t.apply(pod("root", { image: "root:1", securityContext }), pod("user", { image: "user:1", securityContext }));
    await t.until("pod/user", isReady, { within: seconds(1) });
    const { waiting } = (await t.container("root")).state ?? {};
    assert.equal(waiting?.reason, "CreateContainerConfigError");
    assert.match(waiting?.message ?? "", /^container has runAsNonRoot and image will run as root/);
  }),
];
