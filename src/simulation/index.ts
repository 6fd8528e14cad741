// The simulation's public door: the same cluster on a virtual clock. Runs wherever JavaScript runs.
export {
  SimulatedCluster,
  type SimulatedClusterOptions,
  type SimulatedNode,
  type SimulatedNodeOptions,
} from "./simulated-cluster.ts";
export { RunawayError, runawayLimit, VirtualClock, virtualEpoch } from "./virtual-clock.ts";
