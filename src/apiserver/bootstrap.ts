// What must exist before the server says that it is ready (api-machinery 12.5).

import { isReason } from "../api/wire/status-error.ts";
import type { Registry } from "./registry/registry.ts";
import { type RequestContext, Warnings } from "./registry/request-context.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Makes the system namespaces that are missing. */
export async function createSystemNamespaces(namespaces: Registry): Promise<void> {
  const context = ownContext();
  const cache = await namespaces.cache();
  const present = new Set([...cache.range(cache.prefix)].map(({ object }) => object.metadata.name));
  for (const name of systemNamespaces) {
    if (present.has(name)) continue;
    try {
      await namespaces.create("", { apiVersion: "v1", kind: "Namespace", metadata: { name } }, context);
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error; // another server on the same store was faster
    }
  }
}

/** What the server writes on its own account. */
export function ownContext(): RequestContext {
  return {
    user: { username: "system:apiserver", groups: ["system:masters", "system:authenticated"] },
    dryRun: false,
    warnings: new Warnings(),
  };
}
