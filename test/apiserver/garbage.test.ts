// Whatever comes in: an answer goes out, nothing throws, and what was refused has changed nothing.

import fc from "fast-check";
import { expect, it } from "vitest";
import type { ApiRequest, ApiResponse, JsonObject } from "../../src/api/wire/request.ts";
import { seconds } from "../../src/base/time.ts";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const word = fc.oneof(
  fc.constantFrom(
    "api",
    "apis",
    "v1",
    "pods",
    "namespaces",
    "default",
    "web",
    "status",
    "log",
    "binding",
    "eviction",
    "finalize",
    "watch",
    "nodes",
    "events",
    "events.k8s.io",
    "coordination.k8s.io",
    "leases",
    "configmaps",
    "secrets",
    "openapi",
    "v3",
    "readyz",
    "..",
    ".",
    "%2e%2e",
    "%2F",
    "%",
    "%zz",
    "__proto__",
    "constructor",
    "",
    " ",
    "ü",
    "x".repeat(300),
  ),
  fc.string({ maxLength: 12 }),
);
const known = fc.constantFrom(
  "/api/v1/namespaces/default/pods",
  "/api/v1/namespaces/default/pods/web",
  "/api/v1/namespaces/default/pods/web/status",
  "/api/v1/namespaces/default/pods/web/binding",
  "/api/v1/namespaces/default/pods/web/eviction",
  "/api/v1/namespaces/default/pods/web/log",
  "/api/v1/namespaces/default/configmaps",
  "/api/v1/namespaces/default/events",
  "/apis/events.k8s.io/v1/namespaces/default/events",
  "/apis/coordination.k8s.io/v1/namespaces/default/leases/leader",
  "/api/v1/namespaces/team",
  "/api/v1/namespaces/team/finalize",
  "/api/v1/nodes",
);
const path = fc.oneof(
  known,
  fc.array(word, { maxLength: 8 }).map((words) => `/${words.join("/")}`),
);

const parameter = fc.constantFrom(
  "watch",
  "limit",
  "continue",
  "resourceVersion",
  "resourceVersionMatch",
  "labelSelector",
  "fieldSelector",
  "dryRun",
  "fieldValidation",
  "fieldManager",
  "force",
  "gracePeriodSeconds",
  "propagationPolicy",
  "orphanDependents",
  "pretty",
  "includeObject",
  "timeoutSeconds",
  "allowWatchBookmarks",
  "sendInitialEvents",
  "tailLines",
  "container",
  "sinceTime",
);
const value = fc.oneof(
  fc.constantFrom(
    "",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "999999999999999999999",
    "All",
    "Exact",
    "a=b",
    "a in (",
    "x!=",
    "\u0000",
    "abc",
  ),
  fc.string({ maxLength: 20 }),
);
const query = fc.array(fc.tuple(parameter, value), { maxLength: 4 });

const json: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.record({
    kind: fc.constantFrom("Pod", "ConfigMap", "Status", "", 7, null),
    apiVersion: fc.constantFrom("v1", "v9", "", null, {}),
    metadata: fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.record({ name: fc.constantFrom("web", "A_b", "", 7), labels: fc.jsonValue() }),
    ),
    spec: fc.jsonValue({ maxDepth: 3 }),
    status: fc.jsonValue({ maxDepth: 2 }),
  }),
  // Almost a Pod: one part of it is anything.
  fc
    .tuple(
      fc.constantFrom("containers", "volumes", "tolerations", "nodeName", "schedulingGates", "overhead"),
      fc.jsonValue(),
    )
    .map(([field, wrong]) => pod("web", { spec: { [field]: wrong } })),
);
const bytes = fc.oneof(
  json.map((document) => new TextEncoder().encode(JSON.stringify(document))),
  fc.uint8Array({ maxLength: 200 }),
  fc.constant(new TextEncoder().encode('{"a":'.repeat(3000))),
  fc.constant(new TextEncoder().encode("[".repeat(100_000))),
);
const contentType = fc.constantFrom(
  "",
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
  "text/plain",
  ";;;",
);
const accept = fc.constantFrom(
  "",
  "*/*",
  "application/json",
  "application/yaml",
  "text/html",
  "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  ";=,,",
);
const method = fc.constantFrom<ApiRequest["method"]>("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS");

it("is answered, never thrown, and changes nothing when it is refused", async () => {
  const test = await ServerUnderTest.start();
  await test.create("/api/v1/namespaces/default/pods", pod("web"));
  await test.create("/api/v1/namespaces", { metadata: { name: "team" } });

  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      query,
      contentType,
      accept,
      fc.oneof(bytes, json, fc.constant(undefined)),
      async (...parts) => {
        const [verb, where, parameters, type, wanted, body] = parts;
        const before = test.store.revision();
        const sent = body instanceof Uint8Array ? { bytes: body } : isBody(body) ? { body } : {};
        const url = `${where}?${new URLSearchParams([...parameters]).toString()}`;
        const answering = test.respond(verb, url, { ...sent, headers: { "content-type": type, accept: wanted } });
        await test.clock.advance(seconds(4)); // some requests wait for a state that never comes
        const response = await answering;

        expect(test.errors).toEqual([]);
        expect(response.status).toBeGreaterThanOrEqual(200);
        if (response.body.kind === "watch") response.body.watch.stop();
        expect(flawsOf(response, before, test.store.revision())).toEqual([]);
      },
    ),
    { numRuns: 3000, seed: 20_250_101 },
  );
});

const isBody = (document: unknown): document is JsonObject | readonly unknown[] =>
  typeof document === "object" && document !== null;

/** What is wrong with an answer to garbage. */
function flawsOf({ status, body }: ApiResponse, before: number, after: number): string[] {
  if (status < 400) return [];
  const flaws = before === after ? [] : [`refused with ${status}, yet revision ${before} became ${after}`];
  if (body.kind === "text") return flaws;
  if (body.kind !== "object") return [...flaws, `refused with a ${body.kind} body`];
  const { kind, status: outcome, code } = body.object;
  const isStatus = kind === "Status" && outcome === "Failure" && code === status;
  return isStatus ? flaws : [...flaws, `refused with ${JSON.stringify(body.object)}`];
}
