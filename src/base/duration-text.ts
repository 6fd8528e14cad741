import type { Millis } from "./time.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/**
 * A length of time as kubectl prints ages: `45s`, `3m20s`, `5h`, `2d3h` (api-machinery 11). Coarser the longer it is. Clocks differ a little, so up to two
 * seconds before zero count as zero; more is `<invalid>`.
 */
export function durationText(length: Millis): string {
  const seconds = Math.trunc(length / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 2 * minute) return `${Math.max(0, seconds)}s`;
  if (seconds < 10 * minute) return twoUnits(seconds, [minute, "m"], [1, "s"]);
  if (seconds < 3 * hour) return oneUnit(seconds, [minute, "m"]);
  if (seconds < 8 * hour) return twoUnits(seconds, [hour, "h"], [minute, "m"]);
  if (seconds < 2 * day) return oneUnit(seconds, [hour, "h"]);
  if (seconds < 8 * day) return twoUnits(seconds, [day, "d"], [hour, "h"]);
  if (seconds < 2 * year) return oneUnit(seconds, [day, "d"]);
  if (seconds < 8 * year) return twoUnits(seconds, [year, "y"], [day, "d"]);
  return oneUnit(seconds, [year, "y"]);
}

type Unit = readonly [inSeconds: number, letter: string];

const oneUnit = (seconds: number, [size, letter]: Unit): string => `${Math.floor(seconds / size)}${letter}`;

function twoUnits(seconds: number, large: Unit, small: Unit): string {
  const rest = seconds % large[0];
  return oneUnit(seconds, large) + (rest < small[0] ? "" : oneUnit(rest, small));
}
