// The table of Pods (pod-lifecycle 1.5).

import type { ContainerStatus, Pod } from "../../api/generated/core-v1.ts";
import type { TableRowCondition } from "../../api/generated/meta-v1.ts";
import type { Instant } from "../../base/time.ts";
import { parseTime } from "../../base/time.ts";
import type { Printed } from "./table-printer.ts";
import { ageColumn, nameColumn, orElse, printerOfViews, timeSince } from "./table-printer.ts";

/** What the three telling columns of a Pod say. */
export interface PodSummary {
  readonly readyContainers: number;
  readonly totalContainers: number;
  readonly status: string;
  readonly restarts: number;
  /** When a container ended the last time before it was started anew; RFC 3339. */
  readonly lastRestart: string | undefined;
}

/** Rules 1 to 7 of pod-lifecycle 1.5. */
export function summarizePod(pod: Printed<Pod>): PodSummary {
  const status = pod.status ?? {};
  const initContainers = pod.spec?.initContainers ?? [];
  const sidecars = new Set(
    initContainers.flatMap(({ name, restartPolicy }) => (restartPolicy === "Always" ? [name] : [])),
  );
  const totalContainers = (pod.spec?.containers ?? []).length + sidecars.size;

  const init = walkInitContainers(status.initContainerStatuses ?? [], sidecars, initContainers.length);
  const isGated = conditionOf(pod, "PodScheduled")?.reason === "SchedulingGated";
  let text = init.text ?? (isGated ? "SchedulingGated" : orElse(status.reason, status.phase ?? ""));
  let { restarts, readyContainers } = init;
  if (init.text === undefined || conditionOf(pod, "Initialized")?.status === "True") {
    const main = walkContainers(status.containerStatuses ?? [], text);
    restarts = main.restarts.plus(init.sidecarRestarts);
    readyContainers += main.readyContainers;
    text = main.text;
    if (text === "Completed" && main.readyContainers > 0) {
      text = conditionOf(pod, "Ready")?.status === "True" ? "Running" : "NotReady";
    }
  }
  return {
    readyContainers,
    totalContainers,
    status: deletionText(pod) ?? text,
    restarts: restarts.count,
    lastRestart: restarts.last,
  };
}

/** A deletion outshines everything, except that a Pod that has ended still shows how. */
function deletionText(pod: Printed<Pod>): string | undefined {
  if (pod.metadata?.deletionTimestamp === undefined) return undefined;
  if (pod.status?.reason === "NodeLost") return "Unknown";
  const phase = pod.status?.phase;
  return phase === "Succeeded" || phase === "Failed" ? undefined : "Terminating";
}

interface InitWalk {
  /** What the first init container that is not done shows; `undefined` when all are done. */
  readonly text: string | undefined;
  readonly readyContainers: number;
  readonly restarts: Restarts;
  readonly sidecarRestarts: Restarts;
}

function walkInitContainers(
  statuses: readonly Printed<ContainerStatus>[],
  sidecars: ReadonlySet<string | undefined>,
  count: number,
): InitWalk {
  let readyContainers = 0;
  let restarts = Restarts.none;
  let sidecarRestarts = Restarts.none;
  for (const [index, status] of statuses.entries()) {
    const isSidecar = sidecars.has(status.name);
    restarts = restarts.plus(Restarts.of(status));
    if (isSidecar) sidecarRestarts = sidecarRestarts.plus(Restarts.of(status));
    if (status.state?.terminated?.exitCode === 0) continue;
    if (isSidecar && status.started === true) {
      if (status.ready === true) readyContainers++;
      continue;
    }
    return { text: initText(status, index, count), readyContainers, restarts, sidecarRestarts };
  }
  return { text: undefined, readyContainers, restarts, sidecarRestarts };
}

function initText({ state }: Printed<ContainerStatus>, index: number, count: number): string {
  if (state?.terminated !== undefined) return `Init:${terminatedText(state.terminated)}`;
  const waiting = state?.waiting?.reason ?? "";
  if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
  return `Init:${index}/${count}`;
}

/** Walks backwards, so that of several containers with something to tell the first one is heard. */
function walkContainers(
  statuses: readonly Printed<ContainerStatus>[],
  otherwise: string,
): { readonly text: string; readonly readyContainers: number; readonly restarts: Restarts } {
  let text = otherwise;
  let readyContainers = 0;
  let restarts = Restarts.none;
  for (const status of statuses.toReversed()) {
    restarts = restarts.plus(Restarts.of(status));
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason !== undefined && waiting.reason !== "") text = waiting.reason;
    else if (terminated !== undefined) text = terminatedText(terminated);
    else if (status.ready === true && running !== undefined) readyContainers++;
  }
  return { text, readyContainers, restarts };
}

function terminatedText(terminated: NonNullable<NonNullable<Printed<ContainerStatus>["state"]>["terminated"]>): string {
  if (terminated.reason !== undefined && terminated.reason !== "") return terminated.reason;
  const { signal = 0, exitCode = 0 } = terminated;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

/** How often containers were started anew, and when the newest of them had ended. */
class Restarts {
  static readonly none = new Restarts(0, undefined);
  readonly count: number;
  readonly last: string | undefined;

  private constructor(count: number, last: string | undefined) {
    this.count = count;
    this.last = last;
  }

  static of(status: Printed<ContainerStatus>): Restarts {
    return new Restarts(status.restartCount ?? 0, status.lastState?.terminated?.finishedAt);
  }

  plus(other: Restarts): Restarts {
    return new Restarts(this.count + other.count, newer(this.last, other.last));
  }
}

function newer(a: string | undefined, b: string | undefined): string | undefined {
  const [atA, atB] = [a, b].map((text) => (text === undefined ? undefined : parseTime(text)));
  if (atA === undefined) return atB === undefined ? undefined : b;
  return atB === undefined || atA >= atB ? a : b;
}

/** `3`, or `3 (5m ago)` when it is known when the last container ended. */
function restartsText({ restarts, lastRestart }: PodSummary, now: Instant): string {
  return restarts === 0 || lastRestart === undefined
    ? String(restarts)
    : `${restarts} (${timeSince(lastRestart, now)} ago)`;
}

/** `1/2`: how many of the readiness gates hold. */
function readinessGatesText(pod: Printed<Pod>): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const holding = gates.filter(({ conditionType }) => conditionOf(pod, conditionType ?? "")?.status === "True");
  return `${holding.length}/${gates.length}`;
}

const conditionOf = (pod: Printed<Pod>, type: string) =>
  (pod.status?.conditions ?? []).find((condition) => condition.type === type);

function completed(pod: Printed<Pod>): readonly TableRowCondition[] {
  const phase = pod.status?.phase;
  const base = { type: "Completed", status: "True" };
  if (phase === "Succeeded") return [{ ...base, reason: phase, message: "The pod has completed successfully." }];
  if (phase === "Failed") return [{ ...base, reason: phase, message: "The pod failed." }];
  return [];
}

interface PodView extends PodSummary {
  readonly pod: Printed<Pod>;
  readonly metadata: Printed<Pod>["metadata"];
}

export const podPrinter = printerOfViews<Pod, PodView>(
  (pod) => ({ ...summarizePod(pod), pod, metadata: pod.metadata }),
  [
    nameColumn,
    {
      name: "Ready",
      description: "How many containers are ready, of how many",
      cell: ({ readyContainers, totalContainers }) => `${readyContainers}/${totalContainers}`,
    },
    { name: "Status", description: "What the Pod as a whole is doing", cell: ({ status }) => status },
    {
      name: "Restarts",
      description: "How often its containers were started anew, and when one of them last ended",
      cell: restartsText,
    },
    ageColumn,
    {
      name: "IP",
      wide: true,
      description: "Address of the Pod",
      cell: ({ pod }) => orElse(pod.status?.podIPs?.[0]?.ip, "<none>"),
    },
    {
      name: "Node",
      wide: true,
      description: "Node that the Pod is bound to",
      cell: ({ pod }) => orElse(pod.spec?.nodeName, "<none>"),
    },
    {
      name: "Nominated Node",
      wide: true,
      description: "Node where room is being made for the Pod",
      cell: ({ pod }) => orElse(pod.status?.nominatedNodeName, "<none>"),
    },
    {
      name: "Readiness Gates",
      wide: true,
      description: "How many of its readiness gates hold, of how many",
      cell: ({ pod }) => readinessGatesText(pod),
    },
  ],
  completed,
);
