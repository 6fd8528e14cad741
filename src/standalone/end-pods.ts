import type { Pod } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import { type Clock, millis } from "../base/time.ts";
import type { Client } from "../client/client.ts";

/** Wait between two looks whether all Pods are gone. */
const lookEvery = millis(50);

/** Deletes every Pod with its own grace and waits until the node has ended them all. */
export async function endPods(client: Client, clock: Clock): Promise<void> {
  for (;;) {
    const { items } = await client.pods.list();
    if (items.length === 0) return;
    await Promise.all(
      items.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => deletePod(client, pod)),
    );
    await clock.sleep(lookEvery);
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
