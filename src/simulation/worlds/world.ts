// A random world: a cluster that lives for a virtual hour by chance, from a seed, while things go wrong, and is watched at every change. Trouble and rest
// take turns; at the end of each rest everything must be as it should be, and when the hour is over everything is deleted and must be gone.

import { BinaryHeap } from "../../base/binary-heap.ts";
import { type RandomStream, SeededRandom } from "../../base/random.ts";
import { after, elapsed, type Instant, type Millis, millis, minutes, seconds } from "../../base/time.ts";
import type { ClusterOptions } from "../../cluster/cluster.ts";
import { isReason } from "../../api/wire/status-error.ts";
import type { ContainerRuntime, SandboxId } from "../../runtimes/runtime-service.ts";
import type { RuntimeMethod } from "../../runtimes/simulated/faults.ts";
import { SimulatedCluster, type SimulatedNode } from "../simulated-cluster.ts";
import { type Fault, type FaultAtWork, type FaultHand, faults as allFaults } from "./faults.ts";
import { FaultyNetwork } from "./faulty-network.ts";
import type { Finding, Hand, Inhabitant, Invariant, Move } from "./inhabitant.ts";
import { inhabitants as allInhabitants } from "./inhabitants/inhabitants.ts";
import { everywhere } from "./invariants/everywhere.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { WorldChronicle } from "./world-chronicle.ts";
import { worldImages } from "./world-images.ts";
import { type ObjectChange, WorldView } from "./world-view.ts";

export interface WorldOptions {
  readonly seed: number | string;
  /** Resolves when every promise that can settle has settled; the host gives it. */
  readonly settle: () => Promise<void>;
  /** All there are, if absent. */
  readonly inhabitants?: readonly Inhabitant[];
  /** All there are, if absent; none makes a world in which only the inhabitants move. */
  readonly faults?: readonly Fault[];
  /** How often trouble and rest take turns: three times if absent, which makes an hour. */
  readonly rounds?: number;
  /** A part that is broken on purpose, to see that it is found out. */
  readonly broken?: BrokenParts;
}

export interface BrokenParts {
  readonly transportFor?: NonNullable<ClusterOptions["transportFor"]>;
  readonly runtimeFor?: (direct: ContainerRuntime, node: string) => ContainerRuntime;
  /** Gets the cluster as soon as it runs. */
  readonly begin?: (cluster: SimulatedCluster) => void;
}

/** Something that did not hold. */
export interface Violation extends Finding {
  readonly invariant: string;
  readonly at: Instant;
}

export interface WorldReport {
  readonly seed: number | string;
  /** The first thing that did not hold; the world ends with it. */
  readonly violation: Violation | undefined;
  /** The last lines of what happened. */
  readonly timeline: readonly string[];
  /** How often what happened: moves, faults, Pods, restarts. */
  readonly counts: Readonly<Record<string, number>>;
  /** Everything that was ever stored. */
  readonly transcript: string;
}

/** How long things go wrong in each round, and how long they then have to come right: longer than any wait between two attempts. */
const troubleLasts = minutes(11);
const restLasts = minutes(7);
/** From the last deletion to the look whether anything is left: longer than any grace, back-off of a controller and round of collection. */
const clearingLasts = minutes(6);
const meanTimeBetweenFaults = seconds(25);

/** Lives through one world. Never rejects for what the cluster does: that is a violation. */
export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  const world = await World.begin(options);
  return world.live(options.rounds ?? 3);
}

interface Appointment {
  readonly at: Instant;
  readonly order: number;
  readonly act: () => Promise<void>;
}

class World {
  readonly #seed: number | string;
  readonly #cluster: SimulatedCluster;
  readonly #view: WorldView;
  readonly #chronicle: WorldChronicle;
  readonly #inhabitants: readonly Inhabitant[];
  readonly #faults: readonly Fault[];
  readonly #random: SeededRandom;
  readonly #faultHand: FaultHand;
  readonly #witnesses: Witnesses;
  readonly #agenda = new BinaryHeap<Appointment>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  readonly #atWork = new Set<FaultAtWork>();
  readonly #counts = new Map<string, number>();
  #names = 0;
  #order = 0;

  private constructor(options: WorldOptions, cluster: SimulatedCluster, parts: WorldParts) {
    this.#seed = options.seed;
    this.#cluster = cluster;
    this.#view = parts.view;
    this.#chronicle = parts.chronicle;
    this.#witnesses = parts.witnesses;
    this.#random = parts.random;
    this.#inhabitants = options.inhabitants ?? allInhabitants;
    this.#faults = options.faults ?? allFaults;
    const { network, slowness } = parts;
    this.#faultHand = { random: parts.random.stream("faults"), cluster, network, slowness, away: new Set() };
  }

  static async begin(options: WorldOptions): Promise<World> {
    const { seed, settle, broken } = options;
    const random = new SeededRandom(`world/${seed}`);
    const clock = new VirtualClock(settle);
    const now = (): Instant => clock.now();
    const view = new WorldView(now);
    const chronicle = new WorldChronicle(now);
    const network = new FaultyNetwork(clock, random.stream("network"), (part, { method }) => {
      if (method === "POST") view.lostAnswers.push({ part, at: clock.now() });
    });
    const inhabitants = options.inhabitants ?? allInhabitants;
    const invariants = [...everywhere(), ...inhabitants.flatMap((each) => each.invariants())];
    const witnesses = new Witnesses(invariants, view, chronicle);
    const cluster = await SimulatedCluster.start({
      seed,
      settle,
      clock,
      witness: (event) => {
        const change = view.take(event);
        if (change !== undefined) witnesses.changed(change);
      },
      transportFor: (part, direct) => network.transportFor(part, broken?.transportFor?.(part, direct) ?? direct),
    });
    for (const [name, behaviour] of Object.entries(worldImages)) cluster.image(name, behaviour);
    const slowness = new Map<string, Millis>();
    const world = new World(options, cluster, {
      view,
      chronicle,
      witnesses,
      random,
      network,
      slowness,
    });
    await world.#settleIn(random.stream("nodes"), slowness, broken);
    broken?.begin?.(cluster);
    return world;
  }

  async live(rounds: number): Promise<WorldReport> {
    try {
      for (let round = 0; round < rounds && !this.#isOver(); round++) {
        await this.#trouble();
        await this.#rest(restLasts);
        if (!this.#isOver()) this.#witnesses.atRest();
      }
      if (!this.#isOver()) await this.#clearAway();
      if (!this.#isOver()) this.#witnesses.atEnd();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#witnesses.report("the world goes on", [{ subject: "the simulation", text }]);
    }
    await this.#end();
    const violation = this.#witnesses.violation;
    return {
      seed: this.#seed,
      violation,
      timeline: this.#chronicle.lines,
      counts: {
        ...Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))),
        ...this.#chronicle.counts,
      },
      transcript: this.#cluster.transcript(),
    };
  }

  /** Two to four machines of different sizes, each with calls that take their time. */
  async #settleIn(random: RandomStream, slowness: Map<string, Millis>, broken: BrokenParts | undefined): Promise<void> {
    const latency = random.integer(0, 60);
    const count = random.integer(2, 4);
    for (let index = 0; index < count; index++) {
      const name = `node-${"abcd"[index]}`;
      const wait = (): Millis => millis(random.integer(0, latency) + random.integer(0, slowness.get(name) ?? 0));
      const node = await this.#cluster.addNode(name, {
        labels: { zone: random.pick(["a", "b"]) },
        capacity: {
          cpu: random.pick(["2", "4", "8"]),
          memory: random.pick(["4Gi", "8Gi"]),
          pods: random.pick(["10", "30"]),
        },
        latencies: Object.fromEntries(slowMethods.map((method) => [method, wait])),
        witness: (event) => this.#witnesses.happened({ ...event, node: name, at: this.#cluster.clock.now() }),
        ...(broken?.runtimeFor !== undefined && {
          runtimeFor: (direct: ContainerRuntime) => broken.runtimeFor?.(direct, name) ?? direct,
        }),
      });
      this.#view.machines.set(name, machineOf(node));
    }
  }

  /** Everybody moves, and things go wrong. */
  async #trouble(): Promise<void> {
    const { clock } = this.#cluster;
    const until = after(clock.now(), troubleLasts);
    for (const inhabitant of this.#inhabitants) this.#keepMoving(inhabitant, until);
    if (this.#faults.length > 0) this.#keepFailing(until);
    await this.#keepAppointments(until);
  }

  /** Nothing goes wrong any more and nobody moves. */
  async #rest(time: Millis): Promise<void> {
    while (this.#agenda.pop() !== undefined);
    for (const fault of this.#atWork) await this.#endFault(fault);
    this.#chronicle.say("rest", `for ${time / 60_000} minutes`);
    await this.#keepAppointments(after(this.#cluster.clock.now(), time));
  }

  async #clearAway(): Promise<void> {
    this.#chronicle.say("end", "everything is deleted");
    for (const ref of this.#inhabitants.flatMap(({ clearedAway }) => clearedAway)) {
      const client = this.#cluster.client.resource(ref);
      const { items } = await this.#cluster.call(client.list());
      for (const { metadata } of items) {
        this.#view.deletedByHand.add(metadata.uid);
        const options = { propagationPolicy: "Background" } as const;
        await ignoringRaces(this.#cluster.call(client.delete(metadata.name, metadata.namespace, options)));
      }
    }
    await this.#keepAppointments(after(this.#cluster.clock.now(), clearingLasts));
  }

  async #end(): Promise<void> {
    for (const node of this.#cluster.nodes.values()) node.faults.up();
    await this.#cluster.stop();
  }

  #isOver(): boolean {
    return this.#witnesses.violation !== undefined;
  }

  #keepMoving(inhabitant: Inhabitant, until: Instant): void {
    const random = this.#random.stream(`moves/${inhabitant.name}`);
    const hand: Hand = {
      client: this.#cluster.client,
      random,
      view: this.#view,
      chance: (probability) => random.next() < probability,
      newName: (prefix) => `${prefix}-${++this.#names}`,
      nodes: [...this.#cluster.nodes.keys()],
    };
    const next = (): void => {
      const at = after(this.#cluster.clock.now(), gap(random, seconds(inhabitant.meanSecondsBetweenMoves)));
      if (at < until) this.#at(at, () => this.#move(inhabitant, hand, next));
    };
    next();
  }

  async #move(inhabitant: Inhabitant, hand: Hand, next: () => void): Promise<void> {
    const move = weighted<Move>(hand.random, inhabitant.moves);
    const done = await ignoringRaces(this.#cluster.call(move.act(hand)));
    if (done !== undefined) {
      this.#chronicle.say("move", done);
      this.#count(`moves of ${inhabitant.name}`);
    }
    next();
  }

  #keepFailing(until: Instant): void {
    const { random } = this.#faultHand;
    const next = (): void => {
      const at = after(this.#cluster.clock.now(), gap(random, meanTimeBetweenFaults));
      if (at < until) this.#at(at, () => this.#fail(next));
    };
    next();
  }

  async #fail(next: () => void): Promise<void> {
    const fault = weighted(this.#faultHand.random, this.#faults);
    const atWork = await fault.begin(this.#faultHand);
    next();
    if (atWork === undefined) return;
    this.#chronicle.say("fault", atWork.text);
    this.#count("faults");
    this.#atWork.add(atWork);
    this.#at(after(this.#cluster.clock.now(), atWork.lasts), () => this.#endFault(atWork));
  }

  async #endFault(fault: FaultAtWork): Promise<void> {
    if (!this.#atWork.delete(fault)) return;
    await this.#cluster.call(Promise.resolve(fault.end()));
    if (fault.lasts > 0) this.#chronicle.say("fault over", fault.text);
  }

  #at(at: Instant, act: () => Promise<void>): void {
    this.#agenda.push({ at, order: this.#order++, act });
  }

  /** Lets time pass until then, and does what is due meanwhile; stops as soon as something is found to be wrong. */
  async #keepAppointments(until: Instant): Promise<void> {
    const { clock } = this.#cluster;
    for (;;) {
      const next = this.#agenda.peek();
      const at = next === undefined || next.at > until ? until : next.at;
      if (elapsed(clock.now(), at) > 0) await clock.advanceUntil(() => this.#isOver(), elapsed(clock.now(), at));
      if (this.#isOver() || clock.now() >= until) return;
      if (next === undefined || next.at > clock.now()) continue;
      this.#agenda.pop();
      await next.act();
    }
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}

interface WorldParts {
  readonly view: WorldView;
  readonly chronicle: WorldChronicle;
  readonly witnesses: Witnesses;
  readonly random: SeededRandom;
  readonly network: FaultyNetwork;
  readonly slowness: Map<string, Millis>;
}

/** Shows everything to all invariants, and keeps the first thing that does not hold. */
class Witnesses {
  violation: Violation | undefined;
  readonly #invariants: readonly Invariant[];
  readonly #view: WorldView;
  readonly #chronicle: WorldChronicle;

  constructor(invariants: readonly Invariant[], view: WorldView, chronicle: WorldChronicle) {
    this.#invariants = invariants;
    this.#view = view;
    this.#chronicle = chronicle;
  }

  changed(change: ObjectChange): void {
    this.#chronicle.changed(change);
    for (const each of this.#invariants) this.report(each.name, each.onChange?.(change, this.#view) ?? []);
  }

  happened(sighting: Parameters<NonNullable<Invariant["onMachine"]>>[0]): void {
    this.#chronicle.happened(sighting, this.#view);
    for (const each of this.#invariants) this.report(each.name, each.onMachine?.(sighting, this.#view) ?? []);
  }

  atRest(): void {
    for (const each of this.#invariants) this.report(each.name, each.atRest?.(this.#view) ?? []);
  }

  atEnd(): void {
    for (const each of this.#invariants) this.report(each.name, each.atEnd?.(this.#view) ?? []);
  }

  report(invariant: string, findings: Iterable<Finding>): void {
    for (const finding of findings) {
      this.violation ??= { invariant, at: this.#view.now(), ...finding };
    }
  }
}

const slowMethods: readonly RuntimeMethod[] = [
  "runPodSandbox",
  "stopPodSandbox",
  "removePodSandbox",
  "createContainer",
  "startContainer",
  "stopContainer",
  "removeContainer",
  "listContainers",
  "listPodSandboxes",
  "containerStatus",
  "imageStatus",
  "pullImage",
  "execSync",
];

function machineOf(node: SimulatedNode): ReturnType<WorldView["machines"]["get"]> & object {
  return {
    contents: () => node.runtime.contents(),
    container: (id) => node.runtime.container(id),
    sandboxUid: (id: SandboxId) => node.runtime.sandbox(id)?.metadata.uid,
  };
}

/** Times between two independent happenings: many short ones and some long ones. */
function gap(random: RandomStream, mean: Millis): Millis {
  return millis(Math.max(1, Math.round(-Math.log(1 - random.next()) * mean)));
}

function weighted<T extends { readonly weight: number }>(random: RandomStream, from: readonly T[]): T {
  let rest = random.next() * from.reduce((sum, { weight }) => sum + weight, 0);
  return from.find(({ weight }) => (rest -= weight) < 0) ?? (from.at(-1) as T);
}

/** What a user may meet who works on something that changes under the hands. */
async function ignoringRaces<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isReason(error, "NotFound") || isReason(error, "Conflict") || isReason(error, "AlreadyExists"))
      return undefined;
    throw error;
  }
}
