// What the controllers that own Pods directly share: whom a change of a Pod concerns, and carrying out what was planned for many Pods.

import type { Pod, PodTemplateSpec } from "../api/index.ts";
import { sameJson } from "../api/meta/json-object.ts";
import { type LabelRequirement, matchesRequirements } from "../api/meta/label-selector.ts";
import { keyOf } from "../client/controller.ts";
import type { InformerChange } from "../client/informer.ts";
import type { Lister } from "../client/lister.ts";
import type { Expectations } from "./expectations.ts";
import { controllerOf, type Owner } from "./ownership.ts";
import { createPod, deletePod, isNamespaceTerminating, type PodControl, PodGone } from "./pod-control.ts";
import { slowStart } from "./slow-start.ts";

interface OwnerObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string };
}

/** A kind of owners. */
export interface PodOwners<T extends OwnerObject> {
  readonly kind: string;
  readonly lister: Lister<T>;
  /** What one selects; undefined: nothing. */
  readonly requirements: (owner: T) => readonly LabelRequirement[] | undefined;
}

/** The key of the owner of this kind that an object names, as long as it is there and is the one that is meant. */
export function ownerKey<T extends OwnerObject>(
  object: Parameters<typeof controllerOf>[0],
  { kind, lister }: Pick<PodOwners<T>, "kind" | "lister">,
): string | undefined {
  const reference = controllerOf(object);
  if (reference?.kind !== kind) return undefined;
  const key = `${object.metadata.namespace ?? ""}/${reference.name}`;
  return lister.get(key)?.metadata.uid === reference.uid ? key : undefined;
}

/** Whose business a change of a Pod is: its owner's, and of an orphan everybody's who could adopt it. */
export function concernedOwners<T extends OwnerObject>(
  change: InformerChange<Pod>,
  owners: PodOwners<T>,
): ReadonlySet<string> {
  const keys = new Set<string>();
  const add = (key: string | undefined): void => {
    if (key !== undefined) keys.add(key);
  };
  const { object } = change;
  add(ownerKey(object, owners));
  if (change.kind === "updated") add(ownerKey(change.previous, owners));
  if (controllerOf(object) === undefined && change.kind !== "deleted" && couldBeAdopted(change)) {
    for (const candidate of owners.lister.inNamespace(object.metadata.namespace ?? "")) {
      const requirements = owners.requirements(candidate);
      if (requirements !== undefined && matchesRequirements(requirements, object.metadata.labels)) {
        add(keyOf(candidate));
      }
    }
  }
  return keys;
}

/** An orphan whose labels stay the same has been looked at before. */
function couldBeAdopted(change: InformerChange<Pod>): boolean {
  if (change.kind !== "updated") return true;
  const { previous, object } = change;
  return controllerOf(previous) !== undefined || !sameJson(previous.metadata.labels, object.metadata.labels);
}

/** Ticks off what was expected. A Pod that is first seen when it is going counts for its creation and for its deletion. */
export function observeExpected<T extends OwnerObject>(
  change: InformerChange<Pod>,
  owners: PodOwners<T>,
  expectations: Expectations,
): void {
  const { object } = change;
  const key = ownerKey(object, owners);
  if (key === undefined) return;
  if (change.kind === "added") expectations.creationObserved(key);
  if (change.kind === "deleted" || object.metadata.deletionTimestamp !== undefined) {
    expectations.deletionObserved(key, object.metadata.uid);
  }
}

export interface PodChanges {
  /** Each makes one Pod. */
  readonly create: readonly PodTemplateSpec[];
  readonly remove: readonly Pod[];
}

/** Creates, and then deletes. @throws the first failure, after everything else that was begun has ended */
export async function changePods(
  key: string,
  owner: Owner,
  { create, remove }: PodChanges,
  { control, expectations }: { readonly control: PodControl; readonly expectations: Expectations },
): Promise<void> {
  if (create.length === 0 && remove.length === 0) return;
  expectations.expect(key, { creations: create.length, deletions: remove.map(({ metadata }) => metadata.uid) });
  const { succeeded, failure } = await slowStart(create, (template) => createPod(control, owner, template));
  for (let missing = succeeded; missing < create.length; missing++) expectations.creationObserved(key);
  const failures: unknown[] = failure === undefined || isNamespaceTerminating(failure) ? [] : [failure];
  await Promise.all(
    remove.map(async (pod) => {
      try {
        await deletePod(control, owner, pod);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid);
        if (!(error instanceof PodGone)) failures.push(error);
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
}
