// Carries out a plan for EndpointSlices.

import type { EndpointSlice } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";
import type { SlicePlan } from "./slice-plan.ts";
import type { WrittenSlices } from "./written-slices.ts";

export interface SliceWriter {
  readonly client: Client;
  readonly informer: Informer<EndpointSlice>;
  readonly written: WrittenSlices;
}

/** @throws StatusError when a write is refused; what was written before counts, and the informer is trusted again */
export async function carryOutSlices(key: string, plan: SlicePlan, { client, informer, written }: SliceWriter) {
  const known = ({ metadata }: EndpointSlice): EndpointSlice | undefined =>
    informer.lister.get(`${metadata.namespace ?? ""}/${metadata.name}`);
  const wrote = (slice: EndpointSlice): void => written.wrote(key, slice, known(slice));
  try {
    for (const slice of plan.update) wrote(await client.endpointSlices.update(slice));
    for (const slice of plan.create) wrote(await client.endpointSlices.create({ ...slice }, slice.metadata.namespace));
    for (const slice of plan.delete) {
      try {
        await client.endpointSlices.delete(slice.metadata.name, slice.metadata.namespace);
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
      written.deleted(key, slice, known(slice) !== undefined);
    }
  } catch (error) {
    written.forget(key);
    throw error;
  }
}
