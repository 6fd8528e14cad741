// What goes wrong in a random world. A fault begins, lasts, and is taken back; nothing that it broke is repaired by anyone but the parts themselves.

import type { RandomStream } from "../../base/random.ts";
import { type Millis, millis, seconds } from "../../base/time.ts";
import type { RuntimeMethod } from "../../runtimes/simulated/faults.ts";
import type { SimulatedCluster, SimulatedNode } from "../simulated-cluster.ts";
import type { FaultyNetwork, LineFault } from "./faulty-network.ts";

/** A fault that has begun. */
export interface FaultAtWork {
  readonly text: string;
  readonly lasts: Millis;
  readonly end: () => void | Promise<void>;
}

/** What a fault can lay its hands on. */
export interface FaultHand {
  readonly random: RandomStream;
  readonly cluster: SimulatedCluster;
  readonly network: FaultyNetwork;
  /** Nodes whose machine or kubelet is away already; a second fault of that sort leaves them alone. */
  readonly away: Set<string>;
  /** How long each call of a node's runtime takes besides what the call itself takes, by node. */
  readonly slowness: Map<string, Millis>;
}

export interface Fault {
  readonly name: string;
  /** How often it is chosen, compared with others. */
  readonly weight: number;
  /** @returns `undefined` if there is nothing that it could happen to */
  begin(hand: FaultHand): Promise<FaultAtWork | undefined>;
}

const changing: readonly RuntimeMethod[] = [
  "runPodSandbox",
  "stopPodSandbox",
  "removePodSandbox",
  "createContainer",
  "startContainer",
  "stopContainer",
  "removeContainer",
  "pullImage",
];
const asking: readonly RuntimeMethod[] = [
  "listPodSandboxes",
  "listContainers",
  "imageStatus",
  "execSync",
  "status",
  "removeLogs",
];

const nothing = (): void => undefined;

/** A node that is there. */
function anyNode({ random, cluster, away }: FaultHand): SimulatedNode | undefined {
  const present = [...cluster.nodes.values()].filter(({ name }) => !away.has(name));
  return present.length === 0 ? undefined : random.pick(present);
}

function between(random: RandomStream, from: Millis, to: Millis): Millis {
  return millis(random.integer(from, to));
}

/** A fault of one part's line, or of several at a time. */
function lineFault(name: string, weight: number, make: (random: RandomStream) => LineFault, longest: Millis): Fault {
  return {
    name,
    weight,
    async begin({ random, network }) {
      const parts = random.next() < 0.25 ? network.parts : [random.pick(network.parts)];
      const fault = make(random);
      const ends = parts.map((part) => network.begin(part, fault));
      return {
        text: `${name} ${JSON.stringify(fault)} for ${parts.join(", ")}`,
        lasts: between(random, seconds(5), longest),
        end: () => {
          for (const end of ends) end();
        },
      };
    },
  };
}

/** Takes a node's kubelet away, and its machine too if told; it comes back when the fault ends. */
function absence(name: string, weight: number, from: Millis, to: Millis, powerLoss: boolean): Fault {
  return {
    name,
    weight,
    async begin(hand) {
      const node = anyNode(hand);
      if (node === undefined) return undefined;
      hand.away.add(node.name);
      if (powerLoss) node.faults.powerLoss();
      await node.stopKubelet();
      return {
        text: `${name} of ${node.name}`,
        lasts: between(hand.random, from, to),
        end: async () => {
          if (powerLoss) node.faults.up();
          await node.startKubelet();
          hand.away.delete(node.name);
        },
      };
    },
  };
}

export const faults: readonly Fault[] = [
  {
    name: "runtime errors",
    weight: 6,
    async begin(hand) {
      const node = anyNode(hand);
      if (node === undefined) return undefined;
      const method = hand.random.pick(hand.random.next() < 0.75 ? changing : asking);
      const times = hand.random.integer(1, 5);
      node.faults.failNext(method, times, `rpc error: code = Unknown desc = ${method} failed by chance`);
      return {
        text: `the next ${times} calls of ${method} fail on ${node.name}`,
        lasts: seconds(60),
        end: () => node.faults.failNext(method, 0, ""),
      };
    },
  },
  {
    name: "hanging runtime",
    weight: 3,
    async begin(hand) {
      const node = anyNode(hand);
      if (node === undefined) return undefined;
      const method = hand.random.pick(hand.random.next() < 0.6 ? changing : asking);
      const hanging = node.faults.hang(method);
      return {
        text: `${method} hangs on ${node.name}`,
        lasts: between(hand.random, seconds(2), seconds(120)),
        end: () => hanging.release(),
      };
    },
  },
  {
    name: "runtime restart",
    weight: 3,
    async begin(hand) {
      const node = anyNode(hand);
      if (node === undefined) return undefined;
      node.faults.down();
      hand.away.add(node.name);
      return {
        text: `the runtime of ${node.name} is down`,
        lasts: between(hand.random, seconds(1), seconds(90)),
        end: () => {
          node.faults.up();
          hand.away.delete(node.name);
        },
      };
    },
  },
  {
    name: "slow machine",
    weight: 2,
    async begin({ random, cluster, slowness }) {
      const { name } = random.pick([...cluster.nodes.values()]);
      const wait = between(random, millis(200), seconds(6));
      slowness.set(name, wait);
      return {
        text: `each call of the runtime of ${name} takes up to ${wait} ms`,
        lasts: between(random, seconds(10), seconds(120)),
        end: () => void slowness.delete(name),
      };
    },
  },
  {
    name: "killed container",
    weight: 6,
    async begin(hand) {
      const node = anyNode(hand);
      const running = node?.runtime.contents().containers.filter(({ state }) => state.kind === "running") ?? [];
      if (node === undefined || running.length === 0) return undefined;
      const { id, metadata, labels } = hand.random.pick(running);
      const signal = hand.random.pick([9, 15, 11, 0]);
      if (signal === 0) node.faults.outOfMemory(id);
      else node.faults.killContainer(id, signal);
      const how = signal === 0 ? "runs out of memory" : `dies of signal ${signal}`;
      const text = `container ${metadata.name} of ${labels["io.kubernetes.pod.name"]} ${how} on ${node.name}`;
      return { text, lasts: millis(0), end: nothing };
    },
  },
  absence("kubelet restart", 5, millis(50), seconds(15), false),
  absence("absence of the kubelet", 2, seconds(30), seconds(480), false),
  absence("loss of power", 2, seconds(5), seconds(400), true),
  {
    name: "node cut off",
    weight: 2,
    async begin({ random, cluster, network }) {
      const { name } = random.pick([...cluster.nodes.values()]);
      const end = network.begin(`kubelet/${name}`, { kind: "cut" });
      return { text: `${name} does not reach the API server`, lasts: between(random, seconds(3), seconds(480)), end };
    },
  },
  lineFault("cut line", 2, () => ({ kind: "cut" }), seconds(60)),
  lineFault("failing calls", 4, (random) => ({ kind: "failing", share: random.integer(5, 60) / 100 }), seconds(90)),
  lineFault("lost answers", 3, (random) => ({ kind: "losing", share: random.integer(2, 30) / 100 }), seconds(60)),
  lineFault(
    "slow calls",
    3,
    (random) => ({ kind: "slow", time: between(random, millis(50), seconds(4)) }),
    seconds(120),
  ),
  lineFault(
    "late news",
    4,
    (random) => ({ kind: "lag", time: between(random, millis(50), seconds(10)) }),
    seconds(120),
  ),
  {
    name: "lost watches",
    weight: 4,
    async begin({ random, network }) {
      const part = random.pick(network.parts);
      network.loseWatches(part);
      return { text: `all watches of ${part} break`, lasts: millis(0), end: nothing };
    },
  },
  {
    name: "forgotten history",
    weight: 3,
    async begin({ random, cluster, network }) {
      const part = random.pick(network.parts);
      const end = network.begin(part, { kind: "cut" });
      return {
        text: `${part} is cut off, and what happens meanwhile is forgotten`,
        lasts: between(random, seconds(1), seconds(20)),
        end: async () => {
          await cluster.forgetHistory();
          end();
        },
      };
    },
  },
  {
    name: "controllers restart",
    weight: 3,
    async begin({ cluster }) {
      await cluster.restartControllers();
      return { text: "the controllers start anew", lasts: millis(0), end: nothing };
    },
  },
  {
    name: "scheduler restart",
    weight: 2,
    async begin({ cluster }) {
      await cluster.restartScheduler();
      return { text: "the scheduler starts anew", lasts: millis(0), end: nothing };
    },
  },
];
