// How long a crashed container or a failed pull waits before the next try (pod-lifecycle 5.2, 5.3).

import { after, earlier, elapsed, type Instant, later, type Millis, millis, seconds } from "../base/time.ts";
import type { Container, EphemeralContainer, Pod } from "../api/generated/core-v1.ts";
import type { ObservedContainer } from "./observed-pod.ts";
import { namespaceOf } from "./pod-containers.ts";

/** The current step of one key. */
export interface BackOffEntry {
  /** How long the next try waits. */
  readonly delay: Millis;
  /** When the entry was last raised: the last start, or the last failed pull. */
  readonly lastUpdate: Instant;
}

export interface BackOffWindow {
  readonly initial: Millis;
  readonly max: Millis;
}

/** 10 s, doubling to 5 min. */
export const defaultBackOff: BackOffWindow = { initial: seconds(10), max: seconds(300) };

/**
 * Until when a try that looks back at `since` (a crash: when the last instance ended) has to wait; `undefined` if it may go ahead.
 * A quiet time of twice the maximum forgets the past.
 */
export function backOffUntil(
  entry: BackOffEntry | undefined,
  since: Instant,
  now: Instant,
  window: BackOffWindow = defaultBackOff,
): Instant | undefined {
  if (entry === undefined || hasExpired(entry, since, window) || isAhead(since, now)) return undefined;
  // No instance ends before it begins: one that seems to was timed by a clock that has been set back since.
  const until = after(later(since, entry.lastUpdate), entry.delay);
  return now < until ? until : undefined;
}

/** The entry after a try that was let through. */
export function raisedBackOff(
  entry: BackOffEntry | undefined,
  since: Instant,
  now: Instant,
  window: BackOffWindow = defaultBackOff,
): BackOffEntry {
  if (entry === undefined || hasExpired(entry, since, window)) return { delay: window.initial, lastUpdate: now };
  return { delay: millis(Math.min(entry.delay * 2, window.max)), lastUpdate: now };
}

/**
 * The entry that a kubelet which has just started takes for a container it finds: its own memory is gone, but the pause before the newest
 * instance shows the step that was waited, and the number of restarts bounds it.
 */
export function restoredBackOff(
  instances: readonly ObservedContainer[],
  window: BackOffWindow = defaultBackOff,
): BackOffEntry | undefined {
  const [newest, previous] = instances;
  if (newest === undefined || newest.metadata.attempt === 0 || newest.state.kind === "created") return undefined;
  const startedAt = newest.state.kind === "unknown" ? newest.createdAt : newest.state.startedAt;
  const byCount = window.initial * 2 ** (Math.min(newest.metadata.attempt, 30) - 1);
  const byPause =
    previous?.state.kind === "exited" ? stepAfter(elapsed(previous.state.finishedAt, startedAt), window) : byCount;
  return { delay: millis(Math.min(byCount, byPause, window.max)), lastUpdate: startedAt };
}

/** A change of image or resources gives a fresh start (pod-lifecycle 5.2). */
export function crashBackOffKey(pod: Pod, container: Container | EphemeralContainer): string {
  const resources = JSON.stringify([
    container.image,
    sorted(container.resources.requests),
    sorted(container.resources.limits),
  ]);
  return `${pod.metadata.name}_${namespaceOf(pod)}_${pod.metadata.uid}_${container.name}_${resources}`;
}

export function pullBackOffKey(pod: Pod, image: string): string {
  return `${pod.metadata.uid}_${image}`;
}

/** `10s`, `1m20s`, `5m0s`, `1.5s`, `250ms`: a duration as messages print it. */
export function formatDuration(duration: Millis): string {
  if (duration === 0) return "0s";
  if (duration < 1000) return `${trimmed(duration)}ms`;
  const whole = Math.floor(duration / 60_000);
  const rest = trimmed((duration - whole * 60_000) / 1000);
  if (whole === 0) return `${rest}s`;
  const hours = Math.floor(whole / 60);
  return hours === 0 ? `${whole}m${rest}s` : `${hours}h${whole % 60}m${rest}s`;
}

/** The earliest of the instants that are there. */
export function earliest(...instants: readonly (Instant | undefined)[]): Instant | undefined {
  return instants.reduce((a, b) => (a === undefined ? b : b === undefined ? a : earlier(a, b)), undefined);
}

/** An end that is yet to come was noted before the clock was set back: how long ago it was nobody knows. */
function isAhead(since: Instant, now: Instant): boolean {
  return since - now > 1000;
}

function hasExpired(entry: BackOffEntry, since: Instant, window: BackOffWindow): boolean {
  return since - entry.lastUpdate > 2 * window.max;
}

function stepAfter(pause: Millis, window: BackOffWindow): number {
  let step: number = window.initial;
  while (step <= pause && step < window.max) step *= 2;
  return Math.min(step, window.max);
}

function trimmed(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}

function sorted(quantities: Readonly<Record<string, string>> | undefined): readonly (readonly [string, string])[] {
  return Object.entries(quantities ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
