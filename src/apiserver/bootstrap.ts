// What must exist before the server says that it is ready (api-machinery 12.5).

import { systemPriorityClasses } from "../api/scheduling/v1/priority-class.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { ApiObject } from "./registry/api-object.ts";
import type { Registry } from "./registry/registry.ts";
import { type RequestContext, Warnings } from "./registry/request-context.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Makes the system namespaces that are missing. */
export async function createSystemNamespaces(namespaces: Registry): Promise<void> {
  const objects = systemNamespaces.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  await createMissing(namespaces, objects);
}

/** Makes the system priority classes that are missing. */
export async function createSystemPriorityClasses(classes: Registry): Promise<void> {
  await createMissing(classes, systemPriorityClasses as readonly unknown[] as readonly ApiObject[]);
}

async function createMissing(registry: Registry, objects: readonly ApiObject[]): Promise<void> {
  const context = ownContext();
  const cache = await registry.cache();
  const present = new Set([...cache.range(cache.prefix)].map(({ object }) => object.metadata.name));
  for (const object of objects) {
    if (present.has(object.metadata.name)) continue;
    try {
      await registry.create("", object, context);
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
