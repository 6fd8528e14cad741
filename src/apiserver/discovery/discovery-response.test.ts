import { describe, expect, it } from "vitest";
import { kinds } from "../../api/kinds.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import { discoveryResponse } from "./discovery-response.ts";

function get(path: string, headers: Record<string, string> = {}): ApiResponse | undefined {
  const request: ApiRequest = {
    method: "GET",
    path,
    query: new URLSearchParams(),
    headers,
    user: { username: "test", groups: [] },
  };
  return discoveryResponse(request, kinds, ["/healthz"]);
}

function documentAt(path: string, headers: Record<string, string> = {}): JsonObject {
  const body = get(path, headers)?.body;
  return body?.kind === "object" ? (JSON.parse(body.json()) as JsonObject) : { not: body?.kind };
}

const kubectlAccept =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

describe("legacy discovery", () => {
  it("tells the versions of core and the groups with their preferred version", () => {
    expect(documentAt("/api", { host: "10.0.0.2:6443" })).toEqual({
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "10.0.0.2:6443" }],
    });
    const groups = documentAt("/apis")["groups"] as readonly JsonObject[];
    expect(groups.map((group) => group["name"])).toEqual([
      "apps",
      "events.k8s.io",
      "authentication.k8s.io",
      "authorization.k8s.io",
      "autoscaling",
      "batch",
      "policy",
      "storage.k8s.io",
      "scheduling.k8s.io",
      "coordination.k8s.io",
      "discovery.k8s.io",
      "metrics.k8s.io",
    ]);
    expect(documentAt("/apis/events.k8s.io")).toEqual({
      kind: "APIGroup",
      apiVersion: "v1",
      name: "events.k8s.io",
      versions: [{ groupVersion: "events.k8s.io/v1", version: "v1" }],
      preferredVersion: { groupVersion: "events.k8s.io/v1", version: "v1" },
    });
  });

  it("lists resources and subresources; what lives elsewhere says where", () => {
    const resources = documentAt("/api/v1")["resources"] as readonly JsonObject[];
    const named = (name: string) => resources.find((resource) => resource["name"] === name);
    expect(named("pods")).toEqual({
      name: "pods",
      singularName: "pod",
      namespaced: true,
      kind: "Pod",
      verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      shortNames: ["po"],
      categories: ["all"],
    });
    expect(named("pods/eviction")).toEqual({
      name: "pods/eviction",
      singularName: "",
      namespaced: true,
      group: "policy",
      version: "v1",
      kind: "Eviction",
      verbs: ["create"],
    });
    expect(named("namespaces/finalize")).toEqual({
      name: "namespaces/finalize",
      singularName: "",
      namespaced: false,
      kind: "Namespace",
      verbs: ["update"],
    });
  });

  it.each(["/api/v2", "/apis/nope", "/apis/events.k8s.io/v9", "/apis/nope/v1"])(
    "answers 404 in plain text for %s",
    (path) => {
      const response = get(path);
      expect([response?.status, response?.headers["content-type"]]).toEqual([404, "text/plain; charset=utf-8"]);
    },
  );

  it.each(["/api/v1/pods", "/apis/coordination.k8s.io/v1/leases", "/healthz", "/version/x", "/openapi/v3"])(
    "leaves %s to others",
    (path) => {
      expect(get(path)).toBeUndefined();
    },
  );

  it("tells who wonders about an unknown kind that nobody has defined any", () => {
    expect(documentAt("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")).toMatchObject({
      kind: "CustomResourceDefinitionList",
      items: [],
    });
    expect(get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things")).toBeUndefined();
  });

  it("tells the version, and the paths at the root", () => {
    expect(documentAt("/version")).toMatchObject({ major: "1", minor: "34", gitVersion: "v1.34.0+lifepod" });
    expect(documentAt("/")["paths"]).toEqual(
      expect.arrayContaining([
        "/api",
        "/api/v1",
        "/apis",
        "/apis/coordination.k8s.io/v1",
        "/healthz",
        "/openapi/v3",
        "/version",
      ]),
    );
  });
});

describe("aggregated discovery", () => {
  it("is given to those who ask for it, under its content type", () => {
    const response = get("/apis", { accept: kubectlAccept });
    expect(response?.headers).toMatchObject({
      "content-type": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
      vary: "Accept",
      "cache-control": "public",
    });
    expect(documentAt("/apis", { accept: kubectlAccept })).toMatchObject({
      kind: "APIGroupDiscoveryList",
      apiVersion: "apidiscovery.k8s.io/v2",
      items: [
        "apps",
        "events.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "policy",
        "storage.k8s.io",
        "scheduling.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "metrics.k8s.io",
      ].map((name) => ({
        metadata: { name },
      })),
    });
  });

  it.each([
    [
      "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
      "apidiscovery.k8s.io/v2beta1",
    ],
    ["application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json", undefined],
    ["application/json, */*", undefined],
  ])("answers %s with %s", (accept, apiVersion) => {
    expect(documentAt("/api", { accept })["apiVersion"]).toBe(apiVersion);
  });

  it("has the core group without a name, with scopes and subresources", () => {
    const [core] = documentAt("/api", { accept: kubectlAccept })["items"] as readonly [
      { metadata: object; versions: [{ resources: JsonObject[] }] },
    ];
    expect(core.metadata).toEqual({ creationTimestamp: null });
    const resources = core.versions[0].resources;
    expect(resources.map((resource) => resource["resource"])).toEqual(
      resources.map((resource) => resource["resource"]).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    );
    expect(resources.find((resource) => resource["resource"] === "namespaces")).toMatchObject({
      scope: "Cluster",
      subresources: [{ subresource: "finalize" }, { subresource: "status" }],
    });
  });

  it("answers 304 to those who have it already", () => {
    const etag = get("/apis", { accept: kubectlAccept })?.headers["etag"] as string;
    expect(etag).toMatch(/^"[0-9A-F]{32}"$/);
    expect(get("/apis", { accept: kubectlAccept, "if-none-match": etag })).toMatchObject({
      status: 304,
      body: { kind: "empty" },
    });
    expect(get("/api", { accept: kubectlAccept, "if-none-match": etag })?.status).toBe(200);
  });
});
