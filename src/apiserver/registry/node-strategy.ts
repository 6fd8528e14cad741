// Nodes: two writers, a status that the kubelet reports and a spec that others set.

import { defaultNode, validateNode, validateNodeUpdate } from "../../api/core/v1/node.ts";
import type { Draft, Node } from "../../api/index.ts";
import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { type ApiObject, withField } from "./api-object.ts";
import { ordinaryStrategy, type Strategy, type UpdateStrategy } from "./strategy.ts";

const validateUpdate: UpdateStrategy["validate"] = (next, old) => validateNodeUpdate(asNode(next), asNode(old));
const update: UpdateStrategy = {
  prepare: (next, old) => withField(next, "status", old["status"]),
  validate: validateUpdate,
};
const status: UpdateStrategy = {
  prepare: (next, old) => withField(next, "spec", old["spec"]),
  validate: validateUpdate,
};

/** A node brings its first status along: upstream keeps it on creation. */
export const nodeStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  default: (node) => defaultNode(node as Draft<Node>) as unknown as ApiObject,
  validate: (node) => validateNode(asNode(node)),
  update,
  subresources: { status },
};

/** After decoding and defaulting an object of this resource has a Node's shape. */
const asNode = (object: ApiObject): Node => object as unknown as Node;
