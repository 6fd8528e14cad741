// What happened to a Pod, as entries that a person can read: the difference between two sightings of it, and the events about it. Pure: the same
// sightings give the same entries, whoever prints them.

import type { ContainerState, ContainerStatus, Event, Pod, PodCondition } from "../api/index.ts";
import { elapsed, type Instant, parseTime } from "../base/time.ts";

/** How an entry reads: something good, something bad, something on its way, or plain. */
export type Tone = "good" | "bad" | "busy" | "plain";

export interface LifeEntry {
  readonly at: Instant;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** The container it is about; absent when it is about the Pod. */
  readonly container?: string;
  /** One word, in Kubernetes' terms: `Scheduled`, `Running`, `CrashLoopBackOff`, `Ready`. */
  readonly what: string;
  /** The rest of the sentence; may be empty. */
  readonly detail: string;
  readonly tone: Tone;
}

/** Waiting reasons that every container passes through and that say nothing. */
const quietWaiting = new Set(["ContainerCreating", "PodInitializing", ""]);

/** Events that repeat what a Pod's status says better. */
const toldByStatus = new Set(["Created", "Started", "BackOff", "Failed"]);

/** Events that end a phase of waiting well. */
const goodEvents = new Set(["Scheduled", "Pulled"]);

/**
 * What changed between two sightings of one Pod, in the order in which it happens in a Pod's life.
 * @param before the earlier sighting; absent if it was not there
 * @param after the later one; absent if it is gone
 */
export function podEntries(before: Pod | undefined, after: Pod | undefined, at: Instant): readonly LifeEntry[] {
  const pod = after ?? before;
  if (pod === undefined) return [];
  const entry = (what: string, detail: string, tone: Tone, container?: string): LifeEntry => ({
    at,
    namespace: pod.metadata.namespace ?? "",
    pod: pod.metadata.name,
    uid: pod.metadata.uid,
    ...(container !== undefined && { container }),
    what,
    detail,
    tone,
  });
  if (after === undefined) return [entry("Gone", "removed from the API", "plain")];

  const entries: LifeEntry[] = [];
  if (before?.metadata.deletionTimestamp === undefined && after.metadata.deletionTimestamp !== undefined) {
    entries.push(entry("Terminating", `${after.metadata.deletionGracePeriodSeconds ?? 0}s of grace`, "busy"));
  }
  entries.push(...containerEntries(before, after, entry));
  if (before?.status.phase !== after.status.phase) {
    const why = [after.status.reason, after.status.message]
      .filter((text) => text !== undefined && text !== "")
      .join(": ");
    entries.push(entry(after.status.phase, why, phaseTone(after.status.phase)));
  }
  entries.push(...readyEntry(before, after, entry));
  return entries;
}

type MakeEntry = (what: string, detail: string, tone: Tone, container?: string) => LifeEntry;

function phaseTone(phase: string): Tone {
  if (phase === "Running" || phase === "Succeeded") return "good";
  return phase === "Failed" ? "bad" : "busy";
}

function containerEntries(before: Pod | undefined, after: Pod, entry: MakeEntry): LifeEntry[] {
  const earlier = new Map(allStatuses(before).map((status) => [status.name, status]));
  return allStatuses(after).flatMap((status) => statusEntries(earlier.get(status.name), status, entry));
}

function allStatuses(pod: Pod | undefined): readonly ContainerStatus[] {
  const status = pod?.status;
  return [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
}

function statusEntries(before: ContainerStatus | undefined, after: ContainerStatus, entry: MakeEntry): LifeEntry[] {
  const entries: LifeEntry[] = [];
  const state = after.state ?? {};
  const last = after.lastState?.terminated;
  // A container that ended and was started again between two sightings shows its end only in lastState.
  const endedUnseen =
    last !== undefined &&
    last.containerID !== before?.lastState?.terminated?.containerID &&
    before?.state?.terminated?.containerID !== last.containerID;
  if (endedUnseen) entries.push(entry("Exited", exitText({ terminated: last }), exitTone(last.exitCode), after.name));
  if (
    state.running !== undefined &&
    (before?.state?.running === undefined || before.containerID !== after.containerID)
  ) {
    entries.push(entry("Running", after.restartCount > 0 ? `restart ${after.restartCount}` : "", "plain", after.name));
  }
  const ended = state.terminated;
  // An end that was told already, and was shown as lastState while the container waited to be started again, is no news.
  const told = [before?.state?.terminated, before?.lastState?.terminated].some(
    (earlier) => earlier !== undefined && earlier.containerID === ended?.containerID,
  );
  if (ended !== undefined && !told)
    entries.push(entry("Exited", exitText(state), exitTone(ended.exitCode), after.name));
  const reason = state.waiting?.reason ?? "";
  if (state.waiting !== undefined && !quietWaiting.has(reason) && before?.state?.waiting?.reason !== reason) {
    entries.push(entry(reason, state.waiting.message ?? "", "bad", after.name));
  }
  return entries;
}

const exitTone = (exitCode: number): Tone => (exitCode === 0 ? "good" : "bad");

/** `code 1, Error, after 2.5s: message` */
function exitText({ terminated }: ContainerState): string {
  if (terminated === undefined) return "";
  const parts = [`code ${terminated.exitCode}`];
  if (terminated.reason !== undefined && terminated.reason !== "Completed" && terminated.reason !== "Error")
    parts.push(terminated.reason);
  const startedAt = parseTime(terminated.startedAt ?? "");
  const finishedAt = parseTime(terminated.finishedAt ?? "");
  if (startedAt !== undefined && finishedAt !== undefined)
    parts.push(`after ${elapsed(startedAt, finishedAt) / 1000}s`);
  const message = terminated.message?.trim() ?? "";
  return message === "" ? parts.join(", ") : `${parts.join(", ")}: ${message}`;
}

function readyEntry(before: Pod | undefined, after: Pod, entry: MakeEntry): LifeEntry[] {
  const was = conditionOf(before, "Ready")?.status === "True";
  const condition = conditionOf(after, "Ready");
  const is = condition?.status === "True";
  if (is && !was) return [entry("Ready", "", "good")];
  const ended = condition?.reason === "PodCompleted" || condition?.reason === "PodFailed";
  if (was && !is && !ended && after.metadata.deletionTimestamp === undefined && after.status.phase === "Running") {
    return [entry("NotReady", condition?.message ?? condition?.reason ?? "", "bad")];
  }
  return [];
}

function conditionOf(pod: Pod | undefined, type: string): PodCondition | undefined {
  return pod?.status.conditions?.find((condition) => condition.type === type);
}

/** An event about a Pod as an entry; `undefined` if the Pod's status tells the same better. */
export function eventEntry(event: Event, at: Instant): LifeEntry | undefined {
  const { involvedObject: about } = event;
  const reason = event.reason ?? "";
  if (about.kind !== "Pod" || toldByStatus.has(reason)) return undefined;
  const container = /\{(.+)\}/.exec(about.fieldPath ?? "")?.[1];
  const times = (event.count ?? 1) > 1 ? ` (${event.count} times)` : "";
  return {
    at,
    namespace: about.namespace ?? "",
    pod: about.name ?? "",
    uid: about.uid ?? "",
    ...(container !== undefined && { container }),
    what: reason,
    detail: `${event.message ?? ""}${times}`,
    tone: event.type === "Warning" ? "bad" : goodEvents.has(reason) ? "good" : "busy",
  };
}
