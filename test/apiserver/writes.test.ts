// Creating, updating, patching (api-machinery 3.2-3.6, 5).

import { describe, expect, it } from "vitest";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";
const maps = "/api/v1/namespaces/default/configmaps";
const map = (name: string, data: Record<string, string> = {}) => ({ metadata: { name }, data });

describe("create", () => {
  it("makes a name from a prefix", async () => {
    const test = await ServerUnderTest.start();
    const first = await test.create(maps, { metadata: { generateName: "run-" } });
    const second = await test.create(maps, { metadata: { generateName: "run-" } });
    expect(first.object.metadata.name).toMatch(/^run-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(second.object.metadata.name).not.toBe(first.object.metadata.name);
    expect(first.object.metadata.generateName).toBe("run-");
  });

  it("keeps 58 characters of a long prefix", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(maps, { metadata: { generateName: "x".repeat(80) } });
    expect(object.metadata.name).toMatch(/^x{58}[a-z0-9]{5}$/);
  });

  it("says AlreadyExists for a name that is taken", async () => {
    const test = await ServerUnderTest.start();
    await test.create(maps, map("settings"));
    expect((await test.create(maps, map("settings"))).object).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'configmaps "settings" already exists',
      reason: "AlreadyExists",
      details: { name: "settings", kind: "configmaps" },
      code: 409,
    });
  });

  it.each([
    [{ metadata: {} }, 422, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'],
    [
      { metadata: { name: "a", namespace: "other" } },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      { metadata: { name: "a", resourceVersion: "3" } },
      500,
      "resourceVersion should not be set on objects to be created",
    ],
    [
      { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } },
      400,
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ],
    [
      { metadata: { name: "a", labels: { "-": "x" } } },
      422,
      expect.stringContaining(
        'ConfigMap "a" is invalid: metadata.labels: Invalid value: "-": name part must consist of',
      ),
    ],
    [
      { metadata: { name: "a", finalizers: ["mine"] } },
      422,
      'ConfigMap "a" is invalid: metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [
      { metadata: { name: "a", finalizers: ["orphan", "foregroundDeletion"] } },
      422,
      'ConfigMap "a" is invalid: metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
    [
      { metadata: { name: "a", ownerReferences: [{ apiVersion: "v1", kind: "Event", name: "e", uid: "u" }] } },
      422,
      expect.stringContaining("/v1, Kind=Event is disallowed from being an owner"),
    ],
    [
      {
        metadata: {
          name: "a",
          ownerReferences: [
            { apiVersion: "v1", kind: "Node", name: "x", uid: "u", controller: true },
            { apiVersion: "v1", kind: "Node", name: "y", uid: "v", controller: true },
          ],
        },
      },
      422,
      expect.stringContaining(
        'Only one reference can have Controller set to true. Found "true" in references for Node/x and Node/y',
      ),
    ],
    [
      { metadata: { name: "", generateName: "A-b-" } },
      422,
      expect.stringMatching(/metadata\.generateName: Invalid value: "A-b-": .*metadata\.name: Invalid value: "A-b-/s),
    ],
    [
      { metadata: { name: "a", annotations: { big: "x".repeat(256 * 1024) } } },
      422,
      'ConfigMap "a" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
  ])("refuses %j", async (body, code, message) => {
    const test = await ServerUnderTest.start();
    expect((await test.create(maps, body)).object).toMatchObject({ code, message });
    expect((await test.get(`${maps}/a`)).status).toBe(404);
  });

  it("discards what only the server may say", async () => {
    const test = await ServerUnderTest.start();
    const mine = {
      name: "web",
      uid: "mine",
      generation: 9,
      creationTimestamp: "2001-01-01T00:00:00Z",
      deletionTimestamp: "2001-01-01T00:00:00Z",
      deletionGracePeriodSeconds: 4,
    };
    const { object } = await test.create(pods, { ...pod("web", { metadata: mine }), status: { phase: "Running" } });
    expect(object.metadata).toMatchObject({ generation: 1, creationTimestamp: "2025-01-01T00:00:00Z" });
    expect(object.metadata.uid).not.toBe("mine");
    expect(object.metadata).not.toHaveProperty("deletionTimestamp");
    expect(object.metadata).not.toHaveProperty("deletionGracePeriodSeconds");
    expect(object.status.phase).toBe("Pending");
  });

  it("drops repeated owner references with a warning", async () => {
    const test = await ServerUnderTest.start();
    const owner = { apiVersion: "v1", kind: "Node", name: "a", uid: "u-1" };
    const created = await test.create(maps, { metadata: { name: "owned", ownerReferences: [owner, owner] } });
    expect(created.object.metadata.ownerReferences).toEqual([owner]);
    expect(created.headers["warning"]).toEqual([expect.stringContaining("duplicate UID(s) observed: u-1")]);
  });

  it("stores nothing in a dry run, and answers as if it had", async () => {
    const test = await ServerUnderTest.start();
    const dry = await test.create(`${pods}?dryRun=All`, pod("web"));
    expect(dry.status).toBe(201);
    expect(dry.object).toMatchObject({ metadata: { name: "web", generation: 1 }, status: { phase: "Pending" } });
    expect(dry.object.metadata.uid).toBeTruthy();
    expect(dry.object.metadata).not.toHaveProperty("resourceVersion");
    expect((await test.get(`${pods}/web`)).status).toBe(404);
  });

  it("shows the gate of a gated Pod", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(pods, pod("web", { spec: { schedulingGates: [{ name: "example.com/a" }] } }));
    expect(object.status.conditions).toMatchObject([
      { type: "PodScheduled", status: "False", reason: "SchedulingGated" },
    ]);
  });

  it.each([
    [
      "Strict",
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "extra"',
      undefined,
    ],
    ["Warn", 201, undefined, ['299 - "unknown field \\"extra\\""']],
    ["Ignore", 201, undefined, undefined],
  ])("with fieldValidation=%s answers an unknown field with %i", async (validation, code, message, warning) => {
    const test = await ServerUnderTest.start();
    const answer = await test.create(`${maps}?fieldValidation=${validation}`, { metadata: { name: "a" }, extra: 1 });
    expect(answer.status).toBe(code);
    expect(answer.object.message).toBe(message);
    expect(answer.headers["warning"]).toEqual(warning);
    expect(answer.object).not.toHaveProperty("extra");
  });

  it.each([
    [
      "dryRun=some",
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "some": supported values: "All"',
    ],
    [
      "fieldValidation=Maybe",
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
    ],
    [
      `fieldManager=${"x".repeat(129)}`,
      'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    ],
  ])("refuses ?%s", async (query, message) => {
    const test = await ServerUnderTest.start();
    expect((await test.create(`${maps}?${query}`, map("a"))).object).toMatchObject({
      code: 422,
      reason: "Invalid",
      message,
    });
  });
});

describe("update", () => {
  it("writes over the version it was made from and refuses any other", async () => {
    const test = await ServerUnderTest.start();
    const { object: first } = await test.create(maps, map("settings", { a: "1" }));

    const updated = await test.put(`${maps}/settings`, { ...first, data: { a: "2" } });
    const late = await test.put(`${maps}/settings`, { ...first, data: { a: "3" } });

    expect(updated.status).toBe(200);
    expect(Number(updated.object.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
    expect(late.object).toMatchObject({
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect((await test.get(`${maps}/settings`)).object.data).toEqual({ a: "2" });
  });

  it("overwrites whatever is there when no version is given", async () => {
    const test = await ServerUnderTest.start();
    await test.create(maps, map("settings", { a: "1" }));
    expect((await test.put(`${maps}/settings`, map("settings", { a: "2" }))).object.data).toEqual({ a: "2" });
  });

  it("insists on a version for Leases", async () => {
    const test = await ServerUnderTest.start();
    const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    const created = await test.put(`${leases}/leader`, { metadata: { name: "leader" }, spec: { holderIdentity: "a" } });
    const blind = await test.put(`${leases}/leader`, { metadata: { name: "leader" }, spec: { holderIdentity: "b" } });
    expect(created.status).toBe(201);
    expect(blind.object).toMatchObject({
      code: 422,
      message:
        'Lease.coordination.k8s.io "leader" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    });
  });

  it("makes a Lease anew by PUT, unless the client means the one that went", async () => {
    const test = await ServerUnderTest.start();
    const lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/leader";
    const { object } = await test.put(lease, { metadata: { name: "leader" }, spec: { holderIdentity: "a" } });
    await test.delete(lease);
    expect((await test.put(lease, object)).object).toMatchObject({
      code: 409,
      message: expect.stringMatching(/UID in precondition: .+, UID in object meta: $/),
    });
    const { uid: _uid, ...metadata } = object.metadata;
    expect((await test.put(lease, { ...object, metadata })).status).toBe(201);
  });

  it("does not let a Pod become another one", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const answer = await test.patch(`${pods}/web`, "merge", { spec: { nodeName: "elsewhere" } });
    expect(answer.object).toMatchObject({ code: 422, reason: "Invalid", details: { causes: [{ field: "spec" }] } });
    expect(answer.object.message).toMatch(
      /^Pod "web" is invalid: spec: Forbidden: pod updates may not change fields other than /,
    );
  });

  it.each([
    ["a missing object", "nothing", map("nothing"), 404, 'configmaps "nothing" not found'],
    [
      "another name",
      "settings",
      map("other"),
      400,
      "the name of the object (other) does not match the name on the URL (settings)",
    ],
    ["no name", "settings", { data: {} }, 400, "name must be provided"],
    [
      "another uid",
      "settings",
      { metadata: { name: "settings", uid: "other" } },
      409,
      expect.stringMatching(/Precondition failed: UID in precondition: other, UID in object meta: /),
    ],
  ])("refuses %s", async (_what, name, body, code, message) => {
    const test = await ServerUnderTest.start();
    await test.create(maps, map("settings"));
    expect((await test.put(`${maps}/${name}`, body)).object).toMatchObject({ code, message });
  });

  it("keeps what clients may not change, silently", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(pods, pod("web"));
    const metadata = {
      ...object.metadata,
      creationTimestamp: "2001-01-01T00:00:00Z",
      generation: 7,
      labels: { a: "b" },
    };
    const updated = await test.put(`${pods}/web`, { ...object, metadata });
    expect(updated.object.metadata).toMatchObject({
      creationTimestamp: "2025-01-01T00:00:00Z",
      generation: 1,
      labels: { a: "b" },
    });
  });

  it.each([
    ["the uid", { uid: "other" }, "metadata.uid", /"other": field is immutable/, 2],
    ["a label that is none", { labels: { "/a": "x" } }, "metadata.labels", /prefix part must be non-empty/, 3],
    [
      "an owner without a name",
      { ownerReferences: [{ apiVersion: "v1", kind: "Node", uid: "u" }] },
      "metadata.ownerReferences.name",
      /must not be empty/,
      3,
    ],
    ["a finalizer that is none", { finalizers: ["mine"] }, "metadata.finalizers[0]", /neither a standard finalizer/, 1],
  ])("refuses a patch of %s, one cause for each check that saw it", async (_what, metadata, field, message, times) => {
    const test = await ServerUnderTest.start();
    await test.create(maps, map("settings"));
    const { object } = await test.patch(`${maps}/settings`, "merge", { metadata });
    expect(object).toMatchObject({ code: 422, reason: "Invalid" });
    const cause = { reason: "FieldValueInvalid", field, message: expect.stringMatching(message) };
    expect(object.details.causes).toEqual(Array.from({ length: times }, () => cause));
    // The sentence says it once.
    expect(object.message.match(new RegExp(message.source, "g"))).toHaveLength(1);
  });

  it.each([
    ["events", "/api/v1/namespaces/default/events", { involvedObject: { namespace: "default" } }, 201],
    ["leases", "/apis/coordination.k8s.io/v1/namespaces/default/leases", {}, 201],
    ["configmaps", maps, {}, 404],
    ["secrets", "/api/v1/namespaces/default/secrets", {}, 404],
    ["serviceaccounts", "/api/v1/namespaces/default/serviceaccounts", {}, 404],
    ["pods", pods, { spec: { containers: [{ name: "app", image: "app:1" }] } }, 404],
    ["nodes", "/api/v1/nodes", {}, 404],
    ["namespaces", "/api/v1/namespaces", {}, 404],
  ])("a PUT of %s that are not there", async (_resource, url, body, status) => {
    const test = await ServerUnderTest.start();
    const answer = await test.put(`${url}/new`, { metadata: { name: "new" }, ...body });
    expect(answer.status).toBe(status);
    expect((await test.get(`${url}/new`)).status).toBe(status === 201 ? 200 : 404);
  });

  it("counts changes of the spec in the generation, and only those", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const generation = async () => (await test.get(`${pods}/web`)).object.metadata.generation;

    await test.patch(`${pods}/web`, "merge", { metadata: { labels: { a: "b" } } });
    expect(await generation()).toBe(1);
    await test.patch(`${pods}/web/status`, "merge", { status: { phase: "Running" } });
    expect(await generation()).toBe(1);
    await test.patch(`${pods}/web`, "strategic", { spec: { containers: [{ name: "app", image: "app:2" }] } });
    expect(await generation()).toBe(2);
  });

  it("isolates the status from the rest", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(pods, pod("web"));

    const main = await test.put(`${pods}/web`, { ...object, status: { phase: "Failed" } });
    const status = await test.put(`${pods}/web/status`, {
      ...object,
      spec: { ...object.spec, nodeName: "elsewhere" },
      status: { phase: "Running" },
    });

    expect(main.object.status).toEqual(object.status);
    expect(main.object.metadata.resourceVersion).toBe(object.metadata.resourceVersion);
    expect(status.object.spec).toEqual(object.spec);
    expect(status.object.status).toMatchObject({ phase: "Running", qosClass: "BestEffort" });
    expect((await test.get(`${pods}/web/status`)).object).toEqual(status.object);
  });

  it("lets one of two updaters win, and the other learn it", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(maps, map("settings"));
    const answers = await Promise.all(
      ["a", "b"].map((who) => test.put(`${maps}/settings`, { ...object, data: { who } })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await test.get(`${maps}/settings`)).object).toEqual(winner?.object);
  });
});

describe("patch", () => {
  it("tries again when somebody else was faster: no patch of many is lost", async () => {
    const test = await ServerUnderTest.start();
    await test.create(maps, map("settings"));
    const names = Array.from({ length: 40 }, (_, i) => `key-${i}`);
    const answers = await Promise.all(
      names.map((name) => test.patch(`${maps}/settings`, "merge", { data: { [name]: "x" } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(Object.keys((await test.get(`${maps}/settings`)).object.data).sort()).toEqual([...names].sort());
  });

  it("gives up when it names a version that is gone", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(maps, map("settings"));
    await test.patch(`${maps}/settings`, "merge", { data: { a: "1" } });
    const { resourceVersion } = object.metadata;
    const stale = await test.patch(`${maps}/settings`, "merge", { metadata: { resourceVersion }, data: { a: "2" } });
    expect(stale.object).toMatchObject({ code: 409, reason: "Conflict" });
  });

  it.each<["json" | "merge" | "strategic", object | readonly unknown[], number, string]>([
    [
      "json",
      [{ op: "test", path: "/data/a", value: "other" }],
      422,
      "the server rejected our request due to an error in our request",
    ],
    [
      "json",
      [{ op: "replace", path: "/data/none", value: "1" }],
      422,
      "the server rejected our request due to an error in our request",
    ],
    ["json", { data: {} }, 400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"],
    [
      "merge",
      ["a"],
      400,
      "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
    ],
    [
      "merge",
      { metadata: { name: "b" } },
      400,
      "the name of the object (b) does not match the name on the URL (settings)",
    ],
    [
      "merge",
      { data: [1] },
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string',
    ],
  ])("refuses the %s patch %j", async (type, body, code, message) => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(maps, map("settings", { a: "1" }));
    expect((await test.patch(`${maps}/settings`, type, body as never)).object).toMatchObject({ code, message });
    expect((await test.get(`${maps}/settings`)).object).toEqual(object);
  });

  it("refuses another uid with two causes, as upstream does", async () => {
    const test = await ServerUnderTest.start();
    await test.create(pods, pod("web"));
    const answer = await test.patch(`${pods}/web`, "merge", { metadata: { uid: "other" } });
    expect(answer.object).toMatchObject({ code: 422, reason: "Invalid" });
    expect(answer.object.message).toBe(
      'Pod "web" is invalid: metadata.uid: Invalid value: "other": field is immutable',
    );
  });

  it("applies a JSON patch to labels and answers with the object", async () => {
    const test = await ServerUnderTest.start();
    await test.create(maps, map("settings", { a: "1" }));
    const answer = await test.patch(`${maps}/settings`, "json", [
      { op: "add", path: "/metadata/labels", value: { x: "y" } },
    ]);
    expect(answer).toMatchObject({ status: 200, object: { metadata: { labels: { x: "y" } }, data: { a: "1" } } });
  });

  it("merges containers by name in a strategic patch", async () => {
    const test = await ServerUnderTest.start();
    await test.create(
      pods,
      pod("web", {
        spec: {
          containers: [
            { name: "a", image: "a:1" },
            { name: "b", image: "b:1" },
          ],
        },
      }),
    );
    const { object } = await test.patch(`${pods}/web`, "strategic", {
      spec: { containers: [{ name: "b", image: "b:2" }] },
    });
    expect(object.spec.containers.map(({ image }: { image: string }) => image)).toEqual(["a:1", "b:2"]);
  });

  it("knows no server-side apply and says which patches it takes", async () => {
    const test = await ServerUnderTest.start();
    const answer = await test.send("PATCH", `${maps}/settings`, {
      bytes: "{}",
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    expect(answer.object).toMatchObject({ code: 415, reason: "UnsupportedMediaType" });
  });

  it("stores nothing in a dry run", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(maps, map("settings", { a: "1" }));
    const dry = await test.patch(`${maps}/settings?dryRun=All`, "merge", { data: { a: "2" } });
    expect(dry.object.data).toEqual({ a: "2" });
    expect(dry.object.metadata.resourceVersion).toBe(object.metadata.resourceVersion);
    expect((await test.get(`${maps}/settings`)).object).toEqual(object);
  });
});

describe("kinds", () => {
  const secrets = "/api/v1/namespaces/default/secrets";

  it("stores what a Secret says in plain text as bytes", async () => {
    const test = await ServerUnderTest.start();
    const { object } = await test.create(secrets, { metadata: { name: "login" }, stringData: { user: "eve" } });
    expect(object).toMatchObject({ type: "Opaque", data: { user: "ZXZl" } });
    expect(object).not.toHaveProperty("stringData");
  });

  it.each<[string, string, object, string]>([
    [
      "a key of a ConfigMap",
      maps,
      { data: { "a b": "x" } },
      'data[a b]: Invalid value: "a b": a valid config key must consist of',
    ],
    [
      "the data of a Secret",
      secrets,
      { type: "kubernetes.io/dockerconfigjson" },
      "data[.dockerconfigjson]: Required value",
    ],
    [
      "the image of a Pod",
      pods,
      { spec: { containers: [{ name: "app" }] } },
      "spec.containers[0].image: Required value",
    ],
    [
      "the taint of a Node",
      "/api/v1/nodes",
      { spec: { taints: [{ key: "a", effect: "Maybe" }] } },
      "metadata.taints[0].effect: Unsupported value: ",
    ],
    [
      "the duration of a Lease",
      "/apis/coordination.k8s.io/v1/namespaces/default/leases",
      { spec: { leaseDurationSeconds: 0 } },
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    ],
  ])("checks %s", async (_what, url, body, message) => {
    const test = await ServerUnderTest.start();
    const answer = await test.create(url, { metadata: { name: "a" }, ...body });
    expect(answer.object).toMatchObject({ code: 422, reason: "Invalid", message: expect.stringContaining(message) });
    expect((await test.get(`${url}/a`)).status).toBe(404);
  });

  it("warns of what is odd about a new Pod, and not when it changes later", async () => {
    const test = await ServerUnderTest.start();
    const created = await test.create(pods, pod("a.b"));
    const changed = await test.patch(`${pods}/a.b`, "merge", { metadata: { labels: { a: "b" } } });
    expect(created.headers["warning"]).toEqual([expect.stringContaining("a DNS label is recommended")]);
    expect(changed.headers).not.toHaveProperty("warning");
  });

  it("keeps what is marked immutable", async () => {
    const test = await ServerUnderTest.start();
    await test.create(maps, { metadata: { name: "fixed" }, immutable: true, data: { a: "1" } });
    const answer = await test.patch(`${maps}/fixed`, "merge", { data: { a: "2" } });
    expect(answer.object).toMatchObject({
      code: 422,
      details: { causes: [{ reason: "FieldValueForbidden", field: "data" }] },
    });
  });
});
