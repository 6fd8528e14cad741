// "Complete at the door, certain inside": what the generated types promise about stored objects, checked against the server.

import { expect, it } from "vitest";
import { kindOf, kinds, parseApiVersion } from "../../src/api/kinds.ts";
import { missingCertainFields } from "../../src/api/schema/certain-fields.ts";
import type { Schema } from "../../src/api/schema/schema.ts";
import { rootSchema } from "../../src/api/schema/schemas.ts";
import type { JsonObject } from "../../src/api/wire/request.ts";
import { ServerUnderTest } from "./api-server-fixture.ts";

const regarding = { kind: "Pod", namespace: "default", name: "a" };
const container = {
  name: "c",
  image: "web:1",
  ports: [{ containerPort: 80 }],
  env: [{ name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
  livenessProbe: { httpGet: { port: 80 } },
  readinessProbe: { exec: { command: ["true"] } },
  lifecycle: { preStop: { httpGet: { port: 80 } } },
};
const volumes = [
  { name: "a", secret: { secretName: "s" } },
  { name: "b", configMap: { name: "c" } },
  { name: "d", downwardAPI: { items: [{ path: "p", fieldRef: { fieldPath: "metadata.name" } }] } },
  { name: "e", projected: { sources: [{ configMap: { name: "c" } }] } },
  { name: "f", hostPath: { path: "/data" } },
  { name: "g", emptyDir: {} },
];

const labels = { app: "web" };
const selector = { matchLabels: labels };
const template = { metadata: { labels }, spec: { containers: [container], volumes } };

const onceTemplate = { metadata: { labels }, spec: { restartPolicy: "Never", containers: [container], volumes } };

const drafts: readonly JsonObject[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "blue" } },
  { apiVersion: "v1", kind: "Node", metadata: { name: "node-a" } },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a" },
    spec: { initContainers: [{ name: "i", image: "x" }], containers: [container], volumes },
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { generateName: "b-" },
    spec: { containers: [{ name: "c", image: "web" }] },
  },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } },
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } },
  { apiVersion: "v1", kind: "Service", metadata: { name: "front" }, spec: { ports: [{ port: 80 }] } },
  { apiVersion: "v1", kind: "Endpoints", metadata: { name: "front" } },
  { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "front" }, addressType: "IPv4" },
  { apiVersion: "v1", kind: "Event", metadata: { name: "e" }, involvedObject: regarding },
  {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "f" },
    eventTime: "2025-01-02T03:04:05.000000Z",
    reportingController: "example.com/c",
    reportingInstance: "i",
    action: "Look",
    reason: "Looked",
    type: "Normal",
    regarding,
  },
  { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" } },
  ...["autoscaling/v2", "autoscaling/v1"].map((apiVersion) => ({
    apiVersion,
    kind: "HorizontalPodAutoscaler",
    metadata: { name: `by-${apiVersion.slice(-2)}` },
    spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 3 },
  })),
  { apiVersion: "v1", kind: "ReplicationController", metadata: { name: "r" }, spec: { template } },
  {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "c" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  },
  {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "v" },
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/data" } },
  },
  { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "s" }, provisioner: "example.com/p" },
  { apiVersion: "apps/v1", kind: "ControllerRevision", metadata: { name: "c" }, data: {}, revision: 1 },
  { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "a" }, spec: { selector, template } },
  { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "s" }, spec: { selector, template } },
  { apiVersion: "batch/v1", kind: "Job", metadata: { name: "j" }, spec: { template: onceTemplate } },
  {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "c" },
    spec: { schedule: "@hourly", jobTemplate: { spec: { template: onceTemplate } } },
  },
  { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: { name: "r" }, spec: { selector, template } },
  { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: "c" }, value: 1 },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "b" }, spec: { selector } },
  { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec: { selector, template } },
];

it.each(
  drafts.map((draft, index) => [`${index} ${String(draft["apiVersion"])} ${String(draft["kind"])}`, draft] as const),
)("a stored object has every field that its type calls certain: %s", async (_name, draft) => {
  const server = await ServerUnderTest.start();
  const gvk = { ...parseApiVersion(String(draft["apiVersion"])), kind: String(draft["kind"]) };
  const kind = kindOf(gvk);
  const root = gvk.group === "" ? "/api/v1" : `/apis/${gvk.group}/${gvk.version}`;
  const answer = await server.send(
    "POST",
    `${root}${kind?.namespaced === true ? "/namespaces/default" : ""}/${kind?.resource}`,
    { body: draft },
  );
  expect([answer.status, answer.object.message]).toEqual([201, undefined]);
  expect(missingCertainFields(answer.object as object, rootSchema(gvk) as Schema)).toEqual([]);
});

it("every served kind that can be created is checked above", () => {
  const checked = new Set(drafts.map((draft) => `${String(draft["apiVersion"])} ${String(draft["kind"])}`));
  const stored = kinds.filter((kind) => kind.verbs.includes("create") && kind.verbs.includes("get"));
  expect(
    stored
      .map(({ group, version, kind }) => `${group === "" ? version : `${group}/${version}`} ${kind}`)
      .filter((name) => !checked.has(name)),
  ).toEqual([]);
});
