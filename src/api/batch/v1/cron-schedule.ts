// When a CronJob makes Jobs: cron's five fields, or one of the names for common ones (pod-lifecycle 13.6). The grammar, its complaints and the
// behaviour on nights on which clocks are changed are those of the library that upstream uses.

import { type CivilTime, civilTimeIn, instantIn, type TimeZone, weekdayOf } from "../../../base/civil-time.ts";
import type { Instant } from "../../../base/time.ts";

export interface CronSchedule {
  /** The first moment after this one at which it is time; undefined if there is none in the next five years. */
  next(after: Instant, zone: TimeZone): Instant | undefined;
}

export type ParsedSchedule =
  | { readonly kind: "schedule"; readonly schedule: CronSchedule }
  | { readonly kind: "wrong"; readonly problem: string };

/** What a field of a schedule may say. */
interface FieldRange {
  readonly lowest: number;
  readonly highest: number;
  readonly names?: readonly string[];
}

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const ranges = {
  minute: { lowest: 0, highest: 59 },
  hour: { lowest: 0, highest: 23 },
  day: { lowest: 1, highest: 31 },
  month: { lowest: 1, highest: 12, names: monthNames },
  weekday: { lowest: 0, highest: 6, names: weekdayNames },
} as const satisfies Record<string, FieldRange>;

/** The values of a field, and whether it says that any will do. */
interface Field {
  readonly values: ReadonlySet<number>;
  readonly isAny: boolean;
}

type Fields = Readonly<Record<keyof typeof ranges, Field>>;

const descriptors: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

/** A complaint about what somebody wrote; never leaves this file. */
class ScheduleProblem extends Error {}

/** Reads a schedule, without a time zone in it. */
export function parseSchedule(text: string): ParsedSchedule {
  try {
    return { kind: "schedule", schedule: scheduleOf(text) };
  } catch (error) {
    if (error instanceof ScheduleProblem) return { kind: "wrong", problem: error.message };
    throw error;
  }
}

function scheduleOf(text: string): CronSchedule {
  if (text === "") throw new ScheduleProblem("empty spec string");
  if (text.startsWith("@every ")) return new EverySchedule(durationOf(text.slice("@every ".length)));
  const spec = text.startsWith("@") ? descriptors.get(text) : text;
  if (spec === undefined) throw new ScheduleProblem(`unrecognized descriptor: ${text}`);
  const words = spec.split(/\s+/).filter((word) => word !== "");
  if (words.length !== 5) {
    throw new ScheduleProblem(`expected exactly 5 fields, found ${words.length}: [${words.join(" ")}]`);
  }
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = words;
  return new FieldSchedule({
    minute: fieldOf(minute, ranges.minute),
    hour: fieldOf(hour, ranges.hour),
    day: fieldOf(day, ranges.day),
    month: fieldOf(month, ranges.month),
    weekday: fieldOf(weekday, ranges.weekday),
  });
}

function fieldOf(text: string, range: FieldRange): Field {
  const values = new Set<number>();
  let isAny = false;
  for (const part of text.split(",").filter((one) => one !== "")) {
    const { first, last, step, any } = partOf(part, range);
    for (let value = first; value <= last; value += step) values.add(value);
    isAny ||= any;
  }
  return { values, isAny };
}

/** `*`, `5`, `1-5`, each perhaps with `/2` behind. */
function partOf(text: string, { lowest, highest, names = [] }: FieldRange) {
  const [range = "", stepText, ...more] = text.split("/");
  const [low = "", high, ...others] = range.split("-");
  const isStar = low === "*" || low === "?";
  if (!isStar && others.length > 0) throw new ScheduleProblem(`too many hyphens: ${text}`);
  const first = isStar ? lowest : numberOf(low, names, lowest);
  let last = isStar ? highest : high === undefined ? first : numberOf(high, names, lowest);
  if (more.length > 0) throw new ScheduleProblem(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : numberOf(stepText, [], 0);
  // `5/15` is `5-59/15`.
  if (stepText !== undefined && high === undefined) last = highest;
  if (first < lowest) {
    throw new ScheduleProblem(`beginning of range (${first}) below minimum (${lowest}): ${text}`);
  }
  if (last > highest) throw new ScheduleProblem(`end of range (${last}) above maximum (${highest}): ${text}`);
  if (first > last) {
    throw new ScheduleProblem(`beginning of range (${first}) beyond end of range (${last}): ${text}`);
  }
  if (step === 0) throw new ScheduleProblem(`step of range should be a positive number: ${text}`);
  return { first, last, step, any: isStar && step === 1 };
}

function numberOf(text: string, names: readonly string[], lowest: number): number {
  const named = names.indexOf(text.toLowerCase());
  if (named !== -1) return named + lowest;
  if (!/^[+-]?\d+$/.test(text)) {
    const why = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
    throw new ScheduleProblem(`failed to parse int from ${text}: ${why}`);
  }
  const value = Number(text);
  if (value < 0) throw new ScheduleProblem(`negative number (${value}) not allowed: ${text}`);
  return value;
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** `1h30m` in milliseconds. */
function durationOf(text: string): number {
  const wrong = (why: string): ScheduleProblem =>
    new ScheduleProblem(`failed to parse duration @every ${text}: time: ${why} ${JSON.stringify(text)}`);
  const [, sign = "", body = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  if (body === "0") return 0;
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(body)) {
    if (/^(\d+\.?\d*|\.\d+)$/.test(body)) throw wrong("missing unit in duration");
    throw wrong("invalid duration");
  }
  let millis = 0;
  for (const [, amount = "0", unit = "s"] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    millis += Number(amount) * (units[unit] ?? 0);
  }
  return sign === "-" ? -millis : millis;
}

/** Again and again after so long, by the whole second. */
class EverySchedule implements CronSchedule {
  readonly #millis: number;

  constructor(millis: number) {
    this.#millis = Math.max(1000, Math.floor(millis / 1000) * 1000);
  }

  next(after: Instant): Instant {
    return (Math.floor(after / 1000) * 1000 + this.#millis) as Instant;
  }
}

const hourMillis = 3_600_000;
const minuteMillis = 60_000;
const yearsAhead = 5;

/**
 * The moments whose wall clock time the fields name. An hour that the clocks skip is skipped, one that they show twice comes twice.
 */
class FieldSchedule implements CronSchedule {
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  next(after: Instant, zone: TimeZone): Instant | undefined {
    const civil = (at: Instant): CivilTime => civilTimeIn(zone, at);
    const startOf = (at: Instant, fields: Partial<CivilTime>): Instant =>
      instantIn(zone, { ...civil(at), hour: 0, minute: 0, second: 0, ...fields });
    const { month, hour, minute } = this.#fields;
    // The next minute: schedules know no seconds.
    let at = ((Math.floor(after / minuteMillis) + 1) * minuteMillis) as Instant;
    const lastYear = civil(at).year + yearsAhead;
    for (let now = civil(at); now.year <= lastYear; now = civil(at)) {
      if (!month.values.has(now.month)) {
        at = startOf(at, { month: now.month + 1, day: 1 });
      } else if (!this.#isDay(now)) {
        at = midnightNear(zone, startOf(at, { day: now.day + 1 }));
      } else if (!hour.values.has(now.hour)) {
        // By hours that pass, not by hours that clocks show: that is what skips and repeats.
        at = (Math.floor((at + zone.offsetAt(at)) / hourMillis) * hourMillis -
          zone.offsetAt(at) +
          hourMillis) as Instant;
      } else if (!minute.values.has(now.minute)) at = (at + minuteMillis) as Instant;
      else return at;
    }
    return undefined;
  }

  /** Either of the two kinds of days will do, unless one of them is any day. */
  #isDay(now: CivilTime): boolean {
    const { day, weekday } = this.#fields;
    const isDay = day.values.has(now.day);
    const isWeekday = weekday.values.has(weekdayOf(now));
    return day.isAny || weekday.isAny ? isDay && isWeekday : isDay || isWeekday;
  }
}

/** Where clocks are changed at midnight, a day may begin an hour off. */
function midnightNear(zone: TimeZone, at: Instant): Instant {
  const { hour } = civilTimeIn(zone, at);
  if (hour === 0) return at;
  return (hour > 12 ? at + (24 - hour) * hourMillis : at - hour * hourMillis) as Instant;
}
