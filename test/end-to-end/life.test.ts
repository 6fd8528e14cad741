// The whole life of a Pod, as a person with a client sees it: the built program, real processes, real containers.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { type PodSighting, StandingCluster } from "./standing-cluster.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { mountsBelow, podFilesIn, processesWith } from "./traces.ts";

describe.concurrent.each(runtimeRows)("a Pod's life on %s", (_, { absence, start }) => {
  let runtime: RuntimeAtHand;
  let cluster: StandingCluster;

  beforeAll(async () => {
    if (absence !== undefined) return;
    runtime = await start();
    cluster = await StandingCluster.start(runtime.arguments);
  });
  afterAll(async () => {
    await cluster?.stop();
    await runtime?.stop();
  });

  it("takes its course: init, startup, hooks, a crash, a liveness failure, deletion", {
    timeout: 90_000,
  }, async (test) => {
    test.skip(absence !== undefined, absence);
    const control = join(cluster.folder, "control");
    await mkdir(control);
    const { sightings, stop } = await cluster.watch("life");
    const order = async (): Promise<readonly string[]> =>
      (await readFile(join(control, "order"), "utf8")).trimEnd().split("\n");

    await cluster.create(livingPod(runtime.image, control));
    const ready = await cluster.until("life", "is Ready", isReady);
    expect(await order()).toEqual(["setup", "start"]);
    expect(ready.status).toMatchObject({ phase: "Running", qosClass: "Burstable", hostIP: expect.any(String) });
    expect(await cluster.log("life", { container: "setup" })).toBe("setting up life\n");
    expect(await cluster.log("life")).toBe("hello life, attempt 1\n");

    // Init before all else, and a second of work; then the startup probe holds readiness back for two.
    const setup = ready.status?.initContainerStatuses?.[0]?.state?.terminated;
    const first = app(ready);
    expect(setup).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(secondsBetween(setup?.startedAt, setup?.finishedAt)).toBeGreaterThanOrEqual(0.9);
    expect(secondsBetween(setup?.finishedAt, first.state?.running?.startedAt)).toBeGreaterThanOrEqual(0);
    const becameReady = sightings.find(({ pod }) => isReady(pod));
    expect((becameReady?.at ?? 0) - Number(first.state?.running?.startedAt)).toBeGreaterThanOrEqual(2000 - 1000);

    // A crash: started again at once.
    await writeFile(join(control, "crash"), "");
    const again = await cluster.until(
      "life",
      "is Ready after a crash",
      (pod) => isReady(pod) && app(pod).restartCount === 1,
    );
    const crashed = app(again).lastState?.terminated;
    expect(crashed).toMatchObject({ exitCode: 3, reason: "Error", containerID: first.containerID });
    expect(app(again).containerID).not.toBe(first.containerID);
    expect(secondsBetween(crashed?.finishedAt, app(again).state?.running?.startedAt)).toBeLessThan(8);
    expect(await cluster.log("life", { previous: true })).toBe("hello life, attempt 1\ncrashing\n");
    expect(await cluster.log("life")).toBe("hello life, attempt 2\n");

    // Two failures of the liveness probe: preStop, TERM, and ten seconds of back-off, since it is the second end.
    await writeFile(join(control, "sick"), "");
    const waiting = await cluster.until(
      "life",
      "is in back-off",
      (pod) => app(pod).state?.waiting?.reason === "CrashLoopBackOff",
    );
    const uid = waiting.metadata?.uid;
    expect(app(waiting).state?.waiting?.message).toBe(
      `back-off 10s restarting failed container=app pod=life_default(${uid})`,
    );
    expect(app(waiting)).toMatchObject({ ready: false, started: false, restartCount: 1 });
    expect(app(waiting).lastState?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(condition(waiting, "ContainersReady")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [app]",
    });
    await rm(join(control, "sick"));
    const third = await cluster.until(
      "life",
      "is Ready after back-off",
      (pod) => isReady(pod) && app(pod).restartCount === 2,
    );
    const ended = app(third).lastState?.terminated;
    const pause = secondsBetween(ended?.finishedAt, app(third).state?.running?.startedAt);
    expect(pause).toBeGreaterThanOrEqual(10 - 1); // the API's times are whole seconds
    expect(pause).toBeLessThan(20);

    // The end: preStop (one second) before TERM, all within the grace, and the last status before the Pod goes.
    const deletedAt = Date.now();
    await cluster.delete("life");
    await cluster.untilGone("life");
    expect(Date.now() - deletedAt).toBeGreaterThanOrEqual(1000);
    stop();
    const last = sightings.at(-1);
    expect(last?.kind).toBe("DELETED");
    expect(last?.pod.status?.phase).toBe("Succeeded");
    expect(app(last?.pod).state?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
    expect(await order()).toEqual(["setup", "start", "start", "preStop", "term", "start", "preStop", "term"]);
    expect(await readFile(join(control, "hooks"), "utf8")).toBe("postStart\n".repeat(3));

    const seen = milestones(sightings);
    // States that are over in a moment may fall between two reports.
    const fleeting = [
      "Pending",
      "Pending setup:Completed(0) app:PodInitializing",
      "Running setup:Completed(0) app:Error(3)",
      "Running setup:Completed(0) app:Completed(0)#1",
    ];
    const course = [
      "Pending",
      "Pending setup:PodInitializing app:PodInitializing",
      "Pending setup:running app:PodInitializing",
      "Pending setup:Completed(0) app:PodInitializing",
      "Running setup:Completed(0) app:running(starting)",
      "Running setup:Completed(0) app:running Ready",
      "Running setup:Completed(0) app:Error(3)",
      "Running setup:Completed(0) app:running(starting)#1",
      "Running setup:Completed(0) app:running#1 Ready",
      "Running setup:Completed(0) app:Completed(0)#1",
      "Running setup:Completed(0) app:CrashLoopBackOff#1",
      "Running setup:Completed(0) app:running(starting)#2",
      "Running setup:Completed(0) app:running#2 Ready",
      "deleted Running setup:Completed(0) app:running#2 Ready",
      "deleted Succeeded setup:Completed(0) app:Completed(0)#2",
    ];
    expect(seen).toEqual(course.filter((line) => seen.includes(line) || !fleeting.includes(line)));

    const told = (await cluster.events(ready)).map(
      ({ type, reason, message, involvedObject: { fieldPath }, count = 1 }) => ({
        text: `${type} ${reason} ${fieldPath ?? ""}: ${message}`,
        count,
      }),
    );
    const image = `Container image "${runtime.image}" already present on machine`;
    const [init, main] = ["spec.initContainers{setup}", "spec.containers{app}"];
    // What repeats with time comes at least so often, all else exactly.
    const atLeast = new Map([
      [`Warning Unhealthy ${main}: Startup probe failed: `, 3],
      [`Warning BackOff ${main}: Back-off restarting failed container app in pod life_default(${uid})`, 1],
    ]);
    const exactly = new Map([
      [`Normal Scheduled : Successfully assigned default/life to ${cluster.facts.node}`, 1],
      [`Normal Pulled ${init}: ${image}`, 1],
      [`Normal Created ${init}: Created container: setup`, 1],
      [`Normal Started ${init}: Started container setup`, 1],
      [`Normal Pulled ${main}: ${image}`, 3],
      [`Normal Created ${main}: Created container: app`, 3],
      [`Normal Started ${main}: Started container app`, 3],
      [`Warning Unhealthy ${main}: Liveness probe failed: sick\n`, 2],
      [`Normal Killing ${main}: Container app failed liveness probe, will be restarted`, 1],
      [`Normal Killing ${main}: Stopping container app`, 1],
    ]);
    // A probe that is on its way when its container ends finds nobody.
    const isChance = (text: string): boolean => / probe errored and resulted in unknown state: /.test(text);
    expect(
      new Map(told.filter(({ text }) => !atLeast.has(text) && !isChance(text)).map(({ text, count }) => [text, count])),
    ).toEqual(exactly);
    for (const [text, count] of atLeast) {
      expect(told).toContainEqual({ text, count: expect.toSatisfy((n: number) => n >= count) });
    }

    // And nothing is left.
    await until("its files are gone", () => (podFilesIn(cluster.data).length === 0 ? true : undefined));
    expect(await runtime.holdings()).toEqual([]);
    expect(mountsBelow(cluster.folder)).toEqual([]);
    expect(processesWith(control)).toEqual([]);
  });
});

function livingPod(image: string, control: string): V1Pod {
  const env = [
    { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "CONTROL", value: control },
    { name: "GREETING", value: "hello $(POD)" },
  ];
  const volumeMounts = [
    { name: "control", mountPath: control },
    { name: "work", mountPath: "/lifepod-e2e" },
  ];
  const shell = (script: string): { command: string[] } => ({ command: ["sh", "-c", script] });
  return {
    metadata: { name: "life" },
    spec: {
      terminationGracePeriodSeconds: 20,
      initContainers: [
        {
          name: "setup",
          image,
          env,
          volumeMounts,
          ...shell(
            'echo "setting up $POD"; echo "$GREETING" > /lifepod-e2e/greeting; echo setup >> $CONTROL/order; sleep 1',
          ),
        },
      ],
      containers: [
        {
          name: "app",
          image,
          env,
          volumeMounts,
          resources: { requests: { cpu: "10m" } },
          ...shell(`
            trap 'echo term >> $CONTROL/order; rm -f $CONTROL/started; exit 0' TERM
            echo start >> $CONTROL/order
            echo attempt >> /lifepod-e2e/attempts
            echo "$(cat /lifepod-e2e/greeting), attempt $(wc -l < /lifepod-e2e/attempts)"
            sleep 2; touch $CONTROL/started
            until [ -e $CONTROL/crash ]; do sleep 0.1; done
            rm $CONTROL/crash $CONTROL/started
            echo crashing >&2
            exit 3`),
          startupProbe: { exec: shell("test -e $CONTROL/started"), periodSeconds: 1, failureThreshold: 60 },
          livenessProbe: {
            exec: shell("if test -e $CONTROL/sick; then echo sick; exit 1; fi"),
            periodSeconds: 1,
            failureThreshold: 2,
          },
          lifecycle: {
            postStart: { exec: shell("echo postStart >> $CONTROL/hooks") },
            preStop: { exec: shell("echo preStop >> $CONTROL/order; sleep 1") },
          },
        },
      ],
      volumes: [
        { name: "control", hostPath: { path: control } },
        { name: "work", emptyDir: {} },
      ],
    },
  };
}

/** How the Pod stood, each time that was different from before. */
function milestones(sightings: readonly PodSighting[]): readonly string[] {
  const lines = sightings.map(({ pod }) => {
    const { phase, initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
    const states = [...initContainerStatuses, ...containerStatuses].map(stateText);
    return [
      pod.metadata?.deletionTimestamp === undefined ? [] : "deleted",
      phase,
      ...states,
      isReady(pod) ? "Ready" : [],
    ]
      .flat()
      .join(" ");
  });
  return lines.filter((line, index) => line !== lines[index - 1]);
}

function stateText({ name, state, started, restartCount }: V1ContainerStatus): string {
  const text =
    state?.running !== undefined
      ? `running${started === true ? "" : "(starting)"}`
      : state?.terminated !== undefined
        ? `${state.terminated.reason}(${state.terminated.exitCode})`
        : state?.waiting?.reason;
  return `${name}:${text}${restartCount === 0 ? "" : `#${restartCount}`}`;
}

const condition = (pod: V1Pod, type: string) => pod.status?.conditions?.find((each) => each.type === type);
const isReady = (pod: V1Pod): boolean => condition(pod, "Ready")?.status === "True";

function app(pod: V1Pod | undefined): V1ContainerStatus {
  const status = pod?.status?.containerStatuses?.find(({ name }) => name === "app");
  if (status === undefined) throw new Error(`no status of app in ${JSON.stringify(pod?.status)}`);
  return status;
}

/** Times of the API are whole seconds, rounded down. */
const secondsBetween = (from: Date | undefined, to: Date | undefined): number => (Number(to) - Number(from)) / 1000;
