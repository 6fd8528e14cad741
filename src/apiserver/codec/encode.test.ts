import { describe, expect, it } from "vitest";
import { notFound, tooManyRequests } from "../../api/wire/status-error.ts";
import { bodyOf, objectResponse, statusResponse, warningHeader, warningHeaders } from "./encode.ts";
import { formatYaml, parseYaml } from "../../api/wire/yaml-text.ts";

const object = {
  apiVersion: "v1",
  kind: "ConfigMap",
  data: {
    a: "yes",
    b: "0644",
    c: "1:30",
    d: "null",
    e: "two\nlines",
    f: "",
    g: "0o17",
    h: "~",
    i: "1_000",
    j: "2001-01-01",
    k: "=",
    l: "y",
    m: "0x1F",
  },
};

describe("encoding an answer", () => {
  it("makes JSON at most once, and not before it is asked for", () => {
    let reads = 0;
    const counted = {
      get kind() {
        reads += 1;
        return "Pod";
      },
    };
    const body = bodyOf(counted, { encoding: "json", pretty: false });
    expect(reads).toBe(0);
    expect(body.kind === "object" && body.json() + body.json()).toBe('{"kind":"Pod"}{"kind":"Pod"}');
    expect(reads).toBe(1);
  });

  it("takes a text that is already there", () => {
    const body = bodyOf({ a: 1 }, { encoding: "json", pretty: false }, '{"a": 1}');
    expect(body.kind === "object" && body.json()).toBe('{"a": 1}');
  });

  it("writes YAML whose texts stay texts for a YAML 1.1 reader", () => {
    expect(parseYaml(formatYaml(object)).value).toEqual(object);
    const response = objectResponse(200, object, { encoding: "yaml", pretty: false });
    expect(response.headers["content-type"]).toBe("application/yaml");
  });

  it("answers a failure with its Status and says when to try again", () => {
    expect(statusResponse(notFound({ group: "", resource: "pods" }, "x"))).toMatchObject({
      status: 404,
      headers: { "content-type": "application/json" },
    });
    expect(statusResponse(tooManyRequests("wait", 10)).headers["retry-after"]).toBe("10");
    expect(statusResponse(notFound({ group: "", resource: "pods" }, "x")).headers["retry-after"]).toBeUndefined();
  });

  it("quotes warnings and lets nothing break the header", () => {
    expect(warningHeader('unknown field "spec.foo"')).toBe('299 - "unknown field \\"spec.foo\\""');
    expect(warningHeader("a\r\nInjected: yes\u0000é")).toBe('299 - "a Injected: yes Ã©"');
  });

  it("never lets warnings outgrow what headers may hold", () => {
    expect(warningHeaders(["a", "b"])).toEqual(['299 - "a"', '299 - "b"']);
    const many = warningHeaders(Array.from({ length: 100 }, (_, i) => `${i} ${"x".repeat(100_000)}`));
    expect(many.join("").length).toBeLessThan(5000);
    expect(many[0]).toMatch(/^299 - "0 x{254}/);
  });
});
