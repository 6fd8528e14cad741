import { expect, it } from "vitest";
import { millis } from "../base/time.ts";
import { formatGoDuration, joinHostPort, redirectTarget } from "./probe-errors.ts";

it.each([
  [0, "0s"],
  [0.25, "250µs"],
  [5, "5ms"],
  [1000, "1s"],
  [1500, "1.5s"],
  [60_000, "1m0s"],
  [80_000, "1m20s"],
  [7_200_000, "2h0m0s"],
  [-1500, "-1.5s"],
])("writes %d ms as %s", (wait, text) => {
  expect(formatGoDuration(millis(wait))).toBe(text);
});

it("puts brackets around an address of the sixth version", () => {
  expect(joinHostPort("fd00::1", 80)).toBe("[fd00::1]:80");
});

const from = { scheme: "http", host: "10.0.0.5", port: 8080, path: "/a/b?x=1" } as const;

it.each([
  ["/c", { ...from, path: "/c" }],
  ["c?y", { ...from, path: "/a/c?y" }],
  ["../c", { ...from, path: "/c" }],
  ["?y", { ...from, path: "/a/b?y" }],
  ["http://10.0.0.5:9090/x", { ...from, port: 9090, path: "/x" }],
  ["https://10.0.0.5/x#part", { scheme: "https", host: "10.0.0.5", port: 443, path: "/x" }],
  ["//other?z", { ...from, host: "other", port: 80, path: "/?z" }],
  ["http://[fd00::1]:81", { ...from, host: "fd00::1", port: 81, path: "/" }],
  ["mailto:me", undefined],
  ["", undefined],
])("leads from /a/b to %j", (location, target) => {
  expect(redirectTarget(from, 302, location)).toEqual(target);
});

it("takes no other status for a redirect", () => {
  expect(redirectTarget(from, 304, "/c")).toBeUndefined();
  expect(redirectTarget(from, 200, "/c")).toBeUndefined();
});
