// The filters made ready for one Pod, and asked about nodes as they are or as they would be.

import type { Pod } from "../api/index.ts";
import type { NodeInfo } from "./node-info.ts";
import type { Nominations } from "./nominations.ts";
import type { ClusterView, FilterPlugin, NodeRejection, PreparedFilter, SchedulingProfile } from "./plugin.ts";

type ReadyFilter = PreparedFilter & { readonly kind: "filter" };

export type Preparation =
  | { readonly kind: "rejected"; readonly plugin: string; readonly message: string; readonly unresolvable: boolean }
  | { readonly kind: "ready"; readonly tests: PreparedTests };

export function prepareTests(
  pod: Pod,
  cluster: ClusterView,
  profile: SchedulingProfile,
  nominations: Nominations | undefined,
): Preparation {
  const ready: { plugin: FilterPlugin; filter: ReadyFilter }[] = [];
  for (const plugin of profile.filters) {
    const filter = plugin.prepare(pod, cluster);
    if (filter.kind === "rejected") return { ...filter, plugin: plugin.name };
    if (filter.kind === "filter") ready.push({ plugin, filter });
  }
  return { kind: "ready", tests: new PreparedTests(pod, cluster, ready, nominations) };
}

export class PreparedTests {
  readonly #pod: Pod;
  readonly #cluster: ClusterView;
  readonly #ready: readonly { readonly plugin: FilterPlugin; readonly filter: ReadyFilter }[];
  readonly #nominations: Nominations | undefined;
  readonly #looksAround: boolean;
  #positions: ReadonlyMap<string, number> | undefined;

  constructor(
    pod: Pod,
    cluster: ClusterView,
    ready: readonly { readonly plugin: FilterPlugin; readonly filter: ReadyFilter }[],
    nominations: Nominations | undefined,
  ) {
    this.#pod = pod;
    this.#cluster = cluster;
    this.#ready = ready;
    this.#nominations = nominations !== undefined && nominations.size > 0 ? nominations : undefined;
    this.#looksAround = ready.some(({ plugin }) => plugin.looksAround === true);
  }

  /** What plugins say about whole sets of nodes: only these can do. */
  get narrowing(): readonly { readonly plugin: string; readonly nodeNames: ReadonlySet<string> }[] {
    return this.#ready.flatMap(({ plugin, filter }) =>
      filter.nodeNames === undefined ? [] : [{ plugin: plugin.name, nodeNames: filter.nodeNames }],
    );
  }

  /**
   * Why the node will not do, as it is and with the Pods that are nominated for it.
   * @param changed it is not as the cluster has it: some Pods have left, or are back
   */
  rejectionOf(node: NodeInfo, { changed = false }: { readonly changed?: boolean } = {}): NodeRejection | undefined {
    const nominated = this.#nominations?.before(this.#pod, node.name) ?? [];
    if (nominated.length > 0) {
      const crowded = node.without(() => false);
      for (const info of nominated) crowded.add(info);
      const rejection = this.#ask(crowded, true);
      if (rejection !== undefined) return rejection;
    }
    return this.#ask(node, changed);
  }

  #ask(node: NodeInfo, changed: boolean): NodeRejection | undefined {
    const around = changed && this.#looksAround ? this.#clusterWith(node) : undefined;
    for (const { plugin, filter } of this.#ready) {
      const current = around !== undefined && plugin.looksAround === true ? plugin.prepare(this.#pod, around) : filter;
      if (current.kind === "skip") continue;
      if (current.kind === "rejected") {
        return { plugin: plugin.name, reasons: [current.message], unresolvable: current.unresolvable };
      }
      const rejection = current.test(node);
      if (rejection !== undefined) return rejection;
    }
    return undefined;
  }

  #clusterWith(node: NodeInfo): ClusterView {
    const { nodes } = this.#cluster;
    this.#positions ??= new Map(nodes.map(({ name }, position) => [name, position]));
    const position = this.#positions.get(node.name);
    return position === undefined ? this.#cluster : { ...this.#cluster, nodes: nodes.with(position, node) };
  }
}
