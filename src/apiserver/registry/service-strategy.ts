// Services and where they lead: Endpoints, EndpointSlices (pod-lifecycle 13.9).

import { defaultEndpoints, validateEndpoints } from "../../api/core/v1/endpoints.ts";
import { defaultService, serviceWarnings } from "../../api/core/v1/service.ts";
import { dropUnusedFields } from "../../api/core/v1/service-update.ts";
import {
  validateService,
  validateServiceStatusUpdate,
  validateServiceUpdate,
} from "../../api/core/v1/validate-service.ts";
import {
  defaultEndpointSlice,
  validateEndpointSlice,
  validateEndpointSliceUpdate,
} from "../../api/discovery/v1/endpoint-slice.ts";
import type { Endpoints, EndpointSlice, Service } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import { dns1035LabelProblems, dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { type ApiObject, objectAt, withField } from "./api-object.ts";
import { ordinaryStrategy, type Strategy } from "./strategy.ts";

export const serviceStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1035LabelProblems,
  returnsDeletedObject: true,
  createsOnUpdate: true,
  default: (service) => defaultService(as<Service>(service)) as unknown as ApiObject,
  prepareForCreate: (service) => withField(service, "status", { loadBalancer: {} }),
  validate: (service) => validateService(as(service)),
  warnings: (service) => serviceWarnings(as(service)),
  update: {
    prepare(next, old) {
      const slim = dropUnusedFields(as<Service>(next), as<Service>(old));
      // What is no load balancer any more has no address outside.
      const status =
        slim.spec.type === "LoadBalancer" ? old["status"] : { ...objectAt(old, "status"), loadBalancer: {} };
      return withField(slim as unknown as ApiObject, "status", status);
    },
    validate: (next, old) => validateServiceUpdate(as(next), as(old)),
    warnings: (next, old) => (sameJson(next["spec"], old["spec"]) ? [] : serviceWarnings(as(next))),
  },
  subresources: {
    status: {
      prepare: (next, old) => withField(next, "spec", old["spec"]),
      validate: (next) => validateServiceStatusUpdate(as(next)),
    },
  },
};

export const endpointsStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  createsOnUpdate: true,
  default: (endpoints) => defaultEndpoints(as<Endpoints>(endpoints)) as unknown as ApiObject,
  validate: (endpoints) => validateEndpoints(as(endpoints)),
  update: { prepare: (next) => next, validate: (next) => validateEndpoints(as(next)) },
};

export const endpointSliceStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  default: (slice) => defaultEndpointSlice(as<EndpointSlice>(slice)) as unknown as ApiObject,
  validate: (slice) => validateEndpointSlice(as(slice)),
  update: { prepare: (next) => next, validate: (next, old) => validateEndpointSliceUpdate(as(next), as(old)) },
};

/** After decoding and defaulting, the objects of a resource have the shape of their type. */
const as = <T>(object: ApiObject): T => object as unknown as T;
