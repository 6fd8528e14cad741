// What can live in a random world, and what must hold there. A further controller joins with one file: an inhabitant with its random moves and its
// invariants (docs/worlds.md).

import type { RandomStream } from "../../base/random.ts";
import type { Instant } from "../../base/time.ts";
import type { Client } from "../../client/client.ts";
import type { ResourceRef } from "../../client/resource-client.ts";
import type { MachineEvent } from "../../runtimes/simulated/simulated-runtime.ts";
import type { ObjectChange, WorldView } from "./world-view.ts";

/** A sort of object that lives in random worlds: what a user does with it by chance, and what must be true of it whatever happens. */
export interface Inhabitant {
  /** In the plural, as the API calls it: `deployments`. Also the name of its stream of chance. */
  readonly name: string;
  /** The mean time between two moves. */
  readonly meanSecondsBetweenMoves: number;
  readonly moves: readonly Move[];
  /** New ones for each world: most remember what they saw. */
  invariants(): readonly Invariant[];
  /** What is deleted when the world ends, in this order. */
  readonly clearedAway: readonly ResourceRef[];
}

/** Something that a user may do. */
export interface Move {
  readonly name: string;
  /** How often it is chosen, compared with the inhabitant's other moves. */
  readonly weight: number;
  /**
   * Does it. What the API server refuses because the world has moved on (NotFound, Conflict) is no harm.
   * @returns what was done, for the timeline; `undefined` if there was nothing to do it with
   */
  act(hand: Hand): Promise<string | undefined>;
}

/** What a move has in its hands: a user's way to the API, which no fault touches. */
export interface Hand {
  readonly client: Client;
  readonly random: RandomStream;
  readonly view: WorldView;
  /** True with this probability. */
  readonly chance: (probability: number) => boolean;
  /** A name that no object of this world had before: `web-7`. */
  readonly newName: (prefix: string) => string;
  /** Names of all nodes. */
  readonly nodes: readonly string[];
}

/** Something that is wrong. */
export interface Finding {
  /** `pod default/web-7` */
  readonly subject: string;
  readonly text: string;
}

/** Something that must hold. Each method is called with every sighting of its sort; it may remember, it must not throw. */
export interface Invariant {
  /** In words: `one sandbox a Pod`. */
  readonly name: string;
  /** After each change of an object, in the transaction that makes it. */
  onChange?(change: ObjectChange, view: WorldView): Iterable<Finding>;
  /** After each thing that happens on a machine, as it happens. */
  onMachine?(sighting: MachineSighting, view: WorldView): Iterable<Finding>;
  /** When all faults and moves have rested for long: what must be true in the end. */
  atRest?(view: WorldView): Iterable<Finding>;
  /** When everything was deleted and has had the time to go. */
  atEnd?(view: WorldView): Iterable<Finding>;
}

export interface MachineSighting extends MachineEvent {
  readonly node: string;
  readonly at: Instant;
}
