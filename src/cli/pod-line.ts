import type { Pod } from "../api/index.ts";
import { summarizePod } from "../apiserver/tables/pod-table.ts";
import type { Printed } from "../apiserver/tables/table-printer.ts";
import type { PodLine } from "./life-view.ts";

/** READY, STATUS and RESTARTS as kubectl shows them. */
export function podLine(pod: Pod): PodLine {
  const { readyContainers, totalContainers, status, restarts } = summarizePod(pod as Printed<Pod>);
  return { ready: `${readyContainers}/${totalContainers}`, status, restarts: String(restarts) };
}
