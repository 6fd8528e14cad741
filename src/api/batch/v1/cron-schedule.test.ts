import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { civilTimeIn, formatTimeIn, type TimeZone, timeZone, utc } from "../../../base/civil-time.ts";
import type { Instant } from "../../../base/time.ts";
import { type CronSchedule, parseSchedule } from "./cron-schedule.ts";

function scheduleOf(text: string): CronSchedule {
  const parsed = parseSchedule(text);
  if (parsed.kind === "wrong") throw new Error(parsed.problem);
  return parsed.schedule;
}

const zoneOf = (name: string): TimeZone => timeZone(name) ?? utc;
const instant = (text: string): Instant => Date.parse(text) as Instant;

/** The next times after a moment, as the zone's clocks show them. */
function nextTimes(text: string, from: string, zone: TimeZone, count: number): readonly string[] {
  const times: string[] = [];
  let at: Instant | undefined = instant(from);
  for (let i = 0; i < count; i++) {
    at = at === undefined ? undefined : scheduleOf(text).next(at, zone);
    times.push(at === undefined ? "never" : formatTimeIn(zone, at));
  }
  return times;
}

it.each([
  ["* * * * *", "2025-01-01T00:00:00Z", ["2025-01-01T00:01:00Z", "2025-01-01T00:02:00Z"]],
  ["*/20 9-10 * * *", "2025-01-01T09:50:00Z", ["2025-01-01T10:00:00Z", "2025-01-01T10:20:00Z"]],
  ["5/30 * * * *", "2025-01-01T00:00:00Z", ["2025-01-01T00:05:00Z", "2025-01-01T00:35:00Z"]],
  ["0 0 * * MON-FRI", "2025-01-03T12:00:00Z", ["2025-01-06T00:00:00Z", "2025-01-07T00:00:00Z"]],
  ["0 0 29 feb *", "2025-01-01T00:00:00Z", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]],
  ["0 0 30 2 *", "2025-01-01T00:00:00Z", ["never", "never"]],
  // Either kind of day will do, unless one of them is any.
  ["0 0 13 * 5", "2025-06-10T00:00:00Z", ["2025-06-13T00:00:00Z", "2025-06-20T00:00:00Z"]],
  ["0 0 1,15 * *", "2025-01-02T00:00:00Z", ["2025-01-15T00:00:00Z", "2025-02-01T00:00:00Z"]],
  ["0 0 ? * 0", "2025-01-01T00:00:00Z", ["2025-01-05T00:00:00Z", "2025-01-12T00:00:00Z"]],
  ["@hourly", "2025-01-01T00:30:00Z", ["2025-01-01T01:00:00Z", "2025-01-01T02:00:00Z"]],
  ["@weekly", "2025-01-01T00:30:00Z", ["2025-01-05T00:00:00Z", "2025-01-12T00:00:00Z"]],
  ["@yearly", "2025-01-01T00:00:00Z", ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]],
  ["@every 1h30m", "2025-01-01T00:00:00Z", ["2025-01-01T01:30:00Z", "2025-01-01T03:00:00Z"]],
])("%s after %s", (text, from, want) => {
  expect(nextTimes(text, from, utc, 2)).toEqual(want);
});

it.each([
  ["", "empty spec string"],
  ["* * *", "expected exactly 5 fields, found 3: [* * *]"],
  ["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["1/2/3 * * * *", "too many slashes: 1/2/3"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ["@often", "unrecognized descriptor: @often"],
])("refuses %j", (text, problem) => {
  expect(parseSchedule(text)).toEqual({ kind: "wrong", problem });
});

describe("on nights on which clocks are changed", () => {
  it.each([
    [
      "a time that is skipped does not come that night",
      "30 2 * * *",
      "Europe/Paris",
      "2025-03-29T00:00:00Z",
      ["2025-03-29T02:30:00+01:00", "2025-03-31T02:30:00+02:00"],
    ],
    [
      "a time that comes twice comes twice",
      "30 2 * * *",
      "Europe/Paris",
      "2025-10-25T12:00:00Z",
      ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00", "2025-10-27T02:30:00+01:00"],
    ],
    [
      "each hour that passes is an hour",
      "0 * * * *",
      "America/New_York",
      "2025-03-09T05:30:00Z",
      ["2025-03-09T01:00:00-05:00", "2025-03-09T03:00:00-04:00", "2025-03-09T04:00:00-04:00"],
    ],
    [
      "a day that begins at one o'clock has no midnight",
      "0 0 * * *",
      "America/Santiago",
      "2025-09-06T12:00:00Z",
      ["2025-09-08T00:00:00-03:00"],
    ],
    [
      "zones that are half an hour off",
      "0 3 * * *",
      "Australia/Lord_Howe",
      "2025-04-05T00:00:00Z",
      ["2025-04-06T03:00:00+10:30", "2025-04-07T03:00:00+10:30"],
    ],
  ])("%s", (_what, text, zone, from, want) => {
    expect(nextTimes(text, from, zoneOf(zone), want.length)).toEqual(want);
  });
});

it("knows zones by their exact names only", () => {
  const known = ["UTC", "Europe/Paris", "Asia/Kolkata", "Europe/Nowhere", "europe/paris", "+01:00", "+0100"].filter(
    (name) => timeZone(name) !== undefined,
  );
  expect(known).toEqual(["UTC", "Europe/Paris", "Asia/Kolkata"]);
});

it("the next time is the first minute after the moment that the fields name: no other between is", () => {
  const field = (low: number, high: number) =>
    fc.oneof(
      fc.constant("*"),
      fc.integer({ min: low, max: high }).map(String),
      fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: 2, max: 9 })).map(([a, step]) => `${a}/${step}`),
    );
  const zones = fc.constantFrom("UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu");
  const moment = fc.integer({ min: instant("2025-01-01T00:00:00Z"), max: instant("2026-01-01T00:00:00Z") });
  fc.assert(
    fc.property(field(0, 59), field(0, 23), moment, zones, (minute, hour, from, name) => {
      const zone = zoneOf(name);
      const names = (text: string, value: number): boolean => {
        const [first = "*", step = "1"] = text.split("/");
        if (first === "*") return true;
        return step === "1"
          ? Number(first) === value
          : value >= Number(first) && (value - Number(first)) % Number(step) === 0;
      };
      const isTime = (at: number): boolean => {
        const shown = civilTimeIn(zone, at as Instant);
        return names(minute, shown.minute) && names(hour, shown.hour);
      };
      let want = (Math.floor(from / 60_000) + 1) * 60_000;
      while (!isTime(want)) want += 60_000;
      expect(scheduleOf(`${minute} ${hour} * * *`).next(from as Instant, zone)).toBe(want);
    }),
    { numRuns: 60 },
  );
});

it("what the calendar shows leads back to the moment", () => {
  fc.assert(
    fc.property(fc.integer({ min: -4e12, max: 8e12 }), (at) => {
      const whole = Math.floor(at / 1000) * 1000;
      expect(formatTimeIn(utc, whole as Instant)).toBe(new Date(whole).toISOString().replace(".000Z", "Z"));
    }),
  );
});
