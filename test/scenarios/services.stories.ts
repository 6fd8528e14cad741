// Services: who is listed as reachable, from which moment, and until when (pod-lifecycle 13.9).

import assert from "node:assert/strict";
import type { Endpoints, EndpointSlice } from "../../src/api/index.ts";
import type { JsonObject } from "../../src/api/wire/request.ts";
import {
  deployment,
  isGone,
  isReady,
  isRolledOut,
  minutes,
  pod,
  type PodOptions,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const app = { app: "web" };

const service = (spec: JsonObject = {}, name = "web"): JsonObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { selector: app, ports: [{ port: 80, targetPort: 8080 }], ...spec },
});

const probed: Partial<PodOptions> = {
  labels: app,
  container: { readinessProbe: { exec: { command: ["ready"] }, periodSeconds: 1 } },
};

async function aNode(t: StoryTeller): Promise<void> {
  await t.nodes("node-a");
  for (const image of ["web:1", "web:2"]) {
    t.image(image, { present: true, becomesReadyAfter: seconds(5), stopsIn: seconds(3), exitCodeOnTerm: 0 });
  }
}

async function slices(t: StoryTeller, name = "web"): Promise<readonly EndpointSlice[]> {
  const labelSelector = `kubernetes.io/service-name=${name}`;
  return (await t.cluster.call(t.cluster.client.endpointSlices.list({ namespace: "default", labelSelector }))).items;
}

/** `a ready serving`, in order of the names. */
async function listed(t: StoryTeller, name = "web"): Promise<readonly string[]> {
  const endpoints = (await slices(t, name)).flatMap((slice) => slice.endpoints);
  return endpoints
    .map(({ targetRef, conditions = {} }) => {
      const words = (["ready", "serving", "terminating"] as const).filter((word) => conditions[word] === true);
      return [targetRef?.name, ...words].join(" ");
    })
    .toSorted();
}

/** `ready | not ready`: how many addresses the Endpoints list. */
async function older(t: StoryTeller): Promise<string> {
  const { subsets = [] } = (await t.get<Endpoints>("endpoints/web")) as Endpoints;
  const count = (field: "addresses" | "notReadyAddresses"): number =>
    subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
  return `${count("addresses")} | ${count("notReadyAddresses")}`;
}

export const stories: readonly Story[] = [
  story("a Pod is listed when it has an address, and ready in the moment in which it is Ready", async (t) => {
    await aNode(t);
    await t.apply(service(), pod("a", { image: "web:1", ...probed }));
    assert.deepEqual(await listed(t), ["a"]);
    assert.equal(await older(t), "0 | 1");
    await t.until("pod/a", isReady, { within: seconds(10) });
    assert.deepEqual(await listed(t), ["a ready serving"]);
    assert.equal(await older(t), "1 | 0");
  }),

  story(
    "a Pod that is deleted is at once no longer ready, serves until it is not Ready, and is gone with its Pod",
    async (t) => {
      await aNode(t);
      await t.apply(service(), pod("a", { image: "web:1", ...probed }));
      await t.until("pod/a", isReady, { within: seconds(10) });
      await t.delete("pod/a");
      assert.deepEqual(await listed(t), ["a serving terminating"]);
      assert.equal(await older(t), "0 | 0");
      await t.until("pod/a", isGone, { within: seconds(40) });
      assert.deepEqual(await listed(t), []);
      assert.equal((await slices(t)).length, 1); // an empty one says that there is nobody
    },
  ),

  story(
    "a Pod that is published although it is not ready counts as ready from its address on, also while it ends",
    async (t) => {
      await aNode(t);
      await t.apply(service({ publishNotReadyAddresses: true }), pod("a", { image: "web:1", ...probed }));
      await t.elapse(seconds(2));
      assert.deepEqual(await listed(t), ["a ready"]);
      assert.equal(await older(t), "1 | 0");
      await t.until("pod/a", isReady, { within: seconds(10) });
      await t.delete("pod/a");
      assert.deepEqual(await listed(t), ["a ready serving terminating"]);
    },
  ),

  story("a readiness gate opens and closes a Pod's place in the list", async (t) => {
    await aNode(t);
    await t.apply(
      service(),
      pod("a", { image: "web:1", ...probed, readinessGates: [{ conditionType: "example.com/ok" }] }),
    );
    const gate = async (status: string): Promise<void> => {
      const conditions = [{ type: "example.com/ok", status }];
      await t.cluster.call(
        t.cluster.client.pods.patch("a", "default", "strategic", { status: { conditions } }, "status"),
      );
      await t.cluster.clock.settle();
    };
    await t.elapse(seconds(10));
    assert.deepEqual(await listed(t), ["a"]);
    await gate("True");
    await t.until("pod/a", isReady, { within: seconds(10) });
    assert.deepEqual(await listed(t), ["a ready serving"]);
    await gate("False");
    await t.elapse(seconds(1));
    assert.deepEqual(await listed(t), ["a"]);
  }),

  story(
    "a Service that chooses other Pods leads there at once, and so does a Pod that changes its labels",
    async (t) => {
      await aNode(t);
      const blue = { app: "web", team: "blue" };
      await t.apply(
        service(),
        pod("a", { image: "web:1", ...probed }),
        pod("b", { image: "web:1", ...probed, labels: blue }),
      );
      await t.until("pod/a", isReady, { within: seconds(10) });
      await t.until("pod/b", isReady, { within: seconds(10) });
      assert.deepEqual(await listed(t), ["a ready serving", "b ready serving"]);
      await t.patch("service/web", { spec: { selector: blue } });
      assert.deepEqual(await listed(t), ["b ready serving"]);
      await t.label("pod/a", { team: "blue" });
      assert.deepEqual(await listed(t), ["a ready serving", "b ready serving"]);
      await t.label("pod/b", { app: null });
      assert.deepEqual(await listed(t), ["a ready serving"]);
    },
  ),

  story(
    "while a Deployment rolls, its Service never has fewer ready endpoints than the Deployment allows",
    async (t) => {
      await aNode(t);
      const strategy = { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } };
      const template = {
        image: "web:1",
        container: { readinessProbe: { exec: { command: ["ready"] }, periodSeconds: 1 } },
      };
      await t.apply(service(), deployment("web", { replicas: 4, strategy, template }));
      await t.until("deployment/web", isRolledOut, { within: minutes(1) });
      assert.equal((await listed(t)).filter((line) => line.endsWith("ready serving")).length, 4);

      const seen: number[] = [];
      const watch = await t.cluster.client.endpointSlices.watch(
        { namespace: "default", labelSelector: "kubernetes.io/service-name=web" },
        {
          event: ({ object }) =>
            seen.push(object.endpoints.filter(({ conditions }) => conditions?.ready === true).length),
          closed: () => undefined,
        },
      );
      const container = { name: "web", image: "web:2", ...template.container };
      await t.patch("deployment/web", { spec: { template: { spec: { containers: [container] } } } });
      await t.until("deployment/web", isRolledOut, { within: minutes(2) });
      await t.elapse(seconds(10));
      watch.stop();
      assert.ok(seen.length > 8, `only ${seen.length} changes were seen`);
      assert.ok(Math.min(...seen) >= 3, `there were but ${Math.min(...seen)}`);
      assert.equal((await listed(t)).filter((line) => line.endsWith("ready serving")).length, 4);
    },
  ),

  story("the Pods of a node that is lost are not ready any more when the node is given up", async (t) => {
    await aNode(t);
    const node = await t.node("node-b");
    await t.cordon("node-a");
    await t.apply(service(), pod("a", { image: "web:1", ...probed }));
    await t.until("pod/a", isReady, { within: seconds(10) });
    await node.stopKubelet();
    await t.elapse(seconds(20));
    assert.deepEqual(await listed(t), ["a ready serving"]);
    await t.elapse(seconds(40));
    assert.deepEqual(await listed(t), ["a"]);
  }),

  story("a load balancer has the addresses of the nodes that are Ready", async (t) => {
    await aNode(t);
    const node = await t.node("node-b");
    await t.apply(service({ type: "LoadBalancer" }));
    const ingress = async (): Promise<readonly (string | undefined)[]> => {
      const { status } = (await t.get<{ status: { loadBalancer: { ingress?: { ip?: string }[] } } }>(
        "service/web",
      )) ?? {
        status: { loadBalancer: {} },
      };
      return (status.loadBalancer.ingress ?? []).map(({ ip }) => ip);
    };
    assert.deepEqual(await ingress(), ["192.168.0.1", "192.168.0.2"]);
    assert.deepEqual(
      t.events("service/web").map((line) => line.replace(/^\S+\s+/, "")),
      ["EnsuringLoadBalancer  Ensuring load balancer", "EnsuredLoadBalancer  Ensured load balancer"],
    );
    await node.stopKubelet();
    await t.elapse(minutes(1));
    assert.deepEqual(await ingress(), ["192.168.0.1"]);
    await t.patch("service/web", { spec: { type: "ClusterIP" } });
    assert.deepEqual(await ingress(), []);
  }),

  story("the slices of a Service go with it, and its Endpoints", async (t) => {
    await aNode(t);
    await t.apply(service(), pod("a", { image: "web:1", ...probed }));
    await t.until("pod/a", isReady, { within: seconds(10) });
    await t.delete("service/web");
    await t.elapse(seconds(1));
    assert.deepEqual(await slices(t), []);
    assert.equal(await t.get("endpoints/web"), undefined);
  }),

  story("120 Pods stand in two slices, and one that is not ready any more changes only its own", async (t) => {
    await t.node("node-a", { capacity: { cpu: "100", memory: "256Gi", pods: "200" } });
    t.image("web:1", { present: true });
    const pods = Array.from({ length: 120 }, (_, i) => pod(`p-${i}`, { image: "web:1", labels: app }));
    await t.apply(service(), ...pods);
    await t.elapse(minutes(1));
    const before = await slices(t);
    const sizes = before.map(({ endpoints }) => endpoints.length);
    assert.equal(sizes.length, 2);
    assert.equal((sizes[0] ?? 0) + (sizes[1] ?? 0), 120);
    assert.ok(Math.max(...sizes) <= 100);
    await t.label("pod/p-7", { app: null });
    const after = new Map((await slices(t)).map(({ metadata }) => [metadata.uid, metadata.resourceVersion]));
    const untouched = before.filter(({ metadata }) => after.get(metadata.uid) === metadata.resourceVersion);
    assert.equal(untouched.length, 1);
  }),
];
