// Which of a CronJob's times has come, and when the next one will (pod-lifecycle 13.6).

import { type CronSchedule, parseSchedule } from "../../api/batch/v1/cron-schedule.ts";
import type { CronJob } from "../../api/index.ts";
import { type TimeZone, timeZone, utc } from "../../base/civil-time.ts";
import { after, elapsed, type Instant, type Millis, millis, minutes, parseTime, seconds } from "../../base/time.ts";

/** With more missed times than this something is wrong, and people are told. */
const manyMissed = 100;

/** A CronJob is looked at so long after its time: looking too early would find nothing. */
const lateness: Millis = millis(100);

/** With no time in sight: a schedule like `0 0 30 2 *`. */
const neverAgain: Millis = minutes(60);

/** A schedule where it holds. */
export interface Timetable {
  readonly schedule: CronSchedule;
  readonly zone: TimeZone;
}

export type ReadTimetable =
  | { readonly kind: "timetable"; readonly timetable: Timetable }
  | { readonly kind: "unknownZone"; readonly zone: string }
  | { readonly kind: "unparseable"; readonly problem: string };

/** The schedule of a CronJob; it may be an old one with its zone in front. */
export function timetableOf({ spec }: CronJob): ReadTimetable {
  const [, prefixed, rest] = /^(?:CRON_)?TZ=(\S*)\s+(.*)$/.exec(spec.schedule) ?? [];
  const name = spec.timeZone ?? prefixed;
  const zone = name === undefined ? utc : timeZone(name);
  if (zone === undefined) return { kind: "unknownZone", zone: name ?? "" };
  const parsed = parseSchedule(rest ?? spec.schedule);
  if (parsed.kind === "wrong") return { kind: "unparseable", problem: parsed.problem };
  return { kind: "timetable", timetable: { schedule: parsed.schedule, zone } };
}

export interface MissedTimes {
  /** The latest time that has come since the last one that was acted upon; undefined: none. */
  readonly latest: Instant | undefined;
  readonly isMany: boolean;
}

/** What has come since the last Job was made. */
export function missedTimes(cronJob: CronJob, { schedule, zone }: Timetable, now: Instant): MissedTimes {
  const none: MissedTimes = { latest: undefined, isMany: false };
  const { startingDeadlineSeconds } = cronJob.spec;
  const since = lastActedUpon(cronJob);
  const bound =
    startingDeadlineSeconds === undefined ? since : Math.max(since, after(now, seconds(-startingDeadlineSeconds)));
  const first = schedule.next(bound as Instant, zone);
  if (first === undefined || first > now) return none;
  const second = schedule.next(first, zone);
  if (second === undefined || second > now) return { latest: first, isMany: false };
  // Years of missed minutes are not counted one by one: the distance of the first two is a good guess for the others.
  const distance = second - first;
  const missed = Math.floor((now - first) / distance) + 1;
  const nearly = (first + (missed - 2) * distance) as Instant;
  let latest = first;
  for (let at = schedule.next(nearly, zone); at !== undefined && at <= now; at = schedule.next(at, zone)) latest = at;
  // Where the first two are closer than the others, the guess lies before many, where they are further apart, behind.
  return { latest: latest === first ? second : latest, isMany: missed > manyMissed };
}

/** The time until the next one; of those that have been missed none counts. */
export function untilNextTime(cronJob: CronJob, { schedule, zone }: Timetable, now: Instant): Millis {
  const from = Math.max(now, lastActedUpon(cronJob)) as Instant;
  const next = schedule.next(from, zone);
  return next === undefined ? neverAgain : ((elapsed(now, next) + lateness) as Millis);
}

function lastActedUpon({ metadata, status }: CronJob): Instant {
  return parseTime(status.lastScheduleTime ?? "") ?? parseTime(metadata.creationTimestamp) ?? (0 as Instant);
}
