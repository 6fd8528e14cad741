// What follows when containers end: restart policies, exit codes, the crash back-off and its reset (pod-lifecycle 1.2, 3, 5).

import assert from "node:assert/strict";
import {
  hasRestarts,
  isFailed,
  isSucceeded,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
  waitsFor,
} from "../../src/testing/index.ts";

/** Moments, in seconds of the chapter, at which a Pod's container ran. */
function starts(t: StoryTeller, name: string): readonly number[] {
  return t
    .timeline(name)
    .split("\n")
    .filter((line) => /\] Running/.test(line))
    .map((line) => Number.parseFloat(line));
}

export const stories: readonly Story[] = [
  story("a crashing container is restarted at once, then after 10, 20, 40, 80, 160, 300 and 300 seconds", async (t) => {
    await t.nodes("node-a");
    t.image("crash:1", { exits: 1, runsFor: seconds(0) });
    await t.apply(pod("crash", { image: "crash:1" }));
    await t.elapse(minutes(25));
    const times = starts(t, "pod/crash");
    const waits = times.slice(1).map((time, index) => time - (times[index] as number));
    assert.deepEqual(waits.slice(0, 8), [0, 10, 20, 40, 80, 160, 300, 300]);
  }),

  story(
    "between crashes the container waits in CrashLoopBackOff, its last end in lastState, its Pod Running and not Ready",
    async (t) => {
      await t.nodes("node-a");
      t.image("crash:1", { exits: 3, runsFor: seconds(2) });
      await t.apply(pod("crash", { image: "crash:1" }));
      await t.until("pod/crash", waitsFor("CrashLoopBackOff"), { within: minutes(1) });
      t.expectTimeline(
        "pod/crash",
        `0s  Pending
       0s  Scheduled …
       0s  [crash] Pulling …
       0s  [crash] Pulled …
       0s  [crash] Running
       0s  Running
       0s  Ready
       2s  [crash] Exited  code 3, after 2s
       2s  NotReady  containers with unready status: [crash]
       2s  [crash] Pulled  Container image "crash:1" already present on machine
       2s  [crash] Running  restart 1
       2s  Ready
       4s  [crash] Exited  code 3, after 2s
       4s  NotReady  containers with unready status: [crash]
       4s  [crash] CrashLoopBackOff  back-off 10s restarting failed container=crash pod=crash_default(<uid>)`,
      );
      const status = await t.container("crash");
      assert.equal(status.restartCount, 1);
      assert.equal(status.ready, false);
      assert.equal(status.started, false);
      assert.equal(status.lastState?.terminated?.exitCode, 3);
      assert.equal(status.lastState?.terminated?.reason, "Error");
      assert.equal((await t.pod("crash")).status.phase, "Running");
    },
  ),

  story(
    "a container that ran for more than ten minutes is restarted at once and begins its back-off anew",
    async (t) => {
      await t.nodes("node-a");
      t.image("app:1", {
        behaves: ({ turn }) => (turn === 3 ? { runsFor: minutes(11), exits: 1 } : { runsFor: seconds(1), exits: 1 }),
      });
      await t.apply(pod("app", { image: "app:1" }));
      await t.until("pod/app", hasRestarts(3), { within: minutes(2) });
      t.chapter();
      await t.until("pod/app", hasRestarts(5), { within: minutes(20) });
      t.expectTimeline(
        "pod/app",
        `660s  [app] Exited  code 1, after 660s
       660s  NotReady …
       660s  [app] Pulled …
       660s  [app] Running  restart 4
       660s  Ready
       661s  [app] Exited  code 1, after 1s
       661s  NotReady …
       661s  [app] CrashLoopBackOff  back-off 10s restarting failed container=app pod=app_default(<uid>)
       671s  [app] Pulled …
       671s  [app] Running  restart 5
       671s  Ready`,
      );
    },
  ),

  ...(
    [
      // policy, exit code, what becomes of the Pod after the first end
      ["Always", 0, "Running", 1],
      ["Always", 1, "Running", 1],
      ["OnFailure", 0, "Succeeded", 0],
      ["OnFailure", 1, "Running", 1],
      ["Never", 0, "Succeeded", 0],
      ["Never", 1, "Failed", 0],
    ] as const
  ).map(([restartPolicy, exits, phase, restarts]) =>
    story(
      `under ${restartPolicy} a container that ends with ${exits} is restarted ${restarts} times and its Pod is ${phase}`,
      async (t) => {
        await t.nodes("node-a");
        t.image("app:1", { runsFor: seconds(5), exits });
        await t.apply(pod("app", { image: "app:1", restartPolicy }));
        await t.elapse(seconds(6));
        const { status } = await t.pod("app");
        assert.equal(status.phase, phase);
        assert.equal((await t.container("app")).restartCount, restarts);
      },
    ),
  ),

  story(
    "under Never a Pod is Failed only when its last container has ended, and one failure among them is enough",
    async (t) => {
      await t.nodes("node-a");
      t.image("bad:1", { pullTime: seconds(1), runsFor: seconds(5), exits: 1 });
      t.image("good:1", { pullTime: seconds(1), runsFor: seconds(20) });
      await t.apply(
        pod("two", {
          restartPolicy: "Never",
          containers: [
            { name: "bad", image: "bad:1" },
            { name: "good", image: "good:1" },
          ],
        }),
      );
      await t.until("pod/two", isFailed, { within: minutes(1) });
      t.expectTimeline(
        "pod/two",
        `0s  Pending
       0s  Scheduled …
       0s  [bad] Pulling …
       1s  [bad] Pulled …
       1s  [good] Pulling …
       2s  [good] Pulled …
       2s  [bad] Running
       2s  [good] Running
       2s  Running
       2s  Ready
       6s  [bad] Exited  code 1, after 5s
       6s  NotReady  containers with unready status: [bad]
       22s  [good] Exited  code 0, after 20s
       22s  Failed`,
      );
      const { status } = await t.pod("two");
      assert.equal(status.reason, undefined, "the Pod's reason is for other things");
    },
  ),

  story("under OnFailure a container is repeated until it ends well", async (t) => {
    await t.nodes("node-a");
    t.image("flaky:1", { runsFor: seconds(1), exitsByTurn: [1, 1, 0] });
    await t.apply(pod("flaky", { image: "flaky:1", restartPolicy: "OnFailure" }));
    await t.until("pod/flaky", isSucceeded, { within: minutes(1) });
    const status = await t.container("flaky");
    assert.equal(status.restartCount, 2);
    assert.equal(status.state?.terminated?.reason, "Completed");
    assert.equal(status.lastState?.terminated?.exitCode, 1);
    assert.deepEqual(starts(t, "pod/flaky"), [0, 1, 12]);
  }),

  story("a container that is killed for lack of memory is OOMKilled and restarted", async (t) => {
    await t.nodes("node-a");
    t.image("hungry:1", { oomAfter: seconds(30) });
    await t.apply(pod("hungry", { image: "hungry:1" }));
    await t.until("pod/hungry", hasRestarts(1), { within: minutes(1) });
    const { lastState } = await t.container("hungry");
    assert.equal(lastState?.terminated?.reason, "OOMKilled");
    assert.equal(lastState?.terminated?.exitCode, 137);
  }),

  story("only the crashed container of a Pod is restarted", async (t) => {
    await t.nodes("node-a");
    t.image("crash:1", { runsFor: seconds(10), exits: 1 });
    t.image("calm:1");
    await t.apply(
      pod("two", {
        containers: [
          { name: "calm", image: "calm:1" },
          { name: "crash", image: "crash:1" },
        ],
      }),
    );
    await t.elapse(minutes(5));
    assert.equal((await t.container("two", "calm")).restartCount, 0);
    assert.ok((await t.container("two", "crash")).restartCount >= 4);
  }),

  story("the back-off event is counted, one event for all crashes", async (t) => {
    await t.nodes("node-a");
    t.image("crash:1", { exits: 1, runsFor: seconds(1) });
    await t.apply(pod("crash", { image: "crash:1" }));
    await t.elapse(minutes(3));
    const backOff = t.events("pod/crash").filter((line) => line.includes("BackOff"));
    assert.equal(backOff.length, 1);
    assert.match(
      backOff[0] as string,
      /^Warning {2}\[crash\] BackOff \(\d+ times\) {2}Back-off restarting failed container crash in pod crash_default\(<uid>\)$/,
    );
  }),
];
