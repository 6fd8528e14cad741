// Random lives of Services in a range that is nearly too small: whatever happens, each address and each port has one holder, and comes back.

import { expect, it } from "vitest";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { createApiServer } from "../../src/apiserver/api-server.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import { serviceFaults } from "../contract/service-claims.ts";

const noStreams = async () => ({ kind: "refused", status: 500, message: "no nodes" }) as const;

it.each([1, 2, 3, 4, 5, 6, 7, 8])("seed %i", async (seed) => {
  const clock = new VirtualClock(async () => undefined);
  const store = new MemoryStore({ clock });
  const random = new SeededRandom(seed);
  const server = createApiServer({
    store,
    clock,
    random,
    nodes: { containerLogs: noStreams, nodeUsage: noStreams, podStream: noStreams },
    options: { serviceCidr: "10.96.0.0/27" },
  });
  await server.start();
  const statuses = new Map<number, number>();
  const call = async (method: "POST" | "PUT" | "DELETE", path: string, object?: JsonObject): Promise<void> => {
    const { status } = await server.handle({
      method,
      path: `/api/v1/namespaces/default/services${path}`,
      query: new URLSearchParams(),
      headers: {},
      user: { username: "writer", groups: ["system:masters"] },
      ...(object !== undefined && { body: { kind: "object", object } }),
    });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const life = async (letter: string): Promise<void> => {
    const chance = random.stream(`test/${letter}`);
    const spec = (): JsonObject => {
      const type = chance.pick(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]);
      const nodePort =
        type !== "ClusterIP" && chance.integer(0, 2) === 0 ? { nodePort: 30_000 + chance.integer(0, 5) } : {};
      return {
        type,
        ports: [
          { name: "a", port: 80, ...(type === "ExternalName" ? {} : nodePort) },
          { name: "b", port: 81 },
        ],
        ...(type === "ExternalName" && { externalName: "example.com" }),
        ...(type === "LoadBalancer" && { externalTrafficPolicy: chance.pick(["Local", "Cluster"]) }),
        ...(type !== "ExternalName" && chance.integer(0, 3) === 0 && { clusterIP: `10.96.0.${chance.integer(1, 30)}` }),
        ...(type === "ClusterIP" && chance.integer(0, 5) === 0 && { clusterIP: "None" }),
      };
    };
    for (let step = 0; step < 40; step++) {
      const name = `${letter}-${chance.integer(0, 5)}`;
      switch (chance.integer(0, 3)) {
        case 0:
          await call("DELETE", `/${name}`);
          break;
        case 1:
          await call("PUT", `/${name}`, { metadata: { name }, spec: spec() });
          break;
        default:
          await call("POST", "", { metadata: { name }, spec: spec() });
      }
    }
  };
  await Promise.all(["a", "b", "c", "d", "e", "f"].map(life));

  const { services, ...faults } = await serviceFaults(store);
  expect(faults).toEqual({ shared: [], unclaimed: [], lost: [] });
  expect(services).toBeGreaterThan(5);
  // All kinds of ends were met: made, changed, taken already, refused, and nothing left.
  expect([...statuses.keys()].toSorted((a, b) => a - b)).toEqual(expect.arrayContaining([200, 201, 409, 422]));
});
