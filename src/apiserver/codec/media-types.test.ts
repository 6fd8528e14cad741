import { describe, expect, it } from "vitest";
import { StatusError } from "../../api/wire/status-error.ts";
import { type Acceptable, negotiate, queryBoolean } from "./media-types.ts";

const all: Acceptable = { as: ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"] };

function answer(accept: string | undefined, acceptable: Acceptable = all): string {
  const headers: Record<string, string> = accept === undefined ? {} : { accept };
  try {
    const { encoding, as, version } = negotiate({ headers, query: new URLSearchParams() }, acceptable);
    return as === "object" ? encoding : `${encoding} ${as} ${version}`;
  } catch (error) {
    return error instanceof StatusError ? `${error.code} ${error.message}` : String(error);
  }
}

describe("negotiating the form of an answer", () => {
  it.each([
    ["nothing", undefined, "json"],
    ["anything", "*/*", "json"],
    ["JSON", "application/json", "json"],
    ["YAML", "application/yaml", "yaml"],
    [
      "what kubectl get sends",
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
      "json Table v1",
    ],
    ["an old table", "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", "json Table v1beta1"],
    [
      "a table of a version that does not exist",
      "application/json;as=Table;v=v7;g=meta.k8s.io,application/json",
      "json",
    ],
    ["protobuf first", "application/vnd.kubernetes.protobuf,application/json", "json"],
    [
      "protobuf metadata first",
      "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
      "json PartialObjectMetadata v1",
    ],
    ["a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"],
    ["capital letters", "Application/JSON", "json"],
    ["something refused", "application/yaml;q=0, application/json", "json"],
    [
      "only what nobody has",
      "text/html",
      "406 only the following media types are accepted: application/json, application/yaml",
    ],
  ])("answers a client that accepts %s", (_what, accept, want) => {
    expect(answer(accept)).toBe(want);
  });

  it("offers a representation only where there is one", () => {
    expect(answer("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", {})).toBe("json");
    expect(answer("application/json;as=Table;v=v1;g=meta.k8s.io", {})).toMatch(/^406/);
  });

  it("never streams YAML", () => {
    expect(answer("application/yaml, application/json", { stream: true })).toBe("json");
    expect(answer("application/yaml", { stream: true })).toBe(
      "406 only the following media types are accepted: application/json",
    );
  });

  it.each<[string, Record<string, string>, boolean]>([
    ["", { "user-agent": "curl/8.0" }, true],
    ["pretty=false", { "user-agent": "curl/8.0" }, false],
    ["pretty=true", {}, true],
    ["pretty", {}, true],
    ["", { "user-agent": "kubectl/v1.32" }, false],
  ])("indents for people: ?%s %o", (query, headers, pretty) => {
    expect(negotiate({ headers, query: new URLSearchParams(query) }).pretty).toBe(pretty);
  });

  it.each([
    [null, false],
    ["false", false],
    ["False", false],
    ["0", false],
    ["", true],
    ["1", true],
    ["True", true],
    ["no", true],
  ])("reads %s in a query as %s", (text, want) => {
    expect(queryBoolean(text)).toBe(want);
  });
});
