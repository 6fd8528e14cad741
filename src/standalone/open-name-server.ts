// Where cluster DNS is asked on this machine, loaded when there is a zone.

import type { Random } from "../base/random.ts";
import type { Zone } from "../network/dns/zone.ts";
import type { NameServer } from "../network/name-server.ts";

export interface ClusterDnsPlace {
  readonly address: string;
  readonly port: number;
  /** A resolver file knows no ports: only at the usual one Pods find it. */
  readonly isReachedByPods: boolean;
}

const usualPort = 53;
const portWithoutRights = 8053;

/** Only root may listen at the usual port, and only root gives the machine an address that containers reach. */
export function clusterDnsPlace(address: string, runtime: "process" | "containerd"): ClusterDnsPlace {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) return { address, port: usualPort, isReachedByPods: true };
  return { address: runtime === "process" ? address : "127.0.0.1", port: portWithoutRights, isReachedByPods: false };
}

/** A name server that is opened by the first zone. */
export class LazyNameServer implements NameServer {
  readonly #open: () => Promise<NameServer>;
  #opened: Promise<NameServer> | undefined;

  constructor(open: () => Promise<NameServer>) {
    this.#open = open;
  }

  async serve(zone: Zone): Promise<void> {
    this.#opened ??= this.#open();
    await (await this.#opened).serve(zone);
  }

  async close(): Promise<void> {
    await (await this.#opened)?.close();
  }
}

export async function openNameServer(
  place: ClusterDnsPlace & { readonly random: Random; readonly log: (message: string) => void },
): Promise<NameServer> {
  const { address, port, random, log } = place;
  const { DnsServer } = await import("../network/host/dns/dns-server.ts");
  const { LocalAddresses } = await import("../network/host/services/local-addresses.ts");
  const held = new LocalAddresses();
  return new DnsServer({
    address,
    port,
    resolverFile: "/etc/resolv.conf",
    random: random.stream("dns"),
    holdAddresses: (addresses) => held.hold(addresses),
    log,
  });
}
