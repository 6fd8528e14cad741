// What becomes of an object when its owners go, and of an owner that waits for its dependents (pod-lifecycle 13.8). Owners are told apart by uid: an
// object of the same name is another one.

import type { ObjectMeta, OwnerReference } from "../../api/index.ts";

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

/** What there is behind a reference to an owner. */
export type OwnerState =
  | "present"
  /** No object has this uid where the reference points to. */
  | "absent"
  /** It goes as soon as its dependents have: a deletion in the foreground. */
  | "waiting"
  /** Its kind is not served, so nobody can tell. */
  | "unknown";

export type DependentPlan =
  | { readonly kind: "leave" }
  /** Somebody still owns it; these references lead to nobody, or hold up who wants to go. */
  | { readonly kind: "dropOwners"; readonly uids: ReadonlySet<string> }
  | {
      readonly kind: "delete";
      readonly policy: "Background" | "Foreground" | "Orphan";
      /** Its owners must no longer wait for it: it depends on itself around some corners. */
      readonly unblocksOwners: boolean;
    };

/** What its own deletion waits for. */
export type DeletionStep = "foreground" | "orphan" | "none";

type Metadata = Pick<ObjectMeta, "deletionTimestamp" | "finalizers" | "ownerReferences">;

/**
 * What to do with an object that names owners.
 * @param states of each owner, by uid
 * @param dependents the objects that name it as their owner
 */
export function planDependent(
  metadata: Metadata,
  states: ReadonlyMap<string, OwnerState>,
  dependents: readonly Metadata[],
): DependentPlan {
  const { ownerReferences = [], deletionTimestamp } = metadata;
  if (ownerReferences.length === 0 || deletionTimestamp !== undefined) return { kind: "leave" };
  const stateOf = ({ uid }: OwnerReference): OwnerState => states.get(uid) ?? "unknown";
  if (ownerReferences.some((reference) => stateOf(reference) === "unknown")) return { kind: "leave" };
  const useless = ownerReferences.filter((reference) => stateOf(reference) !== "present");
  if (useless.length < ownerReferences.length) {
    if (useless.length === 0) return { kind: "leave" };
    return { kind: "dropOwners", uids: new Set(useless.map(({ uid }) => uid)) };
  }
  const isAwaited = ownerReferences.some((reference) => stateOf(reference) === "waiting");
  if (isAwaited && dependents.length > 0) {
    const unblocksOwners = dependents.some((dependent) => deletionStep(dependent) === "foreground");
    return { kind: "delete", policy: "Foreground", unblocksOwners };
  }
  return { kind: "delete", policy: ownPolicy(metadata), unblocksOwners: false };
}

/** An object under deletion with both finalizers cannot be: validation refuses them together. */
export function deletionStep({ deletionTimestamp, finalizers = [] }: Metadata): DeletionStep {
  if (deletionTimestamp === undefined) return "none";
  if (finalizers.includes(foregroundFinalizer)) return "foreground";
  return finalizers.includes(orphanFinalizer) ? "orphan" : "none";
}

/** Whether the owner's end in the foreground waits for this dependent. */
export function blocks({ ownerReferences = [] }: Metadata, ownerUid: string): boolean {
  return ownerReferences.some(({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true);
}

/** Whether a change can matter to owners or dependents. Most do not: a status, a label. */
export function concernsOwnership(next: Metadata, previous: Metadata | undefined): boolean {
  if (deletionStep(next) !== (previous === undefined ? "none" : deletionStep(previous))) return true;
  const [now = [], before = []] = [next.ownerReferences, previous?.ownerReferences];
  if (now === before || (now.length === 0 && before.length === 0)) return false;
  if (now.length !== before.length) return true;
  return now.some((reference, position) => !isSameReference(reference, before[position]));
}

/** The references that are left without those owners. */
export function withoutOwners(
  { ownerReferences = [] }: Metadata,
  uids: ReadonlySet<string>,
): readonly OwnerReference[] {
  return ownerReferences.filter(({ uid }) => !uids.has(uid));
}

/** The references, none of which its owner waits for. */
export function unblocking({ ownerReferences = [] }: Metadata): readonly OwnerReference[] {
  return ownerReferences.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
}

/** Dependents go as their own finalizers say. */
function ownPolicy({ finalizers = [] }: Metadata): "Background" | "Foreground" | "Orphan" {
  if (finalizers.includes(orphanFinalizer)) return "Orphan";
  return finalizers.includes(foregroundFinalizer) ? "Foreground" : "Background";
}

function isSameReference(a: OwnerReference, b: OwnerReference | undefined): boolean {
  return a.uid === b?.uid && (a.blockOwnerDeletion ?? false) === (b.blockOwnerDeletion ?? false);
}
