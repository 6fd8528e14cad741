// Namespaces: born with a finalizer that only the namespace controller takes away (api-machinery 3.11).

import {
  validateNamespace,
  validateNamespaceFinalize,
  validateNamespaceStatusUpdate,
} from "../../api/core/v1/namespace.ts";
import type { Namespace } from "../../api/index.ts";
import { dns1123LabelProblems } from "../../api/meta/names.ts";
import { type ApiObject, listAt, objectAt, withField, withMetadata } from "./api-object.ts";
import { ordinaryStrategy, type Strategy, type UpdateStrategy } from "./strategy.ts";

const nameLabel = "kubernetes.io/metadata.name";

/** Neither the finalizers in the spec nor the status are written by the main resource. */
const update: UpdateStrategy = {
  prepare(next, old) {
    const spec = { ...objectAt(next, "spec"), finalizers: objectAt(old, "spec")["finalizers"] };
    return withField(withField(next, "spec", spec), "status", old["status"]);
  },
  validate: () => [],
};

const status: UpdateStrategy = {
  prepare: (next, old) => withField(next, "spec", old["spec"]),
  validate: (next) => validateNamespaceStatusUpdate(asNamespace(next)),
};

const finalize: UpdateStrategy = {
  prepare: (next, old) => withField(next, "status", old["status"]),
  validate: (next) => validateNamespaceFinalize(asNamespace(next)),
};

export const namespaceStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123LabelProblems,
  default: withNameLabel,
  validate: (namespace) => validateNamespace(asNamespace(namespace)),
  prepareForCreate(namespace) {
    const spec = objectAt(namespace, "spec");
    const finalizers = listAt(spec, "finalizers");
    const all = finalizers.includes("kubernetes") ? finalizers : [...finalizers, "kubernetes"];
    // A generated name is known only now.
    return withField(withField(withNameLabel(namespace), "spec", { ...spec, finalizers: all }), "status", {
      phase: "Active",
    });
  },
  update,
  subresources: { status, finalize },
  isHeld: (namespace) => listAt(objectAt(namespace, "spec"), "finalizers").length > 0,
  beginDeletion: (namespace) =>
    withField(namespace, "status", { ...objectAt(namespace, "status"), phase: "Terminating" }),
};

function withNameLabel(namespace: ApiObject): ApiObject {
  const { name = "", labels } = namespace.metadata;
  if (name === "" || labels?.[nameLabel] === name) return namespace;
  return withMetadata(namespace, { labels: { ...labels, [nameLabel]: name } });
}

/** After decoding and preparing an object of this resource has a Namespace's shape. */
const asNamespace = (object: ApiObject): Namespace => object as unknown as Namespace;
