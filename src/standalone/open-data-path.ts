// How connections to Services are carried on this machine, loaded when there is a first route.

import type { Clock } from "../base/time.ts";
import type { Random } from "../base/random.ts";
import type { RouteTrouble, RoutingTable, ServiceDataPath } from "../network/service-routes.ts";

export interface DataPathQuestion {
  readonly clock: Clock;
  readonly random: Random;
  /** Where node ports are open. */
  readonly nodeAddresses: readonly string[];
  /** The name of the table in the kernel, if connections go through it: another one for each lifepod of the machine. */
  readonly kernelTable: string;
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

/** In the kernel if that can be, else by lifepod itself. */
export async function openDataPath(question: DataPathQuestion): Promise<ServiceDataPath> {
  const { log, kernelTable, ...options } = question;
  const { UserspaceDataPath } = await import("../network/host/services/userspace-data-path.ts");
  if (process.getuid?.() !== 0) return new UserspaceDataPath(options);
  const { NftablesDataPath, isForKernel, whyNotNftables } = await import(
    "../network/host/services/nftables-data-path.ts"
  );
  const whyNot = await whyNotNftables(kernelTable);
  if (whyNot !== undefined)
    log(`connections to Services pass through lifepod, because nftables cannot be used: ${whyNot}`);
  const { LocalAddresses } = await import("../network/host/services/local-addresses.ts");
  const held = new LocalAddresses();
  const userspace = new UserspaceDataPath({
    ...options,
    ...(whyNot === undefined && { carries: (frontend) => !isForKernel(frontend) }),
    holdAddresses: async (addresses) => {
      await held.hold(addresses).catch((error: unknown) => log(`Services: ${String(error)}`));
    },
  });
  if (whyNot !== undefined) return userspace;
  return new NftablesDataPath({ table: kernelTable, nodeAddresses: options.nodeAddresses, rest: userspace });
}
