// Services and where they lead: Endpoints, EndpointSlices (pod-lifecycle 13.9).

import { defaultService } from "../../api/core/v1/service.ts";
import type { Service } from "../../api/index.ts";
import { dns1035LabelProblems, dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { type ApiObject, withField } from "./api-object.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

export const serviceStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1035LabelProblems,
  returnsDeletedObject: true,
  createsOnUpdate: true,
  default: (service) => defaultService(as<Service>(service)) as unknown as ApiObject,
  prepareForCreate: (service) => withField(service, "status", { loadBalancer: {} }),
  update: { prepare: (next, old) => withField(next, "status", old["status"]), validate: () => [] },
  subresources: {
    status: { prepare: (next, old) => withField(next, "spec", old["spec"]), validate: () => [] },
  },
};

export const endpointsStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  createsOnUpdate: true,
};

export const endpointSliceStrategy: Strategy = { ...ordinaryStrategy, nameProblems: dns1123SubdomainProblems };

/** After decoding and defaulting, the objects of a resource have the shape of their type. */
const as = <T>(object: ApiObject): T => object as unknown as T;
