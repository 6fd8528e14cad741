// When an Indexed Job has done enough although indexes are left (pod-lifecycle 13.5.5).

import { countCommon, countIndexes, type IndexIntervals, parseIndexes } from "../../api/batch/v1/completion-indexes.ts";
import type { batchV1 } from "../../api/index.ts";

/** The message of the first rule that is met; undefined as long as none is. */
export function metSuccessRule(
  policy: batchV1.SuccessPolicy | undefined,
  completions: number,
  succeeded: IndexIntervals,
): string | undefined {
  if (succeeded.length === 0) return undefined;
  const index = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) {
      return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount;
    }
    const wanted = parseIndexes(succeededIndexes, completions);
    const found = countCommon(wanted, succeeded);
    return (
      wanted.length > 0 && (found === countIndexes(wanted) || (succeededCount !== undefined && found >= succeededCount))
    );
  });
  return index === -1 ? undefined : `Matched rules at index ${index}`;
}
