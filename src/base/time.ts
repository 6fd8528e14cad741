// Time as a value. Nothing outside this file, the host and the real runtimes may ask the machine what time it is:
// everything else is given a `Clock`, so the same code runs on the wall clock and on a virtual one.

/** A length of time in milliseconds. */
export type Millis = number & { readonly __unit: "millis" };

/** A moment: milliseconds since 1970-01-01T00:00:00Z. May carry a fraction (microseconds). */
export type Instant = number & { readonly __unit: "instant" };

/** A timer that was set and can still be called off. */
export interface Timer {
  /** Calls the timer off; does nothing if it has fired. */
  cancel(): void;
}

/**
 * The only source of time. `now` never goes backwards within one process as far as timers are concerned; the wall clock of the host
 * may jump, so durations that matter are measured between two `now` calls and clamped at zero by their users.
 */
export interface Clock {
  now(): Instant;
  /** Resolves after `wait`; rejects with the signal's reason as soon as it is aborted. A wait of zero or less resolves on the next turn. */
  sleep(wait: Millis, signal?: AbortSignal): Promise<void>;
  /**
   * Calls `fire` once after `wait`. Timers due at the same instant fire in the order they were set.
   * @param label says who waits; a virtual clock prints it when something keeps rescheduling for ever.
   */
  setTimer(wait: Millis, fire: () => void, label?: string): Timer;
}

export const millis = (n: number): Millis => n as Millis;
export const seconds = (n: number): Millis => (n * 1000) as Millis;
export const minutes = (n: number): Millis => (n * 60_000) as Millis;
export const hours = (n: number): Millis => (n * 3_600_000) as Millis;

export const after = (at: Instant, wait: Millis): Instant => (at + wait) as Instant;
export const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b);
export const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);
/** The time from `from` to `to`, never negative. */
export const elapsed = (from: Instant, to: Instant): Millis => Math.max(0, to - from) as Millis;

/** `2025-01-02T03:04:05Z`: the API's Time (UTC, whole seconds, rounded down). */
export function formatTime(at: Instant): string {
  return `${new Date(Math.floor(at / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** `2025-01-02T03:04:05.123000Z`: the API's MicroTime. */
export function formatMicroTime(at: Instant): string {
  const micros = Math.round((at % 1000) * 1000);
  return `${new Date(Math.floor(at / 1000) * 1000).toISOString().slice(0, 19)}.${String(micros).padStart(6, "0")}Z`;
}

/** `2025-01-02T03:04:05.123456789Z`: RFC 3339 with nanoseconds, as container logs carry it. */
export function formatNanoTime(at: Instant): string {
  return `${formatMicroTime(at).slice(0, -1)}000Z`;
}

/** `Thu, 02 Jan 2025 03:04:05 GMT`: as HTTP headers carry it. */
export function formatHttpDate(at: Instant): string {
  return new Date(at).toUTCString();
}

/** Parses an RFC 3339 time with any number of fractional digits and any offset; `undefined` if it is not one. */
export function parseTime(text: string): Instant | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const whole = Date.parse(`${match[1]}T${match[2]}${match[4]?.toUpperCase()}`);
  if (Number.isNaN(whole)) return undefined;
  const fraction = match[3] === undefined ? 0 : Number(`0${match[3]}`) * 1000;
  return (whole + fraction) as Instant;
}
