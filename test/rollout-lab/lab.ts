// One manifest through everything that is planned, while requests come at their own pace.

import { type Instant, type Millis, millis, minutes, seconds } from "../../src/base/time.ts";
import { percentile } from "../../src/bench/measurement.ts";
import { clock } from "../containerd/until.ts";
import { explain, type FailureGroup } from "./explain.ts";
import { httpAsk } from "./http-ask.ts";
import { LabCluster, type Operation } from "./lab-cluster.ts";
import { type Launch, type Manifest, replicas, serverPort } from "./manifests.ts";
import { type FailureKind, OpenLoop, type Outcome } from "./open-loop.ts";
import { followLives, LifeBook, type PodLife } from "./pod-lives.ts";

export interface LabOptions {
  readonly kubeconfig: string;
  readonly launch: Launch;
  readonly perSecond: number;
  /** At least so many: they go on until everything is carried out. */
  readonly requests: number;
  /** How long a server takes before it can work. */
  readonly warmUp: Millis;
  /** What is done meanwhile, one after the other. */
  readonly plan: readonly Operation[];
}

export interface OperationRecord {
  readonly operation: Operation;
  readonly from: Instant;
  readonly to: Instant;
  /** Why it was not carried out. */
  readonly failure?: string;
}

export interface LabResult {
  readonly manifest: Manifest;
  readonly begun: Instant;
  readonly sent: number;
  readonly took: Millis;
  readonly failed: Readonly<Partial<Record<FailureKind, number>>>;
  readonly groups: readonly FailureGroup[];
  readonly operations: readonly OperationRecord[];
  /** Of the answers to short requests, from the moment at which each was meant to be sent; by percent. */
  readonly latency: Readonly<Record<string, number>>;
  /** How late the client was at most: what is not the server's. */
  readonly latestSend: Millis;
  readonly pods: number;
  /** The life with the most failures, and the moments of these. */
  readonly worst?: { readonly life: PodLife; readonly failures: readonly Outcome[] };
}

/** One in so many requests takes three seconds: it is in hand when a Pod is told to end. */
const slowEvery = 250;
const slowPath = "/slow";
const timeout = seconds(6);

/** Everything that is planned in the life of a Deployment. */
export const wholePlan: readonly Operation[] = [
  { kind: "rolling update", version: "2" },
  { kind: "rolling update", version: "3" },
  { kind: "scale", replicas: replicas - 2 },
  { kind: "scale", replicas },
  { kind: "drain" },
  { kind: "rolling update", version: "4" },
];

/** @throws Error if the Deployment does not come up at all */
export async function runLab(manifest: Manifest, options: LabOptions): Promise<LabResult> {
  const { plan } = options;
  const cluster = new LabCluster(options.kubeconfig);
  const address = await cluster.deploy(manifest, options.launch, options.warmUp);
  const book = new LifeBook(clock);
  const unfollow = await followLives(cluster.config, book);
  const client = new OpenLoop({
    clock,
    perSecond: options.perSecond,
    ask: (path) => httpAsk(address, serverPort, path, timeout),
    pathOf: (n) => (n % slowEvery === slowEvery - 1 ? slowPath : "/"),
  });
  const operations: OperationRecord[] = [];
  const share = millis((options.requests / options.perSecond / (plan.length + 1)) * 1000);
  for (const [index, operation] of plan.entries()) {
    // Spread over the time that the requests take anyway.
    await clock.sleep(millis(client.begun + share * (index + 1) - share / 2 - clock.now()));
    operations.push(await carryOut(cluster, operation));
  }
  await clock.sleep(millis(client.begun + (options.requests / options.perSecond) * 1000 - clock.now()));
  const outcomes = await client.finish();
  unfollow();
  return resultOf(manifest, client.begun, outcomes, book.lives, operations);
}

async function carryOut(cluster: LabCluster, operation: Operation): Promise<OperationRecord> {
  const from = clock.now();
  try {
    await cluster.carryOut(operation, minutes(1));
    return { operation, from, to: clock.now() };
  } catch (error) {
    return { operation, from, to: clock.now(), failure: (error as Error).message };
  }
}

function resultOf(
  manifest: Manifest,
  begun: Instant,
  outcomes: readonly Outcome[],
  lives: readonly PodLife[],
  operations: readonly OperationRecord[],
): LabResult {
  const failed: Partial<Record<FailureKind, number>> = {};
  for (const { answer } of outcomes) if (answer.kind !== "ok") failed[answer.kind] = (failed[answer.kind] ?? 0) + 1;
  const { groups, perPod } = explain(outcomes, lives);
  const [worstPod, failures] = [...perPod].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  const life = lives.find(({ pod }) => pod === worstPod);
  const short = outcomes
    .filter(({ answer, path }) => answer.kind === "ok" && path !== slowPath)
    .map(({ ended, intended }) => ended - intended);
  const latency = Object.fromEntries(
    [50, 90, 99, 99.9, 100].map((percent) => [String(percent), short.length === 0 ? 0 : percentile(short, percent)]),
  );
  return {
    manifest,
    begun,
    sent: outcomes.length,
    took: millis(clock.now() - begun),
    failed,
    groups,
    operations,
    latency,
    latestSend: outcomes.reduce((most, { late }) => millis(Math.max(most, late)), millis(0)),
    pods: lives.length,
    ...(life !== undefined && failures !== undefined && { worst: { life, failures } }),
  };
}
