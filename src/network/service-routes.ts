// Where connections to Services go on one node: the table that the proxy works out and a data path carries out.

/** As the API writes it. */
export type RouteProtocol = "TCP" | "UDP" | "SCTP";

export interface RouteEndpoint {
  readonly address: string;
  readonly port: number;
}

/** What becomes of a connection. Nobody to answer is told apart from nobody *here* to answer (api: traffic policy Local). */
export type RouteTarget =
  | { readonly kind: "endpoints"; readonly endpoints: readonly RouteEndpoint[] }
  /** The client is told at once that nobody answers. */
  | { readonly kind: "reject" }
  /** Silence: another node may answer, so the client should not be told that nobody does. */
  | { readonly kind: "drop" };

/** One port of one Service in one IP family. */
export interface ServiceRoute {
  /** `default/web:http`, or `default/web` if the port has no name: for people, and stable as long as the Service's port is. */
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly protocol: RouteProtocol;
  readonly clusterIp: string;
  readonly port: number;
  /** Also on this port of the node's own addresses. */
  readonly nodePort?: number;
  /** Further addresses that lead to the Service, on `port`: its externalIPs. */
  readonly externalIps: readonly string[];
  /** And those of its load balancer. */
  readonly loadBalancerIps: readonly string[];
  /** Clients outside these ranges get nothing from the load balancer's addresses; empty lets everybody in. */
  readonly loadBalancerSourceRanges: readonly string[];
  /** Where connections to `clusterIp` go. */
  readonly internal: RouteTarget;
  /** Where connections that come from outside go: to `nodePort`, `externalIps` and `loadBalancerIps`. */
  readonly external: RouteTarget;
  /** The external traffic keeps the client's address, for only endpoints of this node get it. */
  readonly keepsClientAddress: boolean;
  /** A client that comes back within this time reaches the same endpoint again. */
  readonly affinitySeconds?: number;
}

/** In the order of names, then protocols: the same Services and endpoints give the same table. */
export type RoutingTable = readonly ServiceRoute[];

/** A route, or a part of one, that the data path could not set up, for people. */
export interface RouteTrouble {
  readonly namespace: string;
  readonly service: string;
  readonly message: string;
}

/**
 * Carries connections to Services to their endpoints. After `apply` has resolved, no new connection goes where the table does not lead;
 * connections that exist go on.
 */
export interface ServiceDataPath {
  /** Replaces the table. Calls must not overlap. Resolves with what could not be set up; the rest is. @throws Error if nothing of it could be set up */
  apply(table: RoutingTable): Promise<readonly RouteTrouble[]>;
  /** Takes everything away: no connection reaches a Service from then on. */
  close(): Promise<void>;
}
