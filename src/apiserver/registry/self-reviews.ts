// What a client may ask about itself: who am I, may I do this, what may I do (`kubectl auth whoami`, `can-i`, `can-i --list`; api-machinery 9.4).

import { type FieldError, invalid as invalidField } from "../../api/meta/field-errors.ts";
import { textAt } from "../../api/meta/json-object.ts";
import { badRequest, invalid } from "../../api/wire/status-error.ts";
import { isAdministrator, isAllowed } from "../access.ts";
import { objectAt } from "./api-object.ts";
import type { VirtualResource } from "./virtual-resource.ts";

const authorization = { group: "authorization.k8s.io", version: "v1" };

export const selfSubjectReview: VirtualResource = {
  gvk: { group: "authentication.k8s.io", version: "v1", kind: "SelfSubjectReview" },
  answer: (_sent, { username, uid, groups, extra }) => ({
    userInfo: {
      username,
      ...(uid === undefined || uid === "" ? {} : { uid }),
      groups,
      ...(extra === undefined ? {} : { extra }),
    },
  }),
};

export const selfSubjectAccessReview: VirtualResource = {
  gvk: { ...authorization, kind: "SelfSubjectAccessReview" },
  answer(sent, user) {
    const { resourceAttributes, nonResourceAttributes } = objectAt(sent, "spec");
    const errors = accessErrors(resourceAttributes, nonResourceAttributes);
    if (errors.length > 0) {
      const causes = errors.map(({ type, body, field }) => ({ reason: type, message: body, field }));
      throw invalid({ group: authorization.group, kind: "SelfSubjectAccessReview" }, "", causes);
    }
    const path = nonResourceAttributes === undefined ? "" : textAt(nonResourceAttributes, "path");
    return { allowed: isAllowed(user, path) };
  },
};

export const selfSubjectRulesReview: VirtualResource = {
  gvk: { ...authorization, kind: "SelfSubjectRulesReview" },
  answer(sent, user) {
    if (textAt(sent, "spec", "namespace") === "") throw badRequest("no namespace on request");
    const everything = isAdministrator(user);
    return {
      resourceRules: everything ? [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }] : [],
      nonResourceRules: everything ? [{ verbs: ["*"], nonResourceURLs: ["*"] }] : [],
      incomplete: false,
    };
  },
};

/** Exactly one of the two must be asked about. */
function accessErrors(resource: unknown, nonResource: unknown): readonly FieldError[] {
  if (resource !== undefined && nonResource !== undefined) {
    const why = "cannot be specified in combination with resourceAttributes";
    return [invalidField("spec.nonResourceAttributes", nonResource, why)];
  }
  if (resource !== undefined || nonResource !== undefined) return [];
  const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [invalidField("spec.resourceAttributes", null, why)];
}
