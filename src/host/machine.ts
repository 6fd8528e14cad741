// What the machine says of itself: what a Node object reports (capacity, addresses, system information).

import { readFile, statfs } from "node:fs/promises";
import { arch, cpus, freemem, hostname, networkInterfaces, platform, release, totalmem } from "node:os";

export interface Machine {
  /** Lower case, fit for a Node's name. */
  readonly hostname: string;
  /** The first IPv4 address that is not loopback; `127.0.0.1` if there is none. */
  readonly address: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Size of the file system that holds `folder`. */
  readonly storageBytes: number;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly operatingSystem: string;
  /** As Go names it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
}

/** @param folder where the node keeps its Pods; must exist */
export async function readMachine(folder: string): Promise<Machine> {
  const [osRelease, machineId, bootId, systemUuid, storage] = await Promise.all([
    readText("/etc/os-release"),
    readText("/etc/machine-id"),
    readText("/proc/sys/kernel/random/boot_id"),
    readText("/sys/class/dmi/id/product_uuid"),
    statfs(folder),
  ]);
  return {
    hostname: nodeNameFrom(hostname()),
    address: firstAddress(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    storageBytes: storage.blocks * storage.bsize,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? platform(),
    operatingSystem: platform() === "win32" ? "windows" : platform(),
    architecture: { x64: "amd64", ia32: "386" }[arch() as string] ?? arch(),
    machineId: machineId.trim(),
    systemUuid: systemUuid.trim(),
    bootId: bootId.trim(),
  };
}

/** What the machine has used: time of all its processors since it started, and memory that could not be given to somebody else at once. */
export async function readMachineUsage(): Promise<{ readonly cpuNanoSeconds: bigint; readonly memoryBytes: number }> {
  const busyMillis = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  // What is cached counts as free memory only by the kernel's own estimate, which other systems than Linux do not give.
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(await readText("/proc/meminfo"))?.[1];
  const availableBytes = available === undefined ? freemem() : Number(available) * 1024;
  return { cpuNanoSeconds: BigInt(Math.round(busyMillis)) * 1_000_000n, memoryBytes: totalmem() - availableBytes };
}

/** A host name as a DNS subdomain: lower case, other characters as `-`. */
export function nodeNameFrom(name: string): string {
  const text = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  return text === "" ? "node" : text.slice(0, 253);
}

function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === "IPv4" && !internal) return address;
  }
  return "127.0.0.1";
}

/** Facts that a machine may keep to itself (no such file, not allowed) are reported as empty, as the kubelet does. */
async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
