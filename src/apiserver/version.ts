// What `/version` says (api-machinery 1.1): the API level that is served, so that clients choose their behaviour by it.

import type { JsonObject } from "../api/wire/request.ts";

export const serverVersion: JsonObject = {
  major: "1",
  minor: "34",
  emulationMajor: "1",
  emulationMinor: "34",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "33",
  gitVersion: "v1.34.0+lifepod",
  gitCommit: "0000000000000000000000000000000000000000",
  gitTreeState: "clean",
  buildDate: "2025-08-27T10:00:00Z",
  goVersion: "go1.24.6",
  compiler: "gc",
  platform: "linux/amd64",
};
