// The last lines of what happened in a random world, as text: what was done to it, what became of its Pods and workloads, what its machines did.

import type { Pod } from "../../api/index.ts";
import { elapsed, type Instant } from "../../base/time.ts";
import { podEntries } from "../../timeline/pod-life.ts";
import type { MachineSighting } from "./inhabitant.ts";
import { changeOf, nameOf, type ObjectChange, type WorldView } from "./world-view.ts";

/** How many lines are kept. */
const linesKept = 400;

/** Not told: they would fill the lines. */
const quiet = new Set(["core/configmaps", "core/serviceaccounts", "core/namespaces"]);

export class WorldChronicle {
  readonly #now: () => Instant;
  readonly #lines: string[] = [];
  #begun: Instant | undefined;
  #changes = 0;
  #pods = 0;
  #starts = 0;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-linesKept);
  }

  get counts(): Readonly<Record<string, number>> {
    return { changes: this.#changes, Pods: this.#pods, "container starts": this.#starts };
  }

  say(what: string, text: string): void {
    const now = this.#now();
    this.#begun ??= now;
    this.#lines.push(`${(elapsed(this.#begun, now) / 1000).toFixed(3).padStart(9)}s  ${what.padEnd(10)}  ${text}`);
    if (this.#lines.length > 2 * linesKept) this.#lines.splice(0, linesKept);
  }

  changed(change: ObjectChange): void {
    this.#changes++;
    const pod = changeOf<Pod>(change, "core/pods");
    if (pod !== undefined) {
      if (pod.before === undefined) this.#pods++;
      for (const { container, what, detail } of podEntries(pod.before, pod.after, change.at)) {
        const place = container === undefined ? "" : `[${container}] `;
        this.say("pod", `${(pod.after ?? (pod.before as Pod)).metadata.name}: ${place}${what}  ${detail}`);
      }
      return;
    }
    const object = change.after ?? change.before;
    if (object === undefined || quiet.has(change.resource)) return;
    const said = [change.before, change.after].map(gist);
    if (said[0] !== said[1]) this.say("object", `${nameOf(object)}: ${said[1]}`);
  }

  happened({ kind, node, containerId, sandboxId }: MachineSighting, view: WorldView): void {
    if (kind === "containerStarted") this.#starts++;
    const machine = view.machines.get(node);
    const container = containerId === undefined ? undefined : machine?.container(containerId);
    const uid = sandboxId === undefined ? undefined : machine?.sandboxUid(sandboxId);
    const pod = uid === undefined ? undefined : view.object<Pod>(uid);
    const whose = pod?.metadata.name ?? uid ?? sandboxId ?? "";
    const which = container === undefined ? "" : ` ${container.metadata.name}#${container.metadata.attempt}`;
    this.say(node, `${kind} ${whose}${which}`);
  }
}

/** What matters of an object in a line. */
function gist(object: ObjectChange["after"]): string {
  if (object === undefined) return "is not there";
  const { spec, status } = object as unknown as { spec?: Record<string, unknown>; status?: Record<string, unknown> };
  const ready = (status?.["conditions"] as readonly { type: string; status: string }[] | undefined)?.find(
    ({ type }) => type === "Ready",
  );
  const parts = {
    deleting: object.metadata.deletionTimestamp === undefined ? undefined : true,
    replicas: spec?.["replicas"],
    taints: (spec?.["taints"] as readonly { key: string; effect: string }[] | undefined)?.map(
      ({ key, effect }) => `${key}:${effect}`,
    ),
    unschedulable: spec?.["unschedulable"],
    exist: status?.["replicas"],
    available: status?.["availableReplicas"],
    updated: status?.["updatedReplicas"],
    Ready: ready?.status,
  };
  return JSON.stringify(parts);
}
