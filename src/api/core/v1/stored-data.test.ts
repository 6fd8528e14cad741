import { describe, expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { ConfigMap, Secret } from "../../generated/core-v1.ts";
import { type FieldError, fieldErrorText } from "../../meta/field-errors.ts";
import { validateConfigMap, validateConfigMapUpdate } from "./config-map.ts";
import { defaultSecret, validateSecret, validateSecretUpdate } from "./secret.ts";
import { base64ByteLength, dataLimitBytes } from "./stored-data.ts";

const texts = (errors: readonly FieldError[]): string[] => errors.map(fieldErrorText);
const configMap = (fields: Draft<ConfigMap>): ConfigMap => ({ metadata: { name: "c" }, ...fields }) as ConfigMap;
const secret = (fields: Draft<Secret>): Secret => defaultSecret({ metadata: { name: "s" }, ...fields });

const keyRule =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const frozen = "Forbidden: field is immutable when `immutable` is set";

describe("a ConfigMap", () => {
  it.each<[string, Draft<ConfigMap>, string[]]>([
    ["with texts and bytes", { data: { "app.conf": "x" }, binaryData: { logo: "AAEC" } }, []],
    ["with the keys of every object's prototype", { data: { constructor: "x", ["__proto__x"]: "y" } }, []],
    ["with a bad key", { data: { "a/b": "x" } }, [`data[a/b]: Invalid value: "a/b": ${keyRule}`]],
    [
      "with a bad key of bytes",
      { binaryData: { "..": "" } },
      [`binaryData[..]: Invalid value: "..": must not be '..'`],
    ],
    [
      "with one key twice",
      { data: { a: "x" }, binaryData: { a: "AA==" } },
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    ["as large as it may be", { data: { a: "x".repeat(dataLimitBytes) } }, []],
    [
      "larger than that",
      { data: { a: "x".repeat(dataLimitBytes) }, binaryData: { b: "AA==" } },
      ["<nil>: Too long: may not be more than 1048576 bytes"],
    ],
    [
      "whose letters count more than one byte",
      { data: { a: "é".repeat(dataLimitBytes / 2 + 1) } },
      ["<nil>: Too long: may not be more than 1048576 bytes"],
    ],
  ])("%s", (_what, fields, errors) => {
    expect(texts(validateConfigMap(configMap(fields)))).toEqual(errors);
  });

  it.each<[string, Draft<ConfigMap>, Draft<ConfigMap>, string[]]>([
    ["changes", { data: { a: "1" } }, { data: { a: "2" } }, []],
    ["becomes immutable", { data: { a: "1" } }, { data: { a: "2" }, immutable: true }, []],
    [
      "keeps its data then",
      { data: { a: "1" }, immutable: true },
      { data: { a: "2" }, immutable: true },
      [`data: ${frozen}`],
    ],
    [
      "keeps its bytes then",
      { immutable: true },
      { binaryData: { a: "AA==" }, immutable: true },
      [`binaryData: ${frozen}`],
    ],
    ["stays immutable", { immutable: true }, {}, [`immutable: ${frozen}`]],
  ])("%s", (_what, old, next, errors) => {
    expect(texts(validateConfigMapUpdate(configMap(next), configMap(old)))).toEqual(errors);
  });
});

describe("a Secret", () => {
  it("is Opaque unless it says otherwise", () => {
    expect(secret({}).type).toBe("Opaque");
    expect(secret({ type: "kubernetes.io/tls" }).type).toBe("kubernetes.io/tls");
  });

  it("moves its texts into its data, where they win", () => {
    expect(secret({ data: { a: "AA==", b: "AA==" }, stringData: { b: "é", c: "" } })).toEqual({
      metadata: { name: "s" },
      type: "Opaque",
      data: { a: "AA==", b: "w6k=", c: "" },
    });
  });

  const auth = (data: Record<string, string>): Draft<Secret> => ({ type: "kubernetes.io/basic-auth", data });
  const docker = (text: string): Draft<Secret> => ({
    type: "kubernetes.io/dockerconfigjson",
    stringData: { ".dockerconfigjson": text },
  });
  const dockerError = (problem: string): string[] => [
    `data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": ${problem}`,
  ];

  it.each<[string, Draft<Secret>, string[]]>([
    ["of its users' own type", { type: "example.com/mine", data: {} }, []],
    ["with a bad key", { data: { "a b": "" } }, [`data[a b]: Invalid value: "a b": ${keyRule}`]],
    [
      "too large",
      { stringData: { a: "x".repeat(dataLimitBytes + 1) } },
      ["data: Too long: may not be more than 1048576 bytes"],
    ],
    [
      "for an account without its name",
      { type: "kubernetes.io/service-account-token" },
      ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
    ],
    [
      "for an account",
      {
        type: "kubernetes.io/service-account-token",
        metadata: { annotations: { "kubernetes.io/service-account.name": "a" } },
      },
      [],
    ],
    [
      "for basic authentication without anything",
      auth({}),
      ["data[username]: Required value", "data[password]: Required value"],
    ],
    ["for basic authentication with a password", auth({ password: "" }), []],
    [
      "for SSH without a key",
      { type: "kubernetes.io/ssh-auth", data: { "ssh-privatekey": "" } },
      ["data[ssh-privatekey]: Required value"],
    ],
    [
      "for TLS without anything",
      { type: "kubernetes.io/tls" },
      ["data[tls.crt]: Required value", "data[tls.key]: Required value"],
    ],
    ["for TLS", { type: "kubernetes.io/tls", data: { "tls.crt": "", "tls.key": "" } }, []],
    ["for a registry without anything", { type: "kubernetes.io/dockercfg" }, ["data[.dockercfg]: Required value"]],
    ["for a registry", docker('{"auths":{}}'), []],
    ["for a registry but empty", docker(""), dockerError("unexpected end of JSON input")],
    ["for a registry but not JSON", docker("x"), dockerError("invalid character 'x' looking for beginning of value")],
    ["for a registry but broken off", docker('{"auths":'), dockerError("invalid JSON")],
    [
      "for a registry but a list",
      docker("[]"),
      dockerError("json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ],
  ])("%s", (_what, fields, errors) => {
    expect(texts(validateSecret(secret(fields)))).toEqual(errors);
  });

  it.each<[string, Draft<Secret>, Draft<Secret>, string[]]>([
    ["keeps its type", {}, { type: "x" }, ['type: Invalid value: "x": field is immutable']],
    [
      "keeps its data once it is immutable",
      { data: { a: "AA==" }, immutable: true },
      { immutable: true },
      [`data: ${frozen}`],
    ],
    ["stays immutable", { immutable: true }, { immutable: false }, [`immutable: ${frozen}`]],
    ["changes otherwise", { data: { a: "AA==" } }, { stringData: { a: "x" } }, []],
  ])("%s", (_what, old, next, errors) => {
    expect(texts(validateSecretUpdate(secret(next), secret(old)))).toEqual(errors);
  });

  it.each([
    ["", 0],
    ["AA==", 1],
    ["AAA=", 2],
    ["AAAA", 3],
    ["AAAAAA==", 4],
  ])("knows that %j stands for %d bytes", (text, bytes) => {
    expect(base64ByteLength(text)).toBe(bytes);
  });
});
