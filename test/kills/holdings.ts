// What Pods hold on the machine, counted from outside: containers, sandboxes, shims, cgroups, network namespaces, cables, addresses, mounts, files.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cgroupsNamedIn } from "../containerd/cgroups.ts";
import type { PrivateContainerd } from "../containerd/containerd.ts";
import { filesBelow, mountsBelow, podFilesIn, processesWith } from "../end-to-end/traces.ts";
import type { StandingCluster } from "../end-to-end/standing-cluster.ts";

/** Each sort of thing with what there is of it, by name. */
export type Holdings = Readonly<Record<string, readonly string[]>>;

/** What only Pods have; where none are, each list is empty. */
export async function holdingsOf(
  cluster: StandingCluster,
  testimonies: string,
  temporary: string,
  containerd: PrivateContainerd | undefined,
): Promise<Holdings> {
  return {
    processes: processesWith(testimonies).map(({ pid }) => describeProcess(pid)),
    supervisors: processesWith(join(cluster.data, "processes")).map(({ pid }) => describeProcess(pid)),
    mounts: mountsBelow(cluster.folder),
    "files of Pods": podFilesIn(cluster.data),
    "other files of processes": filesBelow(join(cluster.data, "processes")).filter(
      (path) => !/^(sandboxes|containers|exits|boot)/.test(path) && path !== "mount-points",
    ),
    "temporary files": filesBelow(temporary),
    ...(containerd !== undefined && (await heldInContainerd(containerd))),
  };
}

async function heldInContainerd(containerd: PrivateContainerd): Promise<Holdings> {
  const folder = dirname(containerd.endpoint);
  const ids = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await containerd.ctr(...args)).split("\n").filter((line) => line !== "");
  const [tasks, containers, snapshots] = await Promise.all([
    ids("tasks", "ls", "-q"),
    ids("containers", "ls", "-q"),
    ids("snapshots", "ls"),
  ]);
  return {
    tasks,
    containers,
    snapshots: snapshots.filter((line) => line.includes(" Active ")),
    shims: shimsOf(containerd.endpoint),
    cgroups: cgroupsNamedIn(containerd.log()),
    "network namespaces": namesIn(join(folder, "state", "io.containerd.grpc.v1.cri", "netns")),
    "network cables": cablesOf(containerd.subnet),
    addresses: namesIn(join(folder, "ipam", networkIn(folder))).filter((name) => /^\d+\./.test(name)),
    "containerd's mounts": mountsBelow(folder),
    "containerd's folders": [
      ...["sandboxes", "containers"].flatMap((part) =>
        ["root", "state"].flatMap((where) => namesIn(join(folder, where, "io.containerd.grpc.v1.cri", part))),
      ),
      ...namesIn(join(folder, "state", "io.containerd.runtime.v2.task", "k8s.io")),
    ],
  };
}

function describeProcess(pid: number): string {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").slice(0, 120)}`;
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return `${pid} (gone)`;
    throw error;
  }
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

const networkIn = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, "cni", "10-test.conflist"), "utf8")) as { name: string }).name;

function shimsOf(endpoint: string): readonly string[] {
  return processesWith(endpoint)
    .map(({ pid }) => describeProcess(pid))
    .filter((text) => text.includes("containerd-shim"));
}

/** The ends of Pods' network cables that are plugged into containerd's bridge. */
function cablesOf(subnet: string): readonly string[] {
  const lot = subnet.split(".")[2] ?? "";
  return namesIn(`/sys/class/net/lifepodtest${lot}/brif`);
}
