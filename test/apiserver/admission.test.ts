// What the cluster adds to a Pod or a Node, and what it refuses (api-machinery 9.5).

import { describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";
const accounts = "/api/v1/namespaces/default/serviceaccounts";

describe("service accounts", () => {
  it("runs a Pod as the default one", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(pods, pod("web"));
    expect(object.spec).toMatchObject({ serviceAccountName: "default", serviceAccount: "default" });
    expect(object.spec).not.toHaveProperty("volumes");
  });

  it("gives a Pod the pull secrets of its account, unless it has its own", async () => {
    const test = await ServerUnderTest.start();
    await test.create(accounts, { metadata: { name: "robot" }, imagePullSecrets: [{ name: "registry" }] });
    const given = await test.create(pods, pod("a", { spec: { serviceAccountName: "robot" } }));
    const own = await test.create(
      pods,
      pod("b", { spec: { serviceAccountName: "robot", imagePullSecrets: [{ name: "mine" }] } }),
    );
    expect(given.object.spec.imagePullSecrets).toEqual([{ name: "registry" }]);
    expect(own.object.spec.imagePullSecrets).toEqual([{ name: "mine" }]);
  });

  it("refuses a Pod whose account does not exist, at once", async () => {
    const test = await ServerUnderTest.start();
    const answer = await test.create(pods, pod("web", { spec: { serviceAccountName: "ghost" } }));
    expect(answer.object).toMatchObject({
      code: 403,
      message:
        'pods "web" is forbidden: error looking up service account default/ghost: serviceaccount "ghost" not found',
    });
  });

  const mirror = (spec: object) =>
    pod("web", {
      metadata: { annotations: { "kubernetes.io/config.mirror": "hash" } },
      spec: { nodeName: "node-a", ...spec },
    });

  it("gives none to a mirror Pod", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(pods, mirror({}));
    expect(object.spec).not.toHaveProperty("serviceAccountName");
  });

  const app = { name: "app", image: "app:1" };
  const secretVolume = { name: "v", secret: { secretName: "s" } };
  const token = { serviceAccountToken: { path: "token" } };
  it.each([
    ["an account", { serviceAccountName: "default" }, "reference service accounts"],
    ["pull secrets", { imagePullSecrets: [{ name: "s" }] }, "reference secrets"],
    ["a volume of a Secret", { volumes: [secretVolume] }, "reference secrets"],
    [
      "a projected Secret",
      { volumes: [{ name: "v", projected: { sources: [{ secret: { name: "s" } }] } }] },
      "reference secrets",
    ],
    [
      "a variable from a Secret",
      { containers: [{ ...app, env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }] },
      "reference secrets",
    ],
    [
      "all variables of a Secret, in an init container",
      { initContainers: [{ name: "init", image: "app:1", envFrom: [{ secretRef: { name: "s" } }] }] },
      "reference secrets",
    ],
    [
      "a token",
      { volumes: [{ name: "v", projected: { sources: [token] } }] },
      "use ServiceAccountToken volume projections",
    ],
  ])("refuses a mirror Pod with %s", async (_what, spec, may) => {
    const test = await ServerUnderTest.start();
    const answer = await test.create(pods, mirror(spec));
    expect(answer.object).toMatchObject({
      code: 403,
      message: `pods "web" is forbidden: a mirror pod may not ${may}`,
    });
  });

  it("waits a moment for the default account of a new namespace", async () => {
    const test = await ServerUnderTest.start();
    await test.create("/api/v1/namespaces", { metadata: { name: "team" } });
    const creating = test.create("/api/v1/namespaces/team/pods", pod("web"));
    await test.clock.advance(seconds(1));
    await test.create("/api/v1/namespaces/team/serviceaccounts", { metadata: { name: "default" } });
    expect((await creating).status).toBe(201);
  });

  it("gives up waiting", async () => {
    const test = await ServerUnderTest.start();
    await test.create("/api/v1/namespaces", { metadata: { name: "team" } });
    const creating = test.create("/api/v1/namespaces/team/pods", { ...pod(""), metadata: { generateName: "web-" } });
    await test.clock.advance(seconds(2));
    expect((await creating).object).toMatchObject({
      code: 403,
      message:
        'pods "web-" is forbidden: error looking up service account team/default: serviceaccount "default" not found',
    });
  });

  it("leaves mirror Pods alone", async () => {
    const test = await ServerUnderTest.start();
    const annotations = { "kubernetes.io/config.mirror": "abc" };
    const { object } = await test.create(pods, pod("web", { metadata: { annotations }, spec: { nodeName: "node-a" } }));
    expect(object.spec).not.toHaveProperty("serviceAccountName");
  });
});

describe("priority", () => {
  it.each([
    ["no class", {}, { priority: 0, preemptionPolicy: "PreemptLowerPriority" }],
    ["a built-in class", { priorityClassName: "system-cluster-critical" }, { priority: 2_000_000_000 }],
    ["the other built-in class", { priorityClassName: "system-node-critical" }, { priority: 2_000_001_000 }],
    ["its own number if it is the right one", { priority: 0 }, { priority: 0 }],
  ])("with %s", async (_what, spec, want) => {
    const test = await ServerUnderTest.start();
    expect((await test.create(pods, pod("web", { spec }))).object.spec).toMatchObject(want);
  });

  it.each([
    ["an unknown class", { priorityClassName: "vip" }, "no PriorityClass with name vip was found"],
    [
      "a number of its own",
      { priority: 7 },
      "the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name",
    ],
  ])("refuses %s", async (_what, spec, why) => {
    const test = await ServerUnderTest.start();
    expect((await test.create(pods, pod("web", { spec }))).object).toMatchObject({
      code: 403,
      message: `pods "web" is forbidden: ${why}`,
    });
  });
});

const notReady = {
  key: "node.kubernetes.io/not-ready",
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
};
const unreachable = { ...notReady, key: "node.kubernetes.io/unreachable" };

it.each([
  ["both by default", [], [notReady, unreachable]],
  [
    "only the one it does not speak of",
    [{ ...notReady, tolerationSeconds: 5 }],
    [{ ...notReady, tolerationSeconds: 5 }, unreachable],
  ],
  ["none to a Pod that tolerates everything", [{ operator: "Exists" }], [{ operator: "Exists" }]],
  [
    "both to a Pod that tolerates only NoSchedule",
    [{ operator: "Exists", effect: "NoSchedule" }],
    [{ operator: "Exists", effect: "NoSchedule" }, notReady, unreachable],
  ],
])("default tolerations: %s", async (_what, tolerations, want) => {
  const test = await ServerUnderTest.start();
  expect((await test.create(pods, pod("web", { spec: { tolerations } }))).object.spec.tolerations).toEqual(want);
});

it("taints a new Node until it is ready, once", async () => {
  const test = await ServerUnderTest.start();
  const taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };
  const plain = await test.create("/api/v1/nodes", { metadata: { name: "node-a" } });
  const tainted = await test.create("/api/v1/nodes", { metadata: { name: "node-b" }, spec: { taints: [taint] } });
  expect(plain.object.spec.taints).toEqual([taint]);
  expect(tainted.object.spec.taints).toEqual([taint]);
});
