// The addresses and ports at which the routes of a table are reached.

import type { RouteProtocol, RouteTarget, RouteTrouble, RoutingTable, ServiceRoute } from "./service-routes.ts";

export interface ServiceFrontend {
  readonly protocol: RouteProtocol;
  readonly address: string;
  readonly port: number;
  readonly target: RouteTarget;
  readonly route: ServiceRoute;
  readonly role: "cluster" | "node" | "external" | "loadBalancer";
}

export interface ServiceFrontends {
  readonly frontends: readonly ServiceFrontend[];
  /** Routes that want what another one, before them in the table, has. */
  readonly troubles: readonly RouteTrouble[];
}

/** @param nodeAddresses the node's own addresses at which node ports are open */
export function frontendsOf(table: RoutingTable, nodeAddresses: readonly string[]): ServiceFrontends {
  const taken = new Map<string, ServiceFrontend>();
  const troubles: RouteTrouble[] = [];
  for (const frontend of table.flatMap((route) => frontendsOfRoute(route, nodeAddresses))) {
    const key = frontendKey(frontend);
    const holder = taken.get(key);
    if (holder === undefined) {
      taken.set(key, frontend);
    } else if (holder.route !== frontend.route) {
      const { namespace, service } = frontend.route;
      troubles.push({ namespace, service, message: `${key} leads to ${holder.route.name} already` });
    }
  }
  return { frontends: [...taken.values()], troubles };
}

/** `tcp 10.96.0.1:443` */
export function frontendKey({ protocol, address, port }: Omit<ServiceFrontend, "target" | "route" | "role">): string {
  return `${protocol.toLowerCase()} ${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function frontendsOfRoute(route: ServiceRoute, nodeAddresses: readonly string[]): readonly ServiceFrontend[] {
  const { protocol, port, nodePort } = route;
  const isSameFamily = (address: string): boolean => address.includes(":") === route.clusterIp.includes(":");
  const at = (
    role: ServiceFrontend["role"],
    addresses: readonly string[],
    frontendPort: number,
    target: RouteTarget,
  ): readonly ServiceFrontend[] =>
    addresses.map((address) => ({ protocol, address, port: frontendPort, target, route, role }));
  return [
    ...at("cluster", [route.clusterIp], port, route.internal),
    ...at("external", route.externalIps, port, route.external),
    ...at("loadBalancer", route.loadBalancerIps, port, route.external),
    ...(nodePort === undefined ? [] : at("node", nodeAddresses.filter(isSameFamily), nodePort, route.external)),
  ];
}
