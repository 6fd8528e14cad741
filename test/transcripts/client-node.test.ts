// The official JavaScript client against a fresh `lifepod up`: what programs do, where the transcripts show what people do.

import { Writable } from "node:stream";
import {
  ApiException,
  type CoreV1Event,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1ObjectMeta,
  type V1Pod,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { type RunningLifepod, startLifepod } from "./lifepod-up.ts";

let server: RunningLifepod;
let config: KubeConfig;
let core: CoreV1Api;
let namespace: string;
let namespaces = 0;

beforeAll(async () => {
  server = await startLifepod();
  config = new KubeConfig();
  config.loadFromString(server.kubeconfig);
  core = config.makeApiClient(CoreV1Api);
});
afterAll(() => server?.stop());

beforeEach(async () => {
  namespace = `test-${++namespaces}`;
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  await until("the namespace has its default service account", async () => {
    const { items } = await core.listNamespacedServiceAccount({ namespace });
    return items[0];
  });
});

const configMap = (
  name: string,
  data: Record<string, string> = {},
  labels: Record<string, string> = {},
): V1ConfigMap => ({
  metadata: { name, labels },
  data,
});

const create = (name: string, data?: Record<string, string>, labels?: Record<string, string>): Promise<V1ConfigMap> =>
  core.createNamespacedConfigMap({ namespace, body: configMap(name, data, labels) });

const pod = (name: string, script: string, restartPolicy = "Never"): V1Pod => ({
  metadata: { name },
  spec: {
    restartPolicy,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "app", image: "busybox:1.36", command: ["sh", "-c", script] }],
  },
});

/** The metadata that says which object in which version is meant. */
const versioned = ({ metadata = {} }: V1ConfigMap): V1ObjectMeta & { name: string; namespace: string } => {
  const { name = "", resourceVersion = "" } = metadata;
  return { name, namespace, resourceVersion };
};

/** A failed call's Status. */
async function refusal(call: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> {
  const error = await call.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof ApiException)) throw new Error(`not refused: ${String(error)}`);
  const status = JSON.parse(String(error.body)) as { reason: string; message: string };
  return { code: error.code, reason: status.reason, message: status.message };
}

describe("objects", () => {
  it("are created with what the server adds, and read back the same", async () => {
    const created = await create("settings", { colour: "green" });
    expect(created).toMatchObject({ kind: "ConfigMap", apiVersion: "v1", data: { colour: "green" } });
    expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date);
    expect(created.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(await core.readNamespacedConfigMap({ namespace, name: "settings" })).toEqual(created);
  });

  it("are replaced only from the version that was read", async () => {
    const first = await create("settings", { size: "1" });
    const second = await core.replaceNamespacedConfigMap({
      namespace,
      name: "settings",
      body: { metadata: versioned(first), data: { size: "2" } },
    });
    expect(second.data).toEqual({ size: "2" });
    expect(second.metadata?.resourceVersion).not.toBe(first.metadata?.resourceVersion);
    const stale = core.replaceNamespacedConfigMap({ namespace, name: "settings", body: first });
    expect(await refusal(stale)).toEqual({
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; please apply your changes to the latest version and try again',
    });
  });

  it.each([
    [
      "JSON",
      PatchStrategy.JsonPatch,
      [{ op: "replace", path: "/data/size", value: "2" }],
      { size: "2", colour: "red" },
    ],
    ["merge", PatchStrategy.MergePatch, { data: { size: null } }, { colour: "red" }],
    [
      "strategic merge",
      PatchStrategy.StrategicMergePatch,
      { data: { more: "yes" } },
      { size: "1", colour: "red", more: "yes" },
    ],
  ])("take a %s patch", async (_name, strategy, body, want) => {
    await create("settings", { size: "1", colour: "red" });
    const options = setHeaderOptions("Content-Type", strategy);
    const patched = await core.patchNamespacedConfigMap({ namespace, name: "settings", body }, options);
    expect(patched.data).toEqual(want);
  });

  it("are deleted, and a second time not found", async () => {
    const { metadata } = await create("settings");
    const status = await core.deleteNamespacedConfigMap({ namespace, name: "settings" });
    expect(status).toMatchObject({ status: "Success", details: { name: "settings", uid: metadata?.uid } });
    expect(await refusal(core.deleteNamespacedConfigMap({ namespace, name: "settings" }))).toEqual({
      code: 404,
      reason: "NotFound",
      message: 'configmaps "settings" not found',
    });
  });

  it("are deleted together by a selector", async () => {
    for (const name of ["a", "b", "c"]) await create(name, {}, { keep: name === "b" ? "yes" : "no" });
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: "keep=no" });
    const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: "keep" });
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(["b"]);
  });

  it("are refused with every cause", async () => {
    const bad = core.createNamespacedPod({ namespace, body: { metadata: { name: "Bad" }, spec: { containers: [] } } });
    expect(await refusal(bad)).toMatchObject({
      code: 422,
      reason: "Invalid",
      message: expect.stringMatching(/metadata.name.*spec.containers: Required value/),
    });
  });
});

describe("lists", () => {
  it("come in pages that belong together", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) await create(name, {}, { page: "yes" });
    const names: (string | undefined)[] = [];
    const versions = new Set<string | undefined>();
    let _continue: string | undefined;
    do {
      const page = await core.listNamespacedConfigMap({
        namespace,
        labelSelector: "page",
        limit: 2,
        ...(_continue !== undefined && { _continue }),
      });
      names.push(...page.items.map(({ metadata }) => metadata?.name));
      versions.add(page.metadata?.resourceVersion);
      _continue = page.metadata?._continue;
    } while (_continue !== undefined && _continue !== "");
    expect(names).toEqual(["a", "b", "c", "d", "e"]);
    expect(versions.size).toBe(1);
  });
});

describe("watches", () => {
  it("tell every change once and in order, from a version on", async () => {
    const { metadata } = await create("before");
    const told: string[] = [];
    const watch = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: metadata?.resourceVersion, labelSelector: "watched" },
      (type, object: V1ConfigMap) => told.push(`${type} ${object.metadata?.name} ${object.data?.["step"]}`),
      () => undefined,
    );
    await create("one", { step: "1" }, { watched: "yes" });
    await create("other", { step: "1" });
    const body = configMap("one", { step: "2" }, { watched: "yes" });
    await core.replaceNamespacedConfigMap({ namespace, name: "one", body });
    await core.deleteNamespacedConfigMap({ namespace, name: "one" });
    await until("the deletion is told", () => (told.some((line) => line.startsWith("DELETED")) ? told : undefined));
    watch.abort();
    expect(told).toEqual(["ADDED one 1", "MODIFIED one 2", "DELETED one 2"]);
  });

  it("keep an informer's copy like the server's", async () => {
    await create("early", {}, { informed: "yes" });
    const informer = makeInformer(
      config,
      `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace, labelSelector: "informed" }),
      "informed",
    );
    const told: string[] = [];
    informer.on("add", ({ metadata }) => told.push(`add ${metadata?.name}`));
    informer.on("update", ({ metadata }) => told.push(`update ${metadata?.name}`));
    informer.on("delete", ({ metadata }) => told.push(`delete ${metadata?.name}`));
    await informer.start();
    await create("late", {}, { informed: "yes" });
    await core.patchNamespacedConfigMap(
      { namespace, name: "late", body: { data: { a: "b" } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
    await core.deleteNamespacedConfigMap({ namespace, name: "early" });
    await until("the informer has seen all", () => (told.includes("delete early") ? told : undefined));
    const copy = informer.list().map(({ metadata, data }) => [metadata?.name, data]);
    await informer.stop();
    expect(told).toEqual(["add early", "add late", "update late", "delete early"]);
    expect(copy).toEqual([["late", { a: "b" }]]);
  });
});

describe("KubernetesObjectApi", () => {
  const header = (): KubernetesObject & { metadata: { name: string; namespace: string } } => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "generic", namespace },
  });

  it("finds its way by discovery", async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const first: V1ConfigMap = { ...header(), data: { size: "1" } };
    const created = await objects.create<V1ConfigMap>(first);
    expect(created.data).toEqual({ size: "1" });
    const replaced = await objects.replace<V1ConfigMap>({
      ...header(),
      metadata: versioned(created),
      data: { size: "2" },
    });
    expect(replaced.data).toEqual({ size: "2" });
    const patch: V1ConfigMap = { ...header(), data: { more: "yes" } };
    const patched = await objects.patch<V1ConfigMap>(
      patch,
      undefined,
      undefined,
      undefined,
      undefined,
      PatchStrategy.MergePatch,
    );
    expect(patched.data).toEqual({ size: "2", more: "yes" });
    expect((await objects.read<V1ConfigMap>(header())).data).toEqual(patched.data);
    const { items } = await objects.list<V1ConfigMap>("v1", "ConfigMap", namespace);
    expect(items.map(({ metadata }) => metadata?.name)).toContain("generic");
    await objects.delete(header());
    expect(await refusal(objects.read(header()))).toMatchObject({ code: 404, reason: "NotFound" });
  });
});

describe("Pods", () => {
  it("run, log and are deleted", async () => {
    await core.createNamespacedPod({
      namespace,
      body: pod("talker", "echo hello; echo world; exec sleep 600", "Always"),
    });
    await until("the Pod runs", async () => {
      const { status } = await core.readNamespacedPodStatus({ namespace, name: "talker" });
      return status?.conditions?.find(({ type, status: value }) => type === "Ready" && value === "True");
    });
    await until("the log has both lines", async () =>
      (await core.readNamespacedPodLog({ namespace, name: "talker" })) === "hello\nworld\n" ? true : undefined,
    );
    expect(await core.readNamespacedPodLog({ namespace, name: "talker", tailLines: 1 })).toBe("world\n");
    const { metadata } = await core.deleteNamespacedPod({ namespace, name: "talker" });
    expect(metadata?.deletionTimestamp).toBeInstanceOf(Date);
    await until("the Pod is gone", async () => {
      const { items } = await core.listNamespacedPod({ namespace });
      return items.length === 0 ? true : undefined;
    });
  });

  it("stream their logs until they end", async () => {
    await core.createNamespacedPod({ namespace, body: pod("counter", "for i in 1 2 3; do echo $i; sleep 0.1; done") });
    await until("the container has started", async () => {
      const { status } = await core.readNamespacedPodStatus({ namespace, name: "counter" });
      const state = status?.containerStatuses?.[0]?.state;
      return state?.running ?? state?.terminated;
    });
    let text = "";
    const sink = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        text += chunk.toString();
        callback();
      },
    });
    const ended = new Promise((resolve) => sink.once("finish", resolve));
    await new Log(config).log(namespace, "counter", "app", sink, { follow: true });
    await ended;
    expect(text).toBe("1\n2\n3\n");
  });

  it("leave events that speak of them", async () => {
    await core.createNamespacedPod({ namespace, body: pod("once", "true") });
    const reasons = await until("the container's start is told", async () => {
      const fieldSelector = "involvedObject.name=once";
      const { items } = await core.listNamespacedEvent({ namespace, fieldSelector });
      const seen = items.map(({ reason }: CoreV1Event) => reason);
      return seen.includes("Started") ? seen : undefined;
    });
    expect(reasons).toEqual(["Scheduled", "Pulled", "Created", "Started"]);
  });
});
