// A story told once, and what was seen of it.

import type { JsonObject } from "../../src/api/wire/request.ts";
import type { Instant, Millis } from "../../src/base/time.ts";
import { millis, seconds } from "../../src/base/time.ts";
import type { DeleteOptions } from "../../src/client/resource-client.ts";
import { settle } from "../../src/host/settle.ts";
import {
  SimulatedCluster,
  type SimulatedNode,
  type SimulatedNodeOptions,
} from "../../src/simulation/simulated-cluster.ts";
import type { ImageBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import type { Predicate } from "../../src/testing/predicates.ts";
import { type ObjectName, type Story, type StoryCluster, StoryTeller } from "../../src/testing/story.ts";
import { StoryDemands } from "./demands.ts";
import type { Machine } from "./machine.ts";
import { MachineCluster } from "./machine-cluster.ts";
import { NotToldError } from "./not-told.ts";
import type { RuntimeWork } from "./runtime-work.ts";
import { type Transition, Transitions } from "./transitions.ts";

export interface Telling {
  readonly transitions: readonly Transition[];
  /** When the story did something, in order. */
  readonly acts: readonly Instant[];
  readonly begin: Instant;
  readonly end: Instant;
}

/** A telling on the virtual clock, and what another one needs to go along with it. */
export interface VirtualTelling extends Telling {
  /** How many transitions there were of all Pods after each verb. */
  readonly counts: readonly number[];
  readonly timelines: readonly string[];
  readonly demands: StoryDemands;
  /** Why no real runtime can tell it. */
  readonly notTold: string | undefined;
}

export interface MachineTelling extends Telling {
  readonly work: RuntimeWork;
  /** What the story itself found wrong. */
  readonly failure: Error | undefined;
}

/** The verbs of a story, watched: what acts and what lets time pass is told to the listener, before and after. */
abstract class WatchedTeller extends StoryTeller {
  readonly acts: Instant[] = [];

  protected abstract afterVerb(): Promise<void>;

  act(): void {
    this.acts.push(this.cluster.clock.now());
  }

  override async apply(...objects: readonly JsonObject[]): Promise<void> {
    this.act();
    await super.apply(...objects);
    await this.afterVerb();
  }

  override async delete(
    name: ObjectName,
    options: Pick<DeleteOptions, "gracePeriodSeconds" | "propagationPolicy"> = {},
  ): Promise<void> {
    this.act();
    await super.delete(name, options);
    await this.afterVerb();
  }

  override async evict(name: ObjectName): Promise<void> {
    this.act();
    await super.evict(name);
    await this.afterVerb();
  }

  override async patch(name: ObjectName, patch: JsonObject, subresource?: string): Promise<void> {
    this.act();
    await super.patch(name, patch, subresource);
    await this.afterVerb();
  }

  override async elapse(wait: Millis): Promise<void> {
    await super.elapse(wait);
    await this.afterVerb();
  }

  override async until(name: ObjectName, state: Predicate, limit: { readonly within: Millis }): Promise<void> {
    await super.until(name, state, limit);
    await this.afterVerb();
  }
}

class VirtualTeller extends WatchedTeller {
  readonly counts: number[] = [];
  readonly timelines: string[] = [];
  readonly demands = new StoryDemands();
  readonly #transitions: Transitions;
  readonly #imagesPresent: boolean;
  notTold: string | undefined;

  constructor(cluster: StoryCluster, transitions: Transitions, imagesPresent: boolean) {
    super(cluster);
    this.#transitions = transitions;
    this.#imagesPresent = imagesPresent;
  }

  protected override async afterVerb(): Promise<void> {
    this.counts.push(this.#transitions.seen.length);
  }

  override image(name: string, behaviour: ImageBehaviour = {}): void {
    const isPulled = behaviour.pullTime !== undefined || behaviour.pullFails !== undefined;
    super.image(name, this.#imagesPresent && !isPulled ? { ...behaviour, present: true } : behaviour);
  }

  // Where images are there without having been pulled, the story's own timelines do not hold.
  override expectTimeline(name: ObjectName, text: string): void {
    if (!this.#imagesPresent) super.expectTimeline(name, text);
  }

  override expectEvents(name: ObjectName, text: string): void {
    if (!this.#imagesPresent) super.expectEvents(name, text);
  }

  override async apply(...objects: readonly JsonObject[]): Promise<void> {
    for (const object of objects) this.#unlessNotTold(() => this.demands.add(object));
    await super.apply(...objects);
  }

  override fillDisk(): void {
    this.notTold ??= "it makes the machine fail on purpose";
    super.fillDisk();
  }

  override putClockForward(by: Millis): void {
    this.notTold ??= "it makes the machine fail on purpose";
    super.putClockForward(by);
  }

  override async node(name: string, options: SimulatedNodeOptions = {}): Promise<SimulatedNode> {
    if (Object.keys(options).length > 0) this.notTold ??= "it declares what its nodes are like";
    const node = await super.node(name, options);
    const lookedAt = (reason: string): void => {
      this.notTold ??= reason;
    };
    const acts = (call: () => Promise<void>) => async (): Promise<void> => {
      this.act();
      await call();
    };
    return {
      name: node.name,
      stopKubelet: acts(() => node.stopKubelet()),
      startKubelet: acts(() => node.startKubelet()),
      get faults() {
        lookedAt("it makes the machine or its runtime fail on purpose");
        return node.faults;
      },
      cutOff: () => {
        lookedAt("it cuts the node off on purpose");
        node.cutOff();
      },
      reconnect: () => node.reconnect(),
      get filesystem() {
        lookedAt("it looks at the simulated disk");
        return node.filesystem;
      },
      get network() {
        lookedAt("it calls over the simulated network");
        return node.network;
      },
      get runtime() {
        return node.runtime;
      },
    };
  }

  override timeline(name: ObjectName): string {
    const text = super.timeline(name);
    this.timelines.push(text);
    return text;
  }

  #unlessNotTold(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!(error instanceof NotToldError)) throw error;
      this.notTold ??= error.message;
    }
  }
}

/** @param imagesPresent all images are on the machine, as where none are pulled */
export async function tellVirtually({ tell }: Story, imagesPresent: boolean): Promise<VirtualTelling> {
  const cluster = await SimulatedCluster.start({ seed: 1, settle });
  const transitions = new Transitions(cluster);
  const teller = new VirtualTeller(cluster, transitions, imagesPresent);
  transitions.start();
  await teller.begin();
  const begin = cluster.clock.now();
  try {
    await tell(teller);
    const { acts, counts, timelines, demands, notTold } = teller;
    const seen = [...transitions.seen];
    return { transitions: seen, acts, counts, timelines, demands, notTold, begin, end: cluster.clock.now() };
  } finally {
    transitions.stop();
    await teller.end();
  }
}

/** How much longer than on the virtual clock something may take before it counts as not coming. */
const slack = seconds(4);

class MachineTeller extends WatchedTeller {
  readonly #virtual: VirtualTelling;
  readonly #transitions: Transitions;
  #verb = 0;
  #timeline = 0;

  constructor(cluster: StoryCluster, virtual: VirtualTelling, transitions: Transitions) {
    super(cluster);
    this.#virtual = virtual;
    this.#transitions = transitions;
  }

  /** On the virtual clock a verb is over when all that follows from it has happened: here, when as much has. */
  protected override async afterVerb(): Promise<void> {
    const enough = this.#virtual.counts[this.#verb++] ?? 0;
    const { clock } = this.cluster;
    const limit = clock.now() + slack;
    while (this.#transitions.seen.length < enough && clock.now() < limit) {
      await Promise.race([this.#transitions.next(), clock.sleep(millis(100))]);
      await clock.settle();
    }
  }

  override async until(name: ObjectName, state: Predicate, { within }: { readonly within: Millis }): Promise<void> {
    await super.until(name, state, { within: millis(within + slack) });
  }

  /** Timelines are compared as a whole, with a tolerance; a story that reads one is told what it was on the virtual clock. */
  override timeline(): string {
    return this.#virtual.timelines[this.#timeline++] ?? "";
  }

  override expectTimeline(): void {
    // The comparison does it.
  }

  override expectEvents(): void {
    // The comparison does it.
  }
}

/** @throws NotToldError if the runtime has no means for the story */
export async function tellOnMachine(
  { tell }: Story,
  virtual: VirtualTelling,
  machine: Machine,
  number: number,
): Promise<MachineTelling> {
  let act = (): void => undefined;
  const cluster = await MachineCluster.start({
    machine,
    number,
    demands: virtual.demands,
    horizon: millis(virtual.end - virtual.begin + slack),
    onAct: () => act(),
  });
  const transitions = new Transitions(cluster);
  const teller = new MachineTeller(cluster, virtual, transitions);
  act = () => teller.act();
  transitions.start();
  await teller.begin();
  const begin = cluster.clock.now();
  try {
    const failure = await tell(teller).then(
      () => undefined,
      (error: Error) => error,
    );
    if (failure instanceof NotToldError) throw failure;
    const seen = [...transitions.seen];
    return { transitions: seen, acts: teller.acts, begin, end: cluster.clock.now(), work: cluster.work, failure };
  } finally {
    transitions.stop();
    await teller.end();
  }
}
