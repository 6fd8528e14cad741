// Admission: what the cluster demands of an object beyond its own validity. All mutating plugins run first, in upstream's order, then all
// validating ones (api-machinery 9.5).

import type { ApiObject } from "../registry/api-object.ts";
import type { RequestContext } from "../registry/request-context.ts";
import type { ResourceDefinition } from "../registry/resource-definition.ts";

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly definition: ResourceDefinition;
  /** Empty for the resource itself. */
  readonly subresource: string;
  readonly namespace: string;
  /** Empty while a name is still to be generated. */
  readonly name: string;
  /** The object as it would be stored; absent on DELETE. */
  readonly object?: ApiObject;
  /** The object as it is; absent on CREATE. */
  readonly oldObject?: ApiObject;
  readonly context: RequestContext;
}

/** One rule of the cluster. Refuses by throwing a StatusError. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Called for creations and updates; returns the object as it goes on. */
  mutate?(request: AdmissionRequest, object: ApiObject): Promise<ApiObject> | ApiObject;
  validate?(request: AdmissionRequest): Promise<void> | void;
}

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async mutate(request: AdmissionRequest, object: ApiObject): Promise<ApiObject> {
    let current = object;
    for (const plugin of this.#plugins) {
      if (plugin.mutate !== undefined) current = await plugin.mutate({ ...request, object: current }, current);
    }
    return current;
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) await plugin.validate?.(request);
  }
}
