import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseApiVersion } from "../../api/kinds.ts";
import { base64ToBytes } from "../../api/protobuf/base64.ts";
import { decodeObject } from "../../api/schema/decode-object.ts";
import type { GroupVersionKind, Schema } from "../../api/schema/schema.ts";
import { rootSchema } from "../../api/schema/schemas.ts";
import type { ApiRequest } from "../../api/wire/request.ts";
import { StatusError } from "../../api/wire/status-error.ts";
import { bodyLimitBytes, decodeBody, decodeDeleteOptions, type FieldValidation } from "./decode-body.ts";
import { recordedBodies } from "../../../test/fixtures/kubectl-bodies.ts";

const pod: GroupVersionKind = { group: "", version: "v1", kind: "Pod" };
const configMap: GroupVersionKind = { group: "", version: "v1", kind: "ConfigMap" };

function request(body: string | Uint8Array | undefined, contentType?: string): ApiRequest {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return {
    method: "POST",
    path: "/",
    query: new URLSearchParams(),
    headers: contentType === undefined ? {} : { "content-type": contentType },
    user: { username: "test", groups: [] },
    ...(bytes === undefined ? {} : { body: { kind: "bytes", bytes } }),
  };
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof StatusError
      ? `${error.code} ${error.reason}: ${error.message}`
      : `not a StatusError: ${String(error)}`;
  }
  return "none";
}

const refusalOf = (
  body: string | Uint8Array,
  contentType = "application/json",
  expected = pod,
  validation: FieldValidation = "Warn",
): string => refusal(() => decodeBody(request(body, contentType), expected, validation));

describe("protobuf bodies", () => {
  it.each(recordedBodies.map((recorded) => [recorded.command, recorded] as const))(
    "are read as what the command prints: %s",
    (_command, recorded) => {
      const { apiVersion, kind, body, printed } = recorded;
      const gvk = { ...parseApiVersion(apiVersion), kind };
      const { object, warnings } = decodeBody(
        request(base64ToBytes(body), "application/vnd.kubernetes.protobuf"),
        gvk,
        "Strict",
      );
      expect(object).toEqual(decodeObject(printed, rootSchema(gvk) as Schema).object);
      expect(warnings).toEqual([]);
    },
  );

  it("carry DeleteOptions of any group", () => {
    // k8s\0, Unknown{1: TypeMeta{1: "policy/v1", 2: "DeleteOptions"}, 2: {1: 0}}
    const bytes = new Uint8Array([
      0x6b,
      0x38,
      0x73,
      0,
      0x0a,
      26,
      0x0a,
      9,
      ...ascii("policy/v1"),
      0x12,
      13,
      ...ascii("DeleteOptions"),
      0x12,
      2,
      0x08,
      0,
    ]);
    expect(decodeDeleteOptions(request(bytes, "application/vnd.kubernetes.protobuf"))).toEqual({
      apiVersion: "v1",
      kind: "DeleteOptions",
      gracePeriodSeconds: 0,
    });
  });

  it.each([
    ["without the frame", ascii("nonsense"), "expected prefix 6b387300"],
    ["that end too early", [0x6b, 0x38, 0x73, 0, 0x0a, 200], "unexpected EOF"],
    [
      "of a kind that does not exist",
      [0x6b, 0x38, 0x73, 0, 0x0a, 7, 0x0a, 2, 0x76, 0x31, 0x12, 1, 0x58],
      'no kind "X" is registered for version "v1"',
    ],
  ])("%s are refused", (_what, bytes, message) => {
    const text = refusalOf(new Uint8Array(bytes), "application/vnd.kubernetes.protobuf");
    expect(text).toMatch(/^400 BadRequest: the object provided is unrecognized \(must be of type Pod\): /);
    expect(text).toContain(message);
  });

  it("cut anywhere are refused or read, never anything else", () => {
    const whole = base64ToBytes(recordedBodies.find((recorded) => recorded.kind === "Deployment")?.body ?? "");
    expect(whole.length).toBeGreaterThan(100);
    for (let length = 0; length < whole.length; length++) {
      const outcome = refusalOf(whole.subarray(0, length), "application/vnd.kubernetes.protobuf", {
        group: "apps",
        version: "v1",
        kind: "Deployment",
      });
      expect(outcome).toMatch(/^(?:none|400 BadRequest: .*)$/s);
    }
  });
});

describe("JSON bodies", () => {
  it("take apiVersion and kind from the URL when they name none", () => {
    const { object } = decodeBody(request('{"metadata":{"name":"a"},"data":{"k":"v"}}'), configMap, "Strict");
    expect(object).toEqual({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { k: "v" } });
  });

  it("are read without a content type and with parameters behind it", () => {
    expect(decodeBody(request("{}", "application/json; charset=utf-8"), configMap, "Warn").object["kind"]).toBe(
      "ConfigMap",
    );
  });

  it.each<[string, string, string]>([
    [
      "broken JSON",
      '{"a":1,}',
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character '}' looking for beginning of object key string ({\"a\":1,})",
    ],
    [
      "a body that ends too early",
      '{"a":',
      'the object provided is unrecognized (must be of type Pod): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"a":)',
    ],
    [
      "no JSON at all",
      "hello",
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value (68656c6c6f)",
    ],
    [
      "an empty body",
      "",
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      "another version",
      '{"apiVersion":"apps/v1","kind":"Deployment"}',
      "the API version in the data (apps/v1) does not match the expected API version (v1)",
    ],
    [
      "another kind",
      '{"apiVersion":"v1","kind":"ConfigMap"}',
      'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown conversion',
    ],
    [
      "an unknown kind",
      '{"apiVersion":"v1","kind":"Foo"}',
      'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      "a wrong type",
      '{"metadata":{"labels":"x"}}',
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [
      "a number that would come out changed",
      '{"spec":{"securityContext":{"runAsUser":9007199254740993}}}',
      'the object provided is unrecognized (must be of type Pod): couldn\'t get version/kind; json parse error: number 9007199254740993 at spec.securityContext.runAsUser cannot be represented exactly ({"spec":{"securityContext":{"r ...)',
    ],
  ])("are refused for %s", (_what, body, message) => {
    expect(refusalOf(body)).toBe(`400 BadRequest: ${message}`);
  });

  it.each(["[]", "1", "null", '"x"', "true"])("that are no object are refused: %s", (body) => {
    expect(refusalOf(body)).toMatch(/^400 BadRequest: the object provided is unrecognized/);
  });

  it("nested without end are refused", () => {
    expect(refusalOf("[".repeat(1_000_000))).toContain("exceeded max depth");
    expect(refusalOf(`{"spec":${'{"a":'.repeat(100_000)}`)).toContain("exceeded max depth");
  });

  it("of more than 3 MiB are refused before they are read", () => {
    expect(refusalOf(new Uint8Array(bodyLimitBytes + 1))).toBe(
      "413 RequestEntityTooLarge: Request entity too large: limit is 3145728",
    );
  });

  it("of another media type are refused", () => {
    expect(refusalOf("{}", "application/cbor")).toBe(
      "415 UnsupportedMediaType: the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    );
  });

  const sloppy =
    '{"metadata":{"name":"a","name":"b"},"spec":{"foo":1,"containers":[{"name":"c","image":"x","image":"y"}]}}';

  it("with unknown and duplicate fields are refused when the client asked for strictness", () => {
    expect(refusalOf(sloppy, "application/json", pod, "Strict")).toBe(
      '400 BadRequest: Pod in version "v1" cannot be handled as a Pod: strict decoding error: duplicate field "metadata.name", duplicate field "spec.containers[0].image", unknown field "spec.foo"',
    );
  });

  it("with unknown and duplicate fields are accepted with warnings by default: the last value counts", () => {
    const { object, warnings } = decodeBody(request(sloppy), pod, "Warn");
    expect(warnings).toEqual([
      'duplicate field "metadata.name"',
      'duplicate field "spec.containers[0].image"',
      'unknown field "spec.foo"',
    ]);
    expect(object["metadata"]).toEqual({ name: "b" });
    expect(JSON.stringify(object["spec"])).not.toContain("foo");
  });

  it("with unknown fields are accepted in silence when the client asked for that", () => {
    expect(decodeBody(request(sloppy), pod, "Ignore").warnings).toEqual([]);
  });
});

describe("YAML bodies", () => {
  it("have the scalars that Kubernetes' own parser sees", () => {
    const yaml = "data: {yes: no, mode: 0644}\nspec: 1\n";
    expect(refusalOf(yaml, "application/yaml", configMap)).toContain(
      "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string",
    );
    const { object } = decodeBody(
      request(
        "spec:\n  containers: [{name: a, tty: yes}]\n  volumes: [{name: v, secret: {defaultMode: 0644}}]\n",
        "application/yaml",
      ),
      pod,
      "Strict",
    );
    expect(object["spec"]).toMatchObject({
      containers: [{ name: "a", tty: true }],
      volumes: [{ name: "v", secret: { defaultMode: 420 } }],
    });
  });

  it("with a key twice are refused when the client asked for strictness", () => {
    expect(refusalOf("metadata:\n  name: a\n  name: b\n", "application/yaml", pod, "Strict")).toBe(
      '400 BadRequest: Pod in version "v1" cannot be handled as a Pod: strict decoding error: yaml: unmarshal errors:\n  line 3: key "name" already set in map',
    );
  });

  it.each([
    ["broken YAML", "a: [1"],
    ["a tab where spaces belong", "a:\n\t- b"],
    ["two documents", "a: 1\n---\nb: 2\n"],
    ["a number that JSON does not have", "a: .nan"],
    [
      "aliases that multiply",
      `a: &a [${"x,".repeat(50)}]\nb: &b [${"*a,".repeat(50)}]\nc: &c [${"*b,".repeat(50)}]\nd: [${"*c,".repeat(50)}]\n`,
    ],
    ["nesting without end", "[".repeat(20_000)],
  ])("are refused for %s", (_what, yaml) => {
    expect(refusalOf(yaml, "application/yaml")).toMatch(/^400 BadRequest: the object provided is unrecognized/);
  });
});

describe("generated garbage", () => {
  const kindsOfGarbage: readonly (readonly [string, fc.Arbitrary<Uint8Array>, string])[] = [
    ["bytes as JSON", fc.uint8Array({ maxLength: 60 }), "application/json"],
    ["values as JSON", fc.json().map((text) => new TextEncoder().encode(text)), "application/json"],
    [
      "wrong values in real fields",
      fc
        .record({
          metadata: fc.anything(),
          spec: fc.record({ containers: fc.oneof(fc.anything(), fc.array(fc.anything())), volumes: fc.anything() }),
        })
        .map(encodeJson),
      "application/json",
    ],
    [
      "texts as YAML",
      fc.string({ unit: "binary", maxLength: 60 }).map((text) => new TextEncoder().encode(text)),
      "application/yaml",
    ],
    [
      "near-YAML",
      fc
        .array(
          fc.constantFrom(
            "a",
            ": ",
            "- ",
            "\n",
            "  ",
            "{",
            "}",
            "[",
            "]",
            "&x ",
            "*x",
            "!!int ",
            "<<: ",
            "? ",
            "|",
            ">",
            "'",
            '"',
            "0o9",
            ".inf",
            "#",
          ),
          { maxLength: 20 },
        )
        .map((parts) => new TextEncoder().encode(parts.join(""))),
      "application/yaml",
    ],
    ["bytes as protobuf", fc.uint8Array({ maxLength: 80 }), "application/vnd.kubernetes.protobuf"],
    [
      "damaged protobuf",
      fc.tuple(fc.constantFrom(...recordedBodies), fc.nat(), fc.nat(255)).map(([{ body }, at, byte]) => {
        const bytes = base64ToBytes(body);
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
      "application/vnd.kubernetes.protobuf",
    ],
  ];

  it.each(kindsOfGarbage)("is read or refused, never anything else: %s", (_what, arbitrary, contentType) => {
    const property = fc.property(
      arbitrary,
      fc.constantFrom(pod, configMap, { group: "apps", version: "v1", kind: "Deployment" }),
      (bytes, expected) => /^(?:none$|400 BadRequest: )/.test(refusalOf(bytes, contentType, expected, "Strict")),
    );
    const details = fc.check(property, { numRuns: 1500 });
    expect(details.failed ? details.counterexample : "none failed").toBe("none failed");
  });
});

describe("DELETE options", () => {
  it("are absent without a body and with an empty one", () => {
    expect(decodeDeleteOptions(request(undefined))).toBeUndefined();
    expect(decodeDeleteOptions(request("", "application/json"))).toBeUndefined();
  });

  it("keep a grace period of zero and preconditions", () => {
    const body =
      '{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,"preconditions":{"uid":"1"},"propagationPolicy":"Background"}';
    expect(decodeDeleteOptions(request(body))).toEqual(JSON.parse(body));
  });
});

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function encodeJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner));
  return new TextEncoder().encode(text ?? "null");
}
