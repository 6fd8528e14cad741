import { spawn } from "node:child_process";
import { connect } from "node:http2";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startLifepod } from "./lifepod-process.ts";
import { credentials } from "./load-client.ts";
import { type Measurement, percentile } from "./measurement.ts";
import type { WatchLoad, WatchResult } from "./watch-client.ts";

const watches = 1000;
const events = 200;

/** One writer, 1,000 watches of the same collection over 10 connections: how many deliveries a second, and how late they are. */
export async function measureWatchFanOut(): Promise<readonly Measurement[]> {
  const lifepod = await startLifepod({ runtime: "process" });
  const path = "/api/v1/namespaces/kube-public/configmaps";
  const load: WatchLoad = {
    url: lifepod.url,
    kubeconfig: lifepod.kubeconfig,
    connections: 10,
    watches,
    // A revision of now: no initial events, only changes.
    path: `${path}?watch=true&resourceVersion=${await currentRevision(lifepod.url, lifepod.kubeconfig, path)}`,
    events,
  };
  const watcher = spawn(process.execPath, [join(import.meta.dirname, "watch-client.js"), JSON.stringify(load)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let result: WatchResult | undefined;
  for await (const line of createInterface({ input: watcher.stdout })) {
    const message = JSON.parse(line) as { kind: "open" } | ({ kind: "done" } & WatchResult);
    if (message.kind === "open") void write(lifepod.url, lifepod.kubeconfig, path);
    else result = message;
  }
  await lifepod.stop();
  if (result === undefined) throw new Error("the watches ended before all events had come");
  return [
    {
      what: `watch deliveries, ${watches} watches`,
      value: result.deliveries / (result.took / 1000),
      unit: "/s",
      note: `${events} events`,
    },
    { what: "watch delivery, write sent → received, p99", value: percentile(result.latencies, 99), unit: "ms" },
  ];
}

async function currentRevision(url: string, kubeconfig: string, path: string): Promise<string> {
  const session = connect(url, credentials(kubeconfig));
  const body = await new Promise<string>((resolve, reject) => {
    const stream = session.request({ ":path": path });
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.on("end", () => resolve(text));
    stream.on("error", reject);
  });
  session.close();
  return (JSON.parse(body) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

/** One create after the other, each with the moment it was sent. */
async function write(url: string, kubeconfig: string, path: string): Promise<void> {
  const session = connect(url, credentials(kubeconfig));
  for (let index = 0; index < events; index++) {
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json" });
      stream.on("end", resolve);
      stream.on("error", reject);
      stream.resume();
      stream.end(
        JSON.stringify({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: `fan-out-${index}` },
          data: { sent: String(Date.now()) },
        }),
      );
    });
  }
  session.close();
}
