import { expect, it } from "vitest";
import { durationText } from "./duration-text.ts";
import { millis } from "./time.ts";

const second = 1;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

it.each<[string, number, string]>([
  ["two seconds ahead is nonsense", -2, "<invalid>"],
  ["a clock may be a little ahead", -1.999, "0s"],
  ["a second ahead", -1, "0s"],
  ["nothing", 0, "0s"],
  ["fractions are cut", 0.999, "0s"],
  ["one second", 1, "1s"],
  ["just below two minutes", 2 * minute - 0.001, "119s"],
  ["two minutes", 2 * minute, "2m"],
  ["two minutes and a second", 2 * minute + 1, "2m1s"],
  ["just below ten minutes", 10 * minute - 1, "9m59s"],
  ["ten minutes", 10 * minute, "10m"],
  ["ten minutes and some", 10 * minute + 59, "10m"],
  ["just below three hours", 3 * hour - 1, "179m"],
  ["three hours", 3 * hour, "3h"],
  ["three hours and less than a minute", 3 * hour + 59, "3h"],
  ["three hours and a minute", 3 * hour + minute, "3h1m"],
  ["just below eight hours", 8 * hour - 1, "7h59m"],
  ["eight hours", 8 * hour, "8h"],
  ["just below two days", 48 * hour - 1, "47h"],
  ["two days", 2 * day, "2d"],
  ["two days and less than an hour", 2 * day + hour - 1, "2d"],
  ["two days and an hour", 2 * day + hour, "2d1h"],
  ["just below eight days", 8 * day - 1, "7d23h"],
  ["eight days", 8 * day, "8d"],
  ["just below two years", 2 * year - 1, "729d"],
  ["two years", 2 * year, "2y"],
  ["two years and less than a day", 2 * year + day - 1, "2y"],
  ["two years and a day", 2 * year + day, "2y1d"],
  ["just below eight years", 8 * year - 1, "7y364d"],
  ["eight years", 8 * year, "8y"],
  ["a century", 100 * year, "100y"],
])("%s: %d s reads %s", (_case, seconds, want) => {
  expect(durationText(millis(seconds * 1000))).toBe(want);
});
