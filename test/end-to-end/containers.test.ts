// Containers that come to a running Pod or change in it, on real runtimes: guests of kubectl debug, a Pod that looks at its node, another image.

import { execFile } from "node:child_process";
import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findKubectl } from "../apiserver/kubectl.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { StandingCluster } from "./standing-cluster.ts";

const newest = findKubectl("1.33");

describe.each(runtimeRows)("on %s", (name, offer) => {
  const absence = offer.absence ?? (newest === undefined ? "there is no kubectl.1.33 on this machine" : undefined);
  let runtime: RuntimeAtHand;
  let cluster: StandingCluster;

  beforeAll(async () => {
    if (absence !== undefined) return;
    runtime = await offer.start();
    cluster = await StandingCluster.start(runtime.arguments);
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
    await runtime?.stop();
  }, 60_000);

  const kubectl = (...args: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const env = { PATH: process.env["PATH"], HOME: cluster.folder, KUBECONFIG: cluster.facts.kubeconfig };
      execFile(newest as string, args, { env }, (error, stdout, stderr) => {
        if (error === null) resolve();
        else reject(new Error(`${error.message}\n${stdout}${stderr}`));
      });
    });

  const pod = (podName: string, ...images: readonly string[]): V1Pod => ({
    metadata: { name: podName },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: images.map((image, index) => ({ name: `c${index}`, image, command: ["sleep", `${7000 + index}`] })),
    },
  });

  it("a guest sees the processes of the container that it is sent to", { timeout: 60_000 }, async (test) => {
    test.skip(absence !== undefined, absence);
    await cluster.create(pod("web", runtime.image, runtime.image));
    await cluster.until("web", "is Ready", isReady);
    // The first process in its sight, then all.
    const look = ["--", "sh", "-c", "cat /proc/1/cmdline /proc/[0-9]*/cmdline | tr '\\0' ' '"];
    const seenBy = async (guest: string, ...more: readonly string[]): Promise<string> => {
      const image = `--image=${runtime.image}`;
      await kubectl("debug", "web", "--quiet", "--profile=general", image, "-c", guest, ...more, ...look);
      await cluster.until("web", `tells that ${guest} ended`, (each) => endOf(each, guest) === 0);
      return cluster.log("web", { container: guest });
    };
    // Processes of the machine all see each other; containers see what they are sent to, or nobody.
    const isolated = name === "containerd";
    expect(await seenBy("targeted", "--target=c1")).toMatch(isolated ? /^sleep 7001 (?!.*sleep 7000)/ : /sleep 7001/);
    expect(/sleep 700[01]/.test(await seenBy("alone"))).toBe(!isolated);
    const after = await cluster.until("web", "is Ready", isReady);
    expect(after.status?.containerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0, 0]);
    await cluster.delete("web");
    await cluster.untilGone("web");
  });

  it("a debugging Pod sees its node's files and processes", { timeout: 60_000 }, async (test) => {
    test.skip(absence !== undefined, absence);
    const { facts, process: lifepod } = cluster;
    const look = `test -e /host${facts.kubeconfig} && echo files; test -e /proc/${lifepod.pid} && echo processes`;
    const image = `--image=${runtime.image}`;
    await kubectl("debug", `node/${facts.node}`, "--quiet", "--profile=sysadmin", image, "--", "sh", "-c", look);
    const { items } = await cluster.api.listNamespacedPod({ namespace: "default" });
    const made = items.find(({ metadata }) => metadata?.name?.startsWith("node-debugger-"))?.metadata?.name ?? "";
    await cluster.until(made, "has ended", (each) => each.status?.phase === "Succeeded");
    expect(await cluster.log(made)).toBe("files\nprocesses\n");
    await cluster.delete(made);
    await cluster.untilGone(made);
  });

  it("another image restarts the one container that it is for", { timeout: 60_000 }, async (test) => {
    test.skip(absence !== undefined, absence);
    const other = runtime.containerd?.images.busyboxUser ?? "busybox:1.37";
    await cluster.create(pod("changed", runtime.image, runtime.image));
    const before = await cluster.until("changed", "is Ready", isReady);
    await kubectl("set", "image", "pod/changed", `c1=${other}`);
    const after = await cluster.until(
      "changed",
      "runs the other image",
      (each) => isReady(each) && status(each, "c1").restartCount === 1,
    );
    expect(status(after, "c0")).toEqual(status(before, "c0"));
    expect(status(after, "c1").image).toBe(other);
    expect(status(after, "c1").lastState?.terminated).toMatchObject({
      containerID: status(before, "c1").containerID,
      exitCode: name === "containerd" ? 137 : 143, // the first process of a PID namespace does not hear TERM
    });
    const events = await cluster.events(after);
    expect(events.map(({ reason, message }) => `${reason} ${message}`)).toContain(
      "Killing Container c1 definition changed, will be restarted",
    );
    await cluster.delete("changed");
    await cluster.untilGone("changed");
  });
});

const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;

function status(pod: V1Pod, container: string): V1ContainerStatus {
  const found = pod.status?.containerStatuses?.find((each) => each.name === container);
  if (found === undefined) throw new Error(`no status of ${container}`);
  return found;
}

const endOf = (pod: V1Pod, guest: string): number | undefined =>
  pod.status?.ephemeralContainerStatuses?.find((each) => each.name === guest)?.state?.terminated?.exitCode;
