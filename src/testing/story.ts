// A story: a cluster on a virtual clock, told in verbs that a Kubernetes user knows, checked against timelines that a person can read.

import type { Event, Pod } from "../api/index.ts";
import { kindOf, parseApiVersion } from "../api/kinds.ts";
import type { JsonObject } from "../api/wire/request.ts";
import type { Instant, Millis } from "../base/time.ts";
import type { ResourceClient, StoredObject } from "../client/resource-client.ts";
import { settle } from "../host/settle.ts";
import type { ImageBehaviour } from "../runtimes/simulated/behaviour.ts";
import { SimulatedCluster, type SimulatedNode, type SimulatedNodeOptions } from "../simulation/simulated-cluster.ts";
import { eventEntry, type LifeEntry, podEntries } from "../timeline/pod-life.ts";
import type { Predicate } from "./predicates.ts";

/** A named story; `tell` runs it and throws when it does not go as told. */
export interface Story {
  readonly title: string;
  readonly tell: (t: StoryTeller) => Promise<void>;
}

export const story = (title: string, tell: (t: StoryTeller) => Promise<void>): Story => ({ title, tell });

/** Runs a story from a seed. @returns the transcript of its whole life, to the byte */
export async function tellStory({ tell }: Story, seed: number | string = 1): Promise<string> {
  const cluster = await SimulatedCluster.start({ seed, settle });
  const teller = new StoryTeller(cluster);
  try {
    await tell(teller);
    return cluster.transcript();
  } finally {
    await teller.end();
  }
}

/** A name like `pod/web`, `pod/other-namespace/web`, `node/node-a`. */
export type ObjectName = string;

export class StoryTeller {
  readonly cluster: SimulatedCluster;
  readonly #entries: LifeEntry[] = [];
  readonly #pods = new Map<string, Pod>();
  readonly #start: Instant;
  #follow: (() => void)[] | undefined;

  constructor(cluster: SimulatedCluster) {
    this.cluster = cluster;
    this.#start = cluster.clock.now();
  }

  /** Adds nodes and waits until they are Ready. */
  async nodes(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.node(name);
  }

  async node(name: string, options: SimulatedNodeOptions = {}): Promise<SimulatedNode> {
    await this.#watch();
    const node = await this.cluster.addNode(name, options);
    return node;
  }

  /** Declares how containers of an image behave. */
  image(name: string, behaviour: ImageBehaviour = {}): void {
    this.cluster.image(name, behaviour);
  }

  /** Creates objects. @throws StatusError as the API server words it */
  async apply(...objects: readonly JsonObject[]): Promise<void> {
    await this.#watch();
    for (const object of objects) {
      const metadata = object.metadata as { namespace?: string };
      await this.cluster.call(this.#clientFor(object).create(object, metadata.namespace));
    }
    await this.cluster.clock.settle();
  }

  /** Deletes a Pod, gracefully unless told otherwise. */
  async delete(name: ObjectName, options: { readonly gracePeriodSeconds?: number } = {}): Promise<void> {
    const { client, objectName, namespace } = this.#locate(name);
    await this.cluster.call(client.delete(objectName, namespace, options));
    await this.cluster.clock.settle();
  }

  /** Patches an object by a merge patch, also its status. */
  async patch(name: ObjectName, patch: JsonObject, subresource?: string): Promise<void> {
    const { client, objectName, namespace } = this.#locate(name);
    await this.cluster.call(client.patch(objectName, namespace, "merge", patch, subresource));
    await this.cluster.clock.settle();
  }

  /** Lets time pass. */
  async elapse(wait: Millis): Promise<void> {
    await this.cluster.elapse(wait);
  }

  /** Lets time pass until the object is in a state. Fails with the object and its timeline. */
  async until(name: ObjectName, state: Predicate, { within }: { readonly within: Millis }): Promise<void> {
    let latest: JsonObject | undefined;
    const look = async (): Promise<boolean> => {
      latest = await this.get(name);
      return state(latest);
    };
    const { clock } = this.cluster;
    const limit = clock.now() + within;
    for (;;) {
      await clock.settle();
      if (await look()) return;
      const next = clock.nextDue();
      if (next === undefined || next > limit) break;
      await clock.advanceTo(next);
    }
    throw new Error(
      `${name} was not ${state.title} within ${within / 1000}s; it is ${JSON.stringify(latest?.status ?? latest, undefined, 1)}\n${this.timeline(name)}`,
    );
  }

  /** The object as it stands; `undefined` if it is not there. */
  async get<T = JsonObject>(name: ObjectName): Promise<T | undefined> {
    const { client, objectName, namespace } = this.#locate(name);
    try {
      return (await this.cluster.call(client.get(objectName, namespace))) as T;
    } catch (error) {
      if ((error as { reason?: string }).reason === "NotFound") return undefined;
      throw error;
    }
  }

  /** A Pod that must be there. */
  async pod(name: string): Promise<Pod> {
    const found = await this.get<Pod>(`pod/${name}`);
    if (found === undefined) throw new Error(`there is no Pod ${name}`);
    return found;
  }

  /** What happened to one Pod since the beginning, a line each: `12s  Started  …`. */
  timeline(name: ObjectName): string {
    const { objectName, namespace } = this.#locate(name);
    return this.#entries
      .filter((entry) => entry.pod === objectName && entry.namespace === (namespace ?? entry.namespace))
      .map((entry) => this.#lineOf(entry))
      .join("\n");
  }

  /**
   * Compares the timeline with a text, line by line; blanks at the ends of lines and common indentation do not matter.
   * A line of the text may end in `…`: then only its beginning counts.
   */
  expectTimeline(name: ObjectName, text: string): void {
    const want = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    const have = this.timeline(name)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    const same = want.length === have.length && want.every((line, index) => matchesLine(line, have[index] as string));
    if (!same)
      throw new Error(
        `the timeline of ${name} is not as told.\nwanted:\n${want.join("\n")}\n\nhappened:\n${have.join("\n")}\n`,
      );
  }

  /** Events about an object, as `reason: message`, in order of their creation. */
  async events(name: ObjectName): Promise<readonly string[]> {
    const { objectName, namespace } = this.#locate(name);
    const all = await this.cluster.call(
      this.cluster.client.events.list({ ...(namespace !== undefined && { namespace }) }),
    );
    return all.items
      .filter((event: Event) => event.involvedObject.name === objectName)
      .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      .map((event) => `${event.reason}: ${event.message}`);
  }

  /** Ends the story: stops everything. */
  async end(): Promise<void> {
    for (const stop of this.#follow ?? []) stop();
    await this.cluster.stop();
  }

  /** Follows Pods and events from the first verb on. */
  async #watch(): Promise<void> {
    if (this.#follow !== undefined) return;
    this.#follow = [];
    const { client, clock } = this.cluster;
    const pods = await this.cluster.call(
      client.pods.watch(
        {},
        {
          event: ({ type, object }) => {
            const { uid } = object.metadata;
            const after = type === "DELETED" ? undefined : object;
            this.#entries.push(
              ...podEntries(this.#pods.get(uid) ?? (after === undefined ? object : undefined), after, clock.now()),
            );
            if (after === undefined) this.#pods.delete(uid);
            else this.#pods.set(uid, object);
          },
          closed: () => undefined,
        },
      ),
    );
    const events = await this.cluster.call(
      client.events.watch(
        {},
        {
          event: ({ type, object }) => {
            const entry = type === "DELETED" ? undefined : eventEntry(object, clock.now());
            if (entry !== undefined) this.#entries.push(entry);
          },
          closed: () => undefined,
        },
      ),
    );
    this.#follow.push(pods.stop, events.stop);
  }

  #lineOf(entry: LifeEntry): string {
    const time = `${Math.round(entry.at - this.#start) / 1000}s`.padStart(8);
    const container = entry.container === undefined ? "" : `[${entry.container}] `;
    return `${time}  ${container}${entry.what}${entry.detail === "" ? "" : `  ${entry.detail}`}`;
  }

  #clientFor(object: JsonObject): ResourceClient<StoredObject> {
    const { apiVersion, kind } = object as { apiVersion: string; kind: string };
    const found = kindOf({ ...parseApiVersion(apiVersion), kind });
    if (found === undefined) throw new Error(`${apiVersion} ${kind} is not a kind that is served`);
    return this.cluster.client.resource(found);
  }

  #locate(name: ObjectName): {
    client: ResourceClient<StoredObject>;
    objectName: string;
    namespace: string | undefined;
  } {
    const parts = name.split("/");
    const kind = parts[0] as string;
    const clients: Record<string, ResourceClient<StoredObject>> = {
      pod: this.cluster.client.pods as unknown as ResourceClient<StoredObject>,
      node: this.cluster.client.nodes as unknown as ResourceClient<StoredObject>,
      namespace: this.cluster.client.namespaces as unknown as ResourceClient<StoredObject>,
      configmap: this.cluster.client.configMaps as unknown as ResourceClient<StoredObject>,
      secret: this.cluster.client.secrets as unknown as ResourceClient<StoredObject>,
      serviceaccount: this.cluster.client.serviceAccounts as unknown as ResourceClient<StoredObject>,
    };
    const client = clients[kind];
    if (client === undefined)
      throw new Error(`"${name}" does not begin with one of ${Object.keys(clients).join(", ")}`);
    const namespace = client.ref.namespaced ? (parts.length > 2 ? (parts[1] as string) : "default") : undefined;
    return { client, objectName: parts.at(-1) as string, namespace };
  }
}

function matchesLine(want: string, have: string): boolean {
  const folded = (text: string): string => text.replace(/\s+/g, " ");
  return want.endsWith("…")
    ? folded(have).startsWith(folded(want.slice(0, -1)).trimEnd())
    : folded(have) === folded(want);
}
