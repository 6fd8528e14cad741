import { expect, it } from "vitest";
import type { ApiRequest } from "../api/wire/request.ts";
import { StatusError } from "../api/wire/status-error.ts";
import { checkInFlight, inFlightLimits, parseDuration } from "./request-limits.ts";

it.each([
  ["32s", 32_000],
  ["1m30s", 90_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["250ms", 250],
  ["1us", 0.001],
  ["0", 0],
  ["-1s", -1000],
  ["", undefined],
  ["32", undefined],
  ["s", undefined],
  ["1s ", undefined],
  ["1d", undefined],
  ["1.2.3s", undefined],
])("reads %j as a duration of %s ms", (text, want) => {
  expect(parseDuration(text)).toBe(want);
});

const request = (method: ApiRequest["method"], url: string, groups: readonly string[] = ["ops"]): ApiRequest => {
  const [path = "", query = ""] = url.split("?");
  return { method, path, query: new URLSearchParams(query), headers: {}, user: { username: "ann", groups } };
};
const pods = "/api/v1/namespaces/default/pods";

it.each<[string, ApiRequest, "readOnly" | "mutating", number, boolean]>([
  ["the last read there is room for", request("GET", pods), "readOnly", inFlightLimits.readOnly, true],
  ["one read more", request("GET", pods), "readOnly", inFlightLimits.readOnly + 1, false],
  ["the last write there is room for", request("POST", pods), "mutating", inFlightLimits.mutating, true],
  ["one write more", request("POST", pods), "mutating", inFlightLimits.mutating + 1, false],
  ["a read while only writers crowd", request("GET", pods), "mutating", 10_000, true],
  ["an administrator", request("POST", pods, ["system:masters"]), "mutating", 10_000, true],
  ["a watch", request("GET", `${pods}?watch=true`), "readOnly", 10_000, true],
  ["a watch of the old form", request("GET", "/api/v1/watch/pods"), "readOnly", 10_000, true],
  ["a log", request("GET", `${pods}/web/log`), "readOnly", 10_000, true],
])("lets %s in, or not", (_what, asked, kind, count, want) => {
  const enter = (): void => checkInFlight(asked, { readOnly: 0, mutating: 0, [kind]: count });
  if (want) {
    enter();
    return;
  }
  expect(enter).toThrow(StatusError);
  expect(enter).toThrow("Too many requests, please try again later.");
});
