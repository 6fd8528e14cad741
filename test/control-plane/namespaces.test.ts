import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredObject } from "../../src/client/resource-client.ts";
import { minutes, seconds } from "../../src/base/time.ts";
import { ControlPlane, certificate } from "./control-plane-fixture.ts";

let plane: ControlPlane;

beforeEach(async () => {
  plane = await ControlPlane.start();
});
afterEach(() => plane.stop());

const names = (objects: readonly StoredObject[]) => objects.map(({ metadata }) => metadata.name);
const createNamespace = async (name: string) => {
  await plane.client.namespaces.create({ metadata: { name } });
  await plane.settle();
};
const namespaceNames = async () => names((await plane.client.namespaces.list()).items);

describe("a namespace", () => {
  it("has its default ServiceAccount and the root certificate at once, also the first ones", async () => {
    await createNamespace("shop");
    for (const namespace of ["default", "kube-system", "shop"]) {
      expect(names((await plane.client.serviceAccounts.list({ namespace })).items)).toEqual(["default"]);
      const published = await plane.client.configMaps.get("kube-root-ca.crt", namespace);
      expect(published.data).toEqual({ "ca.crt": certificate });
    }
  });

  it("gets both back when they are deleted or changed", async () => {
    await plane.client.serviceAccounts.delete("default", "default");
    const published = await plane.client.configMaps.get("kube-root-ca.crt", "default");
    await plane.client.configMaps.update({ ...published, data: { "ca.crt": "forged", more: "x" } });
    await plane.settle();
    await plane.client.serviceAccounts.get("default", "default");
    expect((await plane.client.configMaps.get("kube-root-ca.crt", "default")).data).toEqual({ "ca.crt": certificate });
    await plane.client.configMaps.delete("kube-root-ca.crt", "default");
    await plane.settle();
    await plane.client.configMaps.get("kube-root-ca.crt", "default");
  });

  it("goes at once when nothing in it needs time", async () => {
    await createNamespace("shop");
    await plane.client.configMaps.create({ metadata: { name: "prices" } }, "shop");
    await plane.createPod("web", {}, "shop"); // never scheduled: nobody has to stop it
    await plane.client.namespaces.delete("shop");
    await plane.settle();
    expect(await namespaceNames()).toEqual(["default", "kube-node-lease", "kube-public", "kube-system"]);
    expect(names((await plane.client.configMaps.list({ namespace: "shop" })).items)).toEqual([]);
    expect((await plane.client.serviceAccounts.list({ namespace: "shop" })).items).toEqual([]);
  });

  it("waits for its Pods, keeps what they use until they are gone, and says what it waits for", async () => {
    await createNamespace("shop");
    await plane.addNode("node-a");
    await plane.client.secrets.create({ metadata: { name: "key" } }, "shop");
    await plane.createPod("web", {}, "shop");
    await plane.client.namespaces.delete("shop");
    await plane.advance(seconds(20));

    const { status } = await plane.client.namespaces.get("shop");
    expect(status.phase).toBe("Terminating");
    expect(status.conditions?.map(({ type, status: value, reason }) => `${type} ${value} ${reason}`)).toEqual([
      "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered",
      "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions",
      "NamespaceDeletionContentFailure False ContentDeleted",
      "NamespaceContentRemaining True SomeResourcesRemain",
      "NamespaceFinalizersRemaining False ContentHasNoFinalizers",
    ]);
    expect(status.conditions?.[3]?.message).toBe("Some resources are remaining: pods. has 1 resource instances");
    await plane.client.secrets.get("key", "shop");

    await plane.client.pods.delete("web", "shop", { gracePeriodSeconds: 0 }); // as its kubelet would
    await plane.settle();
    expect(await namespaceNames()).not.toContain("shop");
  });

  it("waits for finalizers, and names them", async () => {
    await createNamespace("shop");
    await plane.client.configMaps.create({ metadata: { name: "held", finalizers: ["example.com/hold"] } }, "shop");
    await plane.client.namespaces.delete("shop");
    await plane.advance(minutes(1));
    const held = (await plane.client.namespaces.get("shop")).status.conditions?.find(
      ({ type }) => type === "NamespaceFinalizersRemaining",
    );
    expect(held).toMatchObject({
      status: "True",
      reason: "SomeFinalizersRemain",
      message: "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    });

    await plane.client.configMaps.patch("held", "shop", "merge", { metadata: { finalizers: null } });
    await plane.advance(seconds(10));
    expect(await namespaceNames()).not.toContain("shop");
    expect(plane.log).toEqual([]);
  });
});
