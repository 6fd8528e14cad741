// Holds many watches and says when the last event has reached all of them. A process of its own.

import { connect } from "node:http2";
import { credentials } from "./kubeconfig-credentials.ts";

export interface WatchLoad {
  readonly url: string;
  readonly kubeconfig: string;
  readonly connections: number;
  readonly watches: number;
  readonly path: string;
  /** How many events each watch will get. */
  readonly events: number;
}

export interface WatchResult {
  readonly deliveries: number;
  /** From the first delivery to the last, in milliseconds. */
  readonly took: number;
  /** From the moment that is written in the object to its arrival, in milliseconds; a sample of all deliveries. */
  readonly latencies: readonly number[];
}

if (process.argv[2] !== undefined) await run(JSON.parse(process.argv[2]) as WatchLoad);

async function run(load: WatchLoad): Promise<void> {
  const tls = credentials(load.kubeconfig);
  const sessions = Array.from({ length: load.connections }, () => connect(load.url, tls));
  let open = 0;
  let deliveries = 0;
  let chunks = 0;
  let first = 0;
  const latencies: number[] = [];
  const expected = load.watches * load.events;
  await new Promise<void>((resolve) => {
    for (let index = 0; index < load.watches; index++) {
      const stream = sessions[index % sessions.length]!.request({ ":path": load.path });
      stream.on("response", () => {
        if (++open === load.watches) process.stdout.write(`${JSON.stringify({ kind: "open" })}\n`);
      });
      stream.on("data", (chunk: Buffer) => {
        const now = Date.now();
        if (first === 0) first = now;
        for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) deliveries++;
        // One in ten is looked into: looking costs more than receiving.
        if (++chunks % 10 > 0 && deliveries < expected) return;
        const sent = /"sent":"(\d+)"/.exec(chunk.toString("latin1"))?.[1];
        if (sent !== undefined) latencies.push(now - Number(sent));
        if (deliveries >= expected) {
          const result: WatchResult = { deliveries, took: now - first, latencies };
          process.stdout.write(`${JSON.stringify({ kind: "done", ...result })}\n`);
          resolve();
        }
      });
    }
  });
  for (const session of sessions) session.destroy();
}
