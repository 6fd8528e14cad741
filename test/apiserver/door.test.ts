// The door: who may come in, what every answer carries, what is not there (api-machinery 7, 12.1).

import { describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { admin, ServerUnderTest } from "./api-server-fixture.ts";

const anonymous = { username: "system:anonymous", groups: ["system:unauthenticated"] };
const maps = "/api/v1/namespaces/default/configmaps";

describe("strangers", () => {
  it.each([
    ["/api/v1/pods", 401],
    ["/api", 401],
    ["/openapi/v3", 401],
    ["/nothing", 401],
    ["/healthz", 200],
    ["/livez/ping", 200],
    ["/readyz", 200],
    ["/version", 200],
  ])("get %s with %i", async (path, status) => {
    const test = await ServerUnderTest.start();
    expect((await test.send("GET", path, { user: anonymous })).status).toBe(status);
  });

  it("are told so with a Status", async () => {
    const test = await ServerUnderTest.start();
    expect((await test.send("GET", "/api/v1/pods", { user: anonymous })).object).toMatchObject({
      kind: "Status",
      code: 401,
      reason: "Unauthorized",
      message: "Unauthorized",
    });
  });
});

describe("health", () => {
  it("is ok in one word", async () => {
    const test = await ServerUnderTest.start();
    expect(await test.get("/readyz")).toMatchObject({
      status: 200,
      text: "ok",
      headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
    });
  });

  it("lists its checks when asked, without those left out", async () => {
    const test = await ServerUnderTest.start();
    const { text } = await test.get("/livez?verbose&exclude=log&exclude=nonsense");
    expect(text.split("\n")).toEqual([
      "[+]ping ok",
      "[+]log excluded: ok",
      "[+]etcd ok",
      "[+]poststarthook/start-system-namespaces-controller ok",
      "[+]poststarthook/rbac/bootstrap-roles ok",
      "[+]poststarthook/scheduling/bootstrap-system-priority-classes ok",
      'warn: some health checks cannot be excluded: no matches for "nonsense"',
      "livez check passed",
      "",
    ]);
  });

  it("withholds reasons from the list and tells them for a single check", async () => {
    const test = await ServerUnderTest.start();
    await test.store.close();
    const all = await test.get("/readyz");
    expect(all.status).toBe(500);
    expect(all.text).toContain("[-]etcd failed: reason withheld\n");
    expect(all.text).toMatch(/readyz check failed\n$/);
    expect(await test.get("/readyz/etcd")).toMatchObject({
      status: 500,
      text: expect.stringMatching(/^internal server error: /),
    });
  });

  it("knows a single check by its name, also one with a slash", async () => {
    const test = await ServerUnderTest.start();
    expect((await test.get("/readyz/poststarthook/rbac/bootstrap-roles")).text).toBe("ok");
    expect((await test.get("/readyz/nonsense")).status).toBe(404);
  });

  it("is not ready once it stops", async () => {
    const test = await ServerUnderTest.start();
    await test.server.stop();
    expect((await test.get("/readyz")).status).toBe(500);
  });
});

describe("every answer", () => {
  it("carries an audit id: the caller's, or a new one", async () => {
    const test = await ServerUnderTest.start();
    expect((await test.get("/version", { "audit-id": "mine-1" })).headers["audit-id"]).toBe("mine-1");
    expect((await test.get("/version", { "audit-id": "bad\nid" })).headers["audit-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect((await test.get("/nothing")).headers["audit-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is not to be cached", async () => {
    const test = await ServerUnderTest.start();
    for (const path of ["/api/v1/pods", "/api/v1/namespaces/default", "/readyz"]) {
      expect((await test.get(path)).headers["cache-control"]).toBe("no-cache, private");
    }
  });
});

describe("what is not there", () => {
  it.each(["/nothing", "/apis/nope/v1/things", "/api/v2/pods", "/api//v1/pods"])(
    "%s gets a plain 404",
    async (path) => {
      const test = await ServerUnderTest.start();
      expect(await test.get(path)).toMatchObject({ status: 404, text: "404 page not found\n" });
    },
  );

  it.each([
    "/api/v1/deployments",
    "/api/v1/namespaces/default/nodes",
    "/api/v1/namespaces/default/pods/web/nonsense",
    "/api/v1/namespaces/default/pods/web/log/more",
    "/api/v1/pods/web",
  ])("%s gets a Status", async (path) => {
    const test = await ServerUnderTest.start();
    expect((await test.get(path)).object).toMatchObject({
      code: 404,
      reason: "NotFound",
      message: "the server could not find the requested resource",
    });
  });

  it.each([
    ["POST", `${maps}/a`],
    ["POST", "/api/v1/configmaps"],
    ["PUT", maps],
    ["PATCH", maps],
    ["DELETE", "/api/v1/configmaps"],
    ["HEAD", maps],
    ["OPTIONS", maps],
    ["POST", "/api/v1/namespaces/default/pods/web/status"],
    ["DELETE", "/api/v1/namespaces/default/pods/web/status"],
    ["GET", "/api/v1/namespaces/default/pods/web/binding"],
  ] as const)("%s %s is not allowed", async (method, path) => {
    const test = await ServerUnderTest.start();
    expect((await test.send(method, path, { body: {} })).object).toMatchObject({
      code: 405,
      reason: "MethodNotAllowed",
      message: "the server does not allow this method on the requested resource",
    });
  });

  it("names a verb that a resource does not have", async () => {
    const test = await ServerUnderTest.start();
    const answer = await test.delete("/api/v1/namespaces");
    expect(answer.object).toMatchObject({
      code: 405,
      message: 'deletecollection is not supported on resources of kind "namespaces"',
    });
  });

  it.each([
    ["/api/v1/namespaces/default/pods/a%2Fb", `Name parameter invalid: "a/b": may not contain '/'`],
    ["/api/v1/namespaces/default/pods/%25", `Name parameter invalid: "%": may not contain '%'`],
    ["/api/v1/namespaces/%2E%2E/pods", `Name parameter invalid: "..": may not be '..'`],
    ["/api/v1/namespaces/default/pods/%zz", 'invalid URL escape in "%zz"'],
  ])("%s is refused", async (path, message) => {
    const test = await ServerUnderTest.start();
    expect((await test.get(path)).object).toMatchObject({ code: 400, reason: "BadRequest", message });
  });
});

it("answers in no form that nobody can read", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.get(maps, { accept: "image/png" })).object).toMatchObject({ code: 406, reason: "NotAcceptable" });
});

it("tells its own failures apart from the client's, and reports them", async () => {
  const test = await ServerUnderTest.start();
  await test.store.close();
  const answer = await test.create(maps, { metadata: { name: "a" } });
  expect(answer.object).toMatchObject({ code: 500, reason: "InternalError" });
  expect(test.errors).toHaveLength(1);
});

describe("a request that takes long", () => {
  /** A read that waits for a version which is not there yet: three seconds at most. */
  const slow = (test: ServerUnderTest, query: string, signal?: AbortSignal) =>
    test.server.handle({
      method: "GET",
      path: maps,
      query: new URLSearchParams(`resourceVersion=999&${query}`),
      headers: {},
      user: admin,
      ...(signal && { signal }),
    });
  const { signal } = new AbortController();
  const statusOf = async (answer: ReturnType<typeof slow>) => {
    const { status, body } = await answer;
    return { status, message: body.kind === "object" ? body.object["message"] : "" };
  };

  it("is given up when the client's time is over", async () => {
    const test = await ServerUnderTest.start();
    const answer = statusOf(slow(test, "timeout=1s", signal));
    await test.clock.advance(seconds(1));
    expect(await answer).toEqual({
      status: 504,
      message: "Timeout: request did not complete within the allotted timeout",
    });
  });

  it.each([
    ["when the client allows more", "timeout=32s", signal],
    ["when the client sets no limit", "timeout=0", signal],
    ["when the caller is in the same process", "timeout=1s", undefined],
  ])("is answered %s", async (_when, query, given) => {
    const test = await ServerUnderTest.start();
    const answer = statusOf(slow(test, query, given));
    await test.clock.advance(seconds(10));
    expect((await answer).message).toMatch(/Too large resource version/);
  });

  it("is refused when its limit is none", async () => {
    const test = await ServerUnderTest.start();
    expect(await test.get(`${maps}?timeout=soon`)).toMatchObject({
      status: 400,
      object: { reason: "BadRequest", message: 'invalid timeout specified in the request URL: "soon"' },
    });
  });
});
