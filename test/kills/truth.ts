// Compares what the API says of the Pods of a churn with what they wrote down themselves and with what runs on the machine.

import { readdirSync, readFileSync } from "node:fs";
import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { type Churn, type ChurnPod, mainMark, type Testimony } from "./churn.ts";

/** Uptimes, in seconds, between which somebody was killed and came back. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/**
 * What is not as it must be, a line each; empty when the API tells the truth and every Pod is where it belongs.
 * @param lost how many instances of a Pod's container the runtime itself has lost before they began
 */
export function untruths(
  churn: Churn,
  items: readonly V1Pod[],
  testimonies: string,
  outages: readonly Outage[],
  lost: (pod: string, container: string) => number,
): readonly string[] {
  const inApi = new Map(items.map((pod) => [pod.metadata?.uid ?? "", pod]));
  const running = mainProcesses(testimonies);
  return [...churn.pods.values()].flatMap((pod) => {
    const seen = inApi.get(pod.uid);
    const alive = running.get(pod.uid) ?? [];
    if (pod.deleted) {
      if (seen !== undefined) return [`${pod.name} was deleted and is still there`];
      return alive.length > 0 ? [`${pod.name} was deleted and still runs ${alive.join(", ")}`] : [];
    }
    if (seen === undefined) return [`${pod.name} is lost`];
    return [...untruthsOf(pod, seen, churn.testimoniesOf(pod), alive, outages, lost)].map(
      (text) => `${pod.name}: ${text}`,
    );
  });
}

function* untruthsOf(
  pod: ChurnPod,
  seen: V1Pod,
  told: readonly Testimony[],
  alive: readonly string[],
  outages: readonly Outage[],
  lost: (pod: string, container: string) => number,
): Generator<string> {
  const statuses = [...(seen.status?.initContainerStatuses ?? []), ...(seen.status?.containerStatuses ?? [])];
  for (const { name, state } of statuses) {
    const runs = alive.filter((container) => container === name).length;
    if (state?.running !== undefined && runs !== 1) yield `${name} is said to run and ${runs} of it do`;
    if (state?.running === undefined && runs !== 0) yield `${name} runs and is said to be ${JSON.stringify(state)}`;
  }
  const main = statuses.find(({ name }) => name === "main");
  const phase = seen.status?.phase;
  switch (pod.temper) {
    case "steady":
    case "graceful":
    case "stubborn":
    case "hooked":
      if (!isReady(seen)) yield `is not Ready, ${phase} ${JSON.stringify(main?.state)}`;
      break;
    case "job":
    case "flaky":
      if (phase !== "Succeeded") yield `is ${phase} instead of Succeeded, ${JSON.stringify(main?.state)}`;
      break;
    case "crashing":
      if (main?.state?.waiting?.reason !== "CrashLoopBackOff")
        yield `does not wait to be restarted: ${JSON.stringify(main?.state)}`;
      break;
  }
  for (const status of statuses.filter(isRestartable)) {
    const { name, restartCount } = status;
    const starts = startsOf(told, name);
    // A start that was given up in its middle counts or does not, as whoever was killed may have got to know of it.
    const surely = starts.filter(({ at }) => !isCutShort(at, outages)).length;
    const isTooMany = restartCount + 1 > starts.length && restartCount + 1 > starts.length + lost(pod.name, name);
    if ((restartCount + 1 < surely || isTooMany) && phase !== "Pending")
      yield `${name} started ${starts.length} times and is said to have been restarted ${restartCount} times`;
  }
}

const isRestartable = ({ state }: V1ContainerStatus): boolean =>
  state?.running !== undefined || state?.terminated !== undefined || state?.waiting?.reason === "CrashLoopBackOff";

/** Starts that nothing called for, a line each. */
export function needlessStarts(churn: Churn, outages: readonly Outage[]): NeedlessStarts {
  const needless: string[] = [];
  const interrupted: string[] = [];
  for (const pod of churn.pods.values()) {
    const told = churn.testimoniesOf(pod);
    for (const container of new Set(told.map((each) => each.container))) {
      const starts = startsOf(told, container);
      for (const [index, { at }] of starts.entries()) {
        const before = starts[index - 1];
        if (before === undefined) continue;
        const end = told.find(
          (each) => each.container === container && each.word === "end" && each.at >= before.at && each.at <= at,
        );
        const line = `${pod.name}/${container} started at ${starts.map((each) => each.at).join(", ")}`;
        const allowed = mayStartAgain(pod, container, index, at - (end ?? before).at);
        if (allowed) continue;
        // Whoever is killed in the middle of a start takes the container along: it had begun, and nobody knows of it.
        const cutShort =
          end === undefined && outages.some(({ from }) => from - before.at < 2 && from >= before.at - 0.5);
        (cutShort ? interrupted : needless).push(line);
      }
    }
  }
  return { needless, interrupted };
}

/** Whoever is killed in the middle of a start takes the container along: it had begun, and nobody knows of it. */
const isCutShort = (startedAt: number, outages: readonly Outage[]): boolean =>
  outages.some(({ from }) => from - startedAt < 2 && from >= startedAt - 0.5);

export interface NeedlessStarts {
  readonly needless: readonly string[];
  /** Starts again of what a kill interrupted in the middle of its start. */
  readonly interrupted: readonly string[];
}

/**
 * @param earlier how often it ran before
 * @param pause seconds since the one before ended
 */
function mayStartAgain(pod: ChurnPod, container: string, earlier: number, pause: number): boolean {
  if (container !== "main") return false;
  if (pod.temper === "flaky") return earlier <= 1;
  if (pod.temper !== "crashing") return false;
  // At once, then after 10 s, 20 s, 40 s …; what is written down is a moment before the end.
  return earlier <= 1 || pause >= 10 * 2 ** (Math.min(earlier, 6) - 2) - 0.5;
}

const startsOf = (told: readonly Testimony[], container: string): readonly Testimony[] =>
  told.filter((each) => each.container === container && each.word === "start");

const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** Pod uid → the containers whose first process is alive, one entry for each process. */
export function mainProcesses(testimonies: string): ReadonlyMap<string, readonly string[]> {
  const mark = `MARK=${testimonies}/`;
  const found = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      if (!textOf(pid, "cmdline").includes(mainMark)) return [];
      const variable = textOf(pid, "environ")
        .split("\0")
        .find((each) => each.startsWith(mark));
      const parent = /\nPPid:\t(\d+)/.exec(textOf(pid, "status"))?.[1];
      const [uid = "", container = ""] = variable?.slice(mark.length).split("/") ?? [];
      return variable === undefined || isZombie(pid) ? [] : [{ pid, parent, uid, container }];
    });
  const all = new Set(found.map(({ pid }) => pid));
  const pods = new Map<string, string[]>();
  for (const { parent, uid, container } of found) {
    // A shell that forks is for a moment there twice.
    if (parent !== undefined && all.has(parent)) continue;
    pods.set(uid, [...(pods.get(uid) ?? []), container]);
  }
  return pods;
}

/** Containers that run twice at this moment. */
export function doubled(testimonies: string): readonly string[] {
  return [...mainProcesses(testimonies)].flatMap(([uid, containers]) =>
    containers.filter((name, index) => containers.indexOf(name) !== index).map((name) => `${uid}/${name}`),
  );
}

const isZombie = (pid: string): boolean => /\nState:\tZ/.test(textOf(pid, "status"));

function textOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
