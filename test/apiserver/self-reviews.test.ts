// What clients ask about themselves (api-machinery 9.4).

import { expect, it } from "vitest";
import { ServerUnderTest } from "./api-server-fixture.ts";

const access = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
const whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const anonymous = { username: "system:anonymous", groups: ["system:unauthenticated"] };

it("tells a client who it is", async () => {
  const test = await ServerUnderTest.start();
  const user = { username: "ann", uid: "7", groups: ["ops", "system:authenticated"], extra: { team: ["a"] } };
  const answer = await test.send("POST", whoami, { body: {}, user });
  expect(answer.status).toBe(201);
  expect(answer.object).toMatchObject({
    kind: "SelfSubjectReview",
    apiVersion: "authentication.k8s.io/v1",
    status: { userInfo: user },
  });
});

it.each([
  { resourceAttributes: { namespace: "default", verb: "create", resource: "pods" } },
  { nonResourceAttributes: { path: "/metrics", verb: "get" } },
])("lets an administrator do everything: %j", async (spec) => {
  const test = await ServerUnderTest.start();
  const answer = await test.create(access, { spec });
  expect(answer).toMatchObject({
    status: 201,
    object: { kind: "SelfSubjectAccessReview", spec, status: { allowed: true } },
  });
});

it.each([
  [{}, "spec.resourceAttributes", "exactly one of nonResourceAttributes or resourceAttributes must be specified"],
  [
    { resourceAttributes: { verb: "get" }, nonResourceAttributes: { path: "/" } },
    "spec.nonResourceAttributes",
    "cannot be specified in combination with resourceAttributes",
  ],
])("must be asked about one thing: %j", async (spec, field, message) => {
  const test = await ServerUnderTest.start();
  const { object } = await test.create(access, { spec });
  expect(object).toMatchObject({
    code: 422,
    details: { kind: "SelfSubjectAccessReview", causes: [{ field, message: expect.stringContaining(message) }] },
  });
});

it("lists what an administrator may do", async () => {
  const test = await ServerUnderTest.start();
  expect((await test.create(rules, { spec: { namespace: "default" } })).object.status).toEqual({
    resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
    incomplete: false,
  });
  expect((await test.create(rules, { spec: {} })).object).toMatchObject({
    code: 400,
    message: "no namespace on request",
  });
});

it.each([access, rules, whoami])("answers nobody whom it does not know: %s", async (url) => {
  const test = await ServerUnderTest.start();
  expect((await test.send("POST", url, { body: {}, user: anonymous })).status).toBe(401);
});

it.each([
  ["GET", access, 405],
  ["DELETE", access, 405],
  ["POST", `${access}/name`, 404],
  ["POST", "/apis/authorization.k8s.io/v1/namespaces/default/selfsubjectaccessreviews", 404],
  ["POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", 404],
] as const)("%s %s is answered with %i: nothing of it is stored", async (method, url, status) => {
  const test = await ServerUnderTest.start();
  const spec = { resourceAttributes: { verb: "get", resource: "pods" } };
  expect((await test.send(method, url, method === "POST" ? { body: { spec } } : {})).status).toBe(status);
});

it("is in discovery", async () => {
  const test = await ServerUnderTest.start();
  const { object } = await test.get("/apis/authorization.k8s.io/v1");
  expect(object.resources).toMatchObject([
    { name: "selfsubjectaccessreviews", namespaced: false, kind: "SelfSubjectAccessReview", verbs: ["create"] },
    { name: "selfsubjectrulesreviews", namespaced: false, kind: "SelfSubjectRulesReview", verbs: ["create"] },
  ]);
});

it("says plainly that no tokens are issued", async () => {
  const test = await ServerUnderTest.start();
  const answer = await test.create("/api/v1/namespaces/default/serviceaccounts/default/token", { spec: {} });
  expect(answer.object).toMatchObject({
    code: 405,
    message: 'create is not supported on resources of kind "serviceaccounts/token"',
  });
});
