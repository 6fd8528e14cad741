import { describe, expect, it } from "vitest";
import { minutes, seconds } from "../../src/base/time.ts";
import { configMap, secret } from "../../src/testing/builders.ts";
import { KubeletStory } from "./kubelet-story.ts";

describe("starting a Pod", () => {
  it("shows each step once, and the events of a healthy start", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(5));
      expect(k.statuses("web")).toEqual([
        "0s Pending",
        "0s Pending web=ContainerCreating",
        "0s Running web=running,ready",
      ]);
      expect(k.events("web")).toEqual([
        '0s Normal Pulled Container image "web:1" already present on machine',
        "0s Normal Created Created container: web",
        "0s Normal Started Started container web",
      ]);
      const { status } = await k.pod("web");
      expect(status).toMatchObject({
        hostIP: "192.168.0.1",
        podIP: "10.244.1.2",
        qosClass: "BestEffort",
        observedGeneration: 1,
      });
      expect(status.conditions?.map(({ type, status: value }) => `${type}=${value}`)).toEqual([
        "PodReadyToStartContainers=True",
        "Initialized=True",
        "Ready=True",
        "ContainersReady=True",
        "PodScheduled=True",
      ]);
    }));

  it("pulls, fails, backs off 10s, 20s and starts when the pull succeeds", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { pullTime: seconds(2), pullFails: { times: 2, message: "registry says no" } });
      await k.create("web", { image: "web:1" });
      await k.elapse(minutes(2));
      expect(k.statuses("web")).toEqual([
        "0s Pending",
        "0s Pending web=ContainerCreating",
        "2s Pending web=ErrImagePull",
        "2s Pending web=ImagePullBackOff",
        "14s Pending web=ErrImagePull",
        "14s Pending web=ImagePullBackOff",
        "36s Running web=running,ready",
      ]);
      expect(k.events("web")).toEqual([
        '0s Normal Pulling Pulling image "web:1"',
        '2s Warning Failed Failed to pull image "web:1": registry says no',
        "2s Warning Failed Error: ErrImagePull",
        '2s Normal BackOff Back-off pulling image "web:1"',
        "2s Warning Failed Error: ImagePullBackOff",
        '12s Normal Pulling Pulling image "web:1"',
        '14s Warning Failed Failed to pull image "web:1": registry says no',
        "14s Warning Failed Error: ErrImagePull",
        '14s Normal BackOff Back-off pulling image "web:1"',
        "14s Warning Failed Error: ImagePullBackOff",
        '34s Normal Pulling Pulling image "web:1"',
        '36s Normal Pulled Successfully pulled image "web:1" in 2s (2s including waiting). Image size: 1000000 bytes.',
        "36s Normal Created Created container: web",
        "36s Normal Started Started container web",
      ]);
    }));

  it("never pulls what must not be pulled", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", {});
      await k.create("web", { image: "web:1", container: { imagePullPolicy: "Never" } });
      await k.elapse(seconds(5));
      expect(k.events("web")).toEqual([
        '0s Warning ErrImageNeverPull Container image "web:1" is not present with pull policy of Never',
        "0s Warning Failed Error: ErrImageNeverPull",
      ]);
      expect(k.statuses("web").at(-1)).toBe("0s Pending web=ErrImageNeverPull");
    }));

  it("waits for a ConfigMap that its environment needs, and starts after it appears", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      const env = [{ name: "GREETING", valueFrom: { configMapKeyRef: { name: "settings", key: "greeting" } } }];
      await k.create("web", { image: "web:1", container: { env } });
      await k.elapse(seconds(1));
      expect((await k.pod("web")).status.containerStatuses?.[0]?.state?.waiting).toEqual({
        reason: "CreateContainerConfigError",
        message: 'configmap "settings" not found',
      });
      expect(k.events("web", "Failed")).toEqual(['0s Warning Failed Error: configmap "settings" not found']);

      await k.cluster.call(k.cluster.client.configMaps.create(configMap("settings", { greeting: "hello" }), "default"));
      await k.elapse(seconds(15));

      expect(k.statuses("web").at(-1)).toMatch(/^1[0-5](\.\d+)?s Running web=running,ready$/);
      const [made] = await k.node.runtime.runtime.listContainers();
      expect(made?.metadata.attempt).toBe(0);
    }));

  it("mounts ConfigMaps, Secrets and its own fields, and brings them up to date", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.cluster.call(k.cluster.client.configMaps.create(configMap("settings", { a: "1" }), "default"));
      await k.cluster.call(k.cluster.client.secrets.create(secret("key", { password: "hush" }), "default"));
      await k.create("web", {
        image: "web:1",
        container: { volumeMounts: [{ name: "all", mountPath: "/all" }] },
        volumes: [
          {
            name: "all",
            projected: {
              sources: [
                { configMap: { name: "settings" } },
                { secret: { name: "key" } },
                { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
              ],
            },
          },
        ],
      });
      await k.elapse(seconds(1));
      const { uid } = (await k.pod("web")).metadata;
      const folder = `/var/lib/lifepod/node-a/pods/${uid}/volumes/kubernetes.io~projected/all`;
      const read = async (name: string): Promise<string> =>
        new TextDecoder().decode(await k.node.filesystem.readFile(`${folder}/${name}`));
      expect([await read("a"), await read("password"), await read("name")]).toEqual(["1", "hush", "web"]);

      await k.cluster.call(k.cluster.client.configMaps.patch("settings", "default", "merge", { data: { a: "2" } }));
      await k.elapse(seconds(100));
      expect(await read("a")).toBe("2");

      await k.delete("web");
      await k.elapse(seconds(1));
      expect(await k.node.filesystem.list("/var/lib/lifepod/node-a/pods")).toEqual([]);
    }));

  it("tells that a volume cannot be mounted and goes on when it can", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("web", { image: "web:1", volumes: [{ name: "v", configMap: { name: "later" } }] });
      await k.elapse(seconds(2));
      expect(k.events("web")[0]).toBe(
        '0s Warning FailedMount MountVolume.SetUp failed for volume "v" : configmap "later" not found',
      );
      expect(k.statuses("web").at(-1)).toBe("0s Pending web=ContainerCreating");
      await k.cluster.call(k.cluster.client.configMaps.create(configMap("later", {}), "default"));
      await k.elapse(seconds(5));
      expect(k.statuses("web").at(-1)).toBe("3.5s Running web=running,ready");
    }));

  it("tries a sandbox again after 10 to 15 s", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      k.node.faults.failNext("runPodSandbox", 1, "no network today");
      await k.create("web", { image: "web:1" });
      await k.elapse(seconds(16));
      expect(k.events("web")[0]).toBe(
        "0s Warning FailedCreatePodSandBox Failed to create pod sandbox: no network today",
      );
      expect(k.statuses("web").at(-1)).toMatch(/^1[0-5](\.\d+)?s Running web=running,ready$/);
    }));

  it("refuses a Pod that does not fit, and leaves nothing behind", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      await k.create("big", {
        image: "web:1",
        nodeName: "node-a",
        container: { resources: { requests: { cpu: "8" } } },
      });
      await k.elapse(seconds(1));
      const { status } = await k.pod("big");
      expect(status).toMatchObject({
        phase: "Failed",
        reason: "OutOfcpu",
        message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 8000, used: 0, capacity: 4000",
      });
      expect(status.containerStatuses).toBeUndefined();
      expect(k.events("big")).toEqual([
        "0s Warning OutOfcpu Node didn't have enough resource: cpu, requested: 8000, used: 0, capacity: 4000",
      ]);
      expect(await k.node.runtime.runtime.listPodSandboxes()).toEqual([]);
    }));

  it("waits with the next container until postStart is through", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      const lifecycle = { postStart: { sleep: { seconds: 5 } } };
      await k.create("web", {
        containers: [
          { name: "a", image: "web:1", lifecycle },
          { name: "b", image: "web:1" },
        ],
      });
      await k.elapse(seconds(10));
      expect(k.statuses("web")).toEqual([
        "0s Pending",
        "0s Pending a=ContainerCreating b=ContainerCreating",
        "5s Running a=running,ready b=running,ready",
      ]);
      expect(k.events("web", "Started")).toEqual([
        "0s Normal Started Started container a",
        "5s Normal Started Started container b",
      ]);
    }));

  it("kills a container whose postStart fails, and says so", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, exec: { "prepare it": { exitCode: 3, stderr: "cannot" } } });
      const lifecycle = { postStart: { exec: { command: ["prepare", "it"] } } };
      await k.create("web", { image: "web:1", restartPolicy: "Never", container: { lifecycle } });
      await k.elapse(seconds(3));
      expect(k.events("web", "FailedPostStartHook", "Killing")).toEqual([
        "0s Warning FailedPostStartHook PostStartHook failed",
        "0s Normal Killing FailedPostStartHook",
      ]);
      expect(k.statuses("web").at(-1)).toBe("0s Failed web=Error(143)");
    }));

  it("says PostStartHookError while the container waits to be started again", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true, exec: { "prepare it": { exitCode: 3, stderr: "cannot" } } });
      const lifecycle = { postStart: { exec: { command: ["prepare", "it"] } } };
      await k.create("web", { image: "web:1", container: { lifecycle } });
      await k.elapse(seconds(3));
      expect(k.statuses("web").slice(1)).toEqual([
        "0s Pending web=ContainerCreating",
        "0s Running web=PostStartHookError",
        "0s Running web=PostStartHookError,r1",
        "0s Running web=CrashLoopBackOff,r1",
      ]);
      const { metadata, status } = await k.pod("web");
      expect(status.containerStatuses?.[0]?.state?.waiting?.message).toBe(
        `back-off 10s restarting failed container=web pod=web_default(${metadata.uid})`,
      );
    }));

  it("does not mount a subPath that leads out of its volume", () =>
    KubeletStory.tell(async (k) => {
      k.cluster.image("web:1", { present: true });
      Object.assign(k.node.filesystem, {
        leadsOutside: async (folder: string, path: string) =>
          folder.endsWith("kubernetes.io~empty-dir/scratch") && path === "way/out",
      });
      const container = { volumeMounts: [{ name: "scratch", mountPath: "/data", subPath: "way/out" }] };
      await k.create("web", { image: "web:1", container, volumes: [{ name: "scratch", emptyDir: {} }] });
      await k.elapse(seconds(1));
      expect((await k.pod("web")).status.containerStatuses?.[0]?.state?.waiting).toEqual({
        reason: "CreateContainerConfigError",
        message: 'failed to prepare subPath for volumeMount "/data" of container "web"',
      });
    }));
});
