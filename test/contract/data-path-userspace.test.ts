// The contract over the data path that needs no rights; and what it does when it cannot listen where it should.

import { createServer } from "node:net";
import { expect, it } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import { WallClock } from "../../src/host/wall-clock.ts";
import { UserspaceDataPath } from "../../src/network/host/services/userspace-data-path.ts";
import type { ServiceRoute } from "../../src/network/service-routes.ts";
import { dataPathContract } from "./data-path-checks.ts";
import { vitestRunner } from "./vitest-runner.ts";

const open = (nodeAddress: string): UserspaceDataPath =>
  new UserspaceDataPath({ clock: new WallClock(), random: new SeededRandom(1), nodeAddresses: [nodeAddress] });

dataPathContract(vitestRunner, "userspace", { open });

const target = { kind: "endpoints", endpoints: [{ address: "127.0.0.1", port: 1 }] } as const;
const route = (clusterIp: string, port: number): ServiceRoute => ({
  name: "default/web",
  namespace: "default",
  service: "web",
  protocol: "TCP",
  clusterIp,
  port,
  externalIps: [],
  loadBalancerIps: [],
  loadBalancerSourceRanges: [],
  internal: target,
  external: target,
  keepsClientAddress: false,
});

it("goes 8000 ports up when another program has the port, says so, and moves back when it is free", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(20_080, "127.127.3.4", resolve));
  const dataPath = open("127.127.3.5");
  try {
    const troubles = await dataPath.apply([route("127.127.3.4", 20_080)]);
    expect(troubles.map(({ message }) => message)).toEqual([
      "tcp 127.127.3.4:20080 cannot be opened: another program listens there; reached at 127.127.3.4:28080 instead",
    ]);
    await new Promise((resolve) => other.close(resolve));
    expect(await dataPath.apply([route("127.127.3.4", 20_080)])).toEqual([]);
  } finally {
    await dataPath.close();
  }
});

it("uses the one loopback address that is everywhere for an address that the machine does not have", async () => {
  const dataPath = open("127.127.3.6");
  try {
    const [trouble] = await dataPath.apply([route("192.0.2.200", 20_081)]);
    expect(trouble?.message).toBe(
      "tcp 192.0.2.200:20081 cannot be opened: this machine does not have the address; reached at 127.0.0.1:28081 instead",
    );
  } finally {
    await dataPath.close();
  }
});
