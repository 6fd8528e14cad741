// Everything that lives in random worlds, a line each.

import type { Inhabitant } from "../inhabitant.ts";
import { deployments } from "./deployments.ts";
import { nodes } from "./nodes.ts";
import { pods } from "./pods.ts";
import { replicaSets } from "./replica-sets.ts";

export const inhabitants: readonly Inhabitant[] = [nodes, pods, replicaSets, deployments];
