// Every example is run as its reader would run it, and does what it says.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import type { PrivateContainerd } from "../containerd/containerd.ts";
import { clock, until } from "../containerd/until.ts";
import { LifepodProcess } from "./lifepod-process.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));
const exampleImage = "docker.io/library/busybox:1.36";

interface Expectation {
  /** Pods that do not end by themselves are watched until they have come so far; then comes Ctrl-C. */
  readonly until?: RegExp;
  readonly status: number;
  /** What it tells of the Pods' lives, in this order, among other things. */
  readonly tells: readonly RegExp[];
  /** What the containers print, in this order, and nothing else; without it their logs are not shown. */
  readonly prints?: readonly string[];
}

const expectations: Readonly<Record<string, Expectation>> = {
  "active-deadline.yaml": {
    status: 1,
    tells: [
      /\[slow\] +Running/,
      / Failed +DeadlineExceeded: Pod was active on the node longer than the specified deadline$/,
      /^failed {2}active-deadline {2}failed: DeadlineExceeded: /,
    ],
  },
  "crash-loop.yaml": {
    until: / CrashLoopBackOff /,
    status: 1,
    tells: [
      / Exited +code 3/,
      / Running +restart 1/,
      / CrashLoopBackOff +back-off 10s restarting failed container=crasher pod=crash-loop_default/,
      /^failed {2}crash-loop\[crasher\] {2}exited with code 3, 2 times$/,
    ],
    prints: ["trying", "giving up", "trying", "giving up"],
  },
  "cronjob.yaml": {
    until: / Succeeded/,
    status: 130,
    tells: [/ Succeeded/, /^ok {2}\d+ Pods?, nothing failed$/],
  },
  "daemonset.yaml": {
    until: / Ready\n/,
    status: 130,
    tells: [/ Ready/, / Terminating +15s of grace/, / Exited +code 0/, / Gone/, /^ok {2}1 Pod, nothing failed$/],
    prints: ["hello from HOST"],
  },
  "deployment.yaml": {
    until: /(?: Ready\n[^]*){3}/,
    status: 130,
    tells: [/ Ready/, / Terminating +15s of grace/, / Exited +code 0/, / Gone/, /^ok {2}3 Pods, nothing failed$/],
    prints: ["hello", "hello", "hello", "told to end", "told to end", "told to end"],
  },
  "environment.yaml": {
    status: 0,
    tells: [/ Succeeded/],
    prints: ["hello, this is environment of blue with green, 250 millicores, swordfish"],
  },
  "graceful-shutdown.yaml": {
    until: / Ready\n/,
    status: 130,
    tells: [/ Ready/, / Terminating +10s of grace/, / Killing +Stopping container worker/, / Exited +code 0/, / Gone/],
    prints: ["finishing", "done"],
  },
  "hello.yaml": { status: 0, tells: [/ Running/, / Succeeded/], prints: ["hello from HOST", "goodbye"] },
  "init-containers.yaml": {
    status: 0,
    tells: [/\[fetch\] +Exited +code 0/, /\[prepare\] +Exited +code 0/, /\[main\] +Exited +code 0/, / Succeeded/],
    prints: ["first", "second", "third"],
  },
  "job.yaml": {
    status: 0,
    tells: [/ Succeeded/, / Succeeded/, / Succeeded/, /^ok {2}3 Pods, nothing failed$/],
    prints: ["piece 0", "piece 1", "piece 2"],
  },
  "lifecycle-hooks.yaml": {
    until: /serving\n[^]* Ready\n| Ready\n[^]*serving\n/,
    status: 130,
    tells: [/ Ready/, / Terminating +15s of grace/, / Exited +code 0/, / Gone/],
    prints: ["serving", "draining", "told to end"],
  },
  "liveness-http.yaml": {
    until: / restart 1\n[^]* Ready\n/,
    status: 130,
    tells: [
      / Ready/,
      / Unhealthy +Liveness probe failed: HTTP probe failed with statuscode: 500/,
      / Killing +Container web failed liveness probe, will be restarted/,
      / Running +restart 1/,
      / Ready/,
    ],
  },
  "persistent-volume-claim.yaml": {
    status: 0,
    tells: [/ Succeeded/, / Succeeded/],
    prints: ["written by the first"],
  },
  "probe-tcp.yaml": {
    until: / Ready\n/,
    status: 130,
    tells: [
      /\[server\] +Running/,
      / Unhealthy +Readiness probe failed: dial tcp [\d.]+:18081: connect: connection refused/,
      / Ready/,
    ],
  },
  "probes-exec.yaml": {
    until: / Ready\n/,
    status: 130,
    tells: [/\[app\] +Running/, / Unhealthy +Startup probe failed/, / Ready/],
  },
  "readiness-gate.yaml": {
    until: /\[app\] +Running\n/,
    status: 1,
    tells: [
      /\[app\] +Running/,
      /^failed {2}readiness-gate {2}is not Ready: corresponding condition of pod readiness gate "example\.com\/balanced" does not exist\.$/,
    ],
  },
  "resources.yaml": { status: 0, tells: [/ Succeeded/], prints: ["my class is Guaranteed"] },
  "rolling-update.yaml": {
    until: /(?: Ready\n[^]*){3}/,
    status: 130,
    tells: [/ Ready/, / Terminating +30s of grace/, / Exited +code 0/, / Gone/, /^ok {2}3 Pods, nothing failed$/],
  },
  "scheduling-gates.yaml": {
    until: / Pending\n/,
    status: 1,
    tells: [/ Pending/, /^failed {2}scheduling-gates {2}is not Ready: SchedulingGated: /],
  },
  "service.yaml": {
    until: /client +Succeeded\n/,
    status: 130,
    tells: [
      /greeter\S* +Ready/,
      /client +Succeeded/,
      / Terminating +10s of grace/,
      / Exited +code 0/,
      /^ok {2}3 Pods, nothing failed$/,
    ],
    prints: ["hello"],
  },
  "sidecar.yaml": {
    status: 0,
    tells: [/\[proxy\] +Running/, /\[main\] +Running/, /\[main\] +Exited +code 0/, / Succeeded/],
    prints: ["proxy is up", "working", "finished"],
  },
  "statefulset.yaml": {
    until: /(?: Ready\n[^]*){3}/,
    status: 130,
    tells: [
      /^.* member-0 .*Ready/,
      / Terminating +15s of grace/,
      / Exited +code 0/,
      / Gone/,
      /^ok {2}3 Pods, nothing failed$/,
    ],
    prints: ["member 0", "member 1", "member 2"],
  },
  "termination-message.yaml": {
    status: 1,
    tells: [
      / Exited +code 1, after \S+: the database at db:5432 refused the password$/,
      / Failed/,
      /^failed {2}termination-message\[job\] {2}exited with code 1$/,
    ],
  },
  "unschedulable.yaml": {
    until: / FailedScheduling /,
    status: 1,
    tells: [
      / FailedScheduling +0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\./,
      /^failed {2}unschedulable {2}is not Ready: Unschedulable: 0\/1 nodes are available: /,
    ],
  },
  "volumes.yaml": { status: 0, tells: [/ Succeeded/], prints: ["<h1>hello</h1>", 'abc123app="volumes"shared'] },
};

const files = readdirSync(folder).filter((name) => /\.(ya?ml|json)$/.test(name));

const textOf = (file: string): string => readFileSync(folder + file, "utf8");

it("each has its row here", () => {
  expect(files.sort()).toEqual(Object.keys(expectations).sort());
});

describe.each(runtimeRows)("the example, on %s,", (name, { absence, start }) => {
  let runtime: RuntimeAtHand | undefined;

  beforeAll(async () => {
    if (absence !== undefined) return;
    runtime = await start();
    if (runtime.containerd !== undefined) await provideImage(runtime.containerd);
  });
  afterAll(async () => {
    await runtime?.stop();
  });

  // The tests' containerd has no network to pull other images from; as processes they run what is installed here.
  const runnable = files.filter((file) => name === "process" || !/image: (?!busybox:1\.36$)/m.test(textOf(file)));
  it.concurrent.for(runnable)("%s", { timeout: 90_000 }, async (file, test) => {
    test.skip(absence !== undefined, absence);
    const needsRoot = name === "process" && /volumeMounts/.test(textOf(file));
    test.skip(needsRoot && process.getuid?.() !== 0, "volumes need root");
    const row = expectations[file];
    if (row === undefined || runtime === undefined) throw new Error(`no row or no runtime for ${file}`);

    const logs = row.prints === undefined ? [] : ["--logs"];
    const running = new LifepodProcess(["run", folder + file, ...logs, ...runtime.arguments]);
    if (row.until !== undefined) {
      await running.says(row.until, seconds(60));
      running.signal("SIGINT");
    }
    const ended = await running.ended;
    expect({ ...ended, stdout: "" }).toEqual({ status: row.status, signal: null, stdout: "", stderr: "" });
    const lines = ended.stdout.split("\n");
    const printed = /^ {11}\S+ +(.*)$/;
    const told = lines.filter((line) => !printed.test(line));
    let from = 0;
    for (const pattern of row.tells) {
      const at = told.findIndex((line, index) => index >= from && pattern.test(line));
      if (at < 0) throw new Error(`nothing like ${pattern} after line ${from} of\n${told.join("\n")}`);
      from = at + 1;
    }
    // TERM goes to a process group as a whole, and a shell may tell that it ended what the shell was running.
    const prints = lines.flatMap((line) => printed.exec(line)?.[1] ?? []).filter((line) => line !== "Terminated");
    expect(prints.map((line) => line.replace(/^hello from .+$/, "hello from HOST"))).toEqual(row.prints ?? []);
  });

  it("leaves nothing behind", async (test) => {
    test.skip(absence !== undefined, absence);
    expect(await runtime?.holdings()).toEqual([]);
  });
});

/** Gives the test image the name that the examples use, and waits until CRI knows it. */
async function provideImage(containerd: PrivateContainerd): Promise<void> {
  await containerd.ctr("images", "tag", containerd.images.busybox, exampleImage);
  const opened = await openCriRuntime({ endpoint: containerd.endpoint, clock });
  try {
    await until("CRI knows the image", async () => opened.images.imageStatus({ image: exampleImage }), seconds(10));
  } finally {
    await opened.close();
  }
}
