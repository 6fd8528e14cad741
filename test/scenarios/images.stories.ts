// Pulling images: policies, failures, the pull back-off and who shares it (pod-lifecycle 4.5, 5.3).

import assert from "node:assert/strict";
import {
  hours,
  isReady,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
  waitsFor,
} from "../../src/testing/index.ts";

/** Moments at which a pull began, in seconds of the chapter. */
function pulls(t: StoryTeller, name: string): readonly number[] {
  return t
    .timeline(name)
    .split("\n")
    .filter((line) => line.includes("] Pulling "))
    .map((line) => Number.parseFloat(line));
}

export const stories: readonly Story[] = [
  story("a failed pull is ErrImagePull, then ImagePullBackOff, and is tried again until it succeeds", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { pullTime: seconds(2), pullFails: { times: 2, message: "connection reset by peer" } });
    await t.apply(pod("app", { image: "app:1" }));
    await t.until("pod/app", isReady, { within: minutes(2) });
    t.expectTimeline(
      "pod/app",
      `0s  Pending
       0s  Scheduled …
       0s  [app] Pulling  Pulling image "app:1"
       2s  [app] ErrImagePull  connection reset by peer
       2s  [app] ImagePullBackOff  Back-off pulling image "app:1": ErrImagePull: connection reset by peer
       12s  [app] Pulling  Pulling image "app:1" (2 times)
       14s  [app] ErrImagePull  connection reset by peer
       14s  [app] ImagePullBackOff  Back-off pulling image "app:1": ErrImagePull: connection reset by peer
       34s  [app] Pulling  Pulling image "app:1" (3 times)
       36s  [app] Pulled  Successfully pulled image "app:1" in 2s (2s including waiting). Image size: 1000000 bytes.
       36s  [app] Running
       36s  Running
       36s  Ready`,
    );
    t.expectEvents(
      "pod/app",
      `Normal  Scheduled …
       Normal  [app] Pulling (3 times)  Pulling image "app:1"
       Warning  [app] Failed (2 times)  Failed to pull image "app:1": connection reset by peer
       Warning  [app] Failed (2 times)  Error: ErrImagePull
       Normal  [app] BackOff (2 times)  Back-off pulling image "app:1"
       Warning  [app] Failed (2 times)  Error: ImagePullBackOff
       Normal  [app] Pulled …
       Normal  [app] Created …
       Normal  [app] Started …`,
    );
  }),

  story(
    "pulls that keep failing are spaced by 10, 20, 40, 80, 160, 300 and 300 seconds; the Pod stays Pending",
    async (t) => {
      await t.nodes("node-a");
      t.image("gone:1", { pullFails: { message: "not found" } });
      await t.apply(pod("app", { image: "gone:1" }));
      await t.elapse(minutes(25));
      const times = pulls(t, "pod/app");
      const waits = times.slice(1).map((time, index) => time - (times[index] as number));
      assert.deepEqual(waits.slice(0, 7), [10, 20, 40, 80, 160, 300, 300]);
      assert.equal((await t.pod("app")).status.phase, "Pending");
    },
  ),

  story("an image that is there is not pulled under IfNotPresent, and is pulled again under Always", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { present: true });
    t.image("app:latest", { present: true, pullTime: seconds(1) });
    await t.apply(pod("fixed", { image: "app:1" }), pod("newest", { image: "app:latest" }));
    await t.until("pod/newest", isReady, { within: minutes(1) });
    t.expectEvents(
      "pod/fixed",
      `Normal  Scheduled …
       Normal  [fixed] Pulled  Container image "app:1" already present on machine
       Normal  [fixed] Created …
       Normal  [fixed] Started …`,
    );
    t.expectEvents(
      "pod/newest",
      `Normal  Scheduled …
       Normal  [newest] Pulling  Pulling image "app:latest"
       Normal  [newest] Pulled  Successfully pulled image "app:latest" in 1s (1s including waiting). Image size: 1000000 bytes.
       Normal  [newest] Created …
       Normal  [newest] Started …`,
    );
  }),

  story("a second Pod finds the image that the first one pulled", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { pullTime: seconds(20) });
    await t.apply(pod("first", { image: "app:1" }));
    await t.until("pod/first", isReady, { within: minutes(1) });
    await t.apply(pod("second", { image: "app:1" }));
    await t.until("pod/second", isReady, { within: seconds(1) });
  }),

  story("under Never an absent image is ErrImageNeverPull, until somebody brings it", async (t) => {
    const node = await t.node("node-a");
    await t.apply(pod("app", { image: "app:1", container: { imagePullPolicy: "Never" } }));
    await t.until("pod/app", waitsFor("ErrImageNeverPull"), { within: minutes(1) });
    assert.equal(
      (await t.container("app")).state?.waiting?.message,
      'Container image "app:1" is not present with pull policy of Never',
    );
    t.expectEvents(
      "pod/app",
      `Normal  Scheduled …
       Warning  [app] ErrImageNeverPull  Container image "app:1" is not present with pull policy of Never
       Warning  [app] Failed  Error: ErrImageNeverPull`,
    );
    node.runtime.declareImage("app:1", { present: true });
    await t.until("pod/app", isReady, { within: seconds(15) });
  }),

  story("two containers of a Pod with the same image share the pull back-off; another Pod begins anew", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", { pullFails: { message: "not found" } });
    await t.apply(
      pod("two", {
        containers: [
          { name: "a", image: "app:1" },
          { name: "b", image: "app:1" },
        ],
      }),
    );
    await t.elapse(seconds(9));
    assert.deepEqual(pulls(t, "pod/two"), [0], "the second container of the Pod does not try for itself");
    await t.apply(pod("other", { image: "app:1" }));
    await t.elapse(seconds(0));
    assert.deepEqual(pulls(t, "pod/other"), [9]);
  }),

  story("a name that is no image reference is InvalidImageName, and is told so", async (t) => {
    await t.nodes("node-a");
    await t.apply(pod("app", { image: "Not A Name" }));
    await t.until("pod/app", waitsFor("InvalidImageName"), { within: seconds(1) });
    assert.match(
      (await t.container("app")).state?.waiting?.message ?? "",
      /^Failed to apply default image tag "Not A Name": /,
    );
    assert.ok(
      t
        .events("pod/app")
        .some((line) =>
          line.startsWith('Warning  [app] InspectFailed  Failed to apply default image tag "Not A Name"'),
        ),
    );
    assert.ok(t.events("pod/app").some((line) => line.startsWith("Warning  [app] Failed  Error: InvalidImageName")));
  }),

  story("images are pulled one at a time: the second Pod's pull waits, and says how long", async (t) => {
    await t.nodes("node-a");
    t.image("a:1", { pullTime: seconds(10) });
    t.image("b:1", { pullTime: seconds(5) });
    await t.apply(pod("a", { image: "a:1" }), pod("b", { image: "b:1" }));
    await t.until("pod/b", isReady, { within: minutes(1) });
    t.expectTimeline(
      "pod/b",
      `0s  Pending
       0s  Scheduled …
       0s  [b] Pulling  Pulling image "b:1"
       15s  [b] Pulled  Successfully pulled image "b:1" in 5s (15s including waiting). Image size: 1000000 bytes.
       15s  [b] Running
       15s  Running
       15s  Ready`,
    );
  }),

  story(
    "a corrected image takes the place of one that cannot be pulled, without waiting for its back-off",
    async (t) => {
      await t.nodes("node-a");
      t.image("tpyo:1", { pullFails: {} });
      t.image("typo:1");
      await t.apply(pod("app", { image: "tpyo:1" }));
      await t.elapse(hours(0.5));
      const { spec } = await t.pod("app");
      await t.patch("pod/app", { spec: { containers: [{ ...spec.containers[0], image: "typo:1" }] } });
      await t.until("pod/app", isReady, { within: seconds(1) });
      assert.equal((await t.container("app")).restartCount, 0);
    },
  ),

  story("missing pull secrets are told, and the pull is tried without them", async (t) => {
    await t.nodes("node-a");
    t.image("app:1");
    await t.apply(pod("app", { image: "app:1", imagePullSecrets: [{ name: "registry" }, { name: "other" }] }));
    await t.until("pod/app", isReady, { within: seconds(1) });
    assert.ok(
      t
        .events("pod/app")
        .includes(
          "Warning  FailedToRetrieveImagePullSecret  Unable to retrieve some image pull secrets (registry, other); attempting to pull the image may not succeed.",
        ),
      t.events("pod/app").join("\n"),
    );
  }),
];
