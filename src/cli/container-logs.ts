// What the containers of a run print, beside their Pods' lives: each instance is read from its start to its end, and nothing is cut off when the run ends.

import type { ContainerStatus, Pod } from "../api/index.ts";
import type { StandaloneCluster } from "../standalone/standalone-cluster.ts";
import type { LifeView } from "./life-view.ts";

export class ContainerLogs {
  readonly #cluster: StandaloneCluster;
  readonly #view: LifeView;
  /** By container id: instances whose log is being read or was read. */
  readonly #readers = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(cluster: StandaloneCluster, view: LifeView) {
    this.#cluster = cluster;
    this.#view = view;
  }

  /** A Pod was seen: the logs of instances that are new are read from now on. */
  saw(pod: Pod): void {
    const { initContainerStatuses, containerStatuses, ephemeralContainerStatuses } = pod.status;
    for (const status of [initContainerStatuses, containerStatuses, ephemeralContainerStatuses].flatMap(
      (statuses) => statuses ?? [],
    )) {
      const earlier = status.lastState?.terminated?.containerID;
      if (earlier !== undefined) this.#read(pod, status, earlier, true);
      const present =
        status.state?.terminated?.containerID ?? (status.state?.running === undefined ? undefined : status.containerID);
      if (present !== undefined && present !== earlier) this.#read(pod, status, present, false);
    }
  }

  /** Resolves when everything that was begun has been read to its end. */
  async finished(): Promise<void> {
    await Promise.all(this.#readers.values());
  }

  stop(): void {
    this.#stopped.abort();
  }

  #read(pod: Pod, { name }: ContainerStatus, containerId: string, previous: boolean): void {
    if (this.#readers.has(containerId)) return;
    this.#readers.set(
      containerId,
      this.#follow(pod, name, previous).catch((error: unknown) => {
        if (!this.#stopped.signal.aborted)
          this.#view.note(`cannot read the log of ${pod.metadata.name}[${name}]: ${(error as Error).message}`);
      }),
    );
  }

  async #follow(pod: Pod, container: string, previous: boolean): Promise<void> {
    const { name, namespace = "default" } = pod.metadata;
    const answer = await this.#cluster.handle({
      method: "GET",
      path: `/api/v1/namespaces/${namespace}/pods/${name}/log`,
      query: new URLSearchParams({ container, ...(previous ? { previous: "true" } : { follow: "true" }) }),
      headers: {},
      user: this.#cluster.user,
      signal: this.#stopped.signal,
    });
    if (answer.body.kind !== "byteStream") return; // gone before it could be read: there is nothing to show
    const label = `${" ".repeat(11)}${`${name}[${container}]`.padEnd(24)}  `;
    for await (const line of linesOf(answer.body.chunks)) this.#view.note(label + line);
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
