// Services in the kernel: one nftables table of our own, replaced as a whole with each change. Needs root and `nft`. The table outlives a lifepod
// that crashes: connections go on, and the next start takes its place.

import { spawn } from "node:child_process";
import { type ServiceFrontend, frontendsOf } from "../../service-frontends.ts";
import type { RouteTrouble, RoutingTable, ServiceDataPath } from "../../service-routes.ts";
import { type NftState, planRemoval, planRuleset } from "./nft-ruleset.ts";

export interface NftablesOptions {
  /** The name of our table: another one for each lifepod of the machine. */
  readonly table: string;
  /** The node's own addresses, at which node ports are open; `0.0.0.0` stands for all. */
  readonly nodeAddresses: readonly string[];
  /** Carries what the kernel cannot: connections between the loopback network and the rest of the world. */
  readonly rest: ServiceDataPath;
}

export class NftablesDataPath implements ServiceDataPath {
  readonly #options: NftablesOptions;
  #known: NftState | undefined;

  constructor(options: NftablesOptions) {
    this.#options = options;
  }

  async apply(table: RoutingTable): Promise<readonly RouteTrouble[]> {
    const { frontends, troubles } = frontendsOf(table, this.#options.nodeAddresses);
    const plan = planRuleset(this.#options.table, frontends.filter(isForKernel), this.#known);
    // If it fails nobody knows what the kernel has, though it should have what it had.
    this.#known = undefined;
    await nft(plan.commands);
    this.#known = plan.state;
    return [...troubles, ...(await this.#options.rest.apply(table))];
  }

  async close(): Promise<void> {
    this.#known = undefined;
    await nft(planRemoval(this.#options.table));
    await this.#options.rest.close();
  }
}

/** Packets cannot get from the loopback network to another or back: such connections need somebody between. */
export function isForKernel({ address, target }: ServiceFrontend): boolean {
  if (address.includes(":")) return false;
  if (target.kind !== "endpoints") return true;
  return target.endpoints.every((endpoint) => isLoopback(endpoint.address) === isLoopback(address));
}

const isLoopback = (address: string): boolean => address.startsWith("127.");

/** Why nftables cannot be used here; undefined if it can. Tries everything that a ruleset of ours has, in a transaction that leaves nothing. */
export async function whyNotNftables(table: string): Promise<string | undefined> {
  const target = {
    kind: "endpoints",
    endpoints: [
      { address: "127.0.0.1", port: 1 },
      { address: "127.0.0.1", port: 2 },
    ],
  } as const;
  const route = {
    name: "probe",
    namespace: "",
    service: "probe",
    protocol: "TCP",
    clusterIp: "127.0.0.1",
    port: 1,
    nodePort: 1,
    externalIps: [],
    loadBalancerIps: ["127.0.0.2"],
    loadBalancerSourceRanges: ["127.0.0.0/8"],
    internal: target,
    external: target,
    keepsClientAddress: false,
    affinitySeconds: 1,
  } as const;
  const { frontends } = frontendsOf([route], ["0.0.0.0"]);
  const probe = `${table}-probe`;
  try {
    await nft([...planRuleset(probe, frontends, undefined).commands, ...planRemoval(probe)]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** One transaction. @throws Error with what `nft` says */
function nft(commands: readonly unknown[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // nft opens its standard input by name, which does not work with the socket that Node makes of a pipe: cat makes it one.
    const child = spawn("sh", ["-c", "cat | nft -j -f -"], { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += String(text)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`nft: ${said.trim().split("\n")[0] ?? ""}`));
    });
    // If it ended without reading, its exit code tells.
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify({ nftables: commands }));
  });
}
