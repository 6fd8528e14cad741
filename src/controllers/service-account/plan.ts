// Which ServiceAccounts a namespace lacks (api-machinery 12.5).

import type { Namespace } from "../../api/index.ts";

/** Pods that name no ServiceAccount run as this one. */
export const defaultServiceAccount = "default";

/** The names to create. A namespace that is going away gets nothing new. */
export function missingServiceAccounts(
  namespace: Namespace | undefined,
  exists: (name: string) => boolean,
): readonly string[] {
  if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return [];
  return exists(defaultServiceAccount) ? [] : [defaultServiceAccount];
}
