// Whatever the network brings: an answer in upstream's words, an unchanged store, and a server that goes on.

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answered, type Ask, ServedApi } from "./served-api.ts";

let api: ServedApi;
beforeAll(async () => {
  api = await ServedApi.start();
  await api.good("POST", "/api/v1/namespaces/default/pods", pod("web"));
  await api.good("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "settings" }, data: { a: "b" } });
});
afterAll(() => api.stop());

const pod = (name: string): object => ({
  metadata: { name },
  spec: { containers: [{ name: "main", image: "busybox", command: ["true"] }] },
});

const doors: readonly ["HTTP/1.1" | "HTTP/2", () => Ask][] = [
  ["HTTP/1.1", () => api.http1],
  ["HTTP/2", () => api.http2],
];

/** What is wrong with the answer to a request that cannot be granted. */
function flawsOf({ status, text, headers }: Answered): string[] {
  if (status < 400 || status > 599) return [`not refused but ${status}: ${text.slice(0, 200)}`];
  if (String(headers["content-type"]).startsWith("text/plain")) return text === "404 page not found\n" ? [] : [text];
  const parsed = JSON.parse(text) as { kind?: unknown; status?: unknown; code?: unknown };
  return parsed.kind === "Status" && parsed.status === "Failure" && parsed.code === status ? [] : [text.slice(0, 300)];
}

/** Asks, and says what is wrong: a bad answer, a changed store, a complaint of the server. */
async function harmOf(ask: Ask, asked: Parameters<Ask>[0], code?: number): Promise<string[]> {
  const before = await api.dump();
  const answer = await ask(asked);
  const flaws = [...flawsOf(answer), ...api.complaints];
  if (code !== undefined && answer.status !== code)
    flaws.push(`not ${code} but ${answer.status}: ${answer.text.slice(0, 300)}`);
  if ((await api.dump()) !== before) flaws.push("the store changed");
  return flaws;
}

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const laughs = (): string => {
  const levels = ["a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]"];
  for (const [above, below] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].map((pair) => [
    pair.charAt(0),
    pair.charAt(1),
  ])) {
    levels.push(`${below}: &${below} [${Array.from({ length: 9 }, () => `*${above}`).join(",")}]`);
  }
  return `kind: ConfigMap\napiVersion: v1\nmetadata: {name: bomb}\n${levels.join("\n")}\n`;
};
const protobuf = (...bytes: number[]): Uint8Array => Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes]);
const hugeName = "x".repeat(70_000);

describe.each(doors)("over %s", (_name, door) => {
  const json = "application/json";
  const yaml = "application/yaml";
  const binary = "application/vnd.kubernetes.protobuf";

  it.each<[string, string, string | Uint8Array, number]>([
    ["half a JSON document", json, '{"metadata":{"name":"half"', 400],
    ["no body", json, "", 400],
    ["a body that is only NUL", json, "\u0000", 400],
    ["a list", json, "[]", 400],
    ["a text", json, '"pod"', 400],
    ["null", json, "null", 400],
    ["a number beyond all doubles", json, '{"metadata":{"name":"a","generation":1e999}}', 400],
    ["a whole number beyond 64 bits", json, '{"metadata":{"name":"a","generation":99999999999999999999999}}', 400],
    ["bytes that are no UTF-8", json, Uint8Array.from([0x7b, 0xff, 0xfe, 0x22, 0x7d]), 400],
    ["nesting without end in JSON", json, nested(200_000), 400],
    ["nesting without end in a list", json, "[".repeat(500_000), 400],
    ["nesting without end in YAML", yaml, "[".repeat(100_000), 400],
    ["nesting without end in YAML blocks", yaml, "- ".repeat(100_000), 400],
    ["aliases that multiply", yaml, laughs(), 400],
    ["an alias of itself", yaml, "metadata: &a {name: x, labels: *a}", 400],
    ["a tab where YAML has none", yaml, "metadata:\n\tname: x", 400],
    ["YAML that makes an object of a class", yaml, "!!js/function 'function(){}'", 400],
    ["protobuf without the magic number", binary, Uint8Array.from([1, 2, 3]), 400],
    ["protobuf that ends too early", binary, protobuf(0x0a, 0x7f), 400],
    [
      "protobuf with a length of 2^63",
      binary,
      protobuf(0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
      400,
    ],
    ["a name of 70,000 characters", json, JSON.stringify({ metadata: { name: hugeName } }), 422],
    ["a name that climbs", json, JSON.stringify({ metadata: { name: "../../../etc" } }), 422],
    ["a name with NUL", json, '{"metadata":{"name":"a\\u0000b"}}', 422],
    ["half a surrogate pair in a name", json, '{"metadata":{"name":"a\\ud800"}}', 422],
    ["a key that climbs", json, '{"metadata":{"name":"a"},"data":{"../../x":"y"}}', 422],
    ["a key called ..", json, '{"metadata":{"name":"a"},"data":{"..":"y"}}', 422],
    ["another kind", json, '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}}', 400],
    ["an unknown kind", json, '{"kind":"__proto__","apiVersion":"v1","metadata":{"name":"a"}}', 400],
    ["a kind named as what every object has", json, '{"kind":"constructor","apiVersion":"constructor/toString"}', 400],
    ["wrong types all over", json, '{"metadata":[],"data":7,"immutable":"yes"}', 400],
    ["another namespace than the URL's", json, '{"metadata":{"name":"a","namespace":"other"}}', 400],
    ["an unknown media type", "application/x-java-serialized-object", "\u00ac\u00ed", 415],
    ["more than 3 MiB", json, `{"metadata":{"name":"a"},"data":{"a":"${"x".repeat(5_000_000)}"}}`, 413],
    ["more than 1 MiB of data", json, `{"metadata":{"name":"a"},"data":{"a":"${"x".repeat(1_100_000)}"}}`, 422],
  ])("refuses to create from %s", async (_what, type, body, code) => {
    const path = "/api/v1/namespaces/default/configmaps";
    expect(await harmOf(door(), { method: "POST", path, headers: { "content-type": type }, body }, code)).toEqual([]);
  });

  const configMap = "/api/v1/namespaces/default/configmaps/settings";
  it.each<[string, string, string]>([
    ["no list", "application/json-patch+json", "{}"],
    ["an operation that does not exist", "application/json-patch+json", '[{"op":"eval","path":"/data/a"}]'],
    ["a test that fails", "application/json-patch+json", '[{"op":"test","path":"/data/a","value":"x"}]'],
    ["a path to nowhere", "application/json-patch+json", '[{"op":"remove","path":"/nowhere/x"}]'],
    [
      "a path through __proto__",
      "application/json-patch+json",
      '[{"op":"add","path":"/__proto__/polluted","value":1}]',
    ],
    [
      "a path through constructor",
      "application/json-patch+json",
      '[{"op":"add","path":"/constructor/prototype/polluted","value":1}]',
    ],
    [
      "copies that double",
      "application/json-patch+json",
      JSON.stringify([
        { op: "add", path: "/data/x", value: "y".repeat(50_000) },
        ...Array.from({ length: 30 }, (_, i) => ({ op: "copy", from: "/data", path: `/data/c${i}` })),
      ]),
    ],
    ["a change of the name", "application/merge-patch+json", '{"metadata":{"name":"other"}}'],
    ["a change of the namespace", "application/merge-patch+json", '{"metadata":{"namespace":"other"}}'],
    ["a text", "application/merge-patch+json", '"x"'],
    ["wrong types", "application/strategic-merge-patch+json", '{"data":["x"]}'],
    ["an unknown directive", "application/strategic-merge-patch+json", '{"metadata":{"$patch":"explode"}}'],
    ["half a document", "application/merge-patch+json", '{"data":'],
    ["nesting without end", "application/merge-patch+json", nested(100_000)],
    ["a type that is no patch", "application/json", '{"data":{"a":"c"}}'],
  ])("refuses a patch that is %s", async (_what, type, body) => {
    expect(await harmOf(door(), { method: "PATCH", path: configMap, headers: { "content-type": type }, body })).toEqual(
      [],
    );
  });

  it.each([
    "/../../etc/passwd",
    "/api/v1/namespaces/default/pods/../secrets",
    "/api/v1/namespaces/%2e%2e/pods/x",
    "/api/v1/namespaces/default/pods/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/api/v1/namespaces/default/pods/a%00b",
    "/api/v1/namespaces/default/pods/%",
    "/api/v1/namespaces/default/pods/%zz",
    "/api/v1/namespaces/default/pods/%ff%fe",
    "/api/v1/namespaces/default/pods/web%2flog",
    "/api/v1//namespaces/default/pods",
    "//api/v1/pods",
    "/api/v1/namespaces/default/pods/web/__proto__",
    "/api/v1/namespaces/default/__proto__",
    "/api/v1/namespaces/default/constructor/x",
    "/apis/__proto__/v1/pods",
    "/apis/constructor/prototype/toString",
    "/api/v1/toString",
    "/api/v1/hasOwnProperty/x",
    "/openapi/v3/apis/__proto__/v1",
    "/openapi/v3/../../etc/passwd",
    "/readyz/__proto__",
    "/readyz/constructor",
    `/api/v1/namespaces/default/pods/${"x".repeat(10_000)}`,
    `/${"a/".repeat(5000)}`,
    "/api/v1/namespaces/default/pods/web/log?container=../../../etc/passwd",
    "/api/v1/namespaces/default/pods/web/log?tailLines=-1",
    "/api/v1/namespaces/default/pods?limit=many",
    "/api/v1/namespaces/default/pods?resourceVersion=__proto__",
    "/api/v1/namespaces/default/pods?resourceVersion=-1",
    "/api/v1/namespaces/default/pods?continue=%00%ff",
    "/api/v1/namespaces/default/pods?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4vLi4ifQ",
    "/api/v1/namespaces/default/pods?labelSelector=a%20in%20(",
    "/api/v1/namespaces/default/pods?fieldSelector=__proto__%3Dx",
    "/api/v1/namespaces/default/pods?watch=1&resourceVersion=x",
  ])("refuses GET %s", async (path) => {
    expect(await harmOf(door(), { path })).toEqual([]);
  });

  it("keeps what every object has out of reach of names in documents", async () => {
    const hostile = (name: string): string =>
      `{"metadata":{"name":"${name}","labels":{"constructor":"x","toString":"y"},"annotations":{"__proto__":"z"}},"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"data":{"__proto__":"a","constructor":"b"}}`;
    const path = "/api/v1/namespaces/default/configmaps";
    const name = `proto-${_name === "HTTP/2" ? 2 : 1}`;
    const made = await door()({ method: "POST", path, body: hostile(name), headers: { "content-type": json } });
    expect(made.status).toBe(422);
    const merge = { "content-type": "application/merge-patch+json" };
    const patched = await door()({
      method: "PATCH",
      path: configMap,
      headers: merge,
      body: '{"__proto__":{"polluted":1},"data":{"constructor":"b","toString":"c"}}',
    });
    expect(patched.status).toBe(200);
    expect((JSON.parse(patched.text) as { data: object }).data).toEqual({ a: "b", constructor: "b", toString: "c" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    await door()({
      method: "PATCH",
      path: configMap,
      headers: merge,
      body: '{"data":{"constructor":null,"toString":null}}',
    });
  });
});

it("refuses who shows no certificate everything but what everybody may see", async () => {
  for (const path of [
    "/api",
    "/apis",
    "/api/v1/pods",
    "/openapi/v2",
    "/openapi/v3",
    "/nowhere",
    "/metrics",
    "/api/v1/namespaces/default/secrets?watch=1",
  ]) {
    expect(await harmOf(api.http1, { path, anonymous: true }, 401)).toEqual([]);
  }
  for (const path of ["/healthz", "/livez/ping", "/readyz", "/version"])
    expect((await api.http1({ path, anonymous: true })).status).toBe(200);
});

it("answers generated garbage in upstream's shape and changes nothing it did not grant", async () => {
  const word = fc.oneof(
    fc.constantFrom(
      "api",
      "apis",
      "v1",
      "namespaces",
      "default",
      "pods",
      "configmaps",
      "settings",
      "web",
      "status",
      "log",
      "..",
      "%2e%2e",
      "%00",
      "%2F",
      "%",
      "",
      "__proto__",
      "constructor",
    ),
    fc.webSegment({ size: "small" }),
  );
  const path = fc.oneof(
    fc.constantFrom(
      "/api/v1/namespaces/default/configmaps",
      "/api/v1/namespaces/default/configmaps/settings",
      "/api/v1/namespaces/default/pods/web/status",
      "/api/v1/namespaces/default/pods/web",
    ),
    fc.array(word, { maxLength: 7 }).map((words) => `/${words.join("/")}`),
  );
  const query = fc.oneof(
    fc.constant(""),
    fc.webQueryParameters({ size: "small" }).map((text) => `?${text}`),
  );
  const value = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom("__proto__", "\ud800", "\u0000", -0, 1e308));
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json(),
    fc
      .record({ apiVersion: value, kind: value, metadata: value, data: value, spec: value })
      .map((each) => JSON.stringify(each)),
    fc
      .record({ metadata: fc.record({ name: value, labels: value, ownerReferences: value, finalizers: value }) })
      .map((each) => JSON.stringify(each)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => protobuf(...bytes)),
  );
  const type = fc.constantFrom(
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "text/html",
    ";",
  );
  const method = fc.constantFrom("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND");
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      method,
      path,
      query,
      type,
      body,
      async (isHttp2, verb, where, parameters, contentType, bytes) => {
        const before = await api.dump();
        const ask = isHttp2 ? api.http2 : api.http1;
        const answer = await ask({
          method: verb,
          path: where + parameters,
          headers: { "content-type": contentType },
          body: bytes,
        });
        const isGranted = answer.status < 300;
        expect([...api.complaints, ...(isGranted ? [] : flawsOf(answer))]).toEqual([]);
        expect(isGranted || (await api.dump()) === before).toBe(true);
      },
    ),
    { numRuns: 600, seed: 20_250_202 },
  );
  expect(await api.good("GET", "/api/v1/namespaces/default")).toMatchObject({ kind: "Namespace" });
});
