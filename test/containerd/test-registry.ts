// A registry of container images in this process, for pull tests: the read half of the OCI distribution protocol over HTTP, with optional
// basic authentication.

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ImageRecipe, ociImage } from "./oci-image.ts";

export interface TestRegistry {
  /** `127.0.0.1:<port>`, the first part of the names of its images. */
  readonly host: string;
  /** `METHOD path -> status` of every request so far. */
  readonly requests: readonly string[];
  /** Offers an image as `host/<repository>:<tag>` and returns that name. */
  add(repository: string, tag: string, recipe: Omit<ImageRecipe, "name">): string;
  close(): Promise<void>;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

interface Stored {
  readonly mediaType: string;
  readonly content: Buffer;
}

/**
 * @param credentials if given, others are turned away
 * @param gate is asked before anything of a repository is given: it may take its time, and refuse
 */
export async function startRegistry(
  credentials?: RegistryCredentials,
  gate?: (method: string, path: string) => Promise<"given" | "refused">,
): Promise<TestRegistry> {
  /** `repository/manifests/tag`, `repository/blobs/digest` → content. */
  const stored = new Map<string, Stored>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const carryOn = (given: "given" | "refused"): void => {
      answer(request, response, given === "given" ? stored : new Map(), credentials);
      requests.push(`${request.method} ${request.url} -> ${response.statusCode}`);
    };
    if (gate === undefined) carryOn("given");
    else void gate(request.method ?? "", request.url ?? "").then(carryOn);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    requests,
    add(repository, tag, recipe) {
      const image = ociImage({ ...recipe, name: `${host}/${repository}:${tag}` });
      const manifest = { mediaType: image.manifestType, content: image.manifest };
      stored.set(`${repository}/manifests/${tag}`, manifest);
      stored.set(`${repository}/manifests/${digestOf(image.manifest)}`, manifest);
      for (const content of image.blobs) {
        stored.set(`${repository}/blobs/${digestOf(content)}`, { mediaType: "application/octet-stream", content });
      }
      return `${host}/${repository}:${tag}`;
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  stored: ReadonlyMap<string, Stored>,
  credentials: RegistryCredentials | undefined,
): void {
  const refuse = (status: number, code: string, message: string): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ errors: [{ code, message }] }));
  };
  if (credentials !== undefined && request.headers.authorization !== basic(credentials)) {
    response.setHeader("www-authenticate", 'Basic realm="test"');
    refuse(401, "UNAUTHORIZED", "authentication required");
    return;
  }
  const path = new URL(request.url ?? "/", "http://registry").pathname.replace(/^\/v2\//, "");
  if (path === "") {
    response.writeHead(200).end("{}");
    return;
  }
  const found = stored.get(path);
  if (found === undefined) {
    refuse(404, path.includes("/manifests/") ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN", `${path} is not known`);
    return;
  }
  response.writeHead(200, {
    "content-type": found.mediaType,
    "content-length": found.content.length,
    "docker-content-digest": digestOf(found.content),
  });
  response.end(request.method === "HEAD" ? undefined : found.content);
}

const digestOf = (content: Buffer): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

const basic = ({ username, password }: RegistryCredentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
