// The real runtimes that the suites run on, each with a look from outside at what it holds.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { containerdAbsence, type PrivateContainerd, startContainerd } from "../containerd/containerd.ts";

export interface RuntimeAtHand {
  /** Arguments of `lifepod` that choose it. */
  readonly arguments: readonly string[];
  readonly image: string;
  /** Sandboxes, containers and network interfaces that are there now, for anybody. */
  holdings(): Promise<readonly string[]>;
  /** Only where there is one. */
  readonly containerd?: PrivateContainerd;
  stop(): Promise<void>;
}

export interface RuntimeOffer {
  /** Why it cannot run here, for a named skip. */
  readonly absence: string | undefined;
  readonly start: () => Promise<RuntimeAtHand>;
}

/** Rows of a table of tests. */
export const runtimeRows: readonly (readonly [name: "process" | "containerd", offer: RuntimeOffer])[] = [
  [
    "process",
    { absence: process.platform === "linux" ? undefined : "the process runtime needs Linux", start: processes },
  ],
  ["containerd", { absence: containerdAbsence(), start: containers }],
];

async function processes(): Promise<RuntimeAtHand> {
  return {
    arguments: ["--runtime", "process"],
    image: "busybox:1.36",
    holdings: async () => [],
    stop: async () => undefined,
  };
}

async function containers(): Promise<RuntimeAtHand> {
  const containerd = await startContainerd();
  return {
    arguments: ["--runtime", "containerd", "--runtime-endpoint", containerd.endpoint],
    image: containerd.images.busybox,
    containerd,
    async holdings() {
      const ids = async (...args: readonly string[]): Promise<readonly string[]> =>
        (await containerd.ctr(...args)).split("\n").filter((line) => line !== "");
      const [tasks, all] = await Promise.all([ids("tasks", "ls", "-q"), ids("containers", "ls", "-q")]);
      return [
        ...tasks.map((id) => `task ${id}`),
        ...all.map((id) => `container ${id}`),
        ...interfacesOf(containerd).map((name) => `interface ${name}`),
      ];
    },
    stop: () => containerd.stop(),
  };
}

/** The ends of Pods' network cables that are plugged into containerd's bridge. */
function interfacesOf({ subnet }: PrivateContainerd): readonly string[] {
  const gateway = subnet.replace(/0\/24$/, "1/24");
  const addresses = execFileSync("ip", ["-o", "-4", "address"], { encoding: "utf8" });
  const bridge = addresses
    .split("\n")
    .find((line) => line.includes(` ${gateway} `))
    ?.split(/\s+/)[1];
  if (bridge === undefined) return [];
  return readdirSync(`/sys/class/net/${bridge}/brif`);
}
