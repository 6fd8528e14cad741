import { describe, expect, it } from "vitest";
import { checkObject, decodeObject, UnmarshalError } from "./decode-object.ts";
import { rootSchema, schemaFor } from "./schemas.ts";
import type { Schema } from "./schema.ts";

const pod = rootSchema({ group: "", version: "v1", kind: "Pod" }) as Schema;
const meta = { name: "web", labels: { app: "web" } };

function complaint(value: unknown, schema: Schema = pod): string {
  try {
    decodeObject(value, schema);
  } catch (error) {
    return error instanceof UnmarshalError ? error.message : `not an UnmarshalError: ${String(error)}`;
  }
  return "none";
}

describe("decoding an object", () => {
  it("finds unknown fields with their paths in document order and leaves them out", () => {
    const { object, unknownFields } = decodeObject(
      {
        foo: 1,
        metadata: { ...meta, bar: {} },
        spec: { containers: [{ name: "a" }, { name: "b", imagge: "x", env: [{ name: "E", valu: "1" }] }] },
      },
      pod,
    );
    expect(unknownFields).toEqual([
      "foo",
      "metadata.bar",
      "spec.containers[1].imagge",
      "spec.containers[1].env[0].valu",
    ]);
    expect(JSON.stringify(object)).not.toMatch(/foo|bar|imagge|valu"/);
  });

  it("treats null and empty values as absent, and keeps a zero that a pointer holds", () => {
    const { object } = decodeObject(
      {
        metadata: { name: "web", namespace: "", creationTimestamp: null, labels: {}, generation: 0 },
        spec: {
          hostNetwork: false,
          nodeName: "",
          tolerations: [],
          terminationGracePeriodSeconds: 0,
          enableServiceLinks: false,
          containers: [{ name: "a" }],
        },
      },
      pod,
    );
    expect(object["metadata"]).toEqual({ name: "web" });
    expect(object["spec"]).toEqual({
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: false,
      securityContext: {},
      containers: [{ name: "a", resources: {} }],
    });
  });

  it("fills in what an object of its kind always has", () => {
    expect(decodeObject({}, pod).object).toEqual({
      metadata: {},
      spec: { containers: [], securityContext: {} },
      status: {},
    });
    expect(decodeObject({ ports: [{}] }, schemaFor("core/v1 Container")).object).toEqual({
      name: "",
      ports: [{ containerPort: 0 }],
      resources: {},
    });
  });

  it("fills in a required port as zero, for validation to refuse", () => {
    expect(decodeObject({ httpGet: {} }, schemaFor("core/v1 Probe")).object).toEqual({ httpGet: { port: 0 } });
  });

  it("does not fill in a selector, because none and an empty one are different", () => {
    const { object } = decodeObject({ spec: {} }, schemaFor("apps/v1 Deployment"));
    expect(object["spec"]).toEqual({ template: { spec: { containers: [], securityContext: {} } }, strategy: {} });
  });

  it("makes quantities and times canonical", () => {
    const { object } = decodeObject(
      { resources: { requests: { cpu: 1, memory: "2048Ki" }, limits: { cpu: "1000m", memory: null } } },
      schemaFor("core/v1 Container"),
    );
    expect(object["resources"]).toEqual({ requests: { cpu: "1", memory: "2Mi" }, limits: { cpu: "1", memory: "0" } });
    const lease = decodeObject(
      { spec: { renewTime: "2025-01-02T03:04:05.5+02:00" } },
      schemaFor("coordination.k8s.io/v1 Lease"),
    ).object;
    expect(lease["spec"]).toEqual({ renewTime: "2025-01-02T01:04:05.500000Z" });
  });

  it("turns a null in a list or a map into the zero value, as Go does", () => {
    const container = decodeObject(
      { name: "c", args: [null, "x"], env: [null] },
      schemaFor("core/v1 Container"),
    ).object;
    expect(container).toEqual({ name: "c", args: ["", "x"], env: [{ name: "" }], resources: {} });
    expect(decodeObject({ data: { a: null } }, schemaFor("core/v1 ConfigMap")).object["data"]).toEqual({ a: "" });
  });

  it("takes undefined for absent, which callers in the same process may send", () => {
    const { object, unknownFields } = decodeObject(
      { metadata: { name: "a", namespace: undefined }, nope: undefined, data: undefined },
      schemaFor("core/v1 ConfigMap"),
    );
    expect([object, unknownFields]).toEqual([{ metadata: { name: "a" } }, []]);
  });

  it("names a hundred unknown fields and no more", () => {
    const sent = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x${i}`, 1]));
    expect(decodeObject(sent, pod).unknownFields).toHaveLength(100);
  });

  it("keeps a map key called __proto__ as data", () => {
    const labels = decodeObject({ metadata: { labels: JSON.parse('{"__proto__":"x"}') } }, pod).object["metadata"] as {
      labels: object;
    };
    expect(JSON.stringify(labels)).toBe('{"labels":{"__proto__":"x"}}');
  });

  it("never changes what it was given", () => {
    const sent = Object.freeze({
      metadata: Object.freeze({ name: "x", labels: Object.freeze({}) }),
      spec: Object.freeze({ containers: Object.freeze([]) }),
    });
    expect(() => decodeObject(sent, pod)).not.toThrow();
    expect(JSON.stringify(sent)).toBe('{"metadata":{"name":"x","labels":{}},"spec":{"containers":[]}}');
  });

  it.each([
    [
      "a string where a map belongs",
      { metadata: { labels: "x" } },
      "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string",
    ],
    [
      "a number where a label's text belongs",
      { metadata: { labels: { a: 1 } } },
      "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    ],
    [
      "a string where a list belongs",
      { spec: { containers: "x" } },
      "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
    ],
    [
      "a number where a text belongs",
      { spec: { containers: [{ image: 1 }] } },
      "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string",
    ],
    [
      "a bool where an environment value belongs",
      { spec: { containers: [{ env: [{ name: "a", value: true }] }] } },
      "json: cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.value of type string",
    ],
    [
      "a fraction where a port belongs",
      { spec: { containers: [{ ports: [{ containerPort: 1.5 }] }] } },
      "json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    ],
    [
      "a port that no int32 holds",
      { spec: { containers: [{ ports: [{ containerPort: 3e9 }] }] } },
      "json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    ],
    [
      "a number where an enum belongs",
      { spec: { restartPolicy: 1 } },
      "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
    ],
    [
      "a list where an object belongs",
      { spec: [] },
      "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec",
    ],
    ["a list instead of the object", [], "json: cannot unmarshal array into Go value of type v1.Pod"],
    [
      "a text that is no time",
      { metadata: { creationTimestamp: "yesterday" } },
      'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    ],
    [
      "a month that does not exist",
      { metadata: { creationTimestamp: "2025-13-01T00:00:00Z" } },
      'parsing time "2025-13-01T00:00:00Z": month out of range',
    ],
    [
      "an object where a port or its name belongs",
      { spec: { containers: [{ livenessProbe: { httpGet: { port: {} } } }] } },
      "json: cannot unmarshal object into Go value of type int32",
    ],
  ])("refuses %s", (_what, value, message) => {
    expect(complaint(value)).toBe(message);
  });

  it("refuses a text that is no quantity", () => {
    expect(complaint({ spec: { containers: [{ resources: { limits: { cpu: "lots" } } }] } })).toMatch(
      /^quantities must match the regular expression/,
    );
  });

  it("refuses data that is not base64", () => {
    expect(complaint({ data: { a: "not base64!" } }, schemaFor("core/v1 Secret"))).toBe(
      "illegal base64 data at input byte 3",
    );
  });
});

describe("checking an applied configuration", () => {
  it("keeps every value as it was sent and still finds unknown fields", () => {
    const sent = {
      metadata: { name: "web", labels: {} },
      spec: {
        hostNetwork: false,
        nodeName: null,
        containers: [{ name: "a", resources: { limits: { cpu: "1000m" } } }],
      },
      nope: 1,
    };
    const { object, unknownFields } = checkObject(sent, pod);
    expect(unknownFields).toEqual(["nope"]);
    const { nope: _nope, ...rest } = sent;
    expect(object).toEqual(rest);
  });
});
