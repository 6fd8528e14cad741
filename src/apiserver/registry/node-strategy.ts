// Nodes: two writers, a status that the kubelet reports and a spec that others set.

import { dns1123SubdomainProblems } from "../../api/meta/names.ts";
import { withField } from "./api-object.ts";
import { ordinaryStrategy, type Strategy, type UpdateStrategy } from "./strategy.ts";

const update: UpdateStrategy = { prepare: (next, old) => withField(next, "status", old["status"]), validate: () => [] };
const status: UpdateStrategy = { prepare: (next, old) => withField(next, "spec", old["spec"]), validate: () => [] };

/** A node brings its first status along: upstream keeps it on creation. */
export const nodeStrategy: Strategy = {
  ...ordinaryStrategy,
  nameProblems: dns1123SubdomainProblems,
  update,
  subresources: { status },
};
