// The server asked by a resolver that is not ours, over real sockets.

import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SeededRandom } from "../../../base/random.ts";
import { encodeQuery, recordTypes } from "../../dns/message.ts";
import { addressRecord, type Zone } from "../../dns/zone.ts";
import { DnsServer } from "./dns-server.ts";

const web = "web.default.svc.cluster.local";
const big = "big.default.svc.cluster.local";
const outside = "outside.default.svc.cluster.local";
const zone = (records: Zone["records"] = new Map()): Zone => ({
  domain: "cluster.local",
  serial: 1,
  serverAddress: "127.0.0.1",
  namespaces: new Set(["default"]),
  records: new Map([
    [web, [addressRecord(web, "10.96.0.5")]],
    [big, Array.from({ length: 200 }, (_, index) => addressRecord(big, `10.0.0.${index}`))],
    [outside, [{ type: "CNAME", name: outside, ttlSeconds: 5, target: "example.test" }]],
    ...records,
  ]),
});

let folder: string;
let opened: DnsServer[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifepod-dns-"));
  opened = [];
});
afterEach(async () => {
  for (const server of opened) await server.close();
  rmSync(folder, { recursive: true });
});

async function start(served: Zone, resolver?: { readonly address: string; readonly port: number }): Promise<DnsServer> {
  const resolverFile = join(folder, `resolv-${opened.length}.conf`);
  writeFileSync(resolverFile, resolver === undefined ? "" : `nameserver ${resolver.address}\n`);
  const server = new DnsServer({
    address: "127.0.0.1",
    port: 0,
    resolverFile,
    ...(resolver !== undefined && { resolverPort: resolver.port }),
    random: new SeededRandom(1).stream("dns"),
    log: () => undefined,
  });
  opened.push(server);
  await server.serve(served);
  return server;
}

function resolverFor(server: DnsServer): Resolver {
  const resolver = new Resolver({ timeout: 3000, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.port}`]);
  return resolver;
}

it("answers with the latest zone", async () => {
  const server = await start(zone());
  const resolver = resolverFor(server);
  expect(await resolver.resolve4(web)).toEqual(["10.96.0.5"]);
  await server.serve(zone(new Map([[web, [addressRecord(web, "10.96.0.6")]]])));
  expect(await resolver.resolve4(web)).toEqual(["10.96.0.6"]);
});

it("tells a name that is not there from one that has nothing of the kind", async () => {
  const resolver = resolverFor(await start(zone()));
  await expect(resolver.resolve4("nobody.default.svc.cluster.local")).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(resolver.resolve6(web)).rejects.toMatchObject({ code: "ENODATA" });
});

it("sends a client on to TCP for what does not fit into a datagram, and tells addresses in another order each time", async () => {
  const resolver = resolverFor(await start(zone()));
  const first = await resolver.resolve4(big);
  const second = await resolver.resolve4(big);
  expect(first).toHaveLength(200);
  expect(first).not.toEqual(second);
  expect(first.toSorted()).toEqual(second.toSorted());
});

it("does not ask itself when it is among the machine's resolvers", async () => {
  const resolver = resolverFor(await start(zone(), { address: "127.0.0.1", port: 53 }));
  await expect(resolver.resolve4("example.test")).rejects.toMatchObject({ code: "ESERVFAIL" });
});

it("asks the machine's resolvers for what is not the cluster's, and for what an ExternalName stands for", async () => {
  const upstream = createSocket("udp4");
  await new Promise<void>((resolve) => upstream.bind(0, "127.0.0.9", resolve));
  upstream.on("message", (message, { address, port }) => {
    const end = message.indexOf(0, 12) + 5;
    const answer = Buffer.concat([message.subarray(0, end), Buffer.from("c00c00010001000000050004c0000250", "hex")]);
    answer.writeUInt16BE(0x8180, 2);
    answer.writeUInt16BE(1, 6);
    answer.writeUInt16BE(0, 10);
    // Somebody else's guess comes first: it has another id, and must not be believed.
    const forged = Buffer.from(answer);
    forged.writeUInt16BE((answer.readUInt16BE(0) + 1) % 65_536, 0);
    upstream.send(forged, port, address);
    upstream.send(answer, port, address);
  });
  try {
    const server = await start(zone(), { address: "127.0.0.9", port: upstream.address().port });
    const resolver = resolverFor(server);
    expect(await resolver.resolve4("example.test")).toEqual(["192.0.2.80"]);
    expect(await resolver.resolve4(outside)).toEqual(["192.0.2.80"]);
  } finally {
    upstream.close();
  }
});

it("survives nonsense on both transports", async () => {
  const server = await start(zone());
  const port = server.port as number;
  const socket = createSocket("udp4");
  const answers: Buffer[] = [];
  const answered = new Promise<void>((resolve) => {
    socket.on("message", (message) => {
      answers.push(message);
      if (answers.length === 2) resolve();
    });
  });
  for (const nonsense of ["", "00", "000701000001000000000000c00c", "ffff8000"]) {
    socket.send(Buffer.from(nonsense, "hex"), port, "127.0.0.1");
  }
  // An opcode that nobody serves.
  const update = Buffer.from(encodeQuery(3, { name: web, type: recordTypes.A }));
  update.writeUInt8(0x28, 2);
  socket.send(update, port, "127.0.0.1");
  await answered;
  socket.close();
  expect(new Set(answers.map((answer) => (answer[3] as number) & 15))).toEqual(new Set([1, 4]));

  const connection = connect({ host: "127.0.0.1", port });
  connection.end(Buffer.from("ffff00", "hex"));
  await new Promise((resolve) => connection.once("close", resolve).resume());
  expect(await resolverFor(server).resolve4(web)).toEqual(["10.96.0.5"]);
});
