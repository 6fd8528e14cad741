// `…/scale`: the replicas of any object that has some, in one shape (api-machinery 3.10). Its resourceVersion and uid are the object's.

import { scaleOf, type Scalable, validateScale } from "../../api/autoscaling/v1/scale.ts";
import type { Scale } from "../../api/index.ts";
import { validateObjectMeta } from "../../api/meta/object-meta.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { conflict, invalid, isReason, notFound } from "../../api/wire/status-error.ts";
import { type ApiObject, objectAt, withField, withMetadata } from "./api-object.ts";
import { groupResourceOf } from "./resource-definition.ts";
import type { ProjectedSubresource } from "./subresource.ts";

export const scaleSubresource: ProjectedSubresource = {
  kind: { group: "autoscaling", version: "v1", kind: "Scale" },

  project: (object) => scaleOf(object as unknown as Scalable) as unknown as ApiObject,

  merge(sent, object, definition) {
    const { name = "", uid: actualUid = "" } = object.metadata;
    const scale = sent as unknown as Scale;
    const errors = [
      ...validateObjectMeta(sent.metadata, { namespaced: true, nameProblems: dns1123SubdomainProblems }),
      ...validateScale(scale),
    ];
    if (errors.length > 0) {
      const causes = errors.map(({ type, body, field }) => ({ reason: type, message: body, field }));
      throw invalid({ group: "autoscaling", kind: "Scale" }, name, causes);
    }
    const { uid = "", resourceVersion } = sent.metadata;
    if (uid !== "" && uid !== actualUid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actualUid}`;
      throw conflict(scaleResource(definition), name, why);
    }
    const spec = { ...objectAt(object, "spec"), replicas: scale.spec?.replicas ?? 0 };
    return withMetadata(withField(object, "spec", spec), { resourceVersion });
  },

  failure(error, name, definition) {
    return isReason(error, "NotFound") ? notFound(scaleResource(definition), name) : error;
  },
};

const scaleResource = (definition: Parameters<ProjectedSubresource["merge"]>[2]) => {
  const { group, resource } = groupResourceOf(definition);
  return { group, resource: `${resource}/scale` };
};
