// Owners and what they own, through the API server (pod-lifecycle 13.8).

import { afterEach, beforeEach, expect, it } from "vitest";
import type { ConfigMap, ObjectMeta, OwnerReference } from "../../src/api/index.ts";
import { isReason } from "../../src/api/wire/status-error.ts";
import { minutes } from "../../src/base/time.ts";
import { ControlPlane } from "./control-plane-fixture.ts";

let plane: ControlPlane;

beforeEach(async () => {
  plane = await ControlPlane.start();
});
afterEach(() => plane.stop());

interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Pick<ObjectMeta, "name" | "uid">;
}

const referenceTo = ({ apiVersion, kind, metadata: { name, uid } }: Owner): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid,
  blockOwnerDeletion: true,
});

const create = async (
  name: string,
  owners: readonly Owner[] = [],
  { finalizers = [] as readonly string[], blocks = true, namespace = "default" } = {},
): Promise<ConfigMap> => {
  const ownerReferences = owners.map((owner) => ({ ...referenceTo(owner), blockOwnerDeletion: blocks }));
  const created = await plane.client.configMaps.create({ metadata: { name, finalizers, ownerReferences } }, namespace);
  await plane.settle();
  return created;
};

const remove = async (name: string, propagationPolicy: "Background" | "Foreground" | "Orphan"): Promise<void> => {
  await plane.client.configMaps.delete(name, "default", { propagationPolicy });
  await plane.settle();
};

/** `name <- owners`, with `(going)` behind those that are being deleted. */
const left = async (): Promise<string[]> => {
  const { items } = await plane.client.configMaps.list({ namespace: "default" });
  return items
    .filter(({ metadata }) => metadata.name !== "kube-root-ca.crt")
    .map(({ metadata: { name, ownerReferences = [], deletionTimestamp } }) => {
      const owners = ownerReferences.length === 0 ? "" : ` <- ${ownerReferences.map((owner) => owner.name).join(",")}`;
      return `${name}${owners}${deletionTimestamp === undefined ? "" : " (going)"}`;
    });
};

const letGo = async (name: string): Promise<void> => {
  await plane.client.configMaps.patch(name, "default", "merge", { metadata: { finalizers: null } });
  await plane.settle();
};

it("in the background an owner goes at once and takes along whom nobody else owns", async () => {
  const [owner, other] = [await create("owner"), await create("other")];
  const child = await create("child", [owner]);
  await create("grandchild", [child]);
  await create("shared", [owner, other]);
  await remove("owner", "Background");
  expect(await left()).toEqual(["other", "shared <- other"]);
});

it("orphans stay, and know their owner no more", async () => {
  const owner = await create("owner");
  const child = await create("child", [owner]);
  await create("grandchild", [child]);
  await remove("owner", "Orphan");
  expect(await left()).toEqual(["child", "grandchild <- child"]);
});

it("in the foreground an owner waits for the dependents that block it, down to the last", async () => {
  const owner = await create("owner");
  const child = await create("child", [owner]);
  await create("grandchild", [child], { finalizers: ["example.com/hold"] });
  await remove("owner", "Foreground");
  expect(await left()).toEqual(["child <- owner (going)", "grandchild <- child (going)", "owner (going)"]);
  await letGo("grandchild");
  expect(await left()).toEqual([]);
});

it("in the foreground an owner does not wait for dependents that do not block it", async () => {
  const owner = await create("owner");
  await create("child", [owner], { finalizers: ["example.com/hold"], blocks: false });
  await remove("owner", "Foreground");
  expect(await left()).toEqual(["child <- owner (going)"]);
});

it("in the foreground an owner goes when its last dependent has left it for another", async () => {
  const [owner, other] = [await create("owner"), await create("other")];
  await create("child", [owner], { finalizers: ["example.com/hold"] });
  await remove("owner", "Foreground");
  expect(await left()).toEqual(["child <- owner (going)", "other", "owner (going)"]);
  const ownerReferences = [referenceTo(other)];
  await plane.client.configMaps.patch("child", "default", "merge", { metadata: { ownerReferences } });
  await plane.settle();
  expect(await left()).toEqual(["child <- other (going)", "other"]);
});

it("in the foreground a dependent with another owner stays and forgets the one that waits", async () => {
  const [owner, other] = [await create("owner"), await create("other")];
  await create("shared", [owner, other]);
  await remove("owner", "Foreground");
  expect(await left()).toEqual(["other", "shared <- other"]);
});

it("owners in a circle do not wait for each other for ever", async () => {
  const first = await create("first");
  const second = await create("second", [first]);
  const ownerReferences = [referenceTo(second)];
  await plane.client.configMaps.patch("first", "default", "merge", { metadata: { ownerReferences } });
  await plane.settle();
  await remove("first", "Foreground");
  expect(await left()).toEqual([]);
});

it("an owner of another uid is none", async () => {
  const owner = await create("owner");
  await create("mistaken", [{ ...owner, metadata: { name: "owner", uid: "00000000-0000-4000-8000-000000000000" } }]);
  expect(await left()).toEqual(["owner"]);
});

it("an owner in another namespace is none, and an event says so", async () => {
  const elsewhere = await create("elsewhere", [], { namespace: "kube-public" });
  await create("abroad", [elsewhere]);
  expect(await left()).toEqual([]);
  expect(await plane.events("abroad")).toEqual([
    `garbage-collector-controller Warning OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: default, name: elsewhere, uid: ${elsewhere.metadata.uid}] does not exist in namespace "default"`,
  ]);
});

it("what lives in no namespace is not owned by what does: it stays, and an event says so", async () => {
  const owner = await create("owner");
  await plane.client.namespaces.create({ metadata: { name: "shop", ownerReferences: [referenceTo(owner)] } });
  await plane.settle();
  await remove("owner", "Background");
  expect((await plane.client.namespaces.get("shop")).metadata).not.toHaveProperty("deletionTimestamp");
  expect(await plane.events("shop")).toEqual([
    expect.stringMatching(/OwnerRefInvalidNamespace ownerRef .* does not exist in namespace ""$/),
  ]);
});

it("whom something unknown owns is left alone", async () => {
  const owner = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "x", uid: "1" } };
  await create("child", [owner]);
  await plane.advance(minutes(5));
  expect(await left()).toEqual(["child <- x"]);
});

it("what names its owner only after the owner has gone goes too", async () => {
  const owner = await create("owner");
  await remove("owner", "Background");
  await create("late", [owner]);
  expect(await left()).toEqual([]);
});

it("what appears while its owner waits in the foreground goes before it", async () => {
  const owner = await create("owner");
  await create("child", [owner], { finalizers: ["example.com/hold"] });
  await remove("owner", "Foreground");
  await create("late", [owner]);
  expect(await left()).toEqual(["child <- owner (going)", "owner (going)"]);
});

it("Pods end gracefully when their owner goes", async () => {
  await plane.addNode("node-a");
  const metadata = { name: "web", ownerReferences: [referenceTo(await create("owner"))] };
  const spec = { containers: [{ name: "main", image: "image:1" }] };
  await plane.client.pods.create({ metadata, spec }, "default");
  await plane.settle();
  await remove("owner", "Background");
  expect((await plane.pod("web")).metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
});

it("a Node takes its lease along", async () => {
  await plane.addNode("node-a");
  plane.silence("node-a");
  const ownerReferences = [referenceTo(await plane.client.nodes.get("node-a"))];
  await plane.client.leases.patch("node-a", "kube-node-lease", "merge", { metadata: { ownerReferences } });
  await plane.client.nodes.delete("node-a");
  await plane.settle();
  await expect(plane.client.leases.get("node-a", "kube-node-lease")).rejects.toSatisfy((error) =>
    isReason(error, "NotFound"),
  );
});

it("a namespace deleted in the foreground goes when it is empty", async () => {
  await plane.client.namespaces.create({ metadata: { name: "shop" } });
  await create("prices", [], { namespace: "shop" });
  await plane.client.namespaces.delete("shop", undefined, { propagationPolicy: "Foreground" });
  await plane.settle();
  await expect(plane.client.namespaces.get("shop")).rejects.toSatisfy((error) => isReason(error, "NotFound"));
});
