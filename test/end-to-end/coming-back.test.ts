// lifepod is killed with -9 while Pods are in every moment of their lives, and started again over the same folder: what ran goes on, what ended ended, what
// was to end ends, and nothing happens twice.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1Container, V1ContainerStatus, V1Pod, V1PodSpec } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { mountsBelow, podFilesIn, processesWith } from "./traces.ts";

describe.concurrent.each(runtimeRows)("lifepod killed with -9 over %s", (_, { absence, start }) => {
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

  it("comes back to the Pods as they are", { timeout: 120_000 }, async (test) => {
    test.skip(absence !== undefined, absence);
    const control = join(cluster.folder, "control");
    await mkdir(control);
    const pods = podMaker(runtime.image, control);
    const told = async (file: string): Promise<string> => readFile(join(control, file), "utf8");
    const say = (file: string): Promise<void> => writeFile(join(control, file), "");

    await Promise.all([
      cluster.create(
        pods.make("initializing", {
          initContainers: [
            pods.container("first", "echo first >> $CONTROL/inits"),
            pods.container("second", "echo second >> $CONTROL/inits; until [ -e $CONTROL/go-on ]; do sleep 0.1; done"),
          ],
          containers: [pods.container("main", "echo main >> $CONTROL/inits; exec sleep 1000")],
        }),
      ),
      cluster.create(
        pods.make("running", {
          containers: [
            pods.container("main", "[ -e $CONTROL/ran ] || { touch $CONTROL/ran; exit 1; }; exec sleep 1000", {
              startupProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
              readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
              livenessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
            }),
          ],
        }),
      ),
      cluster.create(
        pods.make("stopping", {
          terminationGracePeriodSeconds: 60,
          containers: [
            pods.container("main", untilTold("stopping"), {
              lifecycle: {
                preStop: {
                  exec: {
                    command: [
                      "sh",
                      "-c",
                      "echo hook >> $CONTROL/stopping; until [ -e $CONTROL/let-go ]; do sleep 0.1; done",
                    ],
                  },
                },
              },
            }),
          ],
        }),
      ),
      cluster.create(pods.make("backing-off", { containers: [pods.container("main", "exit 3")] })),
      cluster.create(pods.make("told-to-go", { containers: [pods.container("main", untilTold("told-to-go"))] })),
      cluster.create(pods.make("vanished", { containers: [pods.container("main", untilTold("vanished"))] })),
      cluster.create(
        pods.make("ends", {
          restartPolicy: "Never",
          containers: [pods.container("main", "until [ -e $CONTROL/end ]; do sleep 0.1; done; echo over; exit 7")],
        }),
      ),
      cluster.create(
        pods.make("crashes", {
          containers: [
            pods.container(
              "main",
              "[ -e $CONTROL/crashed ] && exec sleep 1000; until [ -e $CONTROL/crash ]; do sleep 0.1; done; touch $CONTROL/crashed; exit 5",
            ),
          ],
        }),
      ),
      cluster.create(
        pods.make("finished", {
          restartPolicy: "Never",
          containers: [pods.container("main", "echo once >> $CONTROL/finished")],
        }),
      ),
    ]);

    // Each in its moment.
    const initializing = await cluster.until("initializing", "runs its second init container", (pod) => {
      const [first, second] = pod.status?.initContainerStatuses ?? [];
      return first?.state?.terminated !== undefined && second?.state?.running !== undefined;
    });
    const running = await cluster.until(
      "running",
      "is Ready after a crash",
      (pod) => isReady(pod) && main(pod).restartCount === 1,
    );
    const backingOff = await cluster.until(
      "backing-off",
      "waits to be restarted",
      (pod) => main(pod)?.restartCount === 1 && main(pod).state?.waiting?.reason === "CrashLoopBackOff",
    );
    const finished = await cluster.until("finished", "has succeeded", (pod) => pod.status?.phase === "Succeeded");
    for (const name of ["stopping", "told-to-go", "vanished", "ends", "crashes"])
      await cluster.until(name, "is Ready", isReady);
    const processes = processesWith(pods.mark("running"));
    expect(processes.length).toBeGreaterThan(0);
    await cluster.delete("stopping");
    await until("the preStop hook of stopping runs", async () => ((await told("stopping")) !== "" ? true : undefined));

    // What was acknowledged is to happen, though nothing of it has begun.
    await Promise.all([cluster.delete("told-to-go"), cluster.delete("vanished", 0)]);
    await cluster.end("SIGKILL");

    // Life goes on without lifepod.
    await Promise.all([say("end"), say("crash")]);
    const ended = ["ends", "crashes"];
    await until("both have ended", () =>
      ended.every((name) => processesWith(pods.mark(name)).length === 0) ? true : undefined,
    );
    const backAt = Date.now();

    // It dies again as soon as it is back.
    await cluster.up();
    await cluster.end("SIGKILL");
    await cluster.up();

    const stillRunning = await cluster.until("running", "is Ready", isReady);
    expect(stillRunning.status).toEqual(running.status);
    expect(processesWith(pods.mark("running"))).toEqual(expect.arrayContaining([...processes]));
    expect((await cluster.find("finished"))?.status).toEqual(finished.status);
    expect(await told("finished")).toBe("once\n");

    const over = await cluster.until("ends", "has failed", (pod) => pod.status?.phase === "Failed");
    expect(main(over)).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 7, reason: "Error" } } });
    expect(Number(main(over).state?.terminated?.finishedAt)).toBeLessThanOrEqual(backAt);
    expect(await cluster.log("ends")).toBe("over\n");

    const again = await cluster.until("crashes", "runs again", (pod) => isReady(pod) && main(pod).restartCount === 1);
    expect(main(again).lastState?.terminated).toMatchObject({ exitCode: 5, reason: "Error" });
    expect(Number(main(again).lastState?.terminated?.finishedAt)).toBeLessThanOrEqual(backAt);

    expect(await told("inits")).toBe("first\nsecond\n");
    const going = (await cluster.find("initializing"))?.status?.initContainerStatuses;
    expect(going).toEqual(initializing.status?.initContainerStatuses);
    await say("go-on");
    await cluster.until("initializing", "is Ready", isReady);
    expect(await told("inits")).toBe("first\nsecond\nmain\n");

    await cluster.untilGone("told-to-go");
    expect(await told("told-to-go")).toBe("term\n");
    await until("what vanished has ended", () =>
      processesWith(pods.mark("vanished")).length === 0 ? true : undefined,
    );
    expect(await told("vanished")).toBe("term\n");

    expect((await cluster.find("stopping"))?.metadata?.deletionTimestamp).toBeDefined();
    await say("let-go");
    await cluster.untilGone("stopping");
    expect(await told("stopping")).toMatch(/^(hook\n){1,3}term\n$/);

    // The back-off goes on where it was: ten seconds from the end to the next start, and the next is longer.
    const restarted = await cluster.until("backing-off", "was restarted", (pod) => main(pod).restartCount >= 2);
    const first = main(backingOff).lastState?.terminated;
    const { state, lastState } = main(restarted);
    const second = state?.running ?? state?.terminated ?? lastState?.terminated;
    expect(Number(second?.startedAt) - Number(first?.finishedAt)).toBeGreaterThanOrEqual(9000);
    const longer = await cluster.until("backing-off", "waits longer", (pod) =>
      (main(pod).state?.waiting?.message ?? "").startsWith("back-off 20s "),
    );
    expect(main(longer).restartCount).toBe(2);

    // Nothing of those that are gone is left, and with the last Pod the last trace goes.
    const names = ["initializing", "running", "backing-off", "ends", "crashes", "finished"];
    const uids = await Promise.all(names.map(async (name) => (await cluster.find(name))?.metadata?.uid ?? ""));
    const strangers = (): readonly string[] =>
      podFilesIn(cluster.data).filter((path) => /^(pods|logs)\//.test(path) && !uids.some((uid) => path.includes(uid)));
    await until("files of Pods that are gone are gone", () => (strangers().length === 0 ? true : undefined));
    await Promise.all(names.map((name) => cluster.delete(name, 1)));
    for (const name of names) await cluster.untilGone(name);
    await until("all files are gone", () => (podFilesIn(cluster.data).length === 0 ? true : undefined));
    expect(await runtime.holdings()).toEqual([]);
    expect(mountsBelow(cluster.folder)).toEqual([]);
    expect(processesWith(control)).toEqual([]);
  });
});

interface PodMaker {
  /** What the environment of each process of a Pod holds. */
  mark(pod: string): string;
  container(name: string, script: string, more?: Partial<V1Container>): V1Container;
  make(name: string, spec: V1PodSpec): V1Pod;
}

function podMaker(image: string, control: string): PodMaker {
  return {
    mark: (pod) => `MARK=${control}/${pod}`,
    container: (name, script, more = {}) => ({
      name,
      image,
      command: ["sh", "-c", script],
      env: [
        { name: "CONTROL", value: control },
        { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        { name: "MARK", value: "$(CONTROL)/$(POD)" },
      ],
      volumeMounts: [{ name: "control", mountPath: control }],
      ...more,
    }),
    make: (name, spec) => ({
      metadata: { name },
      spec: Object.assign({ terminationGracePeriodSeconds: 5 }, spec, {
        volumes: [{ name: "control", hostPath: { path: control } }],
      }),
    }),
  };
}

/** Runs until TERM, and says so. */
const untilTold = (file: string): string =>
  `trap 'echo term >> $CONTROL/${file}; exit 0' TERM; touch $CONTROL/${file}; while :; do sleep 0.1; done`;

const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

function main(pod: V1Pod): V1ContainerStatus {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === "main");
  return status ?? { name: "main", image: "", imageID: "", ready: false, restartCount: 0 };
}
