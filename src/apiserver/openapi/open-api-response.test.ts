import { describe, expect, it } from "vitest";
import { kinds } from "../../api/kinds.ts";
import { WireReader } from "../../api/protobuf/wire-reader.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../../api/wire/request.ts";
import { parseTime, type Instant } from "../../base/time.ts";
import { openApiResponse } from "./open-api-response.ts";

const now = parseTime("2025-01-02T03:04:05Z") as Instant;

async function get(url: string, headers: Record<string, string> = {}): Promise<ApiResponse> {
  const [path = "", query = ""] = url.split("?");
  const request: ApiRequest = {
    method: "GET",
    path,
    query: new URLSearchParams(query),
    headers,
    user: { username: "test", groups: [] },
  };
  const response = await openApiResponse(request, kinds, now);
  if (response === undefined) throw new Error(`${url} is not OpenAPI's`);
  return response;
}

async function documentAt(url: string): Promise<JsonObject> {
  const { body } = await get(url);
  if (body.kind !== "object") throw new Error(`${url} answered ${body.kind}`);
  return JSON.parse(body.json()) as JsonObject;
}

type Schemas = Readonly<
  Record<string, { readonly properties: Readonly<Record<string, JsonObject>>; readonly [key: string]: unknown }>
>;

const core = (): Promise<JsonObject> => documentAt("/openapi/v3/api/v1");
const schemasOf = (document: JsonObject): Schemas => (document["components"] as { readonly schemas: Schemas }).schemas;

function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "$ref" ? [String(inner)] : referencesIn(inner)));
}

const groupVersions = [
  "api/v1",
  "apis/apps/v1",
  "apis/events.k8s.io/v1",
  "apis/authentication.k8s.io/v1",
  "apis/authorization.k8s.io/v1",
  "apis/autoscaling/v2",
  "apis/autoscaling/v1",
  "apis/batch/v1",
  "apis/policy/v1",
  "apis/storage.k8s.io/v1",
  "apis/scheduling.k8s.io/v1",
  "apis/coordination.k8s.io/v1",
  "apis/discovery.k8s.io/v1",
  "apis/metrics.k8s.io/v1beta1",
];

describe("the OpenAPI v3 index", () => {
  it("lists every served group version with the address of its present document", async () => {
    const { paths } = (await documentAt("/openapi/v3")) as { paths: Record<string, { serverRelativeURL: string }> };
    expect(Object.keys(paths)).toEqual(groupVersions);
    const url = paths["api/v1"]?.serverRelativeURL ?? "";
    expect(url).toMatch(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{32}$/);
    expect(await get(url)).toMatchObject({
      status: 200,
      headers: {
        "cache-control": "public, immutable",
        expires: "Fri, 02 Jan 2026 03:04:05 GMT",
        vary: "Accept",
        "content-type": "application/json",
      },
    });
  });

  it("sends who has an old address to the present one, and answers 304 to who has the document", async () => {
    const { headers } = await get("/openapi/v3/api/v1");
    const etag = headers["etag"] as string;
    const hash = etag.slice(1, -1);
    expect(await get("/openapi/v3/api/v1?hash=OLD")).toMatchObject({
      status: 301,
      headers: { location: `/openapi/v3/api/v1?hash=${hash}` },
    });
    expect(await get(`/openapi/v3/api/v1?hash=${hash}`, { "if-none-match": etag })).toMatchObject({
      status: 304,
      body: { kind: "empty" },
    });
    expect(headers["cache-control"]).toBeUndefined();
  });

  it.each([
    ["/openapi/v3/apis/nope/v1", {}, 404],
    ["/openapi/v3", { accept: "text/html" }, 406],
    ["/openapi/v3/api/v1", { accept: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf" }, 406],
    [
      "/openapi/v3/api/v1",
      { accept: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf, application/json" },
      200,
    ],
    ["/openapi/v2", { accept: "text/html" }, 406],
  ])("answers %s %o with %i", async (url, headers, status) => {
    expect((await get(url, headers)).status).toBe(status);
  });

  it("leaves other paths to others", async () => {
    const request: ApiRequest = {
      method: "GET",
      path: "/openapi",
      query: new URLSearchParams(),
      headers: {},
      user: { username: "", groups: [] },
    };
    expect(await openApiResponse(request, kinds, now)).toBeUndefined();
  });
});

describe("an OpenAPI v3 document", () => {
  it("defines everything that it refers to", async () => {
    for (const path of groupVersions) {
      const document = await documentAt(`/openapi/v3/${path}`);
      const defined = new Set(Object.keys(schemasOf(document)).map((name) => `#/components/schemas/${name}`));
      expect(referencesIn(document).filter((reference) => !defined.has(reference))).toEqual([]);
    }
  });

  it("offers for every resource that can be patched: field validation, and the patch types that the server carries out", async () => {
    const paths = (await core())["paths"] as Record<string, Record<string, JsonObject>>;
    const patch = paths["/api/v1/namespaces/{namespace}/pods/{name}"]?.["patch"] as JsonObject;
    expect(patch["x-kubernetes-group-version-kind"]).toEqual({ group: "", version: "v1", kind: "Pod" });
    expect((patch["parameters"] as readonly JsonObject[]).map((parameter) => parameter["name"])).toContain(
      "fieldValidation",
    );
    expect(Object.keys((patch["requestBody"] as { content: object }).content)).toEqual([
      "application/json-patch+json",
      "application/merge-patch+json",
      "application/strategic-merge-patch+json",
    ]);
  });

  it("has an operation for every verb of every resource, each with an id of its own", async () => {
    const documents = await Promise.all(groupVersions.map((path) => documentAt(`/openapi/v3/${path}`)));
    const operations = documents.flatMap((document) =>
      Object.values(document["paths"] as Record<string, Record<string, JsonObject>>).flatMap((item) =>
        Object.entries(item).flatMap(([method, operation]) => (method === "parameters" ? [] : [operation])),
      ),
    );
    const ids = operations.map((operation) => operation["operationId"]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        "listCoreV1PodForAllNamespaces",
        "readCoreV1NamespacedPodLog",
        "createCoreV1NamespacedPodEviction",
        "replaceCoreV1NodeStatus",
        "deleteCoordinationV1NamespacedLease",
      ]),
    );
  });

  it("carries what clients compute patches from", async () => {
    const schemas = schemasOf(await core());
    const spec = schemas["io.k8s.api.core.v1.PodSpec"]?.properties;
    expect(spec?.["containers"]).toMatchObject({
      type: "array",
      items: { $ref: "#/components/schemas/io.k8s.api.core.v1.Container" },
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "name",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    });
    expect(spec?.["volumes"]).toMatchObject({ "x-kubernetes-patch-strategy": "merge,retainKeys" });
    expect(spec?.["restartPolicy"]).toMatchObject({ type: "string", enum: ["Always", "OnFailure", "Never"] });
    expect(schemas["io.k8s.api.core.v1.Pod"]).toMatchObject({
      "x-kubernetes-group-version-kind": [{ group: "", version: "v1", kind: "Pod" }],
    });
    expect(spec?.["securityContext"]).toMatchObject({
      allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.PodSecurityContext" }],
    });
  });
});

describe("the OpenAPI v2 document", () => {
  it("is there as JSON with everything it refers to", async () => {
    const document = await documentAt("/openapi/v2");
    const defined = new Set(Object.keys(document["definitions"] as object).map((name) => `#/definitions/${name}`));
    expect(document["swagger"]).toBe("2.0");
    expect(referencesIn(document).filter((reference) => !defined.has(reference))).toEqual([]);
  });

  it("is there as protobuf for the clients that ask for nothing else", async () => {
    const { body, headers } = await get("/openapi/v2", {
      accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    });
    expect(headers["content-type"]).toBe("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    const reader = new WireReader(body.kind === "bytes" ? body.bytes : new Uint8Array());
    const fields: number[] = [];
    while (!reader.done) {
      const { number, wire } = reader.tag();
      fields.push(number);
      reader.skip(wire);
    }
    expect(fields).toEqual([1, 2, 8, 9]); // swagger, info, paths, definitions
  });
});
