// `lifepod run FILE…`: a throw-away cluster, the Pods of some manifests, their lives as they happen, an exit status that means something.

import { rm } from "node:fs/promises";
import type { Event, Job, Pod } from "../api/index.ts";
import { millis } from "../base/time.ts";
import { createInformer } from "../client/informer.ts";
import { WallClock } from "../host/wall-clock.ts";
import { type StandaloneCluster, startStandaloneCluster } from "../standalone/standalone-cluster.ts";
import { endDeadRuns, makeRunFolder } from "../standalone/dead-runs.ts";
import { endWorkloads } from "../standalone/end-workloads.ts";
import { type Manifest, ManifestError, readManifests } from "../standalone/manifests.ts";
import { applyManifests } from "../standalone/apply-manifests.ts";
import type { ImageCommands, RuntimeChoice } from "../standalone/choose-runtime.ts";
import { lifepodVersion } from "../standalone/version.ts";
import { eventEntry, podEntries } from "../timeline/pod-life.ts";
import { Verdict } from "../timeline/verdict.ts";
import { CommandError } from "./command-error.ts";
import { ContainerLogs } from "./container-logs.ts";
import { createLifeView, type LifeView } from "./life-view.ts";
import { podLine } from "./pod-line.ts";
import { standardOutput, type Terminal } from "./terminal.ts";

export interface RunOptions {
  readonly runtime: RuntimeChoice;
  readonly runtimeEndpoint?: string;
  readonly image?: ImageCommands;
  /** Milliseconds. */
  readonly for?: number;
  readonly logs?: boolean;
}

/** @returns the exit status */
export async function runCommand(files: readonly string[], options: RunOptions): Promise<number> {
  const terminal = standardOutput();
  const manifests = await readManifests(files).catch((error: unknown) => {
    throw error instanceof ManifestError ? new CommandError(error.message) : error;
  });
  // From here on there is something to clean up.
  const stopping = stopSignal(terminal);
  const folder = await makeRunFolder();
  let cluster: StandaloneCluster | undefined;
  try {
    cluster = await startStandaloneCluster({
      folder,
      durable: false,
      host: "127.0.0.1",
      port: 0,
      runtime: options.runtime,
      ...(options.runtimeEndpoint !== undefined && { runtimeEndpoint: options.runtimeEndpoint }),
      ...(options.image !== undefined && { images: options.image }),
      log: (message) => terminal.write(`${message}\n`),
    });
    const cleaning = endDeadRuns((message) => terminal.write(`${message}\n`));
    const status = await liveInCluster(cluster, manifests, options, terminal, stopping);
    await cleaning;
    return status;
  } finally {
    await cluster?.stop({ pods: "end" });
    await rm(folder, { recursive: true, force: true });
    stopping.release();
  }
}

async function liveInCluster(
  cluster: StandaloneCluster,
  manifests: readonly Manifest[],
  options: RunOptions,
  terminal: Terminal,
  stopping: StopSignal,
): Promise<number> {
  const clock = new WallClock();
  const started = clock.now();
  const view = createLifeView(terminal, started);
  const { paint } = terminal;
  view.note(
    paint.dim(
      `lifepod ${lifepodVersion}, runtime ${cluster.runtimeName} (${cluster.runtimeReason}), node ${cluster.nodeName}`,
    ),
  );
  view.note(paint.dim(`kubectl: export KUBECONFIG=${cluster.kubeconfigPath}`));

  const verdict = new Verdict();
  const lives = await watchLives(cluster, view, verdict, clock, options.logs === true);
  let why: "finished" | "time" | "signal" | "refused";
  const interrupted = stopping.first.then(() => "signal" as const);
  const begin = await Promise.race([interrupted, cluster.whenNodeReady().then(() => "ready" as const)]);
  const refused =
    begin === "signal" ? [] : await applyManifests(cluster, manifests, (text) => view.note(paint.yellow(text)));
  for (const refusal of refused) view.note(paint.red(refusal));
  if (refused.length > 0) why = "refused";
  else {
    // Who makes Jobs by the clock is never done.
    const isEndless = manifests.some(({ object }) => object["kind"] === "CronJob");
    const finished = isEndless ? new Promise<never>(() => undefined) : lives.finished.then(() => "finished" as const);
    const decided = new AbortController();
    const limit = options.for === undefined ? [] : [clock.sleep(millis(options.for), decided.signal)];
    why = await Promise.race([interrupted, finished, ...limit.map((time) => time.then(() => "time" as const))]);
    decided.abort(); // the limit must not keep lifepod alive
  }

  const failures = why === "refused" ? [] : verdict.failures();
  await lives.deleteAll(
    stopping.second,
    why === "signal" ? "interrupted" : why === "time" ? "the time is over" : undefined,
  );
  view.close();
  lives.stop();

  for (const { namespace, pod, container, text } of failures) {
    const subject = `${namespace === "default" ? "" : `${namespace}/`}${pod}${container === undefined ? "" : `[${container}]`}`;
    terminal.write(`${paint.red("failed")}  ${paint.bold(subject)}  ${text}\n`);
  }
  if (why === "refused") return 2;
  if (failures.length > 0) return 1;
  terminal.write(
    `${paint.green("ok")}  ${lives.podCount()} ${lives.podCount() === 1 ? "Pod" : "Pods"}, nothing failed\n`,
  );
  return why === "signal" ? 130 : 0;
}

interface Lives {
  /** Every Pod and every Job has come to its end by itself. */
  readonly finished: Promise<void>;
  podCount(): number;
  /** Deletes all Pods gracefully and waits until they are gone; with hardly any grace once `force` resolves. */
  deleteAll(force: Promise<void>, because: string | undefined): Promise<void>;
  stop(): void;
}

async function watchLives(
  cluster: StandaloneCluster,
  view: LifeView,
  verdict: Verdict,
  clock: WallClock,
  logs: boolean,
): Promise<Lives> {
  const { client } = cluster;
  const seen = new Map<string, Pod>();
  const everSeen = new Set<string>();
  const printed = logs ? new ContainerLogs(cluster, view) : undefined;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let gone = (): void => undefined;

  const pods = createInformer<Pod>({ resource: client.pods, clock, random: cluster.random, name: "run/pods" });
  pods.onAny((change) => {
    const { object } = change;
    const { uid, name } = object.metadata;
    const deleted = change.kind === "deleted";
    for (const entry of podEntries(seen.get(uid), deleted ? undefined : object, clock.now())) view.entry(entry);
    if (deleted) {
      seen.delete(uid);
      verdict.lost(object);
      view.pod(name, undefined);
      if (seen.size === 0) gone();
      return;
    }
    everSeen.add(uid);
    seen.set(uid, object);
    printed?.saw(object);
    verdict.saw(object);
    view.pod(name, podLine(object));
    if (verdict.allFinished()) finish();
  });
  const jobs = createInformer<Job>({ resource: client.jobs, clock, random: cluster.random, name: "run/jobs" });
  jobs.onAny(({ kind, object }) => {
    if (kind === "deleted") verdict.lostJob(object);
    else verdict.sawJob(object);
    if (verdict.allFinished()) finish();
  });
  const events = createInformer<Event>({ resource: client.events, clock, random: cluster.random, name: "run/events" });
  events.onAny((change) => {
    if (change.kind === "deleted") return;
    const entry = eventEntry(change.object, clock.now());
    if (entry !== undefined) view.entry(entry);
  });
  jobs.start();
  pods.start();
  events.start();

  return {
    finished,
    podCount: () => everSeen.size,
    async deleteAll(force, because) {
      // What has been printed by now belongs to the run; a container that has ended has a log that ends.
      if (because === undefined) await printed?.finished();
      if (seen.size === 0) return;
      if (because !== undefined)
        view.note(
          `${because}: deleting ${seen.size} ${seen.size === 1 ? "Pod" : "Pods"} gracefully (Ctrl-C again: by force)`,
        );
      const allGone = new Promise<void>((resolve) => {
        gone = resolve;
      });
      // Whoever would replace a Pod goes first; what they own follows them.
      await endWorkloads(cluster.client);
      await Promise.all([...seen.values()].filter(isNobodys).map((pod) => deletePod(cluster, pod)));
      await Promise.race([allGone, force]);
      // The shortest grace there is. Without any, the API would let go of Pods that still run.
      if (seen.size > 0) await Promise.all([...seen.values()].map((pod) => deletePod(cluster, pod, 1)));
      await allGone;
      await printed?.finished();
    },
    stop() {
      printed?.stop();
      pods.stop();
      jobs.stop();
      events.stop();
    },
  };
}

const isNobodys = ({ metadata }: Pod): boolean => (metadata.ownerReferences ?? []).length === 0;

async function deletePod(cluster: StandaloneCluster, pod: Pod, gracePeriodSeconds?: number): Promise<void> {
  await cluster.client.pods
    .delete(pod.metadata.name, pod.metadata.namespace, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })
    .catch((error: unknown) => {
      if ((error as { reason?: string }).reason !== "NotFound") throw error;
    });
}

interface StopSignal {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  readonly release: () => void;
}

/**
 * Ctrl-C or TERM, and the second one, when a person has run out of patience. That the terminal or whoever reads the output has gone counts as the
 * first: Pods that nobody watches any more are not to stay behind.
 */
function stopSignal({ closed }: Terminal): StopSignal {
  let count = 0;
  let onFirst = (): void => undefined;
  let onSecond = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    onFirst = resolve;
  });
  const second = new Promise<void>((resolve) => {
    onSecond = resolve;
  });
  const onSignal = (): void => {
    count++;
    onFirst();
    if (count === 1) return;
    onSecond();
    release(); // a third one ends lifepod as it ends any program
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const release = (): void => {
    for (const signal of signals) process.removeListener(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  void closed.then(onFirst);
  return { first, second, release };
}
