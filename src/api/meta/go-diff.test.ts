import { expect, it } from "vitest";
import { goDiff } from "./go-diff.ts";

it("shows what changed between two messages and counts the rest", () => {
  const old = {
    hostname: "a",
    restartPolicy: "Always",
    nodeSelector: { zone: "1", disk: "ssd" },
    containers: [{ name: "a" }, { name: "b", image: "1" }],
  };
  const next = {
    ...old,
    hostname: "b",
    nodeSelector: { zone: "2", disk: "ssd" },
    containers: [{ name: "a" }, { name: "b", image: "2" }, { name: "c" }],
    hostIPC: true,
  };
  expect(goDiff("core.PodSpec", old, next)).toBe(
    [
      "  core.PodSpec{",
      "  \tContainers: []{",
      "  \t\t... // 1 identical elements",
      "  \t\t{",
      '- \t\t\tImage: "1",',
      '+ \t\t\tImage: "2",',
      "  \t\t\t... // 1 identical fields",
      "  \t\t},",
      '+ \t\t{"name":"c"},',
      "  \t},",
      "- \tHostIPC: nil,",
      "+ \tHostIPC: true,",
      '- \tHostname: "a",',
      '+ \tHostname: "b",',
      "  \tNodeSelector: {",
      "  \t\t... // 1 identical fields",
      '- \t\tZone: "1",',
      '+ \t\tZone: "2",',
      "  \t},",
      "  \t... // 1 identical fields",
      "  }",
      "",
    ].join("\n"),
  );
});
