import type { Pod } from "../api/index.ts";
import type { StandaloneCluster } from "../standalone/standalone-cluster.ts";
import type { LifeView } from "./life-view.ts";

/** Wait between two looks whether a container has something to read. */
const retryMillis = 250;

/** Shows what the containers of a Pod print, line by line, with the container's name in front, until the signal. */
export function followLogs(cluster: StandaloneCluster, pod: Pod, view: LifeView, signal: AbortSignal): void {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  for (const { name } of containers) void followContainer(cluster, pod, name, view, signal);
}

/** One instance after the other: a log ends with its container, and the next instance has its own. */
async function followContainer(
  cluster: StandaloneCluster,
  pod: Pod,
  container: string,
  view: LifeView,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace = "default" } = pod.metadata;
  let since: string | undefined;
  while (!signal.aborted) {
    const query = new URLSearchParams({
      container,
      follow: "true",
      timestamps: "true",
      ...(since !== undefined && { sinceTime: since }),
    });
    const answer = await cluster.handle({
      method: "GET",
      path: `/api/v1/namespaces/${namespace}/pods/${name}/log`,
      query,
      headers: {},
      user: cluster.user,
      signal,
    });
    if (answer.status === 404) return;
    if (answer.body.kind === "byteStream") {
      for await (const line of linesOf(answer.body.chunks)) {
        const space = line.indexOf(" ");
        const time = line.slice(0, space);
        if (since !== undefined && time <= since) continue; // sinceTime is inclusive
        since = time;
        view.note(`          ${`${name}[${container}]`.padEnd(24)}  ${line.slice(space + 1)}`);
      }
    }
    await cluster.clock.sleep(retryMillis as Parameters<typeof cluster.clock.sleep>[0], signal).catch(() => undefined);
  }
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
