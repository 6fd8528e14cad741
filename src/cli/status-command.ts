// `lifepod status`: what runs where, asked of the running cluster the way any client asks.

import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { Node, NodeList, Pod, PodList } from "../api/index.ts";
import { dataFolder, defaultDataFolder, readServerRecord } from "../standalone/data-folder.ts";
import { CommandError } from "./command-error.ts";
import { podLine } from "./pod-line.ts";
import { standardOutput } from "./terminal.ts";

/** How long the API server may take to answer, in milliseconds. */
const answerLimit = 5000;

/** @returns the exit status: 0 if the cluster answers and its nodes are Ready, else 1 */
export async function statusCommand(options: { readonly data?: string }): Promise<number> {
  const { write, paint } = standardOutput();
  const folder = dataFolder(options.data ?? defaultDataFolder());
  const record = await readServerRecord(folder);
  if (record === undefined)
    throw new CommandError(
      `there is no cluster in ${folder.root}: start one with lifepod up, or name its folder with --data`,
      1,
    );
  const ask = asker(
    record.url,
    await readFile(folder.certificates.concat("/ca.crt")),
    await readFile(folder.certificates.concat("/admin.crt")),
    await readFile(folder.certificates.concat("/admin.key")),
  );
  let nodes: readonly Node[];
  let pods: readonly Pod[];
  try {
    nodes = ((await ask("/api/v1/nodes")) as NodeList).items;
    pods = ((await ask("/api/v1/pods")) as PodList).items;
  } catch (error) {
    throw new CommandError(
      `the cluster in ${folder.root} does not answer at ${record.url} (${(error as Error).message}); start it with lifepod up --data ${folder.root}`,
      1,
    );
  }
  write(
    `${paint.bold("cluster")}  ${record.url}, runtime ${record.runtime}, process ${record.pid}, data in ${folder.root}\n`,
  );
  let allReady = nodes.length > 0;
  for (const node of nodes) {
    const ready = node.status.conditions?.find((condition) => condition.type === "Ready");
    if (ready?.status !== "True") allReady = false;
    const own = pods.filter((pod) => pod.spec.nodeName === node.metadata.name);
    write(
      `${paint.bold("node")}     ${node.metadata.name}  ${ready?.status === "True" ? paint.green("Ready") : paint.red(`NotReady: ${ready?.message ?? "unknown"}`)}  ${own.length} Pods\n`,
    );
  }
  for (const pod of pods) {
    const line = podLine(pod);
    write(
      `${paint.bold("pod")}      ${pod.metadata.namespace}/${pod.metadata.name}  ${line.ready}  ${line.status}  ${line.restarts} restarts  ${pod.spec.nodeName ?? "no node"}\n`,
    );
  }
  return allReady ? 0 : 1;
}

type Ask = (path: string) => Promise<unknown>;

function asker(url: string, ca: Buffer, cert: Buffer, key: Buffer): Ask {
  return (path) =>
    new Promise((resolve, reject) => {
      const call = request(new URL(path, url), { ca, cert, key, agent: false, timeout: answerLimit }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on("error", reject);
        response.on("end", () =>
          response.statusCode === 200 ? resolve(JSON.parse(body)) : reject(new Error(`HTTP ${response.statusCode}`)),
        );
      });
      call.on("timeout", () => call.destroy(new Error(`no answer within ${answerLimit / 1000}s`)));
      call.on("error", reject);
      call.end();
    });
}
