// What the process runtime says when it is asked for what a process cannot have: asked here, so that the document quotes it.

import type { ContainerConfig, PodSandboxConfig } from "../../src/runtimes/runtime-service.ts";
import {
  commandLineOf,
  planMounts,
  type Privileges,
  refuseUnsupportedContainer,
  refuseUnsupportedSandbox,
} from "../../src/runtimes/process/requirements.ts";
import type { Row } from "./markdown.ts";

const root: Privileges = { uid: 0, gid: 0 };
const user: Privileges = { uid: 1000, gid: 1000 };

export function processRefusals(): readonly Row[] {
  const rows: readonly (readonly [string, () => unknown])[] = [
    ["no `command`", () => commandLineOf(container({ command: [] }), {})],
    ["`tty`", () => refuseUnsupportedContainer(container({ tty: true }), root)],
    ["a `hostPort` that is not the `containerPort`", () => refuseUnsupportedSandbox(sandbox({ hostPort: 8080 }))],
    ["`sysctls`", () => refuseUnsupportedSandbox(sandbox({ sysctls: { "net.core.somaxconn": "1024" } }))],
    [
      "a `Localhost` seccomp profile",
      () => refuseUnsupportedContainer(secured({ seccomp: { profileType: "Localhost" } }), root),
    ],
    ["`mountPropagation: Bidirectional`", () => planMounts(mounting("Bidirectional"), root)],
    ["a volume, without root", () => planMounts(mounting("None"), user)],
    [
      "`readOnlyRootFilesystem`, without root",
      () => refuseUnsupportedContainer(secured({ readonlyRootfs: true }), user),
    ],
    [
      "`capabilities.add`, without root",
      () => refuseUnsupportedContainer(secured({ capabilities: { add: ["NET_ADMIN"], drop: [] } }), user),
    ],
    ["`privileged`, without root", () => refuseUnsupportedContainer(secured({ privileged: true }), user)],
  ];
  return rows.map(([asked, ask]): Row => [asked, refusalOf(ask)]);
}

/** @throws Error if nothing is refused: then the row has to go */
function refusalOf(ask: () => unknown): string {
  try {
    ask();
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error("the process runtime gives what the document says it refuses");
}

function container(change: Partial<ContainerConfig>): ContainerConfig {
  return {
    metadata: { name: "web", attempt: 0 },
    imageRef: "web:1",
    userSpecifiedImage: "web:1",
    command: ["serve"],
    args: [],
    workingDir: "",
    envs: [],
    mounts: [],
    labels: {},
    annotations: {},
    logPath: "web/0.log",
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: {},
    securityContext: { namespaceOptions: { network: "POD", pid: "CONTAINER", ipc: "POD" } },
    ...change,
  } as ContainerConfig;
}

function secured(change: Partial<ContainerConfig["securityContext"]>): ContainerConfig {
  const { securityContext } = container({});
  return container({ securityContext: { ...securityContext, ...change } });
}

function mounting(propagation: "None" | "Bidirectional"): ContainerConfig {
  const mount = { containerPath: "/data", hostPath: "/var/data", readonly: false, propagation };
  return container({ mounts: [mount] as unknown as ContainerConfig["mounts"] });
}

function sandbox({ hostPort = 0, sysctls }: { hostPort?: number; sysctls?: Record<string, string> }): PodSandboxConfig {
  return {
    portMappings: [{ protocol: "TCP", containerPort: 80, hostPort }],
    ...(sysctls && { sysctls }),
  } as unknown as PodSandboxConfig;
}
