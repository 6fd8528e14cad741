// Disruption budgets: who may be evicted, and when (pod-lifecycle 12.5).

import assert from "node:assert/strict";
import type { Pod, PodDisruptionBudget } from "../../src/api/index.ts";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { StatusError } from "../../src/api/wire/status-error.ts";
import {
  daemonSet,
  deployment,
  isReady,
  isRolledOut,
  minutes,
  pod,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const app = { app: "web" };

const budget = (name: string, spec: JsonObject, labels: Readonly<Record<string, string>> = app): JsonObject => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name, namespace: "default" },
  spec: { selector: { matchLabels: labels }, ...spec },
});

/** Ready five seconds after its start, gone two seconds after TERM. */
async function web(t: StoryTeller, replicas = 3): Promise<void> {
  await t.nodes("node-a", "node-b");
  t.image("web:1", { present: true, becomesReadyAfter: seconds(5), stopsIn: seconds(2), exitCodeOnTerm: 0 });
  const container = { readinessProbe: { exec: { command: ["ready"] }, periodSeconds: 1 } };
  await t.apply(deployment("web", { replicas, template: { image: "web:1", container } }));
  await t.until("deployment/web", isRolledOut, { within: minutes(1) });
}

const statusOf = async (t: StoryTeller, name = "web"): Promise<PodDisruptionBudget["status"]> =>
  ((await t.get<PodDisruptionBudget>(`poddisruptionbudget/${name}`)) as PodDisruptionBudget).status;

const allowed = async (t: StoryTeller): Promise<number> => (await statusOf(t)).disruptionsAllowed;

const standing = async (t: StoryTeller): Promise<readonly Pod[]> =>
  (await t.pods(app)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

async function evict(t: StoryTeller, name: string | undefined): Promise<StatusError["status"] | "evicted"> {
  try {
    await t.evict(`pod/${name}`);
    return "evicted";
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
}

const refusal = (name: string, needs: number, has: number) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message: "Cannot evict pod as it would violate the pod's disruption budget.",
  reason: "TooManyRequests",
  details: {
    causes: [
      {
        reason: "DisruptionBudget",
        message: `The disruption budget ${name} needs ${needs} healthy pods and has ${has} currently`,
      },
    ],
  },
  code: 429,
});

export const stories: readonly Story[] = [
  story("a budget lets one Pod go, and the next when its replacement is Ready", async (t) => {
    await web(t);
    await t.apply(budget("web", { maxUnavailable: 1 }));
    assert.equal(await allowed(t), 1);
    const [first, second] = await standing(t);
    assert.equal(await evict(t, first?.metadata.name), "evicted");
    const evicted = await t.pod(first?.metadata.name ?? "");
    assert.deepEqual(
      evicted.status.conditions
        ?.filter(({ type }) => type === "DisruptionTarget")
        .map(({ status, reason, message }) => `${status} ${reason} ${message}`),
      ["True EvictionByEvictionAPI Eviction API: evicting"],
    );
    assert.deepEqual(await evict(t, second?.metadata.name), refusal("web", 2, 2));
    await t.elapse(seconds(4));
    assert.equal(await allowed(t), 0, "the replacement is there and not Ready");
    await t.until("deployment/web", isRolledOut, { within: seconds(10) });
    assert.equal(await allowed(t), 1);
    assert.deepEqual((await statusOf(t)).disruptedPods, undefined);
    assert.equal(await evict(t, second?.metadata.name), "evicted");
  }),

  story("of many evictions at once a budget grants as many as it allows, never one more", async (t) => {
    await web(t, 6);
    await t.apply(budget("web", { minAvailable: "60%" }));
    assert.equal(await allowed(t), 2);
    const answers = await Promise.all((await standing(t)).map(({ metadata }) => evict(t, metadata.name)));
    assert.deepEqual(answers.filter((answer) => answer === "evicted").length, 2);
    assert.equal((await standing(t)).filter((each) => isReady(each as never)).length, 4);
  }),

  story("a drained node waits for the budget, Pod by Pod, until all have moved", async (t) => {
    await web(t, 4);
    await t.apply(budget("web", { minAvailable: 3 }));
    await t.cordon("node-a");
    let least = 4;
    for (let second = 0; second < 60; second++) {
      for (const { metadata, spec } of await standing(t)) {
        if (spec.nodeName === "node-a") await evict(t, metadata.name);
      }
      least = Math.min(least, (await standing(t)).filter((each) => isReady(each as never)).length);
      await t.elapse(seconds(1));
    }
    const nodes = (await standing(t)).map(({ spec }) => spec.nodeName);
    assert.deepEqual(nodes, ["node-b", "node-b", "node-b", "node-b"]);
    assert.equal(least, 3);
  }),

  story("two budgets for one Pod are one too many", async (t) => {
    await web(t, 1);
    await t.apply(budget("one", { minAvailable: 0 }), budget("two", { minAvailable: 0 }));
    const [only] = await standing(t);
    const answer = await evict(t, only?.metadata.name);
    assert.deepEqual(answer, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      code: 500,
    });
  }),

  story("a Pod that is not ready may go when the others are enough, or when the budget says always", async (t) => {
    await t.nodes("node-a");
    t.image("web:1", { present: true, exitCodeOnTerm: 0 });
    const never = { readinessProbe: { exec: { command: ["ready"] } } };
    t.image("sick:1", { present: true, becomesReadyAfter: minutes(60), exitCodeOnTerm: 0 });
    await t.apply(pod("well", { image: "web:1", labels: app }));
    await t.apply(pod("sick", { image: "sick:1", labels: app, container: never }));
    await t.until("pod/well", isReady, { within: seconds(5) });
    await t.apply(budget("web", { minAvailable: 2 }));
    assert.deepEqual(await evict(t, "sick"), refusal("web", 2, 1));
    await t.patch("poddisruptionbudget/web", { spec: { minAvailable: 1 } });
    assert.deepEqual(await evict(t, "well"), refusal("web", 1, 1));
    assert.equal(await evict(t, "sick"), "evicted", "one is healthy and one is needed");
    await t.apply(pod("sicker", { image: "sick:1", labels: app, container: never }));
    await t.elapse(seconds(2));
    await t.patch("poddisruptionbudget/web", { spec: { minAvailable: 3, unhealthyPodEvictionPolicy: "AlwaysAllow" } });
    assert.equal(await evict(t, "sicker"), "evicted");
  }),

  story("Pods that have not begun are evicted whatever the budget says", async (t) => {
    await t.apply(budget("web", { minAvailable: 5 }), pod("waiting", { image: "web:1", labels: app }));
    await t.elapse(seconds(1));
    assert.equal(await evict(t, "waiting"), "evicted");
  }),

  story(
    "a granted eviction that nobody carries out is struck off after two minutes, and the mark is taken back",
    async (t) => {
      await t.nodes("node-a");
      t.image("web:1", { present: true, exitCodeOnTerm: 0 });
      await t.apply(pod("a", { image: "web:1", labels: app }), budget("web", { minAvailable: 0 }));
      await t.until("pod/a", isReady, { within: seconds(5) });
      const time = (await t.pod("a")).status.startTime ?? "";
      await t.patch("poddisruptionbudget/web", { status: { disruptedPods: { a: time } } }, "status");
      const mark = {
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        lastTransitionTime: time,
      };
      const { conditions = [] } = (await t.pod("a")).status;
      await t.patch("pod/a", { status: { conditions: [...conditions, mark] } }, "status");
      assert.equal((await statusOf(t)).currentHealthy, 0);
      await t.elapse(minutes(3));
      assert.deepEqual([(await statusOf(t)).currentHealthy, (await statusOf(t)).disruptedPods], [1, undefined]);
      const taken = (await t.pod("a")).status.conditions?.find(({ type }) => type === "DisruptionTarget");
      assert.equal(taken?.status, "False");
      assert.ok(
        t
          .events("pod/a")
          .includes("Warning  NotDeleted  Pod was expected by PDB default/web to be deleted but it wasn't"),
      );
    },
  ),

  story("a share of a DaemonSet's Pods cannot be told, so none may go", async (t) => {
    await t.nodes("node-a", "node-b");
    t.image("agent:1", { present: true });
    await t.apply(daemonSet("agent", { template: { image: "agent:1" } }));
    await t.until("daemonset/agent", isRolledOut, { within: seconds(10) });
    await t.apply(budget("agent", { maxUnavailable: 1 }, { app: "agent" }));
    const { disruptionsAllowed, conditions } = await statusOf(t, "agent");
    assert.equal(disruptionsAllowed, 0);
    assert.deepEqual(
      conditions?.map(({ status, reason, message }) => `${status} ${reason} ${message}`),
      ["False SyncFailed daemonsets.apps does not implement the scale subresource"],
    );
  }),
];
