// The other side of the load: a process of its own, so that the server is measured and not the client beside it. Told what to do as one JSON argument.

import { type ClientHttp2Session, connect } from "node:http2";
import { credentials } from "./kubeconfig-credentials.ts";

export interface Load {
  readonly url: string;
  readonly kubeconfig: string;
  readonly connections: number;
  readonly method: "GET" | "POST";
  /** `{n}` stands for the number of the request. */
  readonly path: string;
  /** `{n}` as above. */
  readonly body?: string;
  readonly requests: number;
}

export interface LoadResult {
  readonly perSecond: number;
  /** Milliseconds, one a request. */
  readonly latencies: readonly number[];
  readonly failures: number;
  readonly bytes: number;
}

if (process.argv[2] !== undefined) process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2]) as Load)));

async function run(load: Load): Promise<LoadResult> {
  const tls = credentials(load.kubeconfig);
  const sessions = Array.from({ length: load.connections }, () => connect(load.url, tls));
  await Promise.all(
    sessions.map((session) => new Promise((resolve, reject) => session.once("connect", resolve).once("error", reject))),
  );
  const latencies: number[] = [];
  let next = 0;
  let failures = 0;
  let bytes = 0;
  const begun = performance.now();
  await Promise.all(
    sessions.map(async (session) => {
      while (next < load.requests) {
        const number = String(next++);
        const sent = performance.now();
        const answer = await request(session, load, number);
        latencies.push(performance.now() - sent);
        bytes += answer.bytes;
        if (answer.status >= 300) failures++;
      }
    }),
  );
  const took = performance.now() - begun;
  for (const session of sessions) session.close();
  return { perSecond: load.requests / (took / 1000), latencies, failures, bytes };
}

function request(session: ClientHttp2Session, load: Load, number: string): Promise<{ status: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": load.method,
      ":path": load.path.replaceAll("{n}", number),
      accept: "application/json",
      ...(load.body !== undefined && { "content-type": "application/json" }),
    });
    let status = 0;
    let bytes = 0;
    stream.on("response", (headers) => {
      status = headers[":status"] ?? 0;
    });
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on("end", () => resolve({ status, bytes }));
    stream.on("error", reject);
    stream.end(load.body?.replaceAll("{n}", number));
  });
}
