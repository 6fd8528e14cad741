// A cluster that `lifepod up` keeps in one folder, through ends and new beginnings, and the official client to call it with.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AppsV1Api,
  BatchV1Api,
  type CoreV1Event,
  CoreV1Api,
  KubeConfig,
  type V1Pod,
  Watch,
} from "@kubernetes/client-node";
import { type Millis, seconds } from "../../src/base/time.ts";
import { clock, until } from "../containerd/until.ts";
import { type Ended, LifepodProcess, type LifepodOptions } from "./lifepod-process.ts";

const namespace = "default";

export interface ReadyFacts {
  readonly url: string;
  readonly kubeconfig: string;
  readonly runtime: string;
  readonly node: string;
}

/** One sighting of a Pod on a watch. */
export interface PodSighting {
  readonly kind: string;
  readonly pod: V1Pod;
  readonly at: number;
}

export class StandingCluster {
  readonly folder: string;
  readonly data: string;
  readonly #runtime: readonly string[];
  #options: LifepodOptions;
  #process: LifepodProcess | undefined;
  #facts: ReadyFacts | undefined;
  #config: KubeConfig | undefined;
  #api: CoreV1Api | undefined;

  private constructor(folder: string, runtime: readonly string[], options: LifepodOptions) {
    this.folder = folder;
    this.data = join(folder, "data");
    this.#runtime = runtime;
    this.#options = options;
  }

  /**
   * @param runtime arguments that choose it: `--runtime process`
   * @param folder a temporary one if absent
   */
  static async start(
    runtime: readonly string[],
    options: LifepodOptions = {},
    folder?: string,
  ): Promise<StandingCluster> {
    const cluster = new StandingCluster(folder ?? (await mkdtemp(join(tmpdir(), "lifepod-e2e-"))), runtime, options);
    await cluster.up();
    return cluster;
  }

  get process(): LifepodProcess {
    if (this.#process === undefined) throw new Error("lifepod does not run");
    return this.#process;
  }

  get facts(): ReadyFacts {
    if (this.#facts === undefined) throw new Error("lifepod was never ready");
    return this.#facts;
  }

  get api(): CoreV1Api {
    if (this.#api === undefined) throw new Error("lifepod was never ready");
    return this.#api;
  }

  /** Sets variables of the environment for later starts. */
  setVariables(env: Readonly<Record<string, string>>): void {
    this.#options = { ...this.#options, env: { ...this.#options.env, ...env } };
  }

  /** Starts it over its folder and waits until it says ready. */
  async up(...more: readonly string[]): Promise<void> {
    this.#process = new LifepodProcess(
      ["up", "--data", this.data, "--port", "0", "--json", ...this.#runtime, ...more],
      this.#options,
    );
    const said = await this.#process.says(/"kind":"ready".*\n/, seconds(60));
    const line = said.split("\n").find((each) => each.includes('"kind":"ready"')) ?? "";
    this.#facts = JSON.parse(line) as ReadyFacts;
    this.#config = new KubeConfig();
    this.#config.loadFromFile(this.#facts.kubeconfig);
    this.#api = this.#config.makeApiClient(CoreV1Api);
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    return this.process.end(signal);
  }

  /** Ends what still runs and removes the folder. */
  async stop(): Promise<void> {
    if (this.process.isAlive) await this.end("SIGKILL");
    await this.up("--stop-pods");
    await this.end("SIGTERM");
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The API of workloads, for the cluster as it is now. */
  get apps(): AppsV1Api {
    if (this.#config === undefined) throw new Error("lifepod was never ready");
    return this.#config.makeApiClient(AppsV1Api);
  }

  /** The API of Jobs, for the cluster as it is now. */
  get batch(): BatchV1Api {
    if (this.#config === undefined) throw new Error("lifepod was never ready");
    return this.#config.makeApiClient(BatchV1Api);
  }

  async create(pod: V1Pod): Promise<V1Pod> {
    return this.api.createNamespacedPod({ namespace, body: pod });
  }

  /** @returns undefined if there is none */
  async find(name: string): Promise<V1Pod | undefined> {
    try {
      return await this.api.readNamespacedPod({ name, namespace });
    } catch (error) {
      if ((error as { code?: number }).code === 404) return undefined;
      throw error;
    }
  }

  async delete(name: string, gracePeriodSeconds?: number): Promise<void> {
    await this.api.deleteNamespacedPod({
      name,
      namespace,
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    });
  }

  async log(name: string, options: { container?: string; previous?: boolean } = {}): Promise<string> {
    return this.api.readNamespacedPodLog({ name, namespace, ...options });
  }

  /** Events about a Pod in the order in which they first happened. */
  async events(pod: V1Pod): Promise<readonly CoreV1Event[]> {
    const fieldSelector = `involvedObject.uid=${pod.metadata?.uid}`;
    const { items } = await this.api.listNamespacedEvent({ namespace, fieldSelector });
    return items.sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
  }

  /** Waits until the Pod is as asked. @throws with how it is instead */
  async until(
    name: string,
    what: string,
    reached: (pod: V1Pod) => boolean,
    within: Millis = seconds(30),
  ): Promise<V1Pod> {
    let seen: V1Pod | undefined;
    try {
      return await until(
        `${name} ${what}`,
        async () => {
          seen = await this.find(name);
          return seen !== undefined && reached(seen) ? seen : undefined;
        },
        within,
      );
    } catch (error) {
      const now = JSON.stringify(seen?.status, undefined, 1);
      throw new Error(
        `${(error as Error).message}; it is\n${now}\nlifepod said\n${this.process.stdout}${this.process.stderr}`,
        { cause: error },
      );
    }
  }

  async untilGone(name: string, within: Millis = seconds(30)): Promise<void> {
    const look = async (): Promise<true | undefined> => ((await this.find(name)) === undefined ? true : undefined);
    await until(`${name} is gone`, look, within);
  }

  /** Everything that a watch shows of one Pod from now on; ends with `stop`. */
  async watch(name: string): Promise<{ readonly sightings: readonly PodSighting[]; readonly stop: () => void }> {
    if (this.#config === undefined) throw new Error("lifepod was never ready");
    const sightings: PodSighting[] = [];
    const watching = await new Watch(this.#config).watch(
      `/api/v1/namespaces/${namespace}/pods`,
      { fieldSelector: `metadata.name=${name}`, resourceVersion: "0" },
      (kind, pod: V1Pod) => sightings.push({ kind, pod, at: clock.now() }),
      () => undefined,
    );
    return { sightings, stop: () => watching.abort() };
  }
}
