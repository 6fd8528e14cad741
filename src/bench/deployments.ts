import { ApiConnection } from "./api-connection.ts";
import { startLifepod } from "./lifepod-process.ts";
import { latencies, type Measurement } from "./measurement.ts";

const runs = 10;
const deployments = "/apis/apps/v1/namespaces/default/deployments";
const labels = { app: "bench" };

/** From the start of an empty lifepod to a Deployment of three processes Available, and from the Deployment's creation. */
export async function measureDeployments(): Promise<readonly Measurement[]> {
  const sinceStart: number[] = [];
  const sinceCreation: number[] = [];
  for (let run = 0; run < runs; run++) {
    const lifepod = await startLifepod({ runtime: "process" });
    const connection = new ApiConnection(lifepod);
    const { available } = await watchDeployment(connection, 3);
    const created = performance.now();
    await connection.call("POST", deployments, manifest);
    await available;
    const now = performance.now();
    sinceStart.push(now - lifepod.begun);
    sinceCreation.push(now - created);
    connection.close();
    await lifepod.stop();
  }
  return [
    ...latencies("start of an empty up to a Deployment of 3 Available", sinceStart),
    ...latencies("Deployment of 3 processes, create → Available", sinceCreation),
  ];
}

/** Resolves when the watch is open; `available` when so many replicas are. */
async function watchDeployment(
  connection: ApiConnection,
  replicas: number,
): Promise<{ readonly available: Promise<void> }> {
  let isThere = (): void => undefined;
  const available = new Promise<void>((resolve) => {
    isThere = resolve;
  });
  await connection.watch(deployments, (_type, { status }) => {
    if ((status?.availableReplicas ?? 0) >= replicas) isThere();
  });
  return { available };
}

const manifest = {
  metadata: { name: "bench" },
  spec: {
    replicas: 3,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "main", image: "any:1", command: ["sleep", "3600"] }],
      },
    },
  },
};
