// A random world as nobody in it can see it: every object at this very moment, straight from the store, and every machine as it really is.

import type { Node, OwnerReference, Pod } from "../../api/index.ts";
import type { Instant } from "../../base/time.ts";
import type { ContainerId, ContainerStatus, SandboxId } from "../../runtimes/runtime-service.ts";
import type { MachineContents } from "../../runtimes/simulated/simulated-runtime.ts";
import type { StoreEvent } from "../../store/store.ts";

/** What every object has that invariants ask for. */
export interface WorldObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation?: number;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** One object of the API, before and after one write. */
export interface ObjectChange {
  readonly at: Instant;
  /** Group and plural name as the store has them: `core/pods`, `apps/deployments`. */
  readonly resource: string;
  readonly key: string;
  readonly revision: number;
  /** Absent if it was created. */
  readonly before?: WorldObject;
  /** Absent if it is gone. */
  readonly after?: WorldObject;
}

/** The machine of one node. */
export interface Machine {
  contents(): MachineContents;
  container(id: ContainerId): ContainerStatus | undefined;
  sandboxUid(id: SandboxId): string | undefined;
}

/** Written often, and nothing follows from them. */
const passedOver = new Set(["core/events", "coordination.k8s.io/leases"]);

export class WorldView {
  readonly machines = new Map<string, Machine>();
  /** Uids of objects that a move has deleted, or whose Pods it has. */
  readonly deletedByHand = new Set<string>();
  /** When an answer of the API server to a create was lost last, by the part that waited for it. */
  readonly lostAnswers: { readonly part: string; readonly at: Instant }[] = [];
  readonly #now: () => Instant;
  readonly #byResource = new Map<string, Map<string, WorldObject>>();
  readonly #byUid = new Map<string, WorldObject>();
  readonly #seen = new Map<string, WorldObject>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  now(): Instant {
    return this.#now();
  }

  /** All objects of a resource such as `core/pods`, in the order in which they were made. */
  all<T>(resource: string): readonly T[] {
    return [...(this.#byResource.get(resource)?.values() ?? [])] as unknown as T[];
  }

  pods(): readonly Pod[] {
    return this.all<Pod>("core/pods");
  }

  node(name: string): Node | undefined {
    return this.all<Node>("core/nodes").find(({ metadata }) => metadata.name === name);
  }

  /** The object with a uid, of whatever resource. */
  object<T = WorldObject>(uid: string): T | undefined {
    return this.#byUid.get(uid) as T | undefined;
  }

  /** The object with a uid as it was last, also when it is gone. */
  lastSeen<T = WorldObject>(uid: string): T | undefined {
    return this.#seen.get(uid) as T | undefined;
  }

  /** All objects of all resources but events and leases. */
  everything(): readonly (readonly [resource: string, object: WorldObject])[] {
    return [...this.#byResource].flatMap(([resource, objects]) =>
      [...objects.values()].map((object) => [resource, object] as const),
    );
  }

  /** All objects that a controller of this uid owns. */
  ownedBy<T>(uid: string, resource: string): readonly T[] {
    const owned = [...(this.#byResource.get(resource)?.values() ?? [])].filter(({ metadata }) =>
      (metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid),
    );
    return owned as unknown as T[];
  }

  /** Takes a change of the store in. @returns `undefined` for objects that nobody asks for */
  take(event: StoreEvent): ObjectChange | undefined {
    const [, , group, plural] = event.key.split("/");
    const resource = `${group}/${plural}`;
    if (passedOver.has(resource)) return undefined;
    const objects = this.#byResource.get(resource) ?? new Map<string, WorldObject>();
    this.#byResource.set(resource, objects);
    const before = objects.get(event.key);
    const shared = { at: this.now(), resource, key: event.key, ...(before && { before }) };
    switch (event.kind) {
      case "put": {
        const after = JSON.parse(event.current.value) as Partial<WorldObject>;
        if (!isObject(after)) return undefined; // a server's own notes, such as the addresses that it has given to Services
        objects.set(event.key, after);
        this.#byUid.set(after.metadata.uid, after);
        this.#seen.set(after.metadata.uid, after);
        return { ...shared, revision: event.current.modRevision, after };
      }
      case "delete":
        objects.delete(event.key);
        if (before !== undefined) this.#byUid.delete(before.metadata.uid);
        return { ...shared, revision: event.revision };
    }
  }
}

const isObject = (value: Partial<WorldObject>): value is WorldObject => value.metadata?.uid !== undefined;

/** The change of an object of this resource, typed; `undefined` if it is another's. */
export function changeOf<T>(change: ObjectChange, resource: string): { before?: T; after?: T } | undefined {
  return change.resource === resource ? (change as unknown as { before?: T; after?: T }) : undefined;
}

/** `pod default/web-7` */
export function nameOf({
  kind,
  metadata,
}: Pick<WorldObject, "kind"> & { readonly metadata: { readonly name: string; readonly namespace?: string } }): string {
  return `${kind.toLowerCase()} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
}
