import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import { type Clock, millis } from "../base/time.ts";
import type { Client } from "../client/client.ts";

/** Wait between two looks whether all Pods are gone. */
const lookEvery = millis(50);

/**
 * Deletes every Pod with its own grace and waits until the node has ended them all and cleaned up after them: also after those that somebody deleted by
 * force, which the API has let go of while they still run.
 * @param kubeletFolder where the node's kubelet keeps a folder for each Pod that it has not cleaned up after yet
 */
export async function endPods(client: Client, clock: Clock, kubeletFolder: string): Promise<void> {
  for (;;) {
    const { items } = await client.pods.list();
    if (items.length === 0 && (await isEmpty(join(kubeletFolder, "pods")))) return;
    await Promise.all(
      items.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => deletePod(client, pod)),
    );
    await clock.sleep(lookEvery);
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}

async function deletePod(client: Client, { metadata: { name, namespace, uid } }: Pod): Promise<void> {
  try {
    await client.pods.delete(name, namespace, { preconditions: { uid } });
  } catch (error) {
    // Gone meanwhile, or another Pod of the same name has come: either way the next look tells.
    if (!isReason(error, "NotFound") && !isReason(error, "Conflict")) throw error;
  }
}
