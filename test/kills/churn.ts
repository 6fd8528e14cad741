// Forty Pods that come and go, of every temper there is. Each container writes down what it does in a file of its Pod, so that what really ran is known
// without asking lifepod.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { V1Container, V1Pod, V1PodSpec } from "@kubernetes/client-node";
import type { RandomStream } from "../../src/base/random.ts";
import { millis, minutes } from "../../src/base/time.ts";
import { clock } from "../containerd/until.ts";
import type { StandingCluster } from "../end-to-end/standing-cluster.ts";

/** How many Pods there are at a time. */
export const population = 40;

/** What Pods are like; the first ones live as long as the test. */
export type Temper = "steady" | "crashing" | "graceful" | "stubborn" | "hooked" | "job" | "flaky";
const passing: readonly Temper[] = ["graceful", "stubborn", "hooked", "job", "flaky"];

/** A Pod that the API has acknowledged. */
export interface ChurnPod {
  readonly name: string;
  readonly temper: Temper;
  readonly uid: string;
  /** Its deletion has been acknowledged. */
  deleted: boolean;
}

/** A line that a container wrote: what, and when, in seconds of the machine's uptime. */
export interface Testimony {
  readonly at: number;
  readonly container: string;
  readonly word: "start" | "end" | "term" | "postStart" | "preStop";
}

/** What the command line of every container's first process holds. */
export const mainMark = ": lifepod-kills;";

export class Churn {
  readonly pods = new Map<string, ChurnPod>();
  /** Creations and deletions that were acknowledged. */
  acknowledged = 0;
  readonly #cluster: StandingCluster;
  readonly #random: RandomStream;
  readonly #image: string;
  /** The folder in which containers testify. */
  readonly #testimonies: string;
  #count = 0;
  #paused = true;
  #stopped = false;
  #ending = false;
  #running: Promise<void> | undefined;
  #trouble: unknown;

  constructor(cluster: StandingCluster, random: RandomStream, image: string, testimonies: string) {
    this.#cluster = cluster;
    this.#random = random;
    this.#image = image;
    this.#testimonies = testimonies;
  }

  /** Makes the first Pods; from now on they come and go unless `pause` stops them. */
  async start(): Promise<void> {
    for (let i = 0; i < 8; i++) await this.#create("steady");
    for (let i = 0; i < 4; i++) await this.#create("crashing");
    while (this.alive.length < population) await this.#create(this.#random.pick(passing));
    this.#running = this.#run().catch((error: unknown) => {
      this.#trouble = error;
    });
  }

  goOn(): void {
    this.#paused = false;
  }

  pause(): void {
    this.#paused = true;
  }

  /** @throws what kept it from coming and going */
  async stop(): Promise<void> {
    await this.giveUp();
    if (this.#trouble !== undefined) throw this.#trouble;
  }

  /** Ends it, however it fares. */
  async giveUp(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  get alive(): readonly ChurnPod[] {
    return [...this.pods.values()].filter(({ deleted }) => !deleted);
  }

  async deleteAll(): Promise<void> {
    this.#ending = true;
    for (const pod of this.alive) await this.#delete(pod);
  }

  testimoniesOf({ uid }: ChurnPod): readonly Testimony[] {
    const lines = readFileSync(join(this.#testimonies, uid), { encoding: "utf8", flag: "a+" }).split("\n");
    return lines.flatMap((line) => {
      const [at = "", container = "", word = ""] = line.split(" ");
      return line === "" ? [] : [{ at: Number(at), container, word: word as Testimony["word"] }];
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (!this.#paused) await this.#turn();
      await clock.sleep(millis(this.#random.integer(20, 150)));
    }
  }

  async #turn(): Promise<void> {
    const { alive } = this;
    if (alive.length < population) {
      await this.#create(this.#random.pick(passing));
      return;
    }
    const candidates = alive.filter(({ temper }) => passing.includes(temper));
    await this.#delete(this.#random.pick(candidates));
  }

  async #create(temper: Temper): Promise<void> {
    const name = `${temper}-${this.#count++}`;
    const pod = podOf(name, temper, this.#image, this.#testimonies, this.#random);
    const made = await this.#acknowledged(async () => {
      try {
        return await this.#cluster.create(pod);
      } catch (error) {
        // It was made, and the answer was lost on the way.
        if ((error as { code?: number }).code === 409) return await this.#cluster.find(name);
        throw error;
      }
    });
    this.pods.set(name, { name, temper, uid: made?.metadata?.uid ?? "", deleted: false });
  }

  async #delete(pod: ChurnPod): Promise<void> {
    await this.#acknowledged(async () => {
      try {
        await this.#cluster.delete(pod.name);
      } catch (error) {
        if ((error as { code?: number }).code !== 404) throw error;
      }
      return pod;
    });
    pod.deleted = true;
  }

  /** Tries until lifepod answers, whatever happens to it meanwhile. */
  async #acknowledged<T>(call: () => Promise<T | undefined>): Promise<T> {
    const limit = clock.now() + minutes(5);
    for (;;) {
      try {
        const answer = await call();
        if (answer !== undefined) {
          this.acknowledged++;
          return answer;
        }
      } catch (error) {
        if (clock.now() > limit || (error as { code?: unknown }).code === 422) throw error;
        if (this.#stopped && !this.#ending) throw error;
      }
      await clock.sleep(millis(20));
    }
  }
}

function podOf(name: string, temper: Temper, image: string, testimonies: string, random: RandomStream): V1Pod {
  const container = (of: string, script: string, more: Partial<V1Container> = {}): V1Container => ({
    name: of,
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", `${mainMark} ${testify}; say ${of} start; ${script}`],
    env: [
      { name: "TESTIMONIES", value: testimonies },
      { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
      { name: "MARK", value: `$(TESTIMONIES)/$(POD)/${of}` },
    ],
    volumeMounts: [{ name: "testimonies", mountPath: testimonies }],
    ...more,
  });
  const init = (of: string): V1Container => container(of, `sleep 0.${random.integer(1, 9)}; say ${of} end`);
  const hook = (word: string) => ({
    exec: { command: ["sh", "-c", `${testify}; say main ${word}; sleep 0.${random.integer(1, 5)}`] },
  });
  const pod = (spec: Partial<V1PodSpec> & Pick<V1PodSpec, "containers">): V1Pod => ({
    metadata: { name, labels: { temper } },
    spec: {
      terminationGracePeriodSeconds: 5,
      volumes: [{ name: "testimonies", hostPath: { path: testimonies } }],
      ...spec,
    },
  });
  const probe = { exec: { command: ["true"] }, periodSeconds: 3, timeoutSeconds: 5 };
  const inits = random.integer(0, 2) === 0 ? [init("first")] : [];
  switch (temper) {
    case "steady":
      return pod({
        initContainers: [
          init("first"),
          container("sidecar", untilTold("sidecar"), { restartPolicy: "Always" }),
          init("second"),
        ],
        containers: [container("main", untilTold("main"), { readinessProbe: probe, livenessProbe: probe })],
      });
    case "crashing":
      return pod({ containers: [container("main", "sleep 0.2; say main end; exit 1")] });
    case "graceful":
      return pod({ initContainers: inits, containers: [container("main", untilTold("main"))] });
    case "stubborn":
      return pod({
        terminationGracePeriodSeconds: 1,
        containers: [container("main", "trap '' TERM; while :; do sleep 1000; done")],
      });
    case "hooked":
      return pod({
        containers: [
          container("main", untilTold("main"), {
            lifecycle: { postStart: hook("postStart"), preStop: hook("preStop") },
          }),
        ],
      });
    case "job":
      return pod({
        restartPolicy: "Never",
        initContainers: inits,
        containers: [container("main", `sleep 0.${random.integer(1, 9)}; say main end`)],
      });
    case "flaky":
      // Its first run fails, its second does not.
      return pod({
        restartPolicy: "OnFailure",
        initContainers: inits,
        containers: [
          container("main", `[ $(grep -c ' main start' $TESTIMONIES/$POD) -ge 2 ] || exit 1; sleep 0.1; say main end`),
        ],
      });
  }
}

/** One line, written in one piece; no process is started for it. */
const testify = `say() { read -r up rest < /proc/uptime; echo "$up $1 $2" >> "$TESTIMONIES/$POD"; }`;

/** Runs until TERM, and says so. */
const untilTold = (of: string): string =>
  `trap 'say ${of} term; kill $!; exit 0' TERM; sleep 100000 & wait; say ${of} end`;
