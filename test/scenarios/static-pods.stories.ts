// Static Pods: a node runs what a folder of its own says, and the API shows it by mirrors (pod-lifecycle 15.5).

import assert from "node:assert/strict";
import type { Node } from "../../src/api/index.ts";
import {
  exists,
  hasContainer,
  isGone,
  isReady,
  isSucceeded,
  minutes,
  type SimulatedNode,
  seconds,
  type Story,
  story,
  type StoryTeller,
} from "../../src/testing/index.ts";

const folder = "/etc/kubernetes/manifests";
const nodeWithFolder = (t: StoryTeller): Promise<SimulatedNode> => t.node("node-a", { staticPodPath: folder });

/** Puts a manifest into the folder and lets so much time pass that the kubelet has looked. */
async function put(t: StoryTeller, node: SimulatedNode, file: string, text: string): Promise<void> {
  await node.filesystem.makeDirectory(folder, 0o755);
  await node.filesystem.writeFile(`${folder}/${file}`, new TextEncoder().encode(text), 0o644);
  await t.elapse(seconds(1));
}

const manifest = (name: string, image: string, more = ""): string => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  labels: { tier: control-plane }
spec:
  terminationGracePeriodSeconds: 10
${more}  containers:
    - name: main
      image: ${image}
`;

export const stories: readonly Story[] = [
  story("a manifest in the node's folder becomes a Pod, and the API shows its mirror", async (t) => {
    const node = await nodeWithFolder(t);
    t.image("web:1", { present: true, logs: [{ at: seconds(0), text: "hello" }] });
    await put(t, node, "web.yaml", manifest("web", "web:1"));
    await t.until("pod/web-node-a", isReady, { within: minutes(1) });
    const mirror = await t.pod("web-node-a");
    const { annotations = {}, ownerReferences, labels } = mirror.metadata;
    const hash = annotations["kubernetes.io/config.hash"];
    assert.match(hash ?? "", /^[0-9a-f]{32}$/);
    assert.equal(annotations["kubernetes.io/config.mirror"], hash);
    assert.equal(annotations["kubernetes.io/config.source"], "file");
    assert.ok(annotations["kubernetes.io/config.seen"]);
    assert.deepEqual(labels, { tier: "control-plane" });
    const owner = await t.get<Node>("node/node-a");
    assert.deepEqual(ownerReferences, [
      { apiVersion: "v1", kind: "Node", name: "node-a", uid: owner?.metadata.uid, controller: true },
    ]);
    assert.equal(mirror.spec.nodeName, "node-a");
    assert.equal(mirror.spec.serviceAccountName, undefined);
    assert.ok(mirror.spec.tolerations?.some(({ operator, effect }) => operator === "Exists" && effect === "NoExecute"));
    assert.equal(mirror.status.phase, "Running");
    assert.equal(await t.logs("pod/web-node-a"), "hello\n");
    assert.equal((await node.runtime.runtime.listContainers()).length, 1);
  }),

  story("who deletes a mirror gets a new one, and the Pod goes on", async (t) => {
    const node = await nodeWithFolder(t);
    t.image("web:1", { present: true });
    await put(t, node, "web.yaml", manifest("web", "web:1"));
    await t.until("pod/web-node-a", isReady, { within: minutes(1) });
    const before = await t.pod("web-node-a");
    await t.delete("pod/web-node-a");
    await t.until("pod/web-node-a", isReady, { within: seconds(5) });
    await t.forceDelete("pod/web-node-a");
    await t.until("pod/web-node-a", isReady, { within: seconds(5) });
    const after = await t.pod("web-node-a");
    assert.notEqual(after.metadata.uid, before.metadata.uid);
    assert.deepEqual(after.status.containerStatuses, before.status.containerStatuses);
    assert.equal(
      after.metadata.annotations?.["kubernetes.io/config.hash"],
      before.metadata.annotations?.["kubernetes.io/config.hash"],
    );
  }),

  story("a changed manifest is another Pod: the old one ends with its grace before the new one starts", async (t) => {
    const node = await nodeWithFolder(t);
    t.image("web:1", { present: true, stopsIn: seconds(4) });
    t.image("web:2", { present: true });
    await put(t, node, "web.yaml", manifest("web", "web:1"));
    await t.until("pod/web-node-a", isReady, { within: minutes(1) });
    const before = await t.pod("web-node-a");
    await put(t, node, "web.yaml", manifest("web", "web:2"));
    assert.equal((await t.pod("web-node-a")).metadata.uid, before.metadata.uid);
    await t.elapse(seconds(2));
    const [old] = await node.runtime.runtime.listContainers();
    assert.equal(old?.state.kind, "running");
    await t.elapse(seconds(3));
    await t.until("pod/web-node-a", isReady, { within: seconds(5) });
    const after = await t.pod("web-node-a");
    assert.notEqual(
      after.metadata.annotations?.["kubernetes.io/config.mirror"],
      before.metadata.annotations?.["kubernetes.io/config.mirror"],
    );
    assert.equal(after.spec.containers[0]?.image, "web:2");
    assert.equal((await t.container("web-node-a")).restartCount, 0);
    assert.equal((await node.runtime.runtime.listContainers()).length, 1);
  }),

  story("a manifest that is taken away ends its Pod, and its mirror goes after it", async (t) => {
    const node = await nodeWithFolder(t);
    t.image("web:1", { present: true, stopsIn: seconds(4) });
    await put(t, node, "web.yaml", manifest("web", "web:1"));
    await t.until("pod/web-node-a", isReady, { within: minutes(1) });
    await node.filesystem.remove(`${folder}/web.yaml`);
    await t.elapse(seconds(3));
    await t.until("pod/web-node-a", exists, { within: seconds(0) });
    await t.until("pod/web-node-a", isGone, { within: seconds(3) });
    assert.deepEqual(await node.runtime.runtime.listContainers(), []);
    assert.deepEqual(await node.filesystem.list("/var/lib/lifepod/node-a/pods"), []);
  }),

  story("a new kubelet finds its static Pods running, and ends those whose manifest has gone meanwhile", async (t) => {
    const node = await nodeWithFolder(t);
    t.image("web:1", { present: true });
    await put(t, node, "stays.yaml", manifest("stays", "web:1"));
    await put(t, node, "goes.yaml", manifest("goes", "web:1"));
    await put(t, node, "changes.yaml", manifest("changes", "web:1"));
    for (const name of ["stays", "goes", "changes"])
      await t.until(`pod/${name}-node-a`, isReady, { within: minutes(1) });
    const before = await t.pod("stays-node-a");
    const changes = await t.containerId("changes-node-a");
    await node.stopKubelet();
    await node.filesystem.remove(`${folder}/goes.yaml`);
    await put(t, node, "changes.yaml", manifest("changes", "web:1", "  hostname: other\n"));
    await node.startKubelet();
    await t.until("pod/goes-node-a", isGone, { within: minutes(1) });
    await t.elapse(minutes(1));
    await t.until("pod/changes-node-a", isReady, { within: minutes(1) });
    const after = await t.pod("stays-node-a");
    assert.equal(after.metadata.uid, before.metadata.uid);
    assert.deepEqual(after.status, before.status);
    assert.notEqual(await t.containerId("changes-node-a"), changes);
    const running = await node.runtime.runtime.listContainers();
    assert.equal(running.filter(({ state }) => state.kind === "running").length, 2);
  }),

  story(
    "a crash is restarted, an end under Never stays an end, and an effect NoExecute drives nothing away",
    async (t) => {
      const node = await nodeWithFolder(t);
      t.image("crash:1", { present: true, runsFor: seconds(2), exitsByTurn: [1, 1], exits: 1 });
      t.image("job:1", { present: true, runsFor: seconds(5) });
      await t.taint("node-a", "example.com/out:NoExecute");
      await put(t, node, "crash.yaml", manifest("crash", "crash:1"));
      await put(t, node, "job.yaml", manifest("job", "job:1", "  restartPolicy: Never\n"));
      await t.until("pod/job-node-a", isSucceeded, { within: minutes(1) });
      await t.elapse(minutes(30));
      await t.until("pod/job-node-a", isSucceeded, { within: seconds(0) });
      assert.equal((await t.container("job-node-a")).restartCount, 0);
      assert.ok((await t.container("crash-node-a")).restartCount >= 5);
    },
  ),

  story("what is no Pod, not valid, or refers to the API, does not run; the others do", async (t) => {
    const node = await nodeWithFolder(t);
    t.image("web:1", { present: true });
    await put(t, node, "a-service.yaml", "apiVersion: v1\nkind: Service\nmetadata: { name: x }\n");
    await put(t, node, "b-broken.yaml", "kind: [");
    await put(
      t,
      node,
      "c-secret.yaml",
      manifest("secret", "web:1", "  volumes: [{ name: s, secret: { secretName: s } }]\n"),
    );
    await put(t, node, "d-account.yaml", manifest("account", "web:1", "  serviceAccountName: default\n"));
    await put(t, node, ".hidden.yaml", manifest("hidden", "web:1"));
    await put(t, node, "web.yaml", manifest("web", "web:1"));
    await t.until("pod/web-node-a", isReady, { within: minutes(1) });
    await t.elapse(minutes(5));
    assert.equal((await node.runtime.runtime.listContainers()).length, 1);
    assert.deepEqual(t.cluster.complaints.splice(0), [
      `static Pod ${folder}/a-service.yaml: couldn't parse as pod: expected apiVersion v1, kind Pod`,
      `static Pod ${folder}/b-broken.yaml: yaml: line 1: Flow sequence in block collection must be sufficiently indented and end with a ]`,
      `static Pod ${folder}/c-secret.yaml: static pods may not reference secrets`,
      `static Pod ${folder}/d-account.yaml: static pods may not reference serviceaccounts`,
    ]);
    // A manifest that becomes invalid asks for nothing any more.
    await put(t, node, "web.yaml", "apiVersion: v1\nkind: Pod\nmetadata: { name: web }\n");
    await t.until("pod/web-node-a", isGone, { within: minutes(1) });
    t.cluster.complaints.splice(0);
  }),

  story("changes are found without word of them, at the next look", async (t) => {
    const node = await nodeWithFolder(t);
    t.image("web:1", { present: true });
    node.filesystem.watch = () => () => undefined;
    await node.stopKubelet();
    await node.startKubelet();
    await t.elapse(seconds(5));
    await put(t, node, "web.yaml", manifest("web", "web:1"));
    await t.elapse(seconds(10));
    await t.until("pod/web-node-a", isGone, { within: seconds(0) });
    await t.until("pod/web-node-a", hasContainer("main", "running"), { within: seconds(10) });
  }),
];
