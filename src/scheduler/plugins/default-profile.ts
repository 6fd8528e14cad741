// The rules of the default scheduler (pod-lifecycle 11.4): filters in upstream's order, because the first "no" is the one that users read.

import type { SchedulingProfile } from "../plugin.ts";
import { interPodAffinity } from "./inter-pod-affinity/inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity/node-affinity.ts";
import { nodeName } from "./node-name/node-name.ts";
import { nodePorts } from "./node-ports/node-ports.ts";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation/node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "./node-resources-fit/node-resources-fit.ts";
import { nodeUnschedulable } from "./node-unschedulable/node-unschedulable.ts";
import { podTopologySpread } from "./pod-topology-spread/pod-topology-spread.ts";
import { taintToleration } from "./taint-toleration/taint-toleration.ts";
import { volumeBinding } from "./volume-binding/volume-binding.ts";
import { volumeRestrictions } from "./volume-restrictions/volume-restrictions.ts";
import { volumeZone } from "./volume-zone/volume-zone.ts";

export const defaultProfile: SchedulingProfile = {
  schedulerName: "default-scheduler",
  filters: [
    nodeUnschedulable,
    nodeName,
    taintToleration,
    nodeAffinity,
    nodePorts,
    nodeResourcesFit,
    volumeRestrictions,
    volumeBinding,
    volumeZone,
    podTopologySpread,
    interPodAffinity,
  ],
  scores: [
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: podTopologySpread, weight: 2 },
    { plugin: interPodAffinity, weight: 2 },
    { plugin: nodeResourcesFit, weight: 1 },
    { plugin: nodeResourcesBalancedAllocation, weight: 1 },
  ],
};
