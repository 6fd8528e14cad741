// What exists only once in a cluster, and who has it. A claim is a key of the store that is written and deleted in the same transaction as the object that
// holds it: no two objects ever have one address, and none is lost, whenever and wherever a server ends.

import type { ApiObject } from "./api-object.ts";

export interface Allocator {
  /**
   * The object with everything that it needs and does not name.
   * @param old undefined for a new object
   * @throws StatusError Invalid when what it names is taken or cannot be had, InternalError when nothing is left
   */
  allocate(next: ApiObject, old: ApiObject | undefined): Promise<ApiObject>;
  /** Keys of the store that belong to the object as long as it is like this. */
  claims(object: ApiObject): readonly string[];
}

/** The allocator of kinds that need nothing. */
export const nothingToAllocate: Allocator = {
  allocate: (next) => Promise.resolve(next),
  claims: () => [],
};
