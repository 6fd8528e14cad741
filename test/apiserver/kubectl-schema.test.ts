// What the real kubectl makes of discovery, OpenAPI and the codec alone: a server that knows these three and keeps what it is sent.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeBody } from "../../src/apiserver/codec/decode-body.ts";
import { objectResponse, statusResponse, warningHeader } from "../../src/apiserver/codec/encode.ts";
import { discoveryResponse } from "../../src/apiserver/discovery/discovery-response.ts";
import { openApiResponse } from "../../src/apiserver/openapi/open-api-response.ts";
import { kinds, resourceKind } from "../../src/api/kinds.ts";
import type { ApiRequest, ApiResponse, JsonObject } from "../../src/api/wire/request.ts";
import { badRequest, notFound, StatusError } from "../../src/api/wire/status-error.ts";
import type { Instant } from "../../src/base/time.ts";
import { findKubectl, type KubectlResult, promisedKubectlVersions, runKubectl } from "./kubectl.ts";

const stored = new Map<string, JsonObject>();
let server: Server;
let home: string;
let address: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "lifepod-kubectl-"));
  server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const url = new URL(incoming.url ?? "/", "http://server");
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      const request: ApiRequest = {
        method: incoming.method as ApiRequest["method"],
        path: url.pathname,
        query: url.searchParams,
        headers,
        user: { username: "test", groups: [] },
        body: { kind: "bytes", bytes: Buffer.concat(chunks) },
      };
      void answer(request).then(({ status, headers: answered, body }) => {
        outgoing.writeHead(status, answered as Record<string, string>);
        outgoing.end(
          body.kind === "object"
            ? body.json()
            : body.kind === "bytes"
              ? body.bytes
              : body.kind === "text"
                ? body.text
                : "",
        );
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(home, { recursive: true });
});

async function answer(request: ApiRequest): Promise<ApiResponse> {
  try {
    const about = discoveryResponse(request, kinds) ?? (await openApiResponse(request, kinds, 0 as Instant));
    return about ?? objects(request);
  } catch (error) {
    return statusResponse(error instanceof StatusError ? error : badRequest(String(error)));
  }
}

/** Create, read and patch by a merge at the top: enough for kubectl to show what it sends. */
function objects(request: ApiRequest): ApiResponse {
  const match = /^\/api\/v1\/(?:namespaces\/[^/]+\/)?([a-z]+)(?:\/([^/]+))?$/.exec(request.path);
  const kind = resourceKind("", "v1", match?.[1] ?? "");
  const name = match?.[2] ?? "";
  if (kind === undefined) throw notFound({ group: "", resource: request.path }, name);
  if (request.method === "POST") {
    const { object, warnings } = decodeBody(
      request,
      kind,
      request.query.get("fieldValidation") === "Strict" ? "Strict" : "Warn",
    );
    stored.set((object["metadata"] as JsonObject)["name"] as string, object);
    const response = objectResponse(201, object);
    return {
      ...response,
      headers: { ...response.headers, ...(warnings.length > 0 ? { warning: warnings.map(warningHeader) } : {}) },
    };
  }
  const object = stored.get(name);
  if (object === undefined) throw notFound({ group: "", resource: kind.resource }, name);
  if (request.method === "PATCH" && request.body?.kind === "bytes") {
    stored.set("last patch", {
      contentType: request.headers["content-type"],
      patch: JSON.parse(new TextDecoder().decode(request.body.bytes)) as JsonObject,
    });
  }
  return objectResponse(200, object);
}

const pod = (name: string, more = ""): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers:\n  - {name: a, image: web:1${more}}\n`;

describe.each(promisedKubectlVersions)("kubectl %s", (version) => {
  const binary = findKubectl(version);
  const run = (args: readonly string[], stdin?: string): Promise<KubectlResult> =>
    runKubectl(binary ?? "", address, home, args, stdin);

  it.skipIf(binary === undefined)("lets the server validate a manifest, and shows what it found", async () => {
    expect(await run(["create", "-f", "-"], pod("good"))).toMatchObject({
      exitCode: 0,
      stdout: "pod/good created\n",
      stderr: "",
    });
    const refused = await run(["create", "-f", "-"], pod("bad", ", imagge: x"));
    expect(refused.stderr).toContain(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagge"',
    );
    const warned = await run(["create", "--validate=warn", "-f", "-"], pod("odd", ", imagge: x"));
    expect(warned).toMatchObject({ exitCode: 0, stderr: 'Warning: unknown field "spec.containers[0].imagge"\n' });
  });

  it.skipIf(binary === undefined)("computes a strategic merge patch from the published schema", async () => {
    await run(["apply", "-f", "-"], pod("patched"));
    const applied = await run(["apply", "-f", "-"], pod("patched").replace("web:1", "web:2"));
    expect(applied).toMatchObject({ exitCode: 0, stdout: "pod/patched configured\n", stderr: "" });
    expect(stored.get("last patch")).toMatchObject({
      contentType: "application/strategic-merge-patch+json",
      patch: { spec: { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "a", image: "web:2" }] } },
    });
  });

  it.skipIf(binary === undefined)("explains fields with their types, descriptions and required marks", async () => {
    const explained = await run(["explain", "pod.spec.containers.livenessProbe"]);
    expect(explained.stdout).toMatch(/FIELDS?:/);
    expect(explained.stdout).toContain("initialDelaySeconds");
    expect(explained.stdout).toContain("Probe describes a health check");
    expect((await run(["explain", "pods.spec"])).stdout).toMatch(/containers\s+<\[\](?:Container|Object)> -required-/);
    expect((await run(["explain", "leases.spec.renewTime"])).exitCode).toBe(0);
  });

  it.skipIf(binary === undefined)("lists the resources with short names, versions and kinds", async () => {
    const lines = (await run(["api-resources"])).stdout.split("\n").map((line) => line.trim().split(/\s+/));
    expect(lines).toContainEqual(["pods", "po", "v1", "true", "Pod"]);
    expect(lines).toContainEqual(["nodes", "no", "v1", "false", "Node"]);
    expect(lines).toContainEqual(["leases", "coordination.k8s.io/v1", "true", "Lease"]);
    expect(lines).toContainEqual(["events", "ev", "events.k8s.io/v1", "true", "Event"]);
  });

  it.skipIf(binary === undefined)("shows the server's version", async () => {
    expect((await run(["version"])).stdout).toContain("v1.34.0+lifepod");
  });

  it.skipIf(binary === undefined)("creates objects of typed commands", async () => {
    expect(await run(["create", "configmap", "settings", "--from-literal=a=1"])).toMatchObject({
      exitCode: 0,
      stdout: "configmap/settings created\n",
    });
    expect(stored.get("settings")).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings" },
      data: { a: "1" },
    });
  });
});
