// What must be true of every object of every kind, whoever lives in the world.

import type { Finding, Invariant } from "../inhabitant.ts";
import { nameOf, type ObjectChange } from "../world-view.ts";

export const everywhere = (): readonly Invariant[] => [revisionsGrow(), objectsKeepTheirIdentity()];

/** Each write has a higher resourceVersion than all before. */
export function revisionsGrow(): Invariant {
  let newest = 0;
  return {
    name: "resourceVersions grow",
    *onChange({ revision, key }: ObjectChange): Iterable<Finding> {
      if (revision < newest) yield { subject: key, text: `revision ${revision} after ${newest}` };
      newest = revision;
    },
  };
}

/** One object keeps its uid and its birthday; its generation never falls; once it is to be deleted it stays so. */
export function objectsKeepTheirIdentity(): Invariant {
  return {
    name: "objects keep their identity",
    *onChange({ before, after }: ObjectChange): Iterable<Finding> {
      if (before === undefined || after === undefined) return;
      const [was, is] = [before.metadata, after.metadata];
      const subject = nameOf(after);
      if (was.uid !== is.uid) yield { subject, text: `uid ${was.uid} became ${is.uid} without a deletion between` };
      if (was.creationTimestamp !== is.creationTimestamp) yield { subject, text: "creationTimestamp has changed" };
      if ((is.generation ?? 0) < (was.generation ?? 0)) {
        yield { subject, text: `generation fell from ${was.generation} to ${is.generation}` };
      }
      if (was.deletionTimestamp !== undefined && is.deletionTimestamp === undefined) {
        yield { subject, text: "was to be deleted and is not any more" };
      }
    },
  };
}
