// What a controller has written and its informer has not told yet. Without it a second turn right after the first would see no slice and write another one.

import type { EndpointSlice } from "../api/index.ts";
import type { InformerChange } from "../client/informer.ts";

type Written = { readonly kind: "there"; readonly slice: EndpointSlice } | { readonly kind: "gone" };

export class WrittenSlices {
  /** By what the slices belong to, then by uid. */
  readonly #written = new Map<string, Map<string, Written>>();

  /** The slices as they are after all own writes. */
  over(key: string, known: readonly EndpointSlice[]): readonly EndpointSlice[] {
    const written = this.#written.get(key);
    if (written === undefined) return known;
    const slices = new Map(known.map((slice) => [slice.metadata.uid, slice]));
    for (const [uid, state] of written) {
      if (state.kind === "gone") slices.delete(uid);
      else slices.set(uid, state.slice);
    }
    return [...slices.values()];
  }

  wrote(key: string, slice: EndpointSlice, known: EndpointSlice | undefined): void {
    if (known !== undefined && revisionOf(known) >= revisionOf(slice)) return; // the news was faster than the answer
    this.#of(key).set(slice.metadata.uid, { kind: "there", slice });
  }

  deleted(key: string, slice: EndpointSlice, isKnown: boolean): void {
    if (isKnown) this.#of(key).set(slice.metadata.uid, { kind: "gone" });
  }

  /** The informer has caught up with one slice. */
  observe(key: string, { kind, object }: InformerChange<EndpointSlice>): void {
    const written = this.#written.get(key);
    const state = written?.get(object.metadata.uid);
    if (written === undefined || state === undefined) return;
    const isNews = kind === "deleted" || (state.kind === "there" && revisionOf(object) >= revisionOf(state.slice));
    if (isNews) written.delete(object.metadata.uid);
    if (written.size === 0) this.#written.delete(key);
  }

  /** Trusts the informer alone again. */
  forget(key: string): void {
    this.#written.delete(key);
  }

  #of(key: string): Map<string, Written> {
    const written = this.#written.get(key) ?? new Map<string, Written>();
    this.#written.set(key, written);
    return written;
  }
}

function revisionOf({ metadata }: EndpointSlice): number {
  return Number(metadata.resourceVersion);
}
