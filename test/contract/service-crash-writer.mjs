// Makes, changes and deletes Services through an API server as fast as it can, until it is killed. Run by service-crash.test.ts.
//
//   node service-crash-writer.mjs <folder> <round>      prints a line for each answer

import { writeSync } from "node:fs";
import { createApiServer } from "../../dist/apiserver/api-server.js";
import { SeededRandom } from "../../dist/base/random.js";
import { WallClock } from "../../dist/host/wall-clock.js";
import { openLmdbStore } from "../../dist/store/lmdb/lmdb-store.js";

const [folder, round] = process.argv.slice(2);
const clock = new WallClock();
const store = await openLmdbStore({ path: folder, clock });
const random = new SeededRandom(round);
const server = createApiServer({
  store,
  clock,
  random,
  nodes: {},
  // A range so small that writers are in each other's way.
  options: { serviceCidr: "10.96.0.0/26" },
});
await server.start();

async function call(method, path, object) {
  const { status } = await server.handle({
    method,
    path: `/api/v1/namespaces/default/services${path}`,
    query: new URLSearchParams(),
    headers: path === "" || method !== "PATCH" ? {} : { "content-type": "application/merge-patch+json" },
    user: { username: "writer", groups: ["system:masters"] },
    ...(object === undefined ? {} : { body: { kind: "object", object } }),
  });
  writeSync(1, `${method} ${status}\n`);
}

const types = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];

async function writer(letter) {
  const chance = random.stream(letter);
  for (;;) {
    const name = `${letter}-${chance.integer(0, 9)}`;
    const type = chance.pick(types);
    const spec = { type, ports: [{ port: 80 }], ...(type === "ExternalName" && { externalName: "example.com" }) };
    if (chance.integer(0, 3) === 0 && type !== "ExternalName") spec.clusterIP = `10.96.0.${chance.integer(1, 62)}`;
    await call("POST", "", { metadata: { name }, spec });
    await call("PATCH", `/${name}`, { spec: { type: chance.pick(types), externalName: "example.com" } });
    if (chance.integer(0, 2) > 0) await call("DELETE", `/${name}`);
  }
}

await Promise.all(["a", "b", "c", "d", "e", "f"].map(writer));
