// A Pod by chance: containers of every sort, probes, hooks, restart policies, grace, requests. What comes out is always valid.

import type { Container, Draft, PodSpec } from "../../api/index.ts";
import type { Hand } from "./inhabitant.ts";
import { jobs, servers, troubles } from "./world-images.ts";

/** What the Pods of a workload must have: they go on until they are stopped. */
export interface PodWishes {
  readonly restartPolicy?: "Always";
  /** No container that cannot come to life. */
  readonly healthy?: boolean;
}

/** A hook that sleeps must be done within the Pod's grace. */
const shortestGraceOfSleepers = 8;

/** A random Pod's spec. */
export function randomPodSpec(hand: Hand, wishes: PodWishes = {}): Draft<PodSpec> {
  const { random } = hand;
  const restartPolicy = wishes.restartPolicy ?? random.pick(["Always", "Always", "OnFailure", "Never"] as const);
  const containers = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, (_, index) =>
    appContainer(hand, `app-${index}`, wishes),
  );
  const initContainers = Array.from({ length: random.pick([0, 0, 0, 1, 2, 3]) }, (_, index) =>
    initContainer(hand, `init-${index}`, wishes),
  );
  const sleeps = JSON.stringify([containers, initContainers]).includes('"sleep"');
  return {
    restartPolicy,
    containers,
    ...(initContainers.length > 0 && { initContainers }),
    ...(hand.chance(0.7) && {
      terminationGracePeriodSeconds: random.pick(sleeps ? [shortestGraceOfSleepers, 20, 45] : [0, 1, 5, 20, 45]),
    }),
    ...(wishes.restartPolicy === undefined && hand.chance(0.1) && { activeDeadlineSeconds: random.integer(5, 200) }),
    ...(hand.chance(0.15) && { tolerations: [{ key: "world", operator: "Exists" }] }),
    ...(hand.chance(0.1) && { nodeSelector: { zone: random.pick(["a", "b"]) } }),
    ...(hand.chance(0.1) && {
      volumes: [{ name: "scratch", emptyDir: {} }],
      containers: containers.map((one) => ({ ...one, volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] })),
    }),
  };
}

function appContainer(hand: Hand, name: string, { restartPolicy, healthy }: PodWishes): Draft<Container> {
  const { random } = hand;
  const images = [
    ...Object.keys(servers),
    ...(restartPolicy === undefined ? Object.keys(jobs) : ["server:1", "server:1", "server:2"]),
    ...(healthy !== true && hand.chance(0.2) ? Object.keys(troubles) : []),
  ];
  return {
    name,
    image: random.pick(images),
    ...resources(hand),
    ...(hand.chance(0.15) && { imagePullPolicy: "Always" }),
    ...probes(hand),
    ...(hand.chance(0.25) && { lifecycle: hooks(hand) }),
  };
}

function initContainer(hand: Hand, name: string, { healthy }: PodWishes): Draft<Container> {
  const { random } = hand;
  if (hand.chance(0.4)) {
    const image = random.pick([
      "server:1",
      "slow-start:1",
      "slow-stop:1",
      "flaky:1",
      ...(healthy === true ? [] : ["fails:1", "deaf:1"]),
    ]);
    const startupProbe = { httpGet: { port: 80 }, periodSeconds: 2, failureThreshold: 30 };
    return {
      name,
      image,
      restartPolicy: "Always",
      ...(hand.chance(0.4) && { startupProbe }),
      ...(hand.chance(0.3) && { lifecycle: hooks(hand) }),
    };
  }
  const images = ["done:1", "instant:1", ...(healthy === true ? [] : ["fails-first:1", "fails:1", "longer:1"])];
  return { name, image: random.pick(images), ...resources(hand) };
}

function resources(hand: Hand): Draft<Container> {
  if (!hand.chance(0.5)) return {};
  const requests = { cpu: hand.random.pick(["100m", "250m", "1"]), memory: hand.random.pick(["64Mi", "512Mi", "1Gi"]) };
  return { resources: { requests, ...(hand.chance(0.3) && { limits: requests }) } };
}

function probes(hand: Hand): Draft<Container> {
  const probe = (periods: readonly number[]) => ({
    ...hand.random.pick([
      { httpGet: { port: 80, path: "/healthz" } },
      { tcpSocket: { port: 80 } },
      { exec: { command: ["check"] } },
      { grpc: { port: 90 } },
    ]),
    periodSeconds: hand.random.pick(periods),
    failureThreshold: hand.random.integer(1, 4),
    timeoutSeconds: hand.random.integer(1, 3),
    ...(hand.chance(0.3) && { initialDelaySeconds: hand.random.integer(1, 20) }),
  });
  return {
    ...(hand.chance(0.3) && { readinessProbe: probe([5, 10]) }),
    ...(hand.chance(0.2) && { livenessProbe: probe([10, 20]) }),
    ...(hand.chance(0.15) && { startupProbe: { ...probe([3, 5]), failureThreshold: 15 } }),
  };
}

function hooks(hand: Hand): NonNullable<Draft<Container>["lifecycle"]> {
  const handler = () =>
    hand.random.pick([
      { exec: { command: ["hook"] } },
      { sleep: { seconds: hand.random.integer(1, shortestGraceOfSleepers - 1) } },
      { httpGet: { port: 80, path: "/hook" } },
    ]);
  return { ...(hand.chance(0.5) && { postStart: handler() }), ...(hand.chance(0.6) && { preStop: handler() }) };
}
