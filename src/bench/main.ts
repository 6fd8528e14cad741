// `npm run bench [NAME…]`: runs the benchmarks whose names are given, or all, and prints a line for each figure. Nothing here passes or fails.

import { formatMeasurement, type Measurement } from "./measurement.ts";

const benchmarks: Readonly<Record<string, () => Promise<readonly Measurement[]>>> = {
  "start-up": async () => (await import("./start-up.ts")).measureStartUp(),
  "at-rest": async () => (await import("./at-rest.ts")).measureAtRest(),
  store: async () => (await import("./store-writes.ts")).measureStoreWrites(),
  api: async () => (await import("./api-load.ts")).measureApi(),
  watch: async () => (await import("./watch-fan-out.ts")).measureWatchFanOut(),
  pods: async () => (await import("./pod-latency.ts")).measurePods(),
  deployments: async () => (await import("./deployments.ts")).measureDeployments(),
  scheduling: async () => (await import("./scheduling.ts")).measureScheduling(),
  services: async () => (await import("./services.ts")).measureServices(),
  simulation: async () => (await import("./simulated-hour.ts")).measureSimulation(),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  process.stderr.write(
    `no benchmark is called ${unknown.join(", ")}; there are: ${Object.keys(benchmarks).join(", ")}\n`,
  );
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(benchmarks)) {
  process.stdout.write(`\n${name}\n`);
  for (const measurement of await (benchmarks[name] as () => Promise<readonly Measurement[]>)()) {
    process.stdout.write(`  ${formatMeasurement(measurement)}\n`);
  }
}
process.exit(0);
