import { describe, expect, it } from "vitest";
import { at } from "../../test/fakes/kubelet-pods.ts";
import { isMirrorPod, isStaticPod, readStaticPod } from "./static-pod.ts";

const origin = { path: "/manifests/web.yaml", nodeName: "node-a", seenAt: at(5) };
const manifest = (spec: object = {}, metadata: object = {}): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", ...metadata },
    spec: { containers: [{ name: "app", image: "app:1" }], ...spec },
  });

describe("a static Pod", () => {
  it("is named after its node, and bears where it comes from", () => {
    const { pod, warnings } = readStaticPod(manifest(), origin);
    expect(pod.metadata).toEqual({
      name: "web-node-a",
      namespace: "default",
      uid: expect.stringMatching(/^[0-9a-f]{32}$/),
      resourceVersion: "",
      creationTimestamp: "2025-01-01T00:00:05Z",
      annotations: {
        "kubernetes.io/config.hash": pod.metadata.uid,
        "kubernetes.io/config.seen": "2025-01-01T00:00:05Z",
        "kubernetes.io/config.source": "file",
      },
    });
    expect(pod.spec).toMatchObject({ nodeName: "node-a", restartPolicy: "Always", terminationGracePeriodSeconds: 30 });
    expect(warnings).toEqual([]);
    expect([isStaticPod(pod), isMirrorPod(pod)]).toEqual([true, false]);
  });

  it("tolerates whatever drives Pods away, and what its manifest says besides", () => {
    const own = { key: "a", operator: "Exists" };
    const tolerations = [own, { operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }];
    expect(readStaticPod(manifest({ tolerations }), origin).pod.spec.tolerations).toEqual([
      own,
      { operator: "Exists", effect: "NoExecute" },
    ]);
  });

  it("keeps its uid for the same content at the same place, whenever it is read", () => {
    const uidOf = (text: string, more: Partial<typeof origin> = {}): string =>
      readStaticPod(text, { ...origin, ...more }).pod.metadata.uid;
    const uid = uidOf(manifest());
    expect(uidOf(manifest(), { seenAt: at(99) })).toBe(uid);
    const others = [
      uidOf(manifest({ hostname: "x" })),
      uidOf(manifest({}, { labels: { a: "1" } })),
      uidOf(manifest(), { path: "/manifests/other.yaml" }),
      uidOf(manifest(), { nodeName: "node-b" }),
    ];
    expect(new Set([uid, ...others]).size).toBe(5);
  });

  it("tells what nothing follows from", () => {
    const { warnings } = readStaticPod(manifest({ hostUsers: false, colour: "red" }), origin);
    expect(warnings).toEqual([
      'unknown field "spec.colour"',
      "spec.hostUsers: lifepod does not act on this: containers use the users of their node",
    ]);
  });

  const env = (valueFrom: object) => [{ name: "app", image: "app:1", env: [{ name: "A", valueFrom }] }];
  const projected = (source: object) => [{ name: "v", projected: { sources: [source] } }];
  it.each([
    ["a Service", "{apiVersion: v1, kind: Service}", "couldn't parse as pod: expected apiVersion v1, kind Pod"],
    ["nothing", "", "couldn't parse as pod: expected apiVersion v1, kind Pod"],
    ["no name", manifest({}, { name: "" }), "invalid pod: name is needed for the pod"],
    ["no containers", manifest({ containers: [] }), "invalid pod: spec.containers: Required value"],
    ["a field that lifepod refuses", manifest({ runtimeClassName: "x" }), "RuntimeClasses are not served"],
    ["an account", manifest({ serviceAccountName: "robot" }), "static pods may not reference serviceaccounts"],
    ["pull secrets", manifest({ imagePullSecrets: [{ name: "s" }] }), "static pods may not reference secrets"],
    [
      "a variable from a Secret",
      manifest({ containers: env({ secretKeyRef: { name: "s", key: "k" } }) }),
      "static pods may not reference secrets",
    ],
    [
      "a variable from a ConfigMap",
      manifest({ containers: env({ configMapKeyRef: { name: "s", key: "k" } }) }),
      "static pods may not reference configmaps",
    ],
    [
      "a volume of a ConfigMap",
      manifest({ volumes: [{ name: "v", configMap: { name: "m" } }] }),
      "static pods may not reference configmaps",
    ],
    [
      "a projected Secret",
      manifest({ volumes: projected({ secret: { name: "s" } }) }),
      "static pods may not reference secrets",
    ],
  ])("cannot be made of %s", (_what, text, message) => {
    expect(() => readStaticPod(text, origin)).toThrow(message);
  });

  it("may have volumes and variables that need no API", () => {
    const volumes = [
      { name: "a", emptyDir: {} },
      { name: "b", hostPath: { path: "/x" } },
      { name: "c", downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
    ];
    const containers = env({ fieldRef: { fieldPath: "spec.nodeName" } });
    expect(readStaticPod(manifest({ volumes, containers }), origin).pod.spec.volumes).toHaveLength(3);
  });
});
