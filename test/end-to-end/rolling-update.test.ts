// The seed of it all: a Deployment of three replicas whose container has postStart and preStop hooks rolls to a new image and back while being watched.

import { readFileSync } from "node:fs";
import { KubeConfig, loadAllYaml, type V1Deployment, type V1Pod, type V1Service, Watch } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { clock, until } from "../containerd/until.ts";
import { httpAsk } from "../rollout-lab/http-ask.ts";
import { OpenLoop } from "../rollout-lab/open-loop.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { StandingCluster } from "./standing-cluster.ts";

const namespace = "default";
const example = new URL("../../examples/rolling-update.yaml", import.meta.url);
const images = { old: "busybox:1.36", new: "busybox:1.37" };

/** What a person sees who watches Pods: how many there are, and how many serve, after each line. */
interface Sight {
  /** The line that was new. */
  readonly line: string;
  readonly there: number;
  readonly serving: number;
}

describe.for(runtimeRows)("examples/rolling-update.yaml on %s", ([, offer]) => {
  let runtime: RuntimeAtHand | undefined;
  let cluster: StandingCluster;

  beforeAll(async () => {
    if (offer.absence !== undefined) return;
    runtime = await offer.start();
    for (const image of Object.values(images))
      await runtime.containerd?.ctr("images", "tag", runtime.image, `docker.io/library/${image}`);
    cluster = await StandingCluster.start(runtime.arguments);
  }, 120_000);
  afterAll(async () => {
    await cluster?.stop();
    await runtime?.stop();
  }, 60_000);

  const isRolledOut = (image: string) => async (): Promise<true | undefined> => {
    const { spec, status, metadata } = await cluster.apps.readNamespacedDeployment({ name: "web", namespace });
    const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas];
    const isSeen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
    if (!isSeen || counts.some((count) => count !== spec?.replicas)) return undefined;
    const { items } = await cluster.api.listNamespacedPod({ namespace });
    return items.length === 3 && items.every((pod) => pod.spec?.containers[0]?.image === image) ? true : undefined;
  };
  const roll = async (image: string): Promise<void> => {
    const body = [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: image }];
    await cluster.apps.patchNamespacedDeployment({ name: "web", namespace, body });
    await until(`all Pods run ${image}`, isRolledOut(image), minutes(1));
  };

  it("rolls to a new image and back, and no request fails", { timeout: 180_000 }, async (test) => {
    test.skip(offer.absence !== undefined, offer.absence);
    const [service, deployment] = loadAllYaml(readFileSync(example, "utf8")) as [V1Service, V1Deployment];
    const { spec } = await cluster.api.createNamespacedService({ namespace, body: service });
    await cluster.apps.createNamespacedDeployment({ namespace, body: deployment });
    await until("all Pods serve", isRolledOut(images.old), minutes(1));
    const host = spec?.clusterIP ?? "";
    await until("the Service answers", async () =>
      (await httpAsk(host, 8080, "/", seconds(5))).kind === "ok" ? true : undefined,
    );

    const watched = await watchPods(cluster.facts.kubeconfig);
    const ask = (path: string) => httpAsk(host, 8080, path, seconds(5));
    const client = new OpenLoop({ clock, perSecond: 50, ask, pathOf: () => "/" });
    await roll(images.new);
    await roll(images.old);
    const outcomes = await client.finish();
    watched.stop();

    expect(outcomes.length).toBeGreaterThan(100);
    expect(outcomes.filter(({ answer }) => answer.kind !== "ok")).toEqual([]);
    // Never more than one above what was asked for, not counting those on their way out; and never one less that serves.
    const sights = watched.sights();
    expect(Math.max(...sights.map(({ there }) => there))).toBe(4);
    expect(sights.filter(({ serving }) => serving < 3)).toEqual([]);

    const { items } = await cluster.apps.listNamespacedReplicaSet({ namespace });
    const told = new Map(items.map((set) => [set.spec?.template?.spec?.containers[0]?.image, set.spec?.replicas]));
    expect(items).toHaveLength(2);
    expect(told).toEqual(
      new Map([
        [images.old, 3],
        [images.new, 0],
      ]),
    );
    const { metadata } = await cluster.apps.readNamespacedDeployment({ name: "web", namespace });
    expect(metadata?.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
  });
});

async function watchPods(kubeconfig: string) {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const pods = new Map<string, V1Pod>();
  const sights: Sight[] = [];
  const see = (type: string, pod: V1Pod): void => {
    if (type === "BOOKMARK") return;
    const name = pod.metadata?.name ?? "";
    if (type === "DELETED") pods.delete(name);
    else pods.set(name, pod);
    const staying = [...pods.values()].filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    const line = `${type} ${name}${pod.metadata?.deletionTimestamp === undefined ? "" : ", on its way out"}${isReady(pod) ? ", Ready" : ""}`;
    sights.push({ line, there: staying.length, serving: staying.filter(isReady).length });
  };
  const watching = await new Watch(config).watch("/api/v1/namespaces/default/pods", {}, see, () => undefined);
  // Watches begin with what is there, one after the other: only what is complete counts.
  return { sights: () => sights.slice(sights.findIndex(({ serving }) => serving === 3)), stop: () => watching.abort() };
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
