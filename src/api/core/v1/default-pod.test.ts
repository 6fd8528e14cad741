import { describe, expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Container, Pod, PodSpec, Probe, PullPolicy, Volume } from "../../generated/core-v1.ts";
import { valueAt } from "../../meta/json-object.ts";
import { defaultPullPolicy } from "./default-container.ts";
import { defaultPod } from "./default-pod.ts";

const podWith = (spec: Draft<PodSpec>): Pod => defaultPod({ metadata: { name: "web" }, spec });
const containerOf = (container: Draft<Container>, spec: Draft<PodSpec> = {}): Container =>
  podWith({ ...spec, containers: [container] }).spec.containers[0] as Container;
const probeOf = (livenessProbe: Draft<Probe>): Probe => containerOf({ livenessProbe }).livenessProbe as Probe;
const volumeOf = (volume: Draft<Volume>): Volume => podWith({ volumes: [volume] }).spec.volumes?.[0] as Volume;

describe("a Pod's defaults", () => {
  it("complete the smallest Pod", () => {
    expect(podWith({ containers: [{ name: "web", image: "web:1" }] })).toEqual({
      metadata: { name: "web" },
      spec: {
        restartPolicy: "Always",
        dnsPolicy: "ClusterFirst",
        terminationGracePeriodSeconds: 30,
        schedulerName: "default-scheduler",
        securityContext: {},
        enableServiceLinks: true,
        containers: [
          {
            name: "web",
            image: "web:1",
            imagePullPolicy: "IfNotPresent",
            terminationMessagePath: "/dev/termination-log",
            terminationMessagePolicy: "File",
            resources: {},
          },
        ],
      },
    });
  });

  it.each<[string, Draft<PodSpec>, string, unknown]>([
    ["keep a restart policy", { restartPolicy: "Never" }, "restartPolicy", "Never"],
    ["keep a grace period of zero", { terminationGracePeriodSeconds: 0 }, "terminationGracePeriodSeconds", 0],
    ["keep a negative grace period", { terminationGracePeriodSeconds: -1 }, "terminationGracePeriodSeconds", -1],
    ["keep service links off", { enableServiceLinks: false }, "enableServiceLinks", false],
    ["copy the older name of the service account", { serviceAccount: "robot" }, "serviceAccountName", "robot"],
    ["copy the newer name of the service account", { serviceAccountName: "robot" }, "serviceAccount", "robot"],
    ["round overhead", { overhead: { cpu: "1.0001" } }, "overhead", { cpu: "1001m" }],
  ])("%s", (_rule, spec, field, value) => {
    expect(valueAt(podWith(spec).spec, field)).toEqual(value);
  });

  it("apply to what is already complete without a change", () => {
    const pod = podWith({
      hostNetwork: true,
      containers: [
        {
          name: "a",
          image: "a",
          ports: [{ containerPort: 80 }],
          livenessProbe: { httpGet: { port: 80 } },
          resources: { limits: { cpu: "0.5" } },
        },
      ],
      initContainers: [{ name: "b", image: "b" }],
      ephemeralContainers: [{ name: "c", image: "c" }],
      volumes: [{ name: "v" }, { name: "w", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }],
      resources: { limits: { cpu: "2" } },
    });
    expect(defaultPod(pod)).toEqual(pod);
  });

  it.each<[string, PullPolicy]>([
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["nginx:1.27", "IfNotPresent"],
    ["localhost:5000/nginx", "Always"],
    ["localhost:5000/nginx:1", "IfNotPresent"],
    ["nginx@sha256:0123", "IfNotPresent"],
    ["nginx:latest@sha256:0123", "Always"],
    ["", "IfNotPresent"],
  ])("pull %j %s", (image, policy) => {
    expect(defaultPullPolicy(image)).toBe(policy);
    expect(containerOf({ image }).imagePullPolicy).toBe(policy);
    expect(containerOf({ image, imagePullPolicy: "Never" }).imagePullPolicy).toBe("Never");
  });

  it("give ports a protocol, and on the host's network a host port", () => {
    expect(containerOf({ ports: [{ containerPort: 53, protocol: "UDP" }, { containerPort: 80 }] }).ports).toEqual([
      { containerPort: 53, protocol: "UDP" },
      { containerPort: 80, protocol: "TCP" },
    ]);
    expect(
      containerOf({ ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 8081 }] }, { hostNetwork: true })
        .ports,
    ).toEqual([
      { containerPort: 80, protocol: "TCP", hostPort: 80 },
      { containerPort: 81, protocol: "TCP", hostPort: 8081 },
    ]);
  });

  it.each<[string, Container["resources"], Container["resources"]]>([
    ["are empty", {}, {}],
    ["request what is limited", { limits: { cpu: "1" } }, { limits: { cpu: "1" }, requests: { cpu: "1" } }],
    [
      "keep requests",
      { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } },
      { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m", memory: "1Gi" } },
    ],
    ["limit nothing that is requested", { requests: { cpu: "0.5" } }, { requests: { cpu: "500m" } }],
    [
      "are rounded up to thousandths",
      { limits: { cpu: "1u", memory: "1.5" } },
      { limits: { cpu: "1m", memory: "1500m" }, requests: { cpu: "1m", memory: "1500m" } },
    ],
  ])("resources %s", (_rule, given, resources) => {
    expect(containerOf({ resources: given }).resources).toEqual(resources);
  });

  it.each<[string, Draft<PodSpec>, unknown]>([
    ["stay as they are without limits", { resources: { requests: { cpu: "1" } } }, { requests: { cpu: "1" } }],
    [
      "request the limit if no container requests",
      { resources: { limits: { cpu: "2" } } },
      { limits: { cpu: "2" }, requests: { cpu: "2" } },
    ],
    [
      "request what the containers request",
      { resources: { limits: { cpu: "2" } }, containers: [{ resources: { requests: { cpu: "1", memory: "1Gi" } } }] },
      { limits: { cpu: "2" }, requests: { cpu: "1", memory: "1Gi" } },
    ],
    [
      "limit huge pages as the containers do",
      { resources: { limits: { cpu: "2" } }, containers: [{ resources: { limits: { "hugepages-2Mi": "4Mi" } } }] },
      { limits: { cpu: "2", "hugepages-2Mi": "4Mi" }, requests: { cpu: "2", "hugepages-2Mi": "4Mi" } },
    ],
  ])("the Pod's own resources %s", (_rule, spec, resources) => {
    expect(podWith(spec).spec.resources).toEqual(resources);
  });

  it("give a probe its timing", () => {
    expect(probeOf({ exec: { command: ["true"] } })).toEqual({
      exec: { command: ["true"] },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
    expect(probeOf({ periodSeconds: 5, failureThreshold: 1 })).toMatchObject({ periodSeconds: 5, failureThreshold: 1 });
  });

  it("complete handlers", () => {
    expect(probeOf({ httpGet: { port: 80 } }).httpGet).toEqual({ port: 80, path: "/", scheme: "HTTP" });
    expect(probeOf({ grpc: { port: 80 } }).grpc).toEqual({ port: 80, service: "" });
    expect(containerOf({ lifecycle: { preStop: { httpGet: { port: "web", scheme: "HTTPS" } } } }).lifecycle).toEqual({
      preStop: { httpGet: { port: "web", scheme: "HTTPS", path: "/" } },
    });
  });

  it("name the version in references to fields", () => {
    const env = [
      { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "B", value: "1" },
    ];
    expect(containerOf({ env }).env).toEqual([
      { name: "A", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
      { name: "B", value: "1" },
    ]);
  });

  it.each<[string, Draft<Volume>, Draft<Volume>]>([
    ["without a source is empty", { name: "v" }, { name: "v", emptyDir: {} }],
    [
      "of a claim stays as it is",
      { persistentVolumeClaim: { claimName: "c" } },
      { persistentVolumeClaim: { claimName: "c" } },
    ],
    ["of a secret has a mode", { secret: { secretName: "s" } }, { secret: { secretName: "s", defaultMode: 420 } }],
    [
      "of a config map keeps its mode",
      { configMap: { name: "c", defaultMode: 0 } },
      { configMap: { name: "c", defaultMode: 0 } },
    ],
    ["of a host path has a type", { hostPath: { path: "/x" } }, { hostPath: { path: "/x", type: "" } }],
    [
      "of fields has a mode and versions",
      { downwardAPI: { items: [{ path: "p", fieldRef: { fieldPath: "metadata.name" } }] } },
      {
        downwardAPI: {
          defaultMode: 420,
          items: [{ path: "p", fieldRef: { fieldPath: "metadata.name", apiVersion: "v1" } }],
        },
      },
    ],
    [
      "of several sources has all that",
      {
        projected: {
          sources: [
            { serviceAccountToken: { path: "t" } },
            { downwardAPI: { items: [{ path: "p", fieldRef: { fieldPath: "metadata.uid" } }] } },
          ],
        },
      },
      {
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { path: "t", expirationSeconds: 3600 } },
            { downwardAPI: { items: [{ path: "p", fieldRef: { fieldPath: "metadata.uid", apiVersion: "v1" } }] } },
          ],
        },
      },
    ],
  ])("a volume %s", (_rule, given, volume) => {
    expect(volumeOf(given)).toEqual(volume);
  });

  it("change nothing in what they were given", () => {
    const pod: Draft<Pod> = {
      spec: { containers: [{ image: "a", resources: { limits: { cpu: "1000m" } } }], volumes: [{ name: "v" }] },
    };
    const before = structuredClone(pod);
    defaultPod(pod);
    expect(pod).toEqual(before);
  });
});
