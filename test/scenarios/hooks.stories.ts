// postStart and preStop by every handler, their failures, and what they cost of the grace (pod-lifecycle 7).

import assert from "node:assert/strict";
import type { Draft, LifecycleHandler } from "../../src/api/index.ts";
import type { ContainerBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import {
  isGone,
  isReady,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

interface Hooks {
  readonly postStart?: Draft<LifecycleHandler>;
  readonly preStop?: Draft<LifecycleHandler>;
}

async function runApp(t: StoryTeller, behaviour: ContainerBehaviour, lifecycle: Hooks, options = {}): Promise<void> {
  await t.nodes("node-a");
  t.image("app:1", { present: true, ...behaviour });
  await t.apply(pod("app", { image: "app:1", container: { lifecycle }, ...options }));
}

/** Deletes the Pod once it is Ready; the chapter begins with the deletion. */
async function stopApp(t: StoryTeller): Promise<void> {
  await t.until("pod/app", isReady, { within: minutes(1) });
  t.chapter();
  await t.delete("pod/app");
  await t.until("pod/app", isGone, { within: minutes(2) });
}

export const stories: readonly Story[] = [
  story(
    "a container is not seen running before its postStart hook is over, and the next one waits for it",
    async (t) => {
      await t.nodes("node-a");
      t.image("app:1", { present: true, exec: { warm: { exitCode: 0, delay: seconds(4) } } });
      t.image("next:1", { present: true });
      await t.apply(
        pod("two", {
          containers: [
            { name: "app", image: "app:1", lifecycle: { postStart: { exec: { command: ["warm"] } } } },
            { name: "next", image: "next:1" },
          ],
        }),
      );
      await t.elapse(seconds(3));
      assert.deepEqual((await t.container("two", "app")).state, { waiting: { reason: "ContainerCreating" } });
      await t.until("pod/two", isReady, { within: minutes(1) });
      t.expectTimeline(
        "pod/two",
        `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       4s  [next] Pulled …
       4s  [app] Running
       4s  [next] Running
       4s  Running
       4s  Ready`,
      );
    },
  ),

  story("a failed postStart hook kills the container, which is PostStartHookError and starts again", async (t) => {
    await runApp(
      t,
      { exec: { warm: { exitCode: 5, stderr: "cold" } } },
      { postStart: { exec: { command: ["warm"] } } },
    );
    await t.elapse(seconds(9));
    t.expectTimeline(
      "pod/app",
      `0s  Pending
       0s  Scheduled …
       0s  [app] Pulled …
       0s  [app] Exited  code 143, after 0s
       0s  [app] PostStartHookError  Exec lifecycle hook ([warm]) for Container "app" in Pod "app_default(<uid>)" failed - error: command 'warm' exited with 5: cold, message: "cold"
       0s  Running
       0s  [app] FailedPostStartHook  PostStartHook failed
       0s  [app] Exited  code 143, after 0s
       0s  [app] CrashLoopBackOff  back-off 10s restarting failed container=app pod=app_default(<uid>)
       0s  [app] Killing  FailedPostStartHook
       0s  [app] Pulled …
       0s  [app] FailedPostStartHook  PostStartHook failed (2 times)
       0s  [app] Killing  FailedPostStartHook (2 times)`,
    );
    await t.elapse(minutes(3));
    assert.ok((await t.container("app")).restartCount >= 3, "the crash back-off applies");
  }),

  story("preStop runs before the stop signal: the container lives on meanwhile", async (t) => {
    await runApp(
      t,
      { exec: { drain: { exitCode: 0, delay: seconds(7) } } },
      { preStop: { exec: { command: ["drain"] } } },
    );
    await stopApp(t);
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  30s of grace
       0s  [app] Killing  Stopping container app
       7s  [app] Exited  code 143, after 7s
       7s  Failed
       7s  Gone  removed from the API`,
    );
  }),

  story("a sleep as preStop waits its seconds", async (t) => {
    await runApp(t, { exitCodeOnTerm: 0 }, { preStop: { sleep: { seconds: 5 } } });
    await stopApp(t);
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  30s of grace
       0s  [app] Killing  Stopping container app
       5s  [app] Exited  code 0, after 5s
       5s  Succeeded
       5s  Gone  removed from the API`,
    );
  }),

  story("a second delete with less grace does not wait for a preStop that is under way", async (t) => {
    await runApp(t, { exitCodeOnTerm: 0 }, { preStop: { sleep: { seconds: 25 } } });
    await t.until("pod/app", isReady, { within: minutes(1) });
    t.chapter();
    await t.delete("pod/app");
    await t.elapse(seconds(5));
    assert.equal((await t.pod("app")).status.phase, "Running");
    await t.delete("pod/app", { gracePeriodSeconds: 2 });
    await t.until("pod/app", isGone, { within: seconds(3) });
    // Two seconds after the first delete are over by now: one second is the least that is left.
    assert.match(t.timeline("pod/app"), / 6s {2}\[app\] Exited {2}code 0/);
  }),

  story("a preStop that eats up the grace still leaves two seconds between TERM and KILL", async (t) => {
    await runApp(
      t,
      { ignoresTerm: true },
      { preStop: { sleep: { seconds: 10 } } },
      { terminationGracePeriodSeconds: 10 },
    );
    await stopApp(t);
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  10s of grace
       0s  [app] Killing  Stopping container app
       12s  [app] Exited  code 137, after 12s
       12s  Failed
       12s  Gone  removed from the API`,
    );
  }),

  story("what preStop used is missing from the time between TERM and KILL", async (t) => {
    await runApp(
      t,
      { ignoresTerm: true },
      { preStop: { sleep: { seconds: 6 } } },
      { terminationGracePeriodSeconds: 10 },
    );
    await stopApp(t);
    assert.match(t.timeline("pod/app"), /10s {2}\[app\] Exited {2}code 137, after 10s/);
  }),

  story("a preStop that takes too long is given up at the end of the grace, and told", async (t) => {
    await runApp(
      t,
      { exec: { drain: { exitCode: 0, delay: minutes(5) } }, exitCodeOnTerm: 0 },
      { preStop: { exec: { command: ["drain"] } } },
      { terminationGracePeriodSeconds: 10 },
    );
    await stopApp(t);
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  10s of grace
       0s  [app] Killing  Stopping container app
       10s  [app] FailedPreStopHook  PreStopHook failed
       10s  [app] Exited  code 0, after 10s
       10s  Succeeded
       10s  Gone  removed from the API`,
    );
  }),

  story("a failed preStop is told and does not keep the container from being stopped", async (t) => {
    await runApp(t, { exec: { drain: { exitCode: 1 } } }, { preStop: { exec: { command: ["drain"] } } });
    await stopApp(t);
    t.expectTimeline(
      "pod/app",
      `0s  Terminating  30s of grace
       0s  [app] Killing  Stopping container app
       0s  [app] FailedPreStopHook  PreStopHook failed
       0s  [app] Exited  code 143, after 0s
       0s  Failed
       0s  Gone  removed from the API`,
    );
  }),

  story("any HTTP answer is a success for a hook; no answer is a failure", async (t) => {
    await runApp(
      t,
      { answers: { http: { "*": { status: 500 } }, ports: [80] } },
      { postStart: { httpGet: { port: 80, path: "/up" } }, preStop: { httpGet: { port: 81, path: "/down" } } },
    );
    await t.until("pod/app", isReady, { within: seconds(1) });
    await stopApp(t);
    const events = t.events("pod/app").join("\n");
    assert.doesNotMatch(events, /FailedPostStartHook/);
    assert.match(events, /Warning {2}\[app\] FailedPreStopHook {2}PreStopHook failed/);
  }),

  story("a hook by tcpSocket is accepted and always fails, as it does in Kubernetes", async (t) => {
    await runApp(t, { answers: { ports: [80] } }, { preStop: { tcpSocket: { port: 80 } } });
    await stopApp(t);
    assert.match(t.events("pod/app").join("\n"), /Warning {2}\[app\] FailedPreStopHook {2}PreStopHook failed/);
  }),

  story("preStop does not run for a container that ends by itself", async (t) => {
    const commands: string[] = [];
    await runApp(
      t,
      {
        runsFor: seconds(5),
        exits: 0,
        exec: (command) => {
          commands.push(command.join(" "));
          return { exitCode: 0 };
        },
      },
      { preStop: { exec: { command: ["drain"] } } },
      { restartPolicy: "Never" },
    );
    await t.elapse(seconds(10));
    assert.equal((await t.pod("app")).status.phase, "Succeeded");
    assert.deepEqual(commands, []);
  }),

  story("a liveness kill runs preStop too", async (t) => {
    await t.nodes("node-a");
    t.image("app:1", {
      present: true,
      answers: { http: { "*": (since) => ({ status: since > seconds(9) ? 500 : 200 }) } },
      exec: { drain: { exitCode: 0, delay: seconds(3) } },
    });
    await t.apply(
      pod("app", {
        image: "app:1",
        container: {
          livenessProbe: { httpGet: { port: 80 }, periodSeconds: 5, failureThreshold: 1 },
          lifecycle: { preStop: { exec: { command: ["drain"] } } },
        },
      }),
    );
    await t.elapse(seconds(14));
    assert.equal((await t.container("app")).restartCount, 1);
    assert.match(t.timeline("pod/app"), /13s {2}\[app\] Exited {2}code 143, after 13s/);
  }),
];
