// What the controller knows of a Job beyond its copy of the cluster: what it has written and not seen yet, and the failures in a row. All of it may
// be lost: a fresh copy has the writes, and the back-off begins anew.

import type { Job, Pod } from "../../api/index.ts";
import type { InformerChange } from "../../client/informer.ts";
import type { FailureRun } from "./back-off.ts";
import { isTracked } from "./job-pods.ts";

const none: ReadonlySet<string> = new Set();

export class JobMemory {
  readonly #written = new Map<string, { readonly uid: string; readonly resourceVersion: number }>();
  readonly #released = new Map<string, Set<string>>();
  readonly #runs = new Map<string, FailureRun>();

  /** Whether something newer than this was written. */
  isOlder(key: string, { metadata }: Job): boolean {
    const written = this.#written.get(key);
    if (written === undefined || written.uid !== metadata.uid) return false;
    if (Number(metadata.resourceVersion) < written.resourceVersion) return true;
    this.#written.delete(key);
    return false;
  }

  wrote(key: string, { metadata: { uid, resourceVersion } }: Job): void {
    this.#written.set(key, { uid, resourceVersion: Number(resourceVersion) });
  }

  /** Uids of Pods that were let go of and may still look held. */
  released(key: string): ReadonlySet<string> {
    return this.#released.get(key) ?? none;
  }

  /** These are about to be let go of: the news may be faster than the answer. */
  releasing(key: string, pods: readonly Pod[]): void {
    if (pods.length === 0) return;
    const uids = this.#released.get(key) ?? new Set();
    for (const { metadata } of pods) uids.add(metadata.uid);
    this.#released.set(key, uids);
  }

  notReleased(key: string, { metadata }: Pod): void {
    this.#released.get(key)?.delete(metadata.uid);
  }

  /** A change of one of the Job's Pods: it is gone, or visibly let go of. */
  observe(key: string, { kind, object }: InformerChange<Pod>): void {
    if (kind === "deleted" || !isTracked(object)) this.notReleased(key, object);
  }

  runOf(key: string): FailureRun | undefined {
    return this.#runs.get(key);
  }

  remember(key: string, run: FailureRun): void {
    this.#runs.set(key, run);
  }

  forget(key: string): void {
    this.#written.delete(key);
    this.#released.delete(key);
    this.#runs.delete(key);
  }
}
