import { kinds, type ResourceKind } from "../api/kinds.ts";
import type { ObjectMeta } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { Client } from "../client/client.ts";
import type { StoredObject } from "../client/resource-client.ts";

/** What has replicas, what has a Pod on each node, and what runs Pods until they succeed. */
const replacesPods = ({ subresources, kind }: ResourceKind): boolean =>
  ["CronJob", "DaemonSet", "Job"].includes(kind) || subresources.some(({ name }) => name === "scale");

interface Workload extends StoredObject {
  readonly metadata: ObjectMeta;
}

/**
 * Deletes everything that would replace a Pod: Deployments, ReplicaSets, DaemonSets, Jobs and whatever else has replicas. What they own goes after them, Pods with
 * their grace. Those that have an owner are left to it.
 */
export async function endWorkloads(client: Client): Promise<void> {
  for (const kind of kinds.filter(replacesPods)) {
    const resource = client.resource<Workload>(kind);
    for (const { metadata } of (await resource.list()).items) {
      const { name, namespace, uid, ownerReferences = [] } = metadata;
      if (ownerReferences.length > 0) continue;
      const options = { preconditions: { uid }, propagationPolicy: "Background" } as const;
      await resource.delete(name, namespace, options).catch((error: unknown) => {
        // Gone meanwhile, or replaced by another, whose Pods are then deleted with those of nobody.
        if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
      });
    }
  }
}
