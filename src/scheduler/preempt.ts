// Making room for a Pod that fits nowhere: on which node, and who has to leave (pod-lifecycle 11.5). Pure; preemption.ts carries it out.

import type { Pod, PodDisruptionBudget } from "../api/index.ts";
import { matchesRequirements, requirementsOf } from "../api/meta/label-selector.ts";
import type { RandomStream } from "../base/random.ts";
import { parseTime } from "../base/time.ts";
import { countedReasons } from "./diagnosis.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";
import { priorityOf } from "./nominations.ts";
import type { NodeRejection } from "./plugin.ts";
import type { PreparedTests } from "./prepared-tests.ts";

export type Preemption =
  /** These leave, and the Pod is nominated for the node. */
  | { readonly kind: "victims"; readonly nodeName: string; readonly victims: readonly Pod[] }
  /** Nobody leaves. */
  | {
      readonly kind: "none";
      /** For users, after `preemption:`. */
      readonly note: string;
      /** Whatever the Pod was nominated for has become hopeless. */
      readonly endsNomination: boolean;
    };

export interface PreemptionSearch {
  readonly nodes: readonly NodeInfo[];
  /** Why each node was refused. */
  readonly rejectionOf: (node: NodeInfo) => NodeRejection | undefined;
  /** Absent if no node was asked at all. */
  readonly tests?: PreparedTests;
  readonly budgets: readonly PodDisruptionBudget[];
  readonly random: RandomStream;
}

/** So many nodes at least are tried out before one is chosen, or a tenth of them if that is more. */
export const fewestCandidates = 100;
const candidatePercent = 10;

const notHelpful = "Preemption is not helpful for scheduling";
const noVictims = "No preemption victims found for incoming pod";

/** Who would leave a node. */
interface Candidate {
  readonly nodeName: string;
  /** The most important first. */
  readonly victims: readonly Pod[];
  /** How many of them a disruption budget would keep. */
  readonly violations: number;
}

export function planPreemption(pod: Pod, search: PreemptionSearch): Preemption {
  const refusal = refusalToPreempt(pod, search);
  if (refusal !== undefined) return { kind: "none", note: refusal, endsNomination: false };
  const { candidates, reasons } = tryOut(pod, search);
  const best = bestOf(candidates);
  if (best !== undefined) return { kind: "victims", nodeName: best.nodeName, victims: best.victims };
  const counts = new Map<string, number>();
  for (const { name } of search.nodes) {
    for (const reason of reasons.get(name) ?? [notHelpful]) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const note = `0/${search.nodes.length} nodes are available: ${countedReasons(counts)}.`;
  return { kind: "none", note, endsNomination: true };
}

function refusalToPreempt(pod: Pod, { nodes, rejectionOf }: PreemptionSearch): string | undefined {
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const { nominatedNodeName = "" } = pod.status;
  if (nominatedNodeName === "") return undefined;
  const nominated = nodes.find(({ name }) => name === nominatedNodeName);
  if (nominated === undefined || rejectionOf(nominated)?.unresolvable === true) return undefined;
  for (const { pod: other } of nominated.pods()) {
    // It has driven somebody out already: who is leaving must be waited for.
    if (priorityOf(other) < priorityOf(pod) && isLeavingByPreemption(other)) {
      return "not eligible due to a terminating pod on the nominated node.";
    }
  }
  return undefined;
}

function isLeavingByPreemption({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return (status.conditions ?? []).some(
    ({ type, status: is, reason }) =>
      type === "DisruptionTarget" && is === "True" && reason === "PreemptionByScheduler",
  );
}

function tryOut(
  pod: Pod,
  { nodes, rejectionOf, tests, budgets, random }: PreemptionSearch,
): { readonly candidates: readonly Candidate[]; readonly reasons: ReadonlyMap<string, readonly string[]> } {
  const reasons = new Map<string, readonly string[]>();
  const kind: { clean: Candidate[]; violating: Candidate[] } = { clean: [], violating: [] };
  const hopeful = tests === undefined ? [] : nodes.filter((node) => rejectionOf(node)?.unresolvable === false);
  const enough = Math.min(
    hopeful.length,
    Math.max(fewestCandidates, Math.floor((hopeful.length * candidatePercent) / 100)),
  );
  // Where all are tried out it does not matter where one begins, and chance is not asked.
  const start = enough < hopeful.length ? random.integer(0, hopeful.length - 1) : 0;
  for (let asked = 0; asked < hopeful.length; asked++) {
    if (kind.clean.length > 0 && kind.clean.length + kind.violating.length >= enough) break;
    const node = hopeful[(start + asked) % hopeful.length] as NodeInfo;
    const found = victimsOn(node, pod, tests as PreparedTests, budgets);
    if (found.kind === "none") reasons.set(node.name, found.reasons);
    else kind[found.candidate.violations === 0 ? "clean" : "violating"].push(found.candidate);
  }
  return { candidates: [...kind.clean, ...kind.violating], reasons };
}

/** Who must leave the node: all of lower priority, but those who can be let back, the most important first. */
function victimsOn(
  node: NodeInfo,
  pod: Pod,
  tests: PreparedTests,
  budgets: readonly PodDisruptionBudget[],
):
  | { readonly kind: "none"; readonly reasons: readonly string[] }
  | { readonly kind: "found"; readonly candidate: Candidate } {
  const lower = [...node.pods()].filter((info) => priorityOf(info.pod) < priorityOf(pod));
  if (lower.length === 0) return { kind: "none", reasons: [noVictims] };
  const leaving = new Set(lower);
  const emptied = node.without((info) => leaving.has(info));
  const still = tests.rejectionOf(emptied, { changed: true });
  if (still !== undefined) return { kind: "none", reasons: still.reasons };
  const { violating, others } = byBudget(lower.sort(byImportance), budgets);
  const victims: PodInfo[] = [];
  let violations = 0;
  for (const info of [...violating, ...others]) {
    emptied.add(info);
    if (tests.rejectionOf(emptied, { changed: true }) === undefined) continue;
    emptied.remove(info.pod.metadata.uid);
    victims.push(info);
    if (violating.includes(info)) violations++;
  }
  const ordered = victims.sort(byImportance).map((info) => info.pod);
  return { kind: "found", candidate: { nodeName: node.name, victims: ordered, violations } };
}

/** Higher priority first, then who runs for longer. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return priorityOf(b.pod) - priorityOf(a.pod) || startOf(a.pod) - startOf(b.pod);
}

/** When the Pod began; one that has not is the youngest. */
function startOf({ status }: Pod): number {
  return parseTime(status.startTime ?? "") ?? Number.MAX_SAFE_INTEGER;
}

/** Which of the Pods, leaving one after the other, would be more than their budgets allow. */
function byBudget(
  infos: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { readonly violating: readonly PodInfo[]; readonly others: readonly PodInfo[] } {
  const left = new Map(budgets.map((budget) => [budget, budget.status.disruptionsAllowed]));
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const info of infos) {
    let isKept = false;
    for (const budget of budgets) {
      if (!guards(budget, info.pod)) continue;
      const allowed = (left.get(budget) ?? 0) - 1;
      left.set(budget, allowed);
      if (allowed < 0) isKept = true;
    }
    (isKept ? violating : others).push(info);
  }
  return { violating, others };
}

function guards({ metadata, spec, status }: PodDisruptionBudget, pod: Pod): boolean {
  if (metadata.namespace !== pod.metadata.namespace) return false;
  // Its eviction has been granted already.
  if (Object.hasOwn(status.disruptedPods ?? {}, pod.metadata.name)) return false;
  const requirements = requirementsOf(spec.selector) ?? [];
  const { labels } = pod.metadata;
  return labels !== undefined && requirements.length > 0 && matchesRequirements(requirements, labels);
}

/** What speaks against a candidate, the weightiest first; the next counts only where all before are equal. */
const costs: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => (victims[0] === undefined ? Number.MIN_SAFE_INTEGER : priorityOf(victims[0])),
  // Moved above zero, so that many of negative priority do not weigh less than few.
  ({ victims }) => victims.reduce((sum, victim) => sum + priorityOf(victim) + 2 ** 31, 0),
  ({ victims }) => victims.length,
  // Whose most important Pods have run for the shortest time.
  ({ victims }) => {
    const highest = Math.max(...victims.map(priorityOf));
    return -Math.min(...victims.filter((victim) => priorityOf(victim) === highest).map(startOf));
  },
];

function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  let best = candidates;
  for (const cost of costs) {
    if (best.length <= 1) break;
    const values = best.map(cost);
    const lowest = Math.min(...values);
    best = best.filter((_candidate, position) => values[position] === lowest);
  }
  return best[0];
}
