// Services on the virtual clock: who gets a request, before, while and after Pods come and go.

import assert from "node:assert/strict";
import type { Service } from "../../src/api/index.ts";
import {
  deployment,
  isRolledOut,
  millis,
  minutes,
  type PodOptions,
  seconds,
  type SimulatedNode,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const template = (image: string, more: Partial<PodOptions> = {}): PodOptions => ({
  image,
  container: { readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 }, ...more.container },
});

/** Lets connections go elsewhere before the server ends. */
const wellWritten: Partial<PodOptions> = { container: { lifecycle: { preStop: { sleep: { seconds: 3 } } } } };

async function webBehindService(t: StoryTeller, more: Partial<PodOptions>): Promise<SimulatedNode> {
  const node = await t.node("node-a", { services: true });
  for (const image of ["web:1", "web:2"]) {
    t.image(image, {
      present: true,
      becomesReadyAfter: seconds(2),
      answers: { http: { "*": { status: 200, body: image } } },
    });
  }
  await t.apply(deployment("web", { replicas: 3, template: template("web:1", more) }), {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await t.until("deployment/web", isRolledOut, { within: minutes(1) });
  await t.elapse(seconds(1));
  return node;
}

/** Sends a request every 20 ms until told to end; answers with what came back, by what it was. */
async function requests(t: StoryTeller, node: SimulatedNode): Promise<() => Promise<ReadonlyMap<string, number>>> {
  const service = await t.get<Service>("service/web");
  const host = service?.spec.clusterIP ?? "";
  const counts = new Map<string, number>();
  const pending = new Set<Promise<void>>();
  let asking = true;
  const ask = async (): Promise<void> => {
    const answer = await node.network.httpGet({
      scheme: "http",
      host,
      port: 80,
      path: "/",
      headers: [],
      timeout: seconds(5),
      bodyLimit: 1000,
      followRedirects: false,
    });
    const what = answer.kind === "answered" ? `${answer.status} ${answer.body}` : answer.error;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  };
  const next = (): void => {
    if (!asking) return;
    const request = ask().finally(() => pending.delete(request));
    pending.add(request);
    t.cluster.clock.setTimer(millis(20), next, "story client");
  };
  next();
  return async () => {
    asking = false;
    await t.cluster.call(Promise.all(pending));
    return counts;
  };
}

const roll = async (t: StoryTeller, more: Partial<PodOptions>, image = "web:2"): Promise<void> => {
  await t.patch("deployment/web", {
    spec: {
      template: { spec: { containers: [{ name: "web", image, ...template(image, more).container }] } },
    },
  });
  await t.until("deployment/web", isRolledOut, { within: minutes(2) });
  await t.elapse(seconds(5));
};

/** `kubectl drain`: no new Pods for the node, and those that it has are evicted, the next when there is another one for the last. */
const drain = async (t: StoryTeller, node: string): Promise<void> => {
  await t.cordon(node);
  for (const { metadata, spec } of await t.pods({ app: "web" })) {
    if (spec.nodeName !== node || metadata.deletionTimestamp !== undefined) continue;
    await t.evict(`pod/${metadata.name}`);
    await t.until("deployment/web", isRolledOut, { within: minutes(1) });
  }
  await t.elapse(seconds(10));
};

export const stories: readonly Story[] = [
  story("no request fails while Pods that wait before they end are replaced one after the other", async (t) => {
    const node = await webBehindService(t, wellWritten);
    const finish = await requests(t, node);
    await roll(t, wellWritten);
    const counts = await finish();
    assert.deepEqual([...counts.keys()].sort(), ["200 web:1", "200 web:2"]);
    assert.ok([...counts.values()].every((count) => count > 50));
  }),

  story("no request fails through three rolling updates, a scale-down and the drain of a node", async (t) => {
    const other = await t.node("node-b", { services: true });
    const node = await webBehindService(t, wellWritten);
    const finish = await requests(t, node);
    for (const image of ["web:2", "web:1", "web:2"]) await roll(t, wellWritten, image);
    await t.scale("deployment/web", 6);
    await t.until("deployment/web", isRolledOut, { within: minutes(1) });
    await t.scale("deployment/web", 3);
    await t.elapse(seconds(10));
    await drain(t, other.name);
    const left = await t.pods({ app: "web" });
    assert.deepEqual(
      left.map(({ spec }) => spec.nodeName),
      ["node-a", "node-a", "node-a"],
    );
    assert.deepEqual([...(await finish()).keys()].sort(), ["200 web:1", "200 web:2"]);
  }),

  story("a Service without ready Pods refuses at once", async (t) => {
    const node = await webBehindService(t, wellWritten);
    await t.scale("deployment/web", 0);
    await t.elapse(seconds(30));
    const finish = await requests(t, node);
    await t.elapse(seconds(1));
    const { spec } = (await t.get<Service>("service/web")) as Service;
    assert.deepEqual(
      [...(await finish()).keys()],
      [`Get "http://${spec.clusterIP}:80/": dial tcp ${spec.clusterIP}:80: connect: connection refused`],
    );
  }),
];
