import type { Finding, Invariant } from "../inhabitant.ts";
import { nameOf, type WorldView } from "../world-view.ts";

/** What belonged to an object goes with it, unless it was let go (garbage collection). */
export function ownedGoWithTheirOwner(): Invariant {
  const orphans = function* (view: WorldView): Iterable<Finding> {
    for (const [, object] of view.everything()) {
      const owners = object.metadata.ownerReferences ?? [];
      if (owners.length === 0 || owners.some(({ uid }) => view.object(uid) !== undefined)) continue;
      const names = owners.map(({ kind, name }) => `${kind} ${name}`).join(", ");
      yield { subject: nameOf(object), text: `is there, and its owner is gone: ${names}` };
    }
  };
  return { name: "owner gone means owned gone", atRest: orphans, atEnd: orphans };
}
