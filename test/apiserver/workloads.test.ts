// Deployments, ReplicaSets and ReplicationControllers as the API server keeps them, and their scale (api-machinery 3.10, pod-lifecycle 2.8, 13).

import { beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { ServerUnderTest } from "./api-server-fixture.ts";

const apps = "/apis/apps/v1/namespaces/default";
const controllers = "/api/v1/namespaces/default/replicationcontrollers";
const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } };
const workload = (name: string, spec: JsonObject = {}): JsonObject => ({
  metadata: { name },
  spec: { selector: { matchLabels: labels }, template, ...spec },
});

let server: ServerUnderTest;
beforeEach(async () => {
  server = await ServerUnderTest.start();
});

const merge = { headers: { "content-type": "application/merge-patch+json" } };

describe("a new Deployment", () => {
  it("gets its defaults, also in its template, which leaves to its Pods what is theirs", async () => {
    const limits = { cpu: "0.5" };
    const container = { name: "web", image: "web:1", resources: { limits }, ports: [{ containerPort: 80 }] };
    const spec = { template: { metadata: { labels }, spec: { hostNetwork: true, containers: [container] } } };
    const { object } = await server.create(`${apps}/deployments`, {
      ...workload("web", spec),
      status: { replicas: 9 },
    });
    expect(object.spec).toMatchObject({
      replicas: 1,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    const { spec: podSpec } = object.spec.template;
    expect(podSpec).toMatchObject({
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      terminationGracePeriodSeconds: 30,
    });
    expect(podSpec.enableServiceLinks).toBeUndefined();
    expect(podSpec.containers[0].resources).toEqual({ limits: { cpu: "500m" } });
    expect(podSpec.containers[0].ports).toEqual([{ containerPort: 80, protocol: "TCP" }]);
    expect(object.status).toEqual({});
    expect(object.metadata.generation).toBe(1);
  });

  it("is warned about what its Pods would be warned about, and refused what they would be refused", async () => {
    const warned = await server.send("POST", `${apps}/deployments`, {
      body: workload("odd.name", {
        template: { ...template, spec: { ...template.spec, hostAliases: [{ ip: "1.2.3.4" }, { ip: "1.2.3.4" }] } },
      }),
    });
    expect(warned.status).toBe(201);
    expect([warned.headers["warning"]].flat()).toEqual([
      `299 - "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"`,
      `299 - "spec.template.spec.hostAliases[1].ip: duplicate ip \\"1.2.3.4\\""`,
    ]);
    const container = { ...template.spec.containers[0], volumeDevices: [{ name: "a", devicePath: "/dev/a" }] };
    const refused = await server.send("POST", `${apps}/deployments`, {
      body: workload("web", { template: { metadata: { labels }, spec: { containers: [container] } } }),
    });
    expect(refused.status).toBe(422);
    expect(refused.object.message).toContain("spec.template.spec.containers[0].volumeDevices[0]");
  });
});

describe("the generation of a Deployment", () => {
  const generationAfter = async (patch: JsonObject, below = ""): Promise<number> => {
    await server.create(`${apps}/deployments`, workload("web"));
    await server.send("PATCH", `${apps}/deployments/web${below}`, { ...merge, body: patch });
    return (await server.send("GET", `${apps}/deployments/web`)).object.metadata.generation as number;
  };

  it.each<[string, JsonObject, string, number]>([
    ["a change of the spec", { spec: { replicas: 2 } }, "", 2],
    ["a change of its size", { spec: { replicas: 2 } }, "/scale", 2],
    ["an annotation", { metadata: { annotations: { team: "paint" } } }, "", 2],
    ["a label", { metadata: { labels: { team: "paint" } } }, "", 1],
    ["a status", { status: { replicas: 1 } }, "/status", 1],
    ["a status with an annotation", { metadata: { annotations: { a: "b" } }, status: { replicas: 1 } }, "/status", 1],
  ])("after %s", async (_what, patch, below, want) => {
    expect(await generationAfter(patch, below)).toBe(want);
  });
});

it("a status write changes neither spec nor labels, and may change annotations", async () => {
  await server.create(`${apps}/deployments`, workload("web"));
  const metadata = { labels: { a: "b" }, annotations: { revision: "1" } };
  const { object } = await server.send("PATCH", `${apps}/deployments/web/status`, {
    ...merge,
    body: { metadata, spec: { replicas: 7 }, status: { replicas: 1 } },
  });
  expect([object.metadata.labels, object.metadata.annotations]).toEqual([undefined, { revision: "1" }]);
  expect([object.spec.replicas, object.status]).toEqual([1, { replicas: 1 }]);
});

describe("a scale", () => {
  const url = `${apps}/deployments/web/scale`;
  beforeEach(async () => {
    await server.create(`${apps}/deployments`, workload("web", { replicas: 2 }));
  });

  it("says what its object wants and has, under the object's name, uid and version", async () => {
    const { object: deployment } = await server.send("GET", `${apps}/deployments/web`);
    const { name, namespace, uid, resourceVersion, creationTimestamp } = deployment.metadata;
    expect((await server.send("GET", url)).object).toEqual({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: "app=web" },
    });
  });

  it.each(["merge-patch", "strategic-merge-patch"])("is changed by a %s", async (type) => {
    const headers = { "content-type": `application/${type}+json` };
    const answer = await server.send("PATCH", url, { headers, body: { spec: { replicas: 5 } } });
    expect([answer.status, answer.object.kind, answer.object.spec]).toEqual([200, "Scale", { replicas: 5 }]);
    expect((await server.send("GET", `${apps}/deployments/web`)).object.spec.replicas).toBe(5);
  });

  it("is changed by a PUT without Content-Type, and by a JSON patch", async () => {
    const { object } = await server.send("GET", url);
    const bytes = JSON.stringify({ ...object, spec: { replicas: 4 } });
    expect((await server.send("PUT", url, { bytes })).object.spec).toEqual({ replicas: 4 });
    const headers = { "content-type": "application/json-patch+json" };
    const patch = [{ op: "replace", path: "/spec/replicas", value: 3 }];
    expect((await server.send("PATCH", url, { headers, body: patch })).object.spec).toEqual({ replicas: 3 });
  });

  it("of nothing says nothing, and leaves the object at nothing", async () => {
    const answer = await server.send("PATCH", url, { ...merge, body: { spec: { replicas: 0 } } });
    expect(answer.object.spec).toEqual({});
    expect((await server.send("GET", `${apps}/deployments/web`)).object.spec.replicas).toBe(0);
  });

  it("is not stored by a dry run", async () => {
    await server.send("PATCH", `${url}?dryRun=All`, { ...merge, body: { spec: { replicas: 5 } } });
    expect((await server.send("GET", url)).object.spec).toEqual({ replicas: 2 });
  });

  it.each<[string, JsonObject, number, string]>([
    [
      "a negative size",
      { spec: { replicas: -1 } },
      422,
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      "an old version",
      { metadata: { resourceVersion: "1" } },
      409,
      'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [
      "another object's name",
      { metadata: { name: "other" } },
      400,
      "the name of the object (other) does not match the name on the URL (web)",
    ],
    [
      "another namespace",
      { metadata: { namespace: "other" } },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
  ])("is refused with %s", async (_what, patch, status, message) => {
    const answer = await server.send("PATCH", url, { ...merge, body: patch });
    expect([answer.status, answer.object.message]).toEqual([status, message]);
    expect((await server.send("GET", url)).object.spec).toEqual({ replicas: 2 });
  });

  it("is refused with another uid", async () => {
    const { object } = await server.send("GET", url);
    const body = { ...object, metadata: { ...object.metadata, uid: "another" } };
    const answer = await server.send("PUT", url, { body });
    expect(answer.status).toBe(409);
    expect(answer.object.message).toBe(
      `Operation cannot be fulfilled on deployments/scale.apps "web": Precondition failed: UID in precondition: another, UID in object meta: ${object.metadata.uid}`,
    );
  });

  it.each(["GET", "PATCH"] as const)("of what is not there is not found by a %s", async (method) => {
    const sent = method === "GET" ? {} : { ...merge, body: { spec: { replicas: 1 } } };
    const answer = await server.send(method, `${apps}/deployments/missing/scale`, sent);
    expect([answer.status, answer.object.reason, answer.object.details.name]).toEqual([404, "NotFound", "missing"]);
  });

  it.each(["POST", "DELETE"] as const)("takes no %s", async (method) => {
    expect((await server.send(method, url, method === "POST" ? { body: {} } : {})).status).toBe(405);
  });

  it("is a table for those who ask for one", async () => {
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    const { object } = await server.send("GET", url, { headers: { accept } });
    expect(object.rows[0].cells.slice(0, 3)).toEqual(["web", 2, 0]);
  });

  it("is there for ReplicaSets and ReplicationControllers, too", async () => {
    await server.create(`${apps}/replicasets`, workload("set"));
    await server.create(controllers, { metadata: { name: "old" }, spec: { template } });
    for (const object of [`${apps}/replicasets/set`, `${controllers}/old`]) {
      const { object: scale } = await server.send("PATCH", `${object}/scale`, {
        ...merge,
        body: { spec: { replicas: 3 } },
      });
      expect([scale.spec.replicas, scale.status]).toEqual([3, { replicas: 0, selector: "app=web" }]);
    }
  });
});

describe("a ReplicationController", () => {
  it("takes selector and labels from its template", async () => {
    const { object } = await server.create(controllers, { metadata: { name: "old" }, spec: { template } });
    expect([object.metadata.labels, object.spec.selector]).toEqual([labels, labels]);
  });

  it.each<[string, JsonObject | undefined, readonly string[] | undefined]>([
    ["without a word leaves its Pods behind", undefined, ["orphan"]],
    ["in the background takes them along", { propagationPolicy: "Background" }, undefined],
    ["in the foreground waits for them", { propagationPolicy: "Foreground" }, ["foregroundDeletion"]],
  ])("deleted %s", async (_how, body, finalizers) => {
    await server.create(controllers, { metadata: { name: "old" }, spec: { template } });
    await server.send("DELETE", `${controllers}/old`, body === undefined ? {} : { body });
    const left = await server.send("GET", `${controllers}/old`);
    expect(left.object.metadata?.finalizers).toEqual(finalizers);
  });
});
