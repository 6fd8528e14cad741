// Binding, eviction, logs (api-machinery 8, pod-lifecycle 3.7, 11.2, 12.5).

import { describe, expect, it } from "vitest";
import type {
  ContainerLogAnswer,
  ContainerLogRequest,
  NodeConnector,
  NodeUsageAnswer,
  PodStreamAnswer,
} from "../../src/apiserver/node-connector.ts";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";

const bind = (test: ServerUnderTest, name: string, more = {}) =>
  test.create(`${pods}/${name}/binding`, { metadata: { name }, target: { kind: "Node", name: "node-a" }, ...more });

describe("binding", () => {
  it("carries annotations over and keeps the generation", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web", { metadata: { annotations: { a: "1" } } }));
    await bind(test, "web", { metadata: { name: "web", annotations: { b: "2" } } });
    const { object } = await test.get(`${pods}/web`);
    expect(object.metadata).toMatchObject({ annotations: { a: "1", b: "2" }, generation: 1 });
    expect(object.status.conditions).toMatchObject([
      { type: "PodScheduled", status: "True", lastTransitionTime: "2025-01-01T00:00:00Z" },
    ]);
  });

  it("works through the collection of bindings, too", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const answer = await test.create("/api/v1/namespaces/default/bindings", {
      metadata: { name: "web" },
      target: { kind: "Node", name: "node-a" },
    });
    expect(answer.status).toBe(201);
    expect((await test.get(`${pods}/web`)).object.spec.nodeName).toBe("node-a");
  });

  it("refuses a Pod that is being deleted", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web", { metadata: { finalizers: ["example.com/a"] } }));
    await test.delete(`${pods}/web`);
    expect((await bind(test, "web")).object).toMatchObject({
      code: 409,
      message:
        'Operation cannot be fulfilled on pods/binding "web": pod web is being deleted, cannot be assigned to a host',
    });
  });

  it("refuses a gated Pod", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web", { spec: { schedulingGates: [{ name: "example.com/a" }] } }));
    expect((await bind(test, "web")).object).toMatchObject({
      code: 409,
      message: 'Operation cannot be fulfilled on pods/binding "web": pod web has non-empty .spec.schedulingGates',
    });
  });

  it.each([
    ["a missing Pod", "none", {}, 404, 'pods "none" not found'],
    ["another uid", "web", { metadata: { name: "web", uid: "other" } }, 409, "UID in precondition: other"],
    ["no target", "web", { target: { kind: "Node" } }, 422, 'Binding "web" is invalid: target.name: Required value'],
    ["another kind of target", "web", { target: { kind: "Pod", name: "x" } }, 422, "target.kind: Unsupported value"],
    ["another name", "web", { metadata: { name: "b" } }, 400, "name in URL does not match name in Binding object"],
  ])("refuses %s", async (_what, name, more, code, message) => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    expect((await bind(test, name, more)).object).toMatchObject({ code, message: expect.stringContaining(message) });
    expect((await test.get(`${pods}/web`)).object.spec).not.toHaveProperty("nodeName");
  });

  it("lets one of two schedulers win", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const answers = await Promise.all([bind(test, "web"), bind(test, "web")]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  });
});

describe("ephemeralcontainers", () => {
  const debug = (test: ServerUnderTest, ...containers: readonly object[]) =>
    test.patch(`${pods}/web/ephemeralcontainers`, "strategic", { spec: { ephemeralContainers: containers } });

  it("adds to the Pod's ephemeral containers by their names, completes them, and counts the change", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    await debug(test, { name: "one", image: "busybox:1" });
    const answer = await debug(test, { name: "two", image: "busybox", targetContainerName: "app", stdin: true });
    expect(answer.status).toBe(200);
    const { object } = await test.get(`${pods}/web/ephemeralcontainers`);
    expect(object).toEqual((await test.get(`${pods}/web`)).object);
    expect(object.metadata.generation).toBe(3);
    const byName = Object.fromEntries(
      (object.spec.ephemeralContainers as { name: string }[]).map((container) => [container.name, container]),
    );
    expect(Object.keys(byName).toSorted()).toEqual(["one", "two"]);
    expect(byName["one"]).toMatchObject({ imagePullPolicy: "IfNotPresent", terminationMessagePolicy: "File" });
    expect(byName["two"]).toMatchObject({ imagePullPolicy: "Always", targetContainerName: "app", stdin: true });
  });

  it("changes nothing else, whatever else a PUT brings", async () => {
    const test = await ServerUnderTest.start();
    const { object: made } = await test.create(pods, pod("web"));
    const answer = await test.put(`${pods}/web/ephemeralcontainers`, {
      ...made,
      metadata: { ...made.metadata, labels: { a: "1" } },
      spec: { ...made.spec, nodeName: "other", ephemeralContainers: [{ name: "one", image: "busybox:1" }] },
      status: { phase: "Failed" },
    });
    expect(answer.status).toBe(200);
    const { object } = await test.get(`${pods}/web`);
    expect(object.metadata.labels).toEqual(made.metadata.labels);
    expect(object.spec).toEqual({ ...made.spec, ephemeralContainers: [expect.objectContaining({ name: "one" })] });
    expect(object.status).toEqual(made.status);
  });

  it("is not what an ordinary update is for", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const answer = await test.patch(`${pods}/web`, "strategic", {
      spec: { ephemeralContainers: [{ name: "one", image: "busybox:1" }] },
    });
    expect(answer.object).toMatchObject({
      code: 422,
      message: expect.stringContaining("pod updates may not change fields other than"),
    });
  });

  const at = "spec.ephemeralContainers[0]";
  const never = "Forbidden: cannot be set for an Ephemeral Container";
  it.each([
    ["ports", { ports: [{ containerPort: 80 }] }, `${at}.ports: ${never}`],
    ["a probe", { livenessProbe: { tcpSocket: { port: 80 } } }, `${at}.livenessProbe: ${never}`],
    ["hooks", { lifecycle: { preStop: { sleep: { seconds: 1 } } } }, `${at}.lifecycle: ${never}`],
    ["resources", { resources: { limits: { cpu: "1" } } }, `${at}.resources: ${never}`],
    ["a target that is not there", { targetContainerName: "db" }, `${at}.targetContainerName: Not found: "db"`],
    ["the name of another container", { name: "app" }, `${at}.name: Duplicate value: "app"`],
    ["no image", { image: "" }, `${at}.image: Required value`],
    [
      "raw devices",
      { volumeDevices: [{ name: "x", devicePath: "/x" }] },
      `${at}.volumeDevices[0].name: Not found: "x"`,
    ],
  ])("refuses %s", async (_what, more, message) => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const answer = await debug(test, { name: "one", image: "busybox:1", ...more });
    expect(answer.object).toMatchObject({ code: 422, message: expect.stringContaining(message) });
    expect((await test.get(`${pods}/web`)).object.spec).not.toHaveProperty("ephemeralContainers");
  });

  it("refuses to change or remove what was added, and a missing Pod", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    await debug(test, { name: "one", image: "busybox:1" });
    const changed = await debug(test, { name: "one", image: "busybox:2" });
    expect(changed.object).toMatchObject({
      code: 422,
      message: expect.stringContaining('existing ephemeral containers "one" may not be changed'),
    });
    const { object: present } = await test.get(`${pods}/web`);
    const without = { ...present, spec: { ...present.spec, ephemeralContainers: [] } };
    expect((await test.put(`${pods}/web/ephemeralcontainers`, without)).object).toMatchObject({
      code: 422,
      message: expect.stringContaining('existing ephemeral containers "one" may not be removed'),
    });
    const missing = await test.patch(`${pods}/none/ephemeralcontainers`, "strategic", { spec: {} });
    expect(missing.object).toMatchObject({ code: 404, message: 'pods "none" not found' });
  });
});

describe("eviction", () => {
  const evict = (test: ServerUnderTest, name: string, more = {}) =>
    test.create(`${pods}/${name}/eviction`, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name }, ...more });

  it("says why the Pod goes, then deletes it gracefully", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    await bind(test, "web");
    await test.patch(`${pods}/web/status`, "merge", { status: { phase: "Running" } });

    const answer = await evict(test, "web", { deleteOptions: { gracePeriodSeconds: 5 } });

    expect(answer).toMatchObject({ status: 201, object: { kind: "Status", status: "Success", code: 201 } });
    const { object } = await test.get(`${pods}/web`);
    expect(object.metadata.deletionGracePeriodSeconds).toBe(5);
    expect(object.status.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }),
    );
  });

  it("changes nothing in a dry run", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const before = await test.get(`${pods}/web`);
    expect((await evict(test, "web", { deleteOptions: { dryRun: ["All"] } })).status).toBe(201);
    expect((await test.get(`${pods}/web`)).object).toEqual(before.object);
  });

  it.each([
    ["another name", { metadata: { name: "b" } }, 400, "name in URL does not match name in Eviction object"],
    [
      "another namespace",
      { metadata: { name: "web", namespace: "other" } },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "options that contradict each other",
      { deleteOptions: { propagationPolicy: "Orphan", orphanDependents: true } },
      422,
      "orphanDependents and deletionPropagation cannot be both set",
    ],
    [
      "a precondition that fails",
      { deleteOptions: { preconditions: { uid: "x" } } },
      409,
      "UID in the precondition (x)",
    ],
  ])("refuses %s", async (_what, more, code, message) => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const before = await test.get(`${pods}/web`);
    expect((await evict(test, "web", more)).object).toMatchObject({ code, message: expect.stringContaining(message) });
    expect((await test.get(`${pods}/web`)).object).toEqual(before.object);
  });
});

class RecordingNodes implements NodeConnector {
  readonly asked: (ContainerLogRequest & { readonly node: string })[] = [];
  answer: ContainerLogAnswer = { kind: "log", chunks: chunks("hello\n", "world\n") };

  async containerLogs(node: string, request: ContainerLogRequest): Promise<ContainerLogAnswer> {
    this.asked.push({ node, ...request });
    return this.answer;
  }

  async nodeUsage(): Promise<NodeUsageAnswer> {
    return { kind: "refused", status: 500, message: "nothing is measured" };
  }

  async podStream(): Promise<PodStreamAnswer> {
    return { kind: "refused", status: 500, message: "there are no streams" };
  }
}

async function* chunks(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

describe("logs", () => {
  async function withPod(spec = {}) {
    const nodes = new RecordingNodes();
    const test = await ServerUnderTest.start(nodes);
    await test.create(pods, pod("web", { spec }));
    await bind(test, "web");
    return { nodes, test };
  }

  it("asks the node of the Pod and passes its bytes on", async () => {
    const { nodes, test } = await withPod();
    const response = await test.respond(
      "GET",
      `${pods}/web/log?follow=true&tailLines=5&timestamps=1&limitBytes=99&sinceSeconds=60`,
    );
    expect(response).toMatchObject({ status: 200, headers: { "content-type": "text/plain" } });
    let text = "";
    if (response.body.kind === "byteStream")
      for await (const chunk of response.body.chunks) text += new TextDecoder().decode(chunk);
    expect(text).toBe("hello\nworld\n");
    expect(nodes.asked).toEqual([
      {
        node: "node-a",
        namespace: "default",
        pod: "web",
        container: "app",
        follow: true,
        previous: false,
        timestamps: true,
        tailLines: 5,
        limitBytes: 99,
        since: Date.parse("2024-12-31T23:59:00Z"),
      },
    ]);
  });

  it("answers with nothing for a Pod that no node has", async () => {
    const nodes = new RecordingNodes();
    const test = await ServerUnderTest.start(nodes);
    await test.create(pods, pod("web"));
    expect(await test.get(`${pods}/web/log`)).toMatchObject({ status: 204, text: "" });
    expect(nodes.asked).toEqual([]);
  });

  const two = {
    containers: [
      { name: "a", image: "a:1" },
      { name: "b", image: "b:1" },
    ],
    initContainers: [{ name: "i", image: "i:1" }],
  };

  it.each<[string, object, string, string]>([
    ["several containers", two, "", "a container name must be specified for pod web, choose one of: [i a b]"],
    ["an unknown container", two, "container=z", "container z is not valid for pod web"],
  ])("refuses to guess: %s", async (_what, spec, query, message) => {
    const { test } = await withPod(spec);
    expect((await test.get(`${pods}/web/log?${query}`)).object).toMatchObject({
      code: 400,
      reason: "BadRequest",
      message,
    });
  });

  it.each([
    ["container=i", "i"],
    ["container=b", "b"],
  ])("takes the container that %s names", async (query, want) => {
    const { nodes, test } = await withPod(two);
    await test.respond("GET", `${pods}/web/log?${query}`);
    expect(nodes.asked.map(({ container }) => container)).toEqual([want]);
  });

  it("needs no name for the only container beside init containers", async () => {
    const { nodes, test } = await withPod({ initContainers: [{ name: "i", image: "i:1" }] });
    await test.respond("GET", `${pods}/web/log`);
    expect(nodes.asked.map(({ container }) => container)).toEqual(["app"]);
  });

  it.each([
    [
      "tailLines=-1",
      422,
      'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
    ["limitBytes=0", 422, 'PodLogOptions "web" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
    ["sinceSeconds=0", 422, 'PodLogOptions "web" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0'],
    [
      "sinceSeconds=5&sinceTime=2025-01-01T00:00:00Z",
      422,
      "at most one of `sinceTime` or `sinceSeconds` may be specified",
    ],
    ["tailLines=few", 400, "invalid syntax"],
    ["sinceTime=yesterday", 400, "cannot parse"],
  ])("refuses ?%s", async (query, code, message) => {
    const { nodes, test } = await withPod();
    expect((await test.get(`${pods}/web/log?${query}`)).object).toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(nodes.asked).toEqual([]);
  });

  it.each([
    [400, "BadRequest", 'container "app" in pod "web" is waiting to start: ContainerCreating'],
    [500, "InternalError", "Internal error occurred: disk on fire"],
  ])("turns the node's refusal %i into a Status", async (status, reason, message) => {
    const { nodes, test } = await withPod();
    nodes.answer = { kind: "refused", status, message: message.replace("Internal error occurred: ", "") };
    expect((await test.get(`${pods}/web/log`)).object).toMatchObject({ code: status, reason, message });
  });
});
