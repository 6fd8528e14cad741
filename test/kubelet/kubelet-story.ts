// A cluster on the virtual clock, watched closely: every status that the API ever showed of a Pod, and every event, with the second in which it came.

import type { ContainerStatus, Pod } from "../../src/api/generated/core-v1.ts";
import type { Millis } from "../../src/base/time.ts";
import { settle } from "../../src/host/settle.ts";
import { SimulatedCluster, type SimulatedNode } from "../../src/simulation/simulated-cluster.ts";
import { pod } from "../../src/testing/builders.ts";

export class KubeletStory {
  readonly cluster: SimulatedCluster;
  readonly #begun: number;
  readonly #events: { readonly name: string; readonly line: string }[] = [];
  readonly #statuses = new Map<string, string[]>();
  node!: SimulatedNode;

  private constructor(cluster: SimulatedCluster) {
    this.cluster = cluster;
    this.#begun = cluster.clock.now();
  }

  /** Runs a story on one node, `node-a`, and checks that no part complained. */
  static async tell(
    tale: (k: KubeletStory) => Promise<void>,
    node: Parameters<SimulatedCluster["addNode"]>[1] = {},
  ): Promise<void> {
    const story = new KubeletStory(await SimulatedCluster.start({ seed: 1, settle }));
    await story.#watch();
    story.node = await story.cluster.addNode("node-a", node);
    try {
      await tale(story);
    } finally {
      await story.cluster.stop();
    }
  }

  /** Creates a Pod of namespace default. */
  async create(name: string, options: Parameters<typeof pod>[1]): Promise<void> {
    await this.cluster.call(this.cluster.client.pods.create(pod(name, options), "default"));
    await this.cluster.clock.settle();
  }

  async delete(name: string, gracePeriodSeconds?: number): Promise<void> {
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    await this.cluster.call(this.cluster.client.pods.delete(name, "default", options));
    await this.cluster.clock.settle();
  }

  elapse(wait: Millis): Promise<void> {
    return this.cluster.elapse(wait);
  }

  async pod(name: string): Promise<Pod> {
    return this.cluster.call(this.cluster.client.pods.get(name, "default"));
  }

  async isGone(name: string): Promise<boolean> {
    const list = await this.cluster.call(this.cluster.client.pods.list({ namespace: "default" }));
    return !list.items.some((each) => each.metadata.name === name);
  }

  /** `12s Normal Started Started container c`, each time it was told. Without `reasons`, all but the scheduler's. */
  events(name: string, ...reasons: readonly string[]): readonly string[] {
    return this.#events
      .filter((event) => event.name === name)
      .map((event) => event.line)
      .filter((line) =>
        reasons.length === 0 ? !line.includes(" Scheduled ") : reasons.includes(line.split(" ")[2] as string),
      );
  }

  /** `1s Running c=Error(1) d=running,ready`: every different picture that the API showed. */
  statuses(name: string): readonly string[] {
    return this.#statuses.get(name) ?? [];
  }

  async #watch(): Promise<void> {
    const { client } = this.cluster;
    await this.cluster.call(
      client.events.watch(
        {},
        {
          event: ({ type, object }) => {
            if (type !== "ADDED" && type !== "MODIFIED") return;
            const uid = object.involvedObject.uid ?? "";
            const message = (object.message ?? "").replaceAll(uid === "" ? "\0" : uid, "<uid>");
            const line = `${this.#time()} ${object.type} ${object.reason} ${message}`;
            this.#events.push({ name: object.involvedObject.name ?? "", line });
          },
          closed: () => undefined,
        },
      ),
    );
    await this.cluster.call(
      client.pods.watch(
        {},
        {
          event: ({ type, object }) => {
            if (type === "BOOKMARK") return;
            const picture = type === "DELETED" ? "gone" : pictureOf(object);
            const { name } = object.metadata;
            const seen = this.#statuses.get(name) ?? [];
            if (seen.at(-1)?.split(" ").slice(1).join(" ") !== picture) seen.push(`${this.#time()} ${picture}`);
            this.#statuses.set(name, seen);
          },
          closed: () => undefined,
        },
      ),
    );
  }

  #time(): string {
    return `${Math.round(this.cluster.clock.now() - this.#begun) / 1000}s`;
  }
}

function pictureOf(object: Pod): string {
  const { status, metadata } = object;
  const all = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const reason = status.reason === undefined ? "" : `/${status.reason}`;
  const going = metadata.deletionTimestamp === undefined ? "" : "-";
  return [`${going}${status.phase}${reason}`, ...all.map(containerPicture)].join(" ");
}

function containerPicture(status: ContainerStatus): string {
  const { state } = status;
  const what =
    state?.running !== undefined
      ? "running"
      : state?.terminated !== undefined
        ? `${state.terminated.reason}(${state.terminated.exitCode})`
        : (state?.waiting?.reason ?? "waiting");
  const restarts = status.restartCount > 0 ? `,r${status.restartCount}` : "";
  return `${status.name}=${what}${status.ready ? ",ready" : ""}${restarts}`;
}
