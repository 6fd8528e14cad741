import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ApiConnection } from "./api-connection.ts";
import { startLifepod } from "./lifepod-process.ts";
import { type Measurement, percentile } from "./measurement.ts";
import type { WatchLoad, WatchResult } from "./watch-client.ts";

const watches = 1000;
const path = "/api/v1/namespaces/kube-public/configmaps";
/** Writers that write one object after the other: one shows how late an event is, eight show how many deliveries there can be. */
const loads = [
  { writers: 1, events: 150 },
  { writers: 8, events: 400 },
] as const;

/** 1,000 watches of the same collection over 10 connections: how many deliveries a second, and how late they are. */
export async function measureWatchFanOut(): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const { writers, events } of loads) {
    const { deliveries, took, latencies } = await fanOut(writers, events);
    const note = `${events} events from ${writers} writer${writers === 1 ? "" : "s"}`;
    measurements.push(
      { what: `watch deliveries, ${watches} watches`, value: deliveries / (took / 1000), unit: "/s", note },
      { what: "watch delivery, write sent → received, p50", value: percentile(latencies, 50), unit: "ms", note },
      { what: "watch delivery, write sent → received, p99", value: percentile(latencies, 99), unit: "ms", note },
    );
  }
  return measurements;
}

async function fanOut(writers: number, events: number): Promise<WatchResult> {
  const lifepod = await startLifepod({ runtime: "process" });
  const connection = new ApiConnection(lifepod);
  const load: WatchLoad = {
    url: lifepod.url,
    kubeconfig: lifepod.kubeconfig,
    connections: 10,
    watches,
    // A revision of now: no initial events, only changes.
    path: `${path}?watch=true&resourceVersion=${await connection.revision(path)}`,
    events,
  };
  const watcher = spawn(process.execPath, [join(import.meta.dirname, "watch-client.js"), JSON.stringify(load)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let result: WatchResult | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  for await (const line of createInterface({ input: watcher.stdout })) {
    const message = JSON.parse(line) as { kind: "open" } | ({ kind: "done" } & WatchResult);
    if (message.kind === "open") writing = write(connection, writers, events);
    else result = message;
  }
  await writing;
  connection.close();
  await lifepod.stop();
  if (result === undefined) throw new Error("the watches ended before all events had come");
  return result;
}

/** Each writer writes one object after the other, each with the moment it was sent. */
async function write(connection: ApiConnection, writers: number, events: number): Promise<void> {
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < events) {
      const metadata = { name: `fan-out-${next++}` };
      await connection.call("POST", path, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata,
        data: { sent: String(Date.now()) },
      });
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
}
