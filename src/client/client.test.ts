import { beforeEach, describe, expect, it } from "vitest";
import { objectResponse } from "../../test/fakes/fake-api-server.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../api/wire/request.ts";
import { StatusError, conflict, notFound, serviceUnavailable, tooManyRequests } from "../api/wire/status-error.ts";
import { settle } from "../host/settle.ts";
import { VirtualClock, virtualEpoch } from "../simulation/virtual-clock.ts";
import { type Client, createClient } from "./client.ts";
import { conflictRetryLimit, retryOnConflict } from "./retry.ts";

let clock: VirtualClock;
let requests: ApiRequest[];
let answers: (() => ApiResponse)[];
let client: Client;

beforeEach(() => {
  clock = new VirtualClock(settle);
  requests = [];
  answers = [];
  client = createClient({
    transport: (request) => {
      requests.push(request);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return Promise.resolve(answer === undefined ? objectResponse(200, { kind: "Pod" }) : answer());
    },
    user: { username: "system:kube-scheduler", groups: ["system:authenticated"] },
    userAgent: "test/1",
    clock,
  });
});

const pod = { metadata: { name: "web", namespace: "shop" } };
const refused = (error: StatusError) => () => objectResponse(error.code, error.status as unknown as JsonObject);

type Row = [string, (client: Client) => Promise<unknown>, string, unknown?, string?];
it.each<Row>([
  ["get", (c) => c.pods.get("web", "shop"), "GET /api/v1/namespaces/shop/pods/web"],
  ["get outside namespaces", (c) => c.nodes.get("a"), "GET /api/v1/nodes/a"],
  ["get of a grouped kind", (c) => c.leases.get("l", "n"), "GET /apis/coordination.k8s.io/v1/namespaces/n/leases/l"],
  ["a name that needs escaping", (c) => c.nodes.get("a b/c"), "GET /api/v1/nodes/a%20b%2Fc"],
  ["list of all namespaces", (c) => c.pods.list(), "GET /api/v1/pods"],
  [
    "list with options",
    (c) => c.pods.list({ namespace: "shop", labelSelector: "app=web", limit: 5 }),
    "GET /api/v1/namespaces/shop/pods?labelSelector=app%3Dweb&limit=5",
  ],
  [
    "create, completed with kind and version",
    (c) => c.pods.create(pod, "shop"),
    "POST /api/v1/namespaces/shop/pods",
    { apiVersion: "v1", kind: "Pod", ...pod },
    "application/json",
  ],
  ["update", (c) => c.pods.update(pod as never), "PUT /api/v1/namespaces/shop/pods/web", pod, "application/json"],
  [
    "update of the status",
    (c) => c.pods.updateStatus(pod as never),
    "PUT /api/v1/namespaces/shop/pods/web/status",
    pod,
    "application/json",
  ],
  [
    "JSON patch",
    (c) => c.pods.patch("web", "shop", "json", [{ op: "remove", path: "/x" }]),
    "PATCH /api/v1/namespaces/shop/pods/web",
    [{ op: "remove", path: "/x" }],
    "application/json-patch+json",
  ],
  [
    "merge patch",
    (c) => c.nodes.patch("a", undefined, "merge", { spec: null }),
    "PATCH /api/v1/nodes/a",
    { spec: null },
    "application/merge-patch+json",
  ],
  [
    "strategic patch of the status",
    (c) => c.pods.patch("web", "shop", "strategic", {}, "status"),
    "PATCH /api/v1/namespaces/shop/pods/web/status",
    {},
    "application/strategic-merge-patch+json",
  ],
  [
    "delete",
    (c) => c.pods.delete("web", "shop", { gracePeriodSeconds: 0, preconditions: { uid: "u" } }),
    "DELETE /api/v1/namespaces/shop/pods/web",
    { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: 0, preconditions: { uid: "u" } },
    "application/json",
  ],
  [
    "binding",
    (c) => c.pods.createSubresource("web", "shop", "binding", { kind: "Binding" }),
    "POST /api/v1/namespaces/shop/pods/web/binding",
    { kind: "Binding" },
    "application/json",
  ],
  [
    "finalize",
    (c) => c.namespaces.updateSubresource("shop", undefined, "finalize", { kind: "Namespace" }),
    "PUT /api/v1/namespaces/shop/finalize",
    { kind: "Namespace" },
    "application/json",
  ],
])("sends a %s", async (_what, call, line, body, contentType) => {
  answers = [() => objectResponse(200, { metadata: { resourceVersion: "7" }, items: [] })];
  await call(client);
  const [request] = requests as [ApiRequest];
  const query = request.query.toString();
  expect(`${request.method} ${request.path}${query === "" ? "" : `?${query}`}`).toBe(line);
  expect(request.body).toEqual(body === undefined ? undefined : { kind: "object", object: body });
  expect(request.headers["content-type"]).toBe(contentType);
  expect(request.headers["user-agent"]).toBe("test/1");
  expect(request.user.username).toBe("system:kube-scheduler");
});

it("refuses a call for a namespaced object without its namespace", () => {
  expect(() => client.pods.get("web")).toThrow("pods live in a namespace: name one");
});

describe("answers", () => {
  it("hands the server's object over as it is", async () => {
    const object = { kind: "Pod" };
    answers = [() => objectResponse(200, object)];
    expect(await client.pods.get("web", "shop")).toBe(object);
  });

  it("gives list items what the list left out, and no continue token on the last page", async () => {
    const items = [{ metadata: { name: "a" } }];
    answers = [() => objectResponse(200, { metadata: { resourceVersion: "7", continue: "" }, items })];
    expect(await client.nodes.list()).toEqual({
      items: [{ apiVersion: "v1", kind: "Node", metadata: { name: "a" } }],
      resourceVersion: "7",
    });
  });

  it("reads JSON bytes", async () => {
    const bytes = new TextEncoder().encode('{"kind":"Pod"}');
    answers = [() => ({ status: 200, headers: {}, body: { kind: "bytes", bytes } })];
    expect(await client.pods.get("web", "shop")).toEqual({ kind: "Pod" });
  });

  it("throws what the server refused as a StatusError", async () => {
    answers = [refused(notFound({ group: "", resource: "pods" }, "web"))];
    const failure = await client.pods.get("web", "shop").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StatusError);
    expect(failure).toMatchObject({ reason: "NotFound", code: 404, message: 'pods "web" not found' });
  });

  it("makes a StatusError of an answer that is none", async () => {
    answers = [() => ({ status: 404, headers: {}, body: { kind: "text", text: "404 page not found\n" } })];
    await expect(client.pods.get("web", "shop")).rejects.toMatchObject({
      code: 404,
      message: "the server answered with code 404: 404 page not found",
    });
  });
});

describe("retries", () => {
  const outcome = (call: Promise<unknown>): { settled: () => unknown } => {
    let result: unknown = "pending";
    call.then(
      () => (result = "done"),
      (error: unknown) => (result = error),
    );
    return { settled: () => result };
  };

  it.each([
    ["429", tooManyRequests("slow down", 3)],
    ["503", serviceUnavailable("starting", 3)],
  ])("come after the time a %s names", async (_code, error) => {
    answers = [refused(error), () => objectResponse(200, {})];
    const { settled } = outcome(client.pods.get("web", "shop"));
    await clock.advanceUntil(() => settled() !== "pending", 60_000 as never);
    expect(settled()).toBe("done");
    expect(clock.now() - virtualEpoch).toBe(3000);
  });

  it("read the time from the header, too", async () => {
    answers = [
      () => ({ status: 503, headers: { "retry-after": "2" }, body: { kind: "text", text: "busy" } }),
      () => objectResponse(200, {}),
    ];
    const { settled } = outcome(client.pods.get("web", "shop"));
    await clock.advanceUntil(() => settled() !== "pending", 60_000 as never);
    expect(clock.now() - virtualEpoch).toBe(2000);
  });

  it("do not happen unasked", async () => {
    answers = [refused(serviceUnavailable("down"))];
    await expect(client.pods.get("web", "shop")).rejects.toMatchObject({ code: 503 });
    expect(requests).toHaveLength(1);
  });

  it("end after ten", async () => {
    answers = [refused(tooManyRequests("slow down", 1))];
    const { settled } = outcome(client.pods.get("web", "shop"));
    await clock.advance(60_000 as never);
    expect(settled()).toMatchObject({ code: 429 });
    expect(requests).toHaveLength(11);
  });

  it("of a read-change-write loop end after the limit of conflicts", async () => {
    let turns = 0;
    const error = conflict({ group: "", resource: "pods" }, "web", "the object has been modified");
    await expect(
      retryOnConflict(() => {
        turns++;
        return Promise.reject(error);
      }),
    ).rejects.toBe(error);
    expect(turns).toBe(conflictRetryLimit);
    expect(
      await retryOnConflict(() =>
        turns++ < conflictRetryLimit + 2 ? Promise.reject(error) : Promise.resolve("written"),
      ),
    ).toBe("written");
  });
});
