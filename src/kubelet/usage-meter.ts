// Measures what the node and its containers use, when somebody asks. Nothing is measured while nobody does: the first answer after a pause takes a second.

import { type Instant, later, type Millis, type Clock } from "../base/time.ts";
import type { ContainerId, ContainerStats, ContainerStatus, RuntimeService } from "../runtimes/runtime-service.ts";
import { containerNameLabel, podNameLabel, podNamespaceLabel, podUidLabel } from "./container-labels.ts";
import { remembered, shortestWindow, type Usage, type UsageSample, usageOf } from "./usage.ts";

/** What the whole machine has used, from its own counters. */
export interface MachineUsage {
  readonly cpuNanoSeconds: bigint;
  /** What could not be given to somebody else at once. */
  readonly memoryBytes: number;
}

export interface ContainerUsage extends Usage {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
}

export interface NodeUsage {
  /** Absent where nothing was counted for long enough. */
  readonly node?: Usage;
  /** Only running containers that were counted for long enough. */
  readonly containers: readonly ContainerUsage[];
}

interface Look {
  readonly at: Instant;
  readonly containers: readonly { readonly status: ContainerStatus; readonly sample: UsageSample }[];
  readonly machine: UsageSample;
}

/** Looks that are asked for within this time are one. */
const sharedFor = 500 as Millis;

export class UsageMeter {
  readonly #runtime: Pick<RuntimeService, "containerStats" | "listContainers">;
  readonly #clock: Clock;
  readonly #machineUsage: (() => Promise<MachineUsage>) | undefined;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #containers = new Map<ContainerId, readonly UsageSample[]>();
  #machine: readonly UsageSample[] = [];
  #answer: { readonly askedAt: Instant; readonly usage: Promise<NodeUsage> } | undefined;

  /**
   * @param labels mark the containers that count
   * @param machineUsage the counters of the machine; without them the node uses what its containers use
   */
  constructor(
    runtime: Pick<RuntimeService, "containerStats" | "listContainers">,
    clock: Clock,
    labels: Readonly<Record<string, string>>,
    machineUsage?: () => Promise<MachineUsage>,
  ) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#labels = labels;
    this.#machineUsage = machineUsage;
  }

  /** Rejects if the runtime does not answer, or with the reason of the signal. */
  usage(signal: AbortSignal): Promise<NodeUsage> {
    const askedAt = this.#clock.now();
    const shared = this.#answer;
    if (shared !== undefined && askedAt - shared.askedAt < sharedFor) return shared.usage;
    const usage = this.#measure(signal);
    this.#answer = { askedAt, usage };
    return usage;
  }

  async #measure(signal: AbortSignal): Promise<NodeUsage> {
    const first = await this.#look();
    const answer = this.#usageAt(first);
    const isComplete = answer.node !== undefined && answer.containers.length === first.containers.length;
    this.#remember(first);
    if (isComplete) return answer;
    await this.#clock.sleep(shortestWindow, signal);
    const second = await this.#look();
    const complete = this.#usageAt(second);
    this.#remember(second);
    return complete;
  }

  async #look(): Promise<Look> {
    const stats = await this.#runtime.containerStats({ labels: this.#labels });
    const statuses = await this.#runtime.listContainers({ labels: this.#labels });
    const machine = await this.#machineUsage?.();
    const at = this.#clock.now();
    const byId = new Map(statuses.map((status) => [status.id, status]));
    const containers = stats.flatMap((counted) => {
      const status = byId.get(counted.id);
      return status === undefined ? [] : [{ status, sample: sampleOf(counted) }];
    });
    return { at, containers, machine: { at, ...(machine ?? sumOf(containers.map(({ sample }) => sample))) } };
  }

  #usageAt({ containers, machine }: Look): NodeUsage {
    const told = containers.flatMap(({ status, sample }): ContainerUsage[] => {
      const usage = usageOf(
        this.#containers.get(status.id) ?? [],
        sample,
        status.state.kind === "running" ? status.state.startedAt : undefined,
      );
      return usage === undefined ? [] : [{ ...usage, ...ownerOf(status) }];
    });
    // Where only containers are counted the sum of the counters falls when one of them goes: rates can be added up, counters cannot.
    const node =
      this.#machineUsage === undefined ? addedUp(told, machine.at) : usageOf(this.#machine, machine, undefined);
    return { containers: told, ...(node !== undefined && { node }) };
  }

  #remember({ containers, machine }: Look): void {
    const present = new Set(containers.map(({ status }) => status.id));
    for (const id of this.#containers.keys()) if (!present.has(id)) this.#containers.delete(id);
    for (const { status, sample } of containers) {
      this.#containers.set(status.id, remembered(this.#containers.get(status.id) ?? [], sample));
    }
    this.#machine = remembered(this.#machine, machine);
  }
}

function sampleOf({ timestamp, cpuUsageNanoSeconds, memoryWorkingSetBytes }: ContainerStats): UsageSample {
  return { at: timestamp, cpuNanoSeconds: cpuUsageNanoSeconds, memoryBytes: memoryWorkingSetBytes };
}

function sumOf(samples: readonly UsageSample[]): MachineUsage {
  return {
    cpuNanoSeconds: samples.reduce((sum, { cpuNanoSeconds }) => sum + cpuNanoSeconds, 0n),
    memoryBytes: samples.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}

function addedUp(usages: readonly Usage[], at: Instant): Usage {
  return {
    at: usages.reduce((latest, usage) => later(latest, usage.at), at),
    window: usages.reduce((longest, { window }) => (window > longest ? window : longest), shortestWindow),
    cpuNanoCores: usages.reduce((sum, { cpuNanoCores }) => sum + cpuNanoCores, 0n),
    memoryBytes: usages.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}

function ownerOf({ labels }: ContainerStatus): Omit<ContainerUsage, keyof Usage> {
  return {
    namespace: labels[podNamespaceLabel] ?? "",
    pod: labels[podNameLabel] ?? "",
    podUid: labels[podUidLabel] ?? "",
    container: labels[containerNameLabel] ?? "",
  };
}
