// How connections to Services are carried on this machine, loaded when there is a first route.

import type { Clock } from "../base/time.ts";
import type { Random } from "../base/random.ts";
import type { RouteTrouble, RoutingTable, ServiceDataPath } from "../network/service-routes.ts";

export interface DataPathQuestion {
  readonly clock: Clock;
  readonly random: Random;
  /** Where node ports are open. */
  readonly nodeAddresses: readonly string[];
  readonly log: (message: string) => void;
}

/** A data path that is opened by the first table with a route in it: until then it costs nothing. */
export class LazyDataPath implements ServiceDataPath {
  readonly #open: () => Promise<ServiceDataPath>;
  #opened: Promise<ServiceDataPath> | undefined;

  constructor(open: () => Promise<ServiceDataPath>) {
    this.#open = open;
  }

  async apply(table: RoutingTable): Promise<readonly RouteTrouble[]> {
    if (this.#opened === undefined && table.length === 0) return [];
    this.#opened ??= this.#open();
    return (await this.#opened).apply(table);
  }

  async close(): Promise<void> {
    await (await this.#opened)?.close();
  }
}

export async function openDataPath(question: DataPathQuestion): Promise<ServiceDataPath> {
  const { log, ...options } = question;
  const { UserspaceDataPath } = await import("../network/host/services/userspace-data-path.ts");
  if (process.getuid?.() !== 0) return new UserspaceDataPath(options);
  const { LocalAddresses } = await import("../network/host/services/local-addresses.ts");
  const held = new LocalAddresses();
  return new UserspaceDataPath({
    ...options,
    holdAddresses: async (addresses) => {
      await held.hold(addresses).catch((error: unknown) => log(`Services: ${String(error)}`));
    },
  });
}
