import { createSecureServer } from "node:http2";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadOrCreateCertificates } from "../host/certificates.ts";
import { writeKubeconfig } from "../host/kubeconfig.ts";
import { startLifepod } from "./lifepod-process.ts";
import { putLoad } from "./load.ts";
import { type Measurement, percentile } from "./measurement.ts";

const connections = 64;
const configMaps = "/api/v1/namespaces/default/configmaps";
const body = JSON.stringify({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "bench-{n}" },
  data: { payload: "x".repeat(1024) },
});
const listSize = 5000;

/** Creates, gets and lists over TLS with 64 connections, beside a bare HTTP/2 server that answers the same bytes from nowhere. */
export async function measureApi(): Promise<readonly Measurement[]> {
  const lifepod = await startLifepod({ runtime: "process" });
  const target = { url: lifepod.url, kubeconfig: lifepod.kubeconfig };
  // What is listed below; and the server's code is warm after it, as it is in a cluster that has run for a minute.
  await putLoad({ ...target, connections, method: "POST", path: configMaps, body, requests: listSize });
  const creates = await putLoad({
    ...target,
    connections,
    method: "POST",
    path: configMaps.replace("default", "kube-public"),
    body,
    requests: 15_000,
  });
  const gets = await putLoad({
    ...target,
    connections,
    method: "GET",
    path: `${configMaps}/bench-7`,
    requests: 20_000,
  });
  const one = await putLoad({
    ...target,
    connections: 1,
    method: "POST",
    path: configMaps.replace("default", "kube-public"),
    body: body.replace("bench-", "single-"),
    requests: 500,
  });
  const lists = await putLoad({ ...target, connections: 1, method: "GET", path: configMaps, requests: 20 });
  await lifepod.stop();
  const floor = await floorRate();
  return [
    {
      what: "durable creates, 64 connections",
      value: creates.perSecond,
      unit: "/s",
      floor,
      note: `p99 ${percentile(creates.latencies, 99).toFixed(1)} ms`,
    },
    {
      what: "durable creates, 1 connection",
      value: one.perSecond,
      unit: "/s",
      note: `p50 ${percentile(one.latencies, 50).toFixed(1)} ms`,
    },
    {
      what: "gets, 64 connections",
      value: gets.perSecond,
      unit: "/s",
      floor,
      note: `p99 ${percentile(gets.latencies, 99).toFixed(1)} ms`,
    },
    {
      what: `list of ${listSize} objects, p50`,
      value: percentile(lists.latencies, 50),
      unit: "ms",
      note: `${(lists.bytes / 20 / 1e6).toFixed(1)} MB each`,
    },
  ];
}

async function floorRate(): Promise<{ value: number; what: string }> {
  const folder = await mkdtemp(join(tmpdir(), "lifepod-bench-"));
  const certificates = await loadOrCreateCertificates(folder, ["127.0.0.1"]);
  const server = createSecureServer({ cert: certificates.server.certificate, key: certificates.server.key });
  server.on("request", (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(folder, "kubeconfig");
  await writeKubeconfig(kubeconfig, url, certificates);
  await readFile(kubeconfig);
  const { perSecond } = await putLoad({ url, kubeconfig, connections, method: "GET", path: "/", requests: 20_000 });
  server.close();
  await rm(folder, { recursive: true, force: true });
  return { value: perSecond, what: "a bare HTTP/2 server" };
}
