// The CRI runtime against a runtime that is played: what is asked, how often, and what is made of rare answers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { millis, seconds } from "../../src/base/time.ts";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import {
  type EnvelopeSchema,
  Events,
  TaskExitSchema,
  TaskOOMSchema,
  TaskStartSchema,
} from "../../src/runtimes/cri/gen/containerd-events.ts";
import {
  ContainerEventType,
  ContainerState,
  ImageService,
  MountPropagation,
  NamespaceMode,
  type PodSandboxConfig as PodSandboxConfigMessage,
  PodSandboxState,
  Protocol,
  RuntimeService,
  SecurityProfile_ProfileType,
} from "../../src/runtimes/cri/gen/cri.ts";
import type {
  ContainerId,
  ContainerRuntime,
  PodSandboxConfig,
  RuntimeEvent,
  SandboxId,
} from "../../src/runtimes/runtime-service.ts";
import { FakeCriServer, type OpenStream, Refusal } from "../fakes/fake-cri-server.ts";
import { ownNamespaces, sandboxConfig } from "./cri-pod.ts";
import { clock, until } from "./until.ts";

const { method } = RuntimeService;
const sandbox = "sandbox-1" as SandboxId;
const container = "container-1" as ContainerId;

describe("the CRI runtime and a runtime that is played", () => {
  let folder: string;
  let server: FakeCriServer;
  let runtime: ContainerRuntime;
  let config: PodSandboxConfig;

  const open = async (runtimeName = "containerd"): Promise<void> => {
    server.unary(method.version, () => ({ runtimeName, runtimeVersion: "1", runtimeApiVersion: "v1" }));
    runtime = await openCriRuntime({ endpoint: `unix://${folder}/cri.sock`, clock });
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "lifepod-cri-"));
    config = sandboxConfig("web", join(folder, "logs"));
    server = new FakeCriServer();
    await server.listen(join(folder, "cri.sock"));
  });

  afterEach(async () => {
    await runtime?.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe("opening", () => {
    it("refuses a runtime that speaks another version of CRI, and says so", async () => {
      server.unary(method.version, () => ({ runtimeName: "old", runtimeApiVersion: "v1alpha2" }));
      await expect(openCriRuntime({ endpoint: join(folder, "cri.sock"), clock })).rejects.toThrow(
        /old at .*cri\.sock speaks CRI v1alpha2; CRI v1 is needed/,
      );
    });

    it("takes only unix sockets", async () => {
      await expect(openCriRuntime({ endpoint: "tcp://127.0.0.1:1", clock })).rejects.toThrow(
        /a CRI endpoint is a unix socket/,
      );
    });

    it.each(["cri-o", "other"])("has no events where %s has none", async (name) => {
      await open(name);
      expect(runtime.runtime).toHaveProperty("subscribe", undefined);
    });
  });

  describe("requests", () => {
    it("carries every wish of a sandbox", async () => {
      let seen: unknown;
      server.unary(method.runPodSandbox, (request) => {
        seen = request;
        return { podSandboxId: sandbox };
      });
      await open();
      const wishes: PodSandboxConfig = {
        ...config,
        metadata: { name: "web", namespace: "shop", uid: "u", attempt: 3 },
        dns: { servers: ["1.1.1.1"], searches: ["a.b"], options: ["ndots:5"] },
        portMappings: [{ protocol: "UDP", containerPort: 53, hostPort: 5353, hostIP: "127.0.0.1" }],
        labels: { a: "b" },
        annotations: { c: "d" },
        cgroupParent: "/kubepods",
        sysctls: { "net.core.somaxconn": "1024" },
        securityContext: {
          namespaceOptions: { network: "POD", pid: "NODE", ipc: "NODE" },
          runAsUser: 0,
          runAsGroup: 7,
          readonlyRootfs: true,
          supplementalGroups: [1, 2],
          privileged: true,
          seccomp: { profileType: "Localhost", localhostRef: "/profile.json" },
        },
      };
      expect(await runtime.runtime.runPodSandbox(wishes)).toBe(sandbox);
      expect(seen).toMatchObject({
        config: {
          metadata: { name: "web", namespace: "shop", uid: "u", attempt: 3 },
          hostname: "web",
          logDirectory: wishes.logDirectory,
          dnsConfig: { servers: ["1.1.1.1"], searches: ["a.b"], options: ["ndots:5"] },
          portMappings: [{ protocol: Protocol.UDP, containerPort: 53, hostPort: 5353, hostIp: "127.0.0.1" }],
          labels: { a: "b" },
          annotations: { c: "d" },
          linux: {
            cgroupParent: "/kubepods",
            sysctls: { "net.core.somaxconn": "1024" },
            securityContext: {
              namespaceOptions: { network: NamespaceMode.POD, pid: NamespaceMode.NODE, ipc: NamespaceMode.NODE },
              runAsUser: { value: 0n },
              runAsGroup: { value: 7n },
              readonlyRootfs: true,
              supplementalGroups: [1n, 2n],
              privileged: true,
              seccomp: { profileType: SecurityProfile_ProfileType.Localhost, localhostRef: "/profile.json" },
            },
          },
        },
      });
    });

    it("leaves out what is not wished, so that the runtime decides", async () => {
      let seen: PodSandboxConfigMessage | undefined;
      server.unary(method.runPodSandbox, (request) => {
        seen = request.config;
        return { podSandboxId: sandbox };
      });
      await open();
      await runtime.runtime.runPodSandbox({
        ...config,
        securityContext: { namespaceOptions: { ...ownNamespaces, network: "NODE" } },
      });
      expect(seen?.dnsConfig).toBeUndefined();
      expect(seen?.hostname).toBe("");
      for (const field of ["runAsUser", "runAsGroup", "seccomp"]) {
        expect(seen?.linux?.securityContext).not.toHaveProperty(field);
      }
    });

    it("carries every wish of a container", async () => {
      let seen: unknown;
      server.unary(method.createContainer, (request) => {
        seen = request;
        return { containerId: container };
      });
      await open();
      await runtime.runtime.createContainer(
        sandbox,
        {
          metadata: { name: "main", attempt: 2 },
          imageRef: "sha256:abc",
          userSpecifiedImage: "web:1",
          command: ["run"],
          args: ["fast"],
          workingDir: "/srv",
          envs: [{ key: "K", value: "v" }],
          mounts: [
            { containerPath: "/a", hostPath: "/b", readonly: true, propagation: "Bidirectional" },
            { containerPath: "/c", hostPath: "/d", readonly: false, propagation: "None" },
          ],
          labels: { l: "1" },
          annotations: { n: "2" },
          logPath: "main/2.log",
          stdin: true,
          stdinOnce: true,
          tty: true,
          resources: { cpuPeriod: 1, cpuQuota: -1, cpuShares: 3, memoryLimitInBytes: 2 ** 40, oomScoreAdj: -997 },
          securityContext: {
            namespaceOptions: { network: "POD", pid: "TARGET", ipc: "POD", targetId: container },
            capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
            runAsUser: 1000,
            noNewPrivileges: true,
            maskedPaths: [],
            readonlyPaths: ["/proc/x"],
          },
        },
        config,
      );
      expect(seen).toMatchObject({
        podSandboxId: sandbox,
        config: {
          metadata: { name: "main", attempt: 2 },
          image: { image: "sha256:abc", userSpecifiedImage: "web:1" },
          command: ["run"],
          args: ["fast"],
          workingDir: "/srv",
          envs: [{ key: "K", value: "v" }],
          mounts: [
            {
              containerPath: "/a",
              hostPath: "/b",
              readonly: true,
              propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL,
            },
            { containerPath: "/c", hostPath: "/d", readonly: false, propagation: MountPropagation.PROPAGATION_PRIVATE },
          ],
          labels: { l: "1" },
          annotations: { n: "2" },
          logPath: "main/2.log",
          stdin: true,
          stdinOnce: true,
          tty: true,
          linux: {
            resources: {
              cpuPeriod: 1n,
              cpuQuota: -1n,
              cpuShares: 3n,
              memoryLimitInBytes: 2n ** 40n,
              oomScoreAdj: -997n,
            },
            securityContext: {
              namespaceOptions: { pid: NamespaceMode.TARGET, targetId: container },
              capabilities: { addCapabilities: ["NET_ADMIN"], dropCapabilities: ["ALL"] },
              runAsUser: { value: 1000n },
              noNewPrivs: true,
              maskedPaths: [],
              readonlyPaths: ["/proc/x"],
            },
          },
        },
        sandboxConfig: { metadata: { name: "web" } },
      });
    });

    it("rounds a stop up to whole seconds, and asks again without patience when its own time is up", async () => {
      const timeouts: bigint[] = [];
      let finish = (): void => undefined;
      const ended = new Promise<void>((resolve) => {
        finish = resolve;
      });
      server.unary(method.stopContainer, async ({ timeout }) => {
        timeouts.push(timeout);
        if (timeout === 0n) finish();
        await ended;
        return {};
      });
      await open();
      await runtime.runtime.stopContainer(container, millis(1200));
      expect(timeouts).toEqual([2n, 0n]);
      await runtime.runtime.stopContainer(container, seconds(30));
      expect(timeouts).toEqual([2n, 0n, 30n]);
    });

    it("stops a sandbox that the runtime refuses to remove while it runs", async () => {
      let stopped = false;
      server.unary(method.stopPodSandbox, () => {
        stopped = true;
        return {};
      });
      server.unary(method.removePodSandbox, () => {
        if (!stopped) throw new Refusal("FailedPrecondition", "sandbox is running");
        return {};
      });
      await open();
      await runtime.runtime.removePodSandbox(sandbox);
      expect(server.calls.slice(1)).toEqual(["RemovePodSandbox", "StopPodSandbox", "RemovePodSandbox"]);
    });

    it("counts what is gone as stopped and removed, and other failures as failures", async () => {
      const gone = () => {
        throw new Refusal("NotFound", "no such thing");
      };
      for (const one of [
        method.stopContainer,
        method.removeContainer,
        method.stopPodSandbox,
        method.removePodSandbox,
      ]) {
        server.unary<typeof one.input, typeof one.output>(one, gone);
      }
      server.unary(ImageService.method.removeImage, gone);
      await open();
      await runtime.runtime.stopContainer(container, seconds(1));
      await runtime.runtime.removeContainer(container);
      await runtime.runtime.stopPodSandbox(sandbox);
      await runtime.runtime.removePodSandbox(sandbox);
      await runtime.images.removeImage({ image: "a" });

      server.unary(method.removeContainer, () => {
        throw new Refusal("Unknown", "device or resource busy");
      });
      await expect(runtime.runtime.removeContainer(container)).rejects.toThrow("device or resource busy");
    });

    it("removes no folder that cannot be one of logs", async () => {
      await open();
      for (const path of ["/", "", "relative", "/a/.."]) {
        await expect(runtime.runtime.removeLogs(path)).rejects.toThrow("not a folder of logs");
      }
    });
  });

  describe("pulling", () => {
    it("tries each credential in turn, and a stranger only when there is none", async () => {
      const users: (string | undefined)[] = [];
      server.unary(ImageService.method.pullImage, ({ auth }) => {
        users.push(auth?.username);
        if (auth?.username !== "right") throw new Refusal("Unknown", `denied to ${auth?.username ?? "a stranger"}`);
        return { imageRef: "sha256:abc" };
      });
      await open();
      const auths = [{ username: "wrong" }, { username: "right" }, { username: "unused" }];
      expect(await runtime.images.pullImage({ image: "x" }, auths, config)).toBe("sha256:abc");
      expect(users).toEqual(["wrong", "right"]);
      await expect(runtime.images.pullImage({ image: "x" }, [], config)).rejects.toThrow(/^denied to a stranger$/);
      await expect(
        runtime.images.pullImage({ image: "x" }, [{ username: "a" }, { username: "b" }], config),
      ).rejects.toThrow(/^\[denied to a, denied to b\]$/);
    });
  });

  describe("listing", () => {
    const listing = (state: ContainerState) => {
      server.unary(method.listContainers, () => ({ containers: [{ id: container, podSandboxId: sandbox, state }] }));
    };

    it("asks for the status of a container once a state", async () => {
      const finishedAt = BigInt(Date.now() - 60_000) * 1_000_000n;
      let state: ContainerState = ContainerState.CONTAINER_RUNNING;
      server.unary(method.containerStatus, () => ({ status: { id: container, state, exitCode: 3, finishedAt } }));
      await open();
      listing(state);
      for (let n = 0; n < 3; n++) await runtime.runtime.listContainers();
      expect(server.count("ContainerStatus")).toBe(1);

      state = ContainerState.CONTAINER_EXITED;
      listing(state);
      for (let n = 0; n < 3; n++) {
        expect(await runtime.runtime.listContainers()).toMatchObject([
          { sandboxId: sandbox, state: { kind: "exited", exitCode: 3 } },
        ]);
      }
      expect(server.count("ContainerStatus")).toBe(2);
    });

    it("keeps asking about one that ended just now: its reason may still change", async () => {
      const finishedAt = BigInt(Date.now()) * 1_000_000n;
      let reason = "Error";
      server.unary(method.containerStatus, () => ({
        status: { id: container, state: ContainerState.CONTAINER_EXITED, exitCode: 137, finishedAt, reason },
      }));
      await open();
      listing(ContainerState.CONTAINER_EXITED);
      await runtime.runtime.listContainers();
      reason = "OOMKilled";
      expect(await runtime.runtime.listContainers()).toMatchObject([{ state: { reason: "OOMKilled" } }]);
    });

    it("leaves out what vanished between the list and the closer look", async () => {
      server.unary(method.containerStatus, () => {
        throw new Refusal("NotFound", "gone");
      });
      server.unary(method.listPodSandbox, () => ({ items: [{ id: sandbox, state: PodSandboxState.SANDBOX_READY }] }));
      server.unary(method.podSandboxStatus, () => {
        throw new Refusal("NotFound", "gone");
      });
      await open();
      listing(ContainerState.CONTAINER_RUNNING);
      expect(await runtime.runtime.listContainers()).toEqual([]);
      expect(await runtime.runtime.listPodSandboxes()).toEqual([]);
    });

    it("reads states of a newer CRI as unknown", async () => {
      server.unary(method.containerStatus, () => ({ status: { id: container, state: 9 as ContainerState } }));
      await open();
      listing(9 as ContainerState);
      expect(await runtime.runtime.listContainers()).toMatchObject([{ state: { kind: "unknown" } }]);
    });

    it("gives all addresses of a sandbox", async () => {
      server.unary(method.podSandboxStatus, () => ({
        status: { id: sandbox, network: { ip: "10.0.0.1", additionalIps: [{ ip: "fd00::1" }] } },
      }));
      await open();
      expect((await runtime.runtime.podSandboxStatus(sandbox)).ips).toEqual(["10.0.0.1", "fd00::1"]);
    });
  });

  describe("events of containerd", () => {
    type Envelopes = OpenStream<MessageInitShape<typeof EnvelopeSchema>>;
    let stream: Envelopes | undefined;
    let filters: readonly string[];
    let events: RuntimeEvent[];
    let losses: string[];
    let state: ContainerState;

    const exited = (containerId: string, id = containerId) => ({
      topic: "/tasks/exit",
      event: { value: toBinary(TaskExitSchema, create(TaskExitSchema, { containerId, id })) },
    });
    const started = (containerId: string) => ({
      topic: "/tasks/start",
      event: { value: toBinary(TaskStartSchema, create(TaskStartSchema, { containerId })) },
    });

    const subscribe = async (): Promise<Envelopes> => {
      runtime.runtime.subscribe?.({ event: (event) => events.push(event), lost: (reason) => losses.push(reason) });
      return until("the stream is open", () => stream);
    };

    beforeEach(async () => {
      stream = undefined;
      events = [];
      losses = [];
      state = ContainerState.CONTAINER_RUNNING;
      server.stream(Events.method.subscribe, (request, opened) => {
        filters = request.filters;
        stream = opened;
      });
      server.unary(method.listContainers, ({ filter }) => ({
        containers: filter?.id === container ? [{ id: container, podSandboxId: sandbox, state }] : [],
      }));
      server.unary(method.listPodSandbox, ({ filter }) => ({ items: filter?.id === sandbox ? [{ id: sandbox }] : [] }));
      server.unary(method.containerStatus, () => ({ status: { id: container, state } }));
      server.unary(method.podSandboxStatus, () => ({
        status: { id: sandbox, state: PodSandboxState.SANDBOX_NOTREADY },
      }));
      await open();
    });

    it("are asked for by topic, in the namespace of CRI", async () => {
      await subscribe();
      expect(filters).toEqual([
        'namespace==k8s.io,topic=="/tasks/start"',
        'namespace==k8s.io,topic=="/tasks/exit"',
        'namespace==k8s.io,topic=="/tasks/oom"',
      ]);
    });

    it("are held back until CRI says the same", async () => {
      const opened = await subscribe();
      opened.send(exited(container));
      await until("CRI was asked repeatedly", () => (server.count("ContainerStatus") > 3 ? true : undefined));
      expect(events).toEqual([]);
      state = ContainerState.CONTAINER_EXITED;
      await until("the event came", () => events[0]);
      expect(events).toEqual([{ kind: "containerExited", containerId: container, sandboxId: sandbox }]);
    });

    it("keep their order for each container, and tell sandboxes apart", async () => {
      const opened = await subscribe();
      state = ContainerState.CONTAINER_CREATED;
      opened.send(started(container));
      opened.send({
        topic: "/tasks/oom",
        event: { value: toBinary(TaskOOMSchema, create(TaskOOMSchema, { containerId: container })) },
      });
      opened.send(exited(container));
      opened.send(started(sandbox));
      opened.send(exited(sandbox));
      await until("the sandbox's event overtook", () => events[0]);
      expect(events).toEqual([{ kind: "sandboxStopped", sandboxId: sandbox }]);
      state = ContainerState.CONTAINER_EXITED;
      await until("all came", () => (events.length === 4 ? true : undefined));
      const ids = { containerId: container, sandboxId: sandbox };
      expect(events.slice(1)).toEqual([
        { kind: "containerStarted", ...ids },
        { kind: "containerOutOfMemory", ...ids },
        { kind: "containerExited", ...ids },
      ]);
    });

    it("leave out ends of commands in a container, what others run, and other topics", async () => {
      const opened = await subscribe();
      state = ContainerState.CONTAINER_EXITED;
      opened.send(exited(container, "exec-1"));
      opened.send(exited("somebody-else"));
      opened.send({ topic: "/images/create" });
      opened.send({ topic: "/tasks/paused", event: { value: new Uint8Array() } });
      opened.send(exited(container));
      await until("the last one came", () => events[0]);
      expect(events).toHaveLength(1);
      expect(losses).toEqual([]);
    });

    it("are lost once, with the reason, when the stream ends or cannot be read", async () => {
      (await subscribe()).end(new Refusal("Unavailable", "shutting down"));
      await until("the loss was told", () => losses[0]);
      stream = undefined;
      (await subscribe()).send({ topic: "/tasks/exit", event: { value: Uint8Array.of(0x0a, 9) } });
      await until("the second loss was told", () => losses[1]);
      stream = undefined;
      (await subscribe()).end();
      await until("the third loss was told", () => losses[2]);
      expect(losses).toEqual([
        "shutting down",
        expect.stringContaining("cannot be read"),
        "the runtime ended the stream of events",
      ]);
    });

    it("are lost when CRI fails while one is looked into", async () => {
      const opened = await subscribe();
      server.unary(method.listPodSandbox, () => {
        throw new Refusal("Internal", "database is broken");
      });
      opened.send(exited(container));
      await until("the loss was told", () => losses[0]);
      expect(losses).toEqual(["an event could not be looked into: database is broken"]);
    });
  });

  describe("events of CRI itself", () => {
    it("are taken where the runtime is not containerd", async () => {
      const types = [
        ContainerEventType.CONTAINER_CREATED_EVENT,
        ContainerEventType.CONTAINER_STARTED_EVENT,
        ContainerEventType.CONTAINER_STOPPED_EVENT,
        ContainerEventType.CONTAINER_DELETED_EVENT,
      ];
      server.stream(method.getContainerEvents, (_request, opened) => {
        for (const containerId of [container, sandbox]) {
          for (const containerEventType of types) {
            opened.send({ containerId, containerEventType, podSandboxStatus: { id: sandbox } });
          }
        }
        opened.end();
      });
      await open("cri-o");
      const events: RuntimeEvent[] = [];
      const losses: string[] = [];
      runtime.runtime.subscribe?.({ event: (event) => events.push(event), lost: (reason) => losses.push(reason) });
      await until("the stream ended", () => losses[0]);
      expect(events).toEqual([
        { kind: "containerStarted", containerId: container, sandboxId: sandbox },
        { kind: "containerExited", containerId: container, sandboxId: sandbox },
        { kind: "sandboxStopped", sandboxId: sandbox },
      ]);
    });
  });
});
