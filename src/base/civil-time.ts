// Moments as a calendar and a clock on the wall show them, in the time zones of IANA's database. The language's own table of zones is the
// only source; nothing here asks what time it is.

import type { Instant } from "./time.ts";

/** What a calendar and a clock show; fields out of their range stand for the moment that they would be. */
export interface CivilTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** A place's way of telling the time. */
export interface TimeZone {
  readonly name: string;
  /** How many milliseconds its clocks are ahead of UTC at this moment. */
  offsetAt(at: Instant): number;
}

const msPerDay = 86_400_000;

export const utc: TimeZone = { name: "UTC", offsetAt: () => 0 };

/** The zone of a name of IANA's database; undefined if there is none. */
export function timeZone(name: string): TimeZone | undefined {
  if (name === "UTC" || name === "") return utc;
  if (!/^[A-Za-z]/.test(name)) return undefined; // an offset is no name
  try {
    return new ZoneOfLanguage(name);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export function civilTimeIn(zone: TimeZone, at: Instant): CivilTime {
  return civilTimeOf(at + zone.offsetAt(at));
}

/**
 * The moment at which the zone's clocks show this. What they show twice is one of the two; what they skip is as far after midnight as it
 * would be, by the clock of one side.
 */
export function instantIn(zone: TimeZone, civil: CivilTime): Instant {
  const local = millisOf(civil);
  const guess = local - zone.offsetAt(local as Instant);
  return (local - zone.offsetAt(guess as Instant)) as Instant;
}

/** 0 is Sunday. */
export function weekdayOf({ year, month, day }: CivilTime): number {
  return (((daysUntil(year, month, day) + 4) % 7) + 7) % 7;
}

/** `2025-03-30T03:30:00+02:00`: RFC 3339 as the zone's clocks show the moment; `Z` where that is UTC. */
export function formatTimeIn(zone: TimeZone, at: Instant): string {
  const offset = zone.offsetAt(at) / 60_000;
  const { year, month, day, hour, minute, second } = civilTimeIn(zone, at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const away = Math.abs(offset);
  const ahead = offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${two(Math.floor(away / 60))}:${two(away % 60)}`;
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${ahead}`;
}

/** Milliseconds since 1970 if the fields are UTC. */
function millisOf({ year, month, day, hour, minute, second }: CivilTime): number {
  return daysUntil(year, month, day) * msPerDay + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** Days from 1970-01-01 to this day; months and days may lie outside their range. */
function daysUntil(year: number, month: number, day: number): number {
  const months = year * 12 + (month - 1);
  const normalYear = Math.floor(months / 12);
  const normalMonth = months - normalYear * 12 + 1;
  // Years are counted from March, so that the day that comes and goes is the last of its year.
  const marchYear = normalMonth <= 2 ? normalYear - 1 : normalYear;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((normalMonth + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilTimeOf(millis: number): CivilTime {
  const days = Math.floor(millis / msPerDay);
  const seconds = Math.floor((millis - days * msPerDay) / 1000);
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
  };
}

class ZoneOfLanguage implements TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError if the language knows no such zone */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    // The database's names are exact, the language's are not.
    const known = this.#format.resolvedOptions().timeZone;
    if (known !== name && known.toLowerCase() === name.toLowerCase()) throw new RangeError(`no time zone ${name}`);
  }

  offsetAt(at: Instant): number {
    const whole = Math.floor(at / 1000) * 1000;
    const shown = new Map(this.#format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
    const field = (name: Intl.DateTimeFormatPartTypes): number => shown.get(name) ?? 0;
    const civil = {
      year: field("year"),
      month: field("month"),
      day: field("day"),
      hour: field("hour"),
      minute: field("minute"),
      second: field("second"),
    };
    return millisOf(civil) - whole;
  }
}
