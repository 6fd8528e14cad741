import type { JsonObject } from "../../api/wire/request.ts";

/** The version of Kubernetes whose API this server speaks. */
export const kubernetesVersion = "v1.34.0";

/**
 * What `/version` says (api-machinery 1.1). The build metadata tells whose server it is; clients compare only what stands before it. What would
 * describe a build of upstream's own is left as an unstamped build has it.
 */
export const versionDocument: JsonObject = {
  major: "1",
  minor: "34",
  emulationMajor: "1",
  emulationMinor: "34",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "33",
  gitVersion: `${kubernetesVersion}+lifepod`,
  gitCommit: "0000000000000000000000000000000000000000",
  gitTreeState: "archive",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: "linux/amd64",
};
