import { describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { KubeletStory } from "./kubelet-story.ts";

async function logOf(k: KubeletStory, query: string): Promise<{ status: number; text: string }> {
  const response = await k.cluster.call(
    k.cluster.handle({
      method: "GET",
      path: "/api/v1/namespaces/default/pods/web/log",
      query: new URLSearchParams(query),
      headers: {},
      user: { username: "admin", groups: ["system:masters"] },
    }),
  );
  if (response.body.kind === "object")
    return { status: response.status, text: String(response.body.object["message"]) };
  if (response.body.kind !== "byteStream") return { status: response.status, text: "" };
  let text = "";
  for await (const chunk of response.body.chunks) text += new TextDecoder().decode(chunk);
  return { status: response.status, text };
}

describe("logs", () => {
  it("are those of the instance that was asked for", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", {
        present: true,
        runsFor: seconds(5),
        exits: 1,
        logs: [
          { at: seconds(1), text: "one" },
          { at: seconds(2), text: "two" },
        ],
      });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(6.5));
      expect(await logOf(k, "previous=true")).toEqual({ status: 200, text: "one\ntwo\n" });
      expect(await logOf(k, "timestamps=true")).toEqual({ status: 200, text: "2025-01-01T00:00:06.000000000Z one\n" });
      expect(await logOf(k, "previous=true&tailLines=1&limitBytes=2")).toEqual({ status: 200, text: "tw" });
      expect(await logOf(k, "container=other")).toMatchObject({ status: 400 });
    }));

  it("are refused in words while a container has not started", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", {});
      await k.create("web", { image: "web:1", container: { imagePullPolicy: "Never" } });
      await k.elapse(seconds(1));
      expect(await logOf(k, "")).toEqual({
        status: 400,
        text: 'container "web" in pod "web" is waiting to start: ErrImageNeverPull',
      });
      expect(await logOf(k, "previous=true")).toEqual({
        status: 400,
        text: 'previous terminated container "web" in pod "web" not found',
      });
    }));
});

describe("a kubelet", () => {
  it("says again what somebody else has written over, and leaves what is not its own", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(1));
      const conditions = [
        { type: "Ready", status: "False", reason: "Mine" },
        { type: "example.com/own", status: "True" },
      ];
      await k.cluster.call(
        k.cluster.client.pods.patch("web", "default", "strategic", { status: { conditions } }, "status"),
      );
      await k.elapse(seconds(1));
      const after = (await k.pod("web")).status.conditions ?? [];
      expect(after.find(({ type }) => type === "Ready")).toMatchObject({ status: "True" });
      expect(after.find(({ type }) => type === "Ready")?.reason).toBeUndefined();
      expect(after.find(({ type }) => type === "example.com/own")).toMatchObject({ status: "True" });
    }));

  it("takes a new image into a running Pod, whatever the restart policy", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      k.cluster.image("web:2", { present: true });
      await k.create("web", { image: "web:1", restartPolicy: "Never", terminationGracePeriodSeconds: 1 });
      await k.elapse(seconds(5));
      const containers = [{ name: "web", image: "web:2" }];
      await k.cluster.call(k.cluster.client.pods.patch("web", "default", "strategic", { spec: { containers } }));
      await k.elapse(seconds(5));
      expect(k.events("web", "Killing")).toEqual([
        "5s Normal Killing Container web definition changed, will be restarted",
      ]);
      const [status] = (await k.pod("web")).status.containerStatuses ?? [];
      expect(status).toMatchObject({ image: "web:2", restartCount: 1, state: { running: {} } });
    }));

  it("says which pull secrets are missing, and pulls all the same", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", {});
      await k.create("web", { image: "web:1", imagePullSecrets: [{ name: "one" }, { name: "two" }] });
      await k.elapse(seconds(1));
      expect(k.events("web", "FailedToRetrieveImagePullSecret")).toEqual([
        "0s Warning FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (one, two); attempting to pull the image may not succeed.",
      ]);
      expect(k.statuses("web").at(-1)).toBe("0s Running web=running,ready");
    }));

  it("keeps its lease and its node's status fresh", () =>
    KubeletStory.tell(async (k) => {
      const { client } = k.cluster;
      await k.elapse(seconds(65));
      const lease = await k.cluster.call(client.leases.get("node-a", "kube-node-lease"));
      expect(lease.spec).toMatchObject({
        holderIdentity: "node-a",
        leaseDurationSeconds: 40,
        renewTime: "2025-01-01T00:01:00.000000Z",
      });
      const ready = async () =>
        (await k.cluster.call(client.nodes.get("node-a"))).status.conditions?.find(({ type }) => type === "Ready");
      expect(await ready()).toMatchObject({ status: "True", lastHeartbeatTime: "2025-01-01T00:00:00Z" });
      await k.elapse(seconds(300));
      expect((await ready())?.lastHeartbeatTime).toBe("2025-01-01T00:05:00Z");
    }));

  it("registers again when its Node object is deleted", () =>
    KubeletStory.tell(async (k) => {
      await k.cluster.call(k.cluster.client.nodes.delete("node-a"));
      await k.elapse(seconds(400));
      const node = await k.cluster.call(k.cluster.client.nodes.get("node-a"));
      expect(node.status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({ status: "True" });
    }));
});
