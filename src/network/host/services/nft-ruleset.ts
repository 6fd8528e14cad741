// The routes as one nftables table, in the JSON that `nft -j` takes (libnftables-json(5)). Pure: what the kernel should have, from what it has.
//
//   packet → services ─→ <route>-internal ─→ <route>-<endpoint> ─→ dnat
//                     └→ <route>-external ─┘   (which endpoint: by affinity, else by chance)
//   what nobody answers → reject

import { createHash } from "node:crypto";
import type { ServiceFrontend } from "../../service-frontends.ts";
import type { RouteEndpoint, RouteTarget, ServiceRoute } from "../../service-routes.ts";

/** Names of what the kernel has of us. Rules are written anew each time; these stay, and with them what affinity remembers. */
export interface NftState {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
}

export interface NftPlan {
  /** One transaction: all of it happens, or nothing. */
  readonly commands: readonly Json[];
  readonly state: NftState;
}

type Json = { readonly [key: string]: unknown };

const family = "ip";

/** On the packets whose source must become this machine's: else the answer would not come back this way. */
const masqueradeMark = 0x4_0000;

/** NAT happens at -100; what is rejected must have passed it. */
const hooks = [
  { name: "nat-prerouting", type: "nat", hook: "prerouting", prio: -100 },
  { name: "nat-output", type: "nat", hook: "output", prio: -100 },
  { name: "nat-postrouting", type: "nat", hook: "postrouting", prio: 100 },
  { name: "filter-input", type: "filter", hook: "input", prio: -90 },
  { name: "filter-forward", type: "filter", hook: "forward", prio: -90 },
  { name: "filter-output", type: "filter", hook: "output", prio: -90 },
] as const;

/**
 * @param table the name of our table
 * @param known what the kernel has; undefined if nobody knows: then whatever is there is replaced
 */
export function planRuleset(
  table: string,
  frontends: readonly ServiceFrontend[],
  known: NftState | undefined,
): NftPlan {
  const rules = new Ruleset(table);
  rules.chain("services");
  rules.chain("reject");
  rules.chain("reject-reset");
  for (const { name } of hooks.slice(0, 2)) rules.rule(name, [jump("services")]);
  for (const { name } of hooks.slice(3)) rules.rule(name, [jump("reject")]);
  rules.rule("nat-postrouting", [
    match(and(mark, masqueradeMark), "!=", 0),
    { mangle: { key: mark, value: { "^": [mark, masqueradeMark] } } },
    { masquerade: null },
  ]);
  rules.rule("reject-reset", [match(protocol, "==", "tcp"), { reject: { type: "tcp reset" } }]);
  rules.rule("reject-reset", [{ reject: null }]);
  addRoutes(rules, frontends);
  return rules.plan(known);
}

/** The end of the table, whether it is there or not. */
export function planRemoval(table: string): readonly Json[] {
  return [{ add: { table: { family, name: table } } }, { delete: { table: { family, name: table } } }];
}

function addRoutes(rules: Ruleset, frontends: readonly ServiceFrontend[]): void {
  const answered: [Json, Json][] = [];
  const everywhere: [Json, Json][] = [];
  const unanswered: [Json, Json][] = [];
  for (const frontend of frontends) {
    const { target, address, port } = frontend;
    const l4 = frontend.protocol.toLowerCase();
    if (target.kind !== "endpoints") {
      unanswered.push([concat(address, l4, port), target.kind === "drop" ? { drop: null } : goto("reject-reset")]);
    } else if (address === "0.0.0.0") {
      everywhere.push([concat(l4, port), goto(entryChain(rules, frontend))]);
    } else {
      answered.push([concat(address, l4, port), goto(entryChain(rules, frontend))]);
    }
  }
  const place = { concat: [payload("ip", "daddr"), protocol, payload("th", "dport")] };
  if (answered.length > 0) rules.rule("services", [vmap(place, answered)]);
  if (everywhere.length > 0) {
    const isOwn = match({ fib: { result: "type", flags: ["daddr"] } }, "==", "local");
    rules.rule("services", [isOwn, vmap({ concat: [protocol, payload("th", "dport")] }, everywhere)]);
  }
  if (unanswered.length > 0) rules.rule("reject", [vmap(place, unanswered)]);
  // Other ports of a Service's address: nobody is there.
  const clusterIps = [...new Set(frontends.filter(({ role }) => role === "cluster").map(({ address }) => address))];
  if (clusterIps.length > 0)
    rules.rule("reject", [match(payload("ip", "daddr"), "==", { set: clusterIps }), goto("reject-reset")]);
}

/** The chain that a frontend's packets enter; made once for all frontends of a route that want the same. */
function entryChain(rules: Ruleset, { role, route }: ServiceFrontend): string {
  if (role === "cluster") return targetChain(rules, route, route.internal, "internal");
  const external = targetChain(rules, route, route.external, "external");
  if (role !== "loadBalancer" || route.loadBalancerSourceRanges.length === 0) return external;
  const name = `${chainName(route)}-balanced`;
  if (rules.chain(name)) {
    const ranges = route.loadBalancerSourceRanges.map((range) => {
      const [addr = "", len = "32"] = range.split("/");
      return { prefix: { addr, len: Number(len) } };
    });
    rules.rule(name, [match(payload("ip", "saddr"), "!=", { set: ranges }), { drop: null }]);
    rules.rule(name, [goto(external)]);
  }
  return name;
}

function targetChain(rules: Ruleset, route: ServiceRoute, target: RouteTarget, side: "internal" | "external"): string {
  const name = `${chainName(route)}-${side}`;
  if (target.kind !== "endpoints" || !rules.chain(name)) return name;
  if (side === "external" && !route.keepsClientAddress) rules.rule(name, [setMark]);
  const chains = target.endpoints.map((endpoint) => ({ endpoint, chain: endpointChain(rules, route, endpoint) }));
  if (route.affinitySeconds !== undefined) {
    for (const { endpoint, chain } of chains) {
      rules.rule(name, [match(payload("ip", "saddr"), "==", `@${affinitySet(route, endpoint)}`), goto(chain)]);
    }
  }
  const draw = { numgen: { mode: "random", mod: chains.length, offset: 0 } };
  rules.rule(name, [
    vmap(
      draw,
      chains.map(({ chain }, index) => [index, goto(chain)]),
    ),
  ]);
  return name;
}

function endpointChain(rules: Ruleset, route: ServiceRoute, endpoint: RouteEndpoint): string {
  const name = `${chainName(route)}-${hash(`${endpoint.address} ${endpoint.port}`)}`;
  if (!rules.chain(name)) return name;
  // A Pod that reaches itself must see somebody else's address, or it would answer to itself.
  rules.rule(name, [match(payload("ip", "saddr"), "==", endpoint.address), setMark]);
  if (route.affinitySeconds !== undefined) {
    const set = affinitySet(route, endpoint);
    rules.set(set, route.affinitySeconds);
    const elem = { elem: { val: payload("ip", "saddr"), timeout: route.affinitySeconds } };
    rules.rule(name, [{ set: { op: "update", elem, set: `@${set}` } }]);
  }
  rules.rule(name, [
    match(protocol, "==", route.protocol.toLowerCase()),
    { dnat: { addr: endpoint.address, port: endpoint.port } },
  ]);
  return name;
}

/** Names that stay the same as long as the route does. */
const chainName = ({ name, protocol: l4, clusterIp, port }: ServiceRoute): string =>
  `service-${hash(`${name} ${l4} ${clusterIp} ${port}`)}`;

const affinitySet = (route: ServiceRoute, { address, port }: RouteEndpoint): string =>
  `${chainName(route).replace("service", "clients")}-${hash(`${address} ${port} ${route.affinitySeconds ?? 0}`)}`;

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

class Ruleset {
  readonly #table: string;
  readonly #chains = new Set<string>();
  readonly #sets = new Map<string, Json>();
  readonly #rules: Json[] = [];

  constructor(table: string) {
    this.#table = table;
  }

  /** Says whether it is a new one. */
  chain(name: string): boolean {
    if (this.#chains.has(name)) return false;
    this.#chains.add(name);
    return true;
  }

  set(name: string, timeoutSeconds: number): void {
    // The kernel keeps sets with times in a table that rules may add to; the word for that, `dynamic`, is unknown to older nft in JSON.
    const flags = ["timeout"];
    this.#sets.set(name, { family, table: this.#table, name, type: "ipv4_addr", flags, timeout: timeoutSeconds });
  }

  rule(chain: string, expr: readonly Json[]): void {
    this.#rules.push({ add: { rule: { family, table: this.#table, chain, expr } } });
  }

  plan(known: NftState | undefined): NftPlan {
    const table = { family, name: this.#table };
    const own = { family, table: this.#table };
    const fresh = known === undefined ? [...planRemoval(this.#table), { add: { table } }] : [{ flush: { table } }];
    const stale = <T>(names: readonly T[], kept: { has(name: T): boolean }): readonly T[] =>
      names.filter((name) => !kept.has(name));
    return {
      commands: [
        ...fresh,
        ...[...this.#sets].flatMap(([name, set]) => (known?.sets.includes(name) === true ? [] : [{ add: { set } }])),
        ...hooks.map((hook) => ({ add: { chain: { ...own, ...hook, policy: "accept" } } })),
        ...[...this.#chains].map((name) => ({ add: { chain: { ...own, name } } })),
        ...this.#rules,
        ...stale(known?.chains ?? [], this.#chains).map((name) => ({ delete: { chain: { ...own, name } } })),
        ...stale(known?.sets ?? [], this.#sets).map((name) => ({ delete: { set: { ...own, name } } })),
      ],
      state: { chains: [...this.#chains], sets: [...this.#sets.keys()] },
    };
  }
}

const mark = { meta: { key: "mark" } };
const protocol = { meta: { key: "l4proto" } };
const setMark: Json = { mangle: { key: mark, value: { "|": [mark, masqueradeMark] } } };
const payload = (header: string, field: string): Json => ({ payload: { protocol: header, field } });
const match = (left: unknown, op: string, right: unknown): Json => ({ match: { op, left, right } });
const and = (left: unknown, right: number): Json => ({ "&": [left, right] });
const jump = (target: string): Json => ({ jump: { target } });
const goto = (target: string): Json => ({ goto: { target } });
const concat = (...parts: readonly (string | number)[]): Json => ({ concat: parts });
const vmap = (key: unknown, cases: readonly (readonly [unknown, Json])[]): Json => ({
  vmap: { key, data: { set: cases } },
});
