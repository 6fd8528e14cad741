// Which addresses a cluster uses, so that several lifepods of one machine do not meet (docs/decisions/0011-service-addresses.md).

import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { writeFileDurably } from "../host/durable-file.ts";

/** The addresses of one data folder: one 256th of each pool. */
export interface ClusterAddresses {
  /** Which part: names what the machine has only one of. */
  readonly slot: number;
  /** Of Pods that are processes: all of the loopback network is this machine's. */
  readonly processPods: string;
  /** Of Services that only this machine's processes reach. */
  readonly processServices: string;
  /** Of Services that containers reach, over their gateway. */
  readonly containerServices: string;
  /** Others may use the addresses from now on. */
  release(): void;
}

const slots = 256;

/** Held by whoever uses a slot, at the first address of its processes' Services. */
const claimPort = 9696;

/** @param file where the folder's choice is kept: its Services have their addresses for good */
export async function claimAddresses(
  file: string,
  root: string,
  log: (message: string) => void,
): Promise<ClusterAddresses> {
  const kept = await keptSlot(file);
  if (kept !== undefined) {
    const release = await claim(kept);
    if (release === undefined) {
      log(
        `another lifepod on this machine uses the Service addresses ${rangesOf(kept).processServices}, too; Services of both may clash`,
      );
    }
    return { ...rangesOf(kept), release: release ?? (() => undefined) };
  }
  const first = createHash("sha256").update(root).digest().readUInt32BE() % slots;
  for (let step = 0; step < slots; step++) {
    const slot = (first + step) % slots;
    const release = await claim(slot);
    if (release === undefined) continue;
    await writeFileDurably(file, `${JSON.stringify({ slot })}\n`, 0o644);
    return { ...rangesOf(slot), release };
  }
  throw new Error(
    `all ${slots} ranges of Service addresses are in use by other lifepods of this machine; end some of them`,
  );
}

/** `10.96.0.10` is the tenth address of `10.96.0.0/20`. */
export function addressOf(range: string, index: number): string {
  const [network = ""] = range.split("/");
  const number = network.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/** The API server's own Service has the first address, cluster DNS the tenth: where people expect them. */
export const apiServerIndex = 1;
export const clusterDnsIndex = 10;

function rangesOf(slot: number): Omit<ClusterAddresses, "release"> {
  const part = (first: number, second: number): string => `${first}.${second + (slot >> 4)}.${(slot & 15) << 4}.0/20`;
  return { slot, processPods: part(127, 64), processServices: part(127, 96), containerServices: part(10, 96) };
}

async function keptSlot(file: string): Promise<number | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { slot } = JSON.parse(text) as { readonly slot: number };
  return slot;
}

/** A socket is let go by the kernel however its process ends. */
function claim(slot: number): Promise<(() => void) | undefined> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.once("error", () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ address: addressOf(rangesOf(slot).processServices, 0), port: claimPort, exclusive: true }, () => {
      socket.unref();
      let held = true;
      resolve(() => {
        if (held) socket.close();
        held = false;
      });
    });
  });
}
