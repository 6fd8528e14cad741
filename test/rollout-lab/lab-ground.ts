// A lifepod of its own for the lab, on a runtime, and how the server is started there.

import { fileURLToPath } from "node:url";
import { runtimeRows } from "../end-to-end/runtimes-at-hand.ts";
import { StandingCluster } from "../end-to-end/standing-cluster.ts";
import type { Launch } from "./manifests.ts";

export interface LabGround {
  /** A fresh cluster; give it back with `stop`. */
  begin(): Promise<{ readonly kubeconfig: string; readonly stop: () => Promise<void> }>;
  readonly launch: Launch;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL("web-server.mjs", import.meta.url));
const machineAt = "/machine";

/** @throws Error with the reason if the runtime is not at hand */
export async function openGround(runtime: "process" | "containerd"): Promise<LabGround> {
  const [, offer] = runtimeRows.find(([name]) => name === runtime) as (typeof runtimeRows)[number];
  if (offer.absence !== undefined) throw new Error(offer.absence);
  const atHand = await offer.start();
  const node = [process.execPath, program];
  return {
    // A container takes this machine's Node: it sees the machine's files and makes their root its own.
    launch:
      runtime === "process"
        ? { image: "lab:1", command: node }
        : { image: atHand.image, command: ["busybox", "chroot", machineAt, ...node], hostFilesAt: machineAt },
    async begin() {
      const cluster = await StandingCluster.start(atHand.arguments);
      return { kubeconfig: cluster.facts.kubeconfig, stop: () => cluster.stop() };
    },
    stop: () => atHand.stop(),
  };
}
