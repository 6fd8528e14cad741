// What the CRI runtime makes of a Pod's wishes, seen from inside real containers; and how it lives through a crash of containerd.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { millis, seconds } from "../../src/base/time.ts";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import { findCriEndpoint, probeCriEndpoint } from "../../src/runtimes/cri/probe-cri-endpoint.ts";
import type { ContainerRuntime, RuntimeEvent } from "../../src/runtimes/runtime-service.ts";
import { containerdAbsence, type PrivateContainerd, startContainerd } from "./containerd.ts";
import { CriPod, ownNamespaces, sandboxConfig } from "./cri-pod.ts";
import { freePort } from "./free-port.ts";
import { busyboxLayer } from "./test-images.ts";
import { startRegistry } from "./test-registry.ts";
import { clock, until } from "./until.ts";

const absence = containerdAbsence();

describe("the CRI runtime over containerd", () => {
  let containerd: PrivateContainerd;
  let runtime: ContainerRuntime;
  const pods: CriPod[] = [];

  beforeAll(async () => {
    if (absence !== undefined) return;
    containerd = await startContainerd();
    runtime = await openCriRuntime({ endpoint: containerd.endpoint, clock });
  });

  afterAll(async () => {
    await runtime?.close();
    await containerd?.stop();
  });

  beforeEach((test) => test.skip(absence !== undefined, absence));

  const pod = async (overrides: Parameters<typeof CriPod.run>[3] = {}): Promise<CriPod> => {
    const one = await CriPod.run(runtime, containerd.images.busybox, join(containerd.scratch, "logs"), overrides);
    pods.push(one);
    return one;
  };

  describe("what a Pod asks for", () => {
    it("gives the sandbox its host name, its name servers and an address of the node's subnet", async () => {
      const dns = { servers: ["10.96.0.10"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] };
      const one = await pod({ hostname: "web-0", dns });
      const { text } = await one.output("hostname; cat /etc/resolv.conf; ip -4 -o address show eth0");
      const address = await one.address();
      expect(text).toMatch(
        /^web-0\nsearch default\.svc\.cluster\.local\nnameserver 10\.96\.0\.10\noptions ndots:5\n.* inet /,
      );
      expect(text).toContain(` inet ${address}/24 `);
      expect(address.split(".").slice(0, 3).join(".")).toBe(containerd.subnet.replace(/\.0\/24$/, ""));
    });

    it("lets containers of one Pod meet on localhost, and Pods at their addresses", async () => {
      const server = await pod();
      await server.start("httpd -f -p 8080 -h /www");
      const client = await pod();
      const fetch = (host: string) => `until wget -q -O - http://${host}:8080/; do sleep 0.05; done 2>/dev/null`;
      expect((await server.output(fetch("127.0.0.1"))).text).toBe("hello from busybox\n");
      expect((await client.output(fetch(await server.address()))).text).toBe("hello from busybox\n");
    });

    it("forwards a port of the node to the Pod", async () => {
      const hostPort = await freePort();
      const one = await pod({ portMappings: [{ protocol: "TCP", containerPort: 8080, hostPort }] });
      await one.start("httpd -f -p 8080 -h /www");
      const body = await until("the port answers", () => fetchText(`http://127.0.0.1:${hostPort}/`));
      expect(body).toBe("hello from busybox\n");
    });

    it("runs the image's entry point with the image's or the container's arguments", async () => {
      const one = await pod();
      const image = { imageRef: containerd.images.entrypoint, userSpecifiedImage: containerd.images.entrypoint };
      const run = async (command: readonly string[], args: readonly string[]): Promise<string> => {
        const id = await one.create(command, { ...image, args });
        await runtime.runtime.startContainer(id);
        await one.exited(id);
        return one.log(id);
      };
      expect(await run([], [])).toBe("image-entrypoint image-command\n");
      expect(await run([], ["own-args"])).toBe("image-entrypoint own-args\n");
      expect(await run(["sh", "-c", 'echo "$0 $FROM_IMAGE $PWD"'], ["first"])).toBe("first yes /tmp\n");
    });

    it("knows the user of an image", async () => {
      const status = await runtime.images.imageStatus({ image: containerd.images.busyboxUser });
      expect(status).toMatchObject({ uid: 1000, repoTags: [containerd.images.busyboxUser] });
      const one = await pod();
      const image = { imageRef: containerd.images.busyboxUser, userSpecifiedImage: containerd.images.busyboxUser };
      expect((await one.output("id -u", image)).text).toBe("1000\n");
    });

    it("sets capabilities, groups, new privileges and the root file system as asked", async () => {
      const one = await pod();
      const { text } = await one.output(
        "grep -E '^(CapEff|NoNewPrivs|Groups)' /proc/self/status; touch /x 2>&1; id -u",
        {
          securityContext: {
            namespaceOptions: ownNamespaces,
            runAsUser: 0,
            capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] },
            supplementalGroups: [4242],
            noNewPrivileges: true,
            readonlyRootfs: true,
          },
        },
      );
      expect(text.replaceAll(/[\t ]+/g, " ")).toBe(
        [
          "Groups: 0 4242 ",
          "CapEff: 0000000000001000",
          "NoNewPrivs: 1",
          "touch: /x: Read-only file system",
          "0",
          "",
        ].join("\n"),
      );
    });

    it("hides the kernel's secrets unless told not to, and more so not from a privileged container", async () => {
      const one = await pod({ securityContext: { namespaceOptions: ownNamespaces, privileged: true } });
      const script = "grep -c ' /proc/\\(keys\\|timer_list\\|sys\\) ' /proc/mounts";
      const context = (more: object) => ({ securityContext: { namespaceOptions: ownNamespaces, ...more } });
      expect((await one.output(script)).text).toBe("3\n");
      expect((await one.output(script, context({ maskedPaths: [], readonlyPaths: [] }))).text).toBe("0\n");
      expect((await one.output(script, context({ privileged: true }))).text).toBe("0\n");
    });

    it("filters system calls with the runtime's profile when asked", async () => {
      const one = await pod();
      const script = "grep '^Seccomp:' /proc/self/status";
      const context = (profileType: "RuntimeDefault" | "Unconfined") => ({
        securityContext: { namespaceOptions: ownNamespaces, seccomp: { profileType } },
      });
      expect((await one.output(script)).text).toBe("Seccomp:\t0\n");
      expect((await one.output(script, context("Unconfined"))).text).toBe("Seccomp:\t0\n");
      expect((await one.output(script, context("RuntimeDefault"))).text).toBe("Seccomp:\t2\n");
    });

    it("shares the process namespace of the Pod, or that of one container, when asked", async () => {
      const shared = { network: "POD", pid: "POD", ipc: "POD" } as const;
      const one = await pod({ securityContext: { namespaceOptions: shared } });
      const server = await one.start("httpd -f -p 8080 -h /www", { securityContext: { namespaceOptions: shared } });
      expect((await one.output("ps -o args", { securityContext: { namespaceOptions: shared } })).text).toContain(
        "httpd -f",
      );

      const other = await pod();
      const target = await other.start("httpd -f -p 8080 -h /www");
      expect((await other.output("ps -o args")).text).not.toContain("httpd -f");
      const joined = { ...ownNamespaces, pid: "TARGET", targetId: target } as const;
      expect((await other.output("ps -o args", { securityContext: { namespaceOptions: joined } })).text).toContain(
        "httpd -f",
      );
      expect((await runtime.runtime.containerStatus(server)).state.kind).toBe("running");
    });

    it("sets limits of memory and processor time", async () => {
      const one = await pod();
      const { text } = await one.output(
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max",
        { resources: { memoryLimitInBytes: 64 << 20, cpuPeriod: 100_000, cpuQuota: 50_000, cpuShares: 512 } },
      );
      expect(["67108864\n50000\n512\n", "67108864\n50000 100000\n"]).toContain(text);
    });

    it("shows what is mounted on the host later to a container that asked for it, and to no other", async () => {
      const folder = join(containerd.scratch, "shared");
      mkdirSync(join(folder, "below"), { recursive: true });
      execFileSync("mount", ["--bind", folder, folder]);
      execFileSync("mount", ["--make-shared", folder]);
      const one = await pod();
      const seeing = async (propagation: "None" | "HostToContainer") =>
        one.start("sleep 3600", {
          mounts: [{ containerPath: "/data", hostPath: folder, readonly: false, propagation }],
        });
      const watcher = await seeing("HostToContainer");
      const other = await seeing("None");
      execFileSync("mount", ["-t", "tmpfs", "late", join(folder, "below")]);
      const mounts = async (id: typeof watcher): Promise<string> =>
        Buffer.from((await runtime.runtime.execSync(id, ["cat", "/proc/mounts"])).stdout).toString();
      expect(await mounts(watcher)).toContain("late /data/below tmpfs");
      expect(await mounts(other)).not.toContain("late");
    });
  });

  describe("what happens to a Pod", () => {
    it("says OOMKilled, and tells of it at once, when a container outgrows its memory", async () => {
      const events: RuntimeEvent[] = [];
      const subscription = runtime.runtime.subscribe?.({
        event: (event) => events.push(event),
        lost: () => undefined,
      });
      const one = await pod();
      const id = await one.start("x=0123456789abcdef; while :; do x=$x$x; done", {
        resources: { memoryLimitInBytes: 16 << 20 },
      });
      const exit = await until("it was killed for its memory", async () => {
        const { state } = await runtime.runtime.containerStatus(id);
        return state.kind === "exited" && state.reason === "OOMKilled" ? state : undefined;
      });
      expect(exit.exitCode).toBe(137);
      await until("the event came", () => events.find(({ kind }) => kind === "containerOutOfMemory"));
      subscription?.close();
      expect((await runtime.runtime.listContainers({ sandboxId: one.sandboxId }))[0]?.state).toEqual(exit);
    });

    it("tells in upstream's words why a process could not be started", async () => {
      const one = await pod();
      const id = await one.create(["/no/such/program"]);
      const failure = await runtime.runtime.startContainer(id).catch((error: unknown) => error as Error);
      expect((failure as Error).message).toMatch(/^failed to create containerd task: .*exec: "\/no\/such\/program"/);
      const { state } = await runtime.runtime.containerStatus(id);
      expect(state).toMatchObject({ kind: "exited", exitCode: 128, reason: "StartError", startedAt: 0 });
    });

    it("tells when the sandbox ends, and only then", async () => {
      const events: RuntimeEvent[] = [];
      const subscription = runtime.runtime.subscribe?.({
        event: (event) => events.push(event),
        lost: () => undefined,
      });
      const one = await pod();
      const id = await one.start("sleep 3600");
      await runtime.runtime.execSync(id, ["true"]);
      await runtime.runtime.stopPodSandbox(one.sandboxId);
      await until("the sandbox has stopped", () => events.find(({ kind }) => kind === "sandboxStopped"));
      subscription?.close();
      expect(events).toEqual([
        { kind: "containerStarted", containerId: id, sandboxId: one.sandboxId },
        { kind: "containerExited", containerId: id, sandboxId: one.sandboxId },
        { kind: "sandboxStopped", sandboxId: one.sandboxId },
      ]);
    });

    it("stops after a part of a second when that was asked", async () => {
      const one = await pod();
      const id = await one.start("trap '' TERM; echo up; while :; do sleep 1; done");
      await until("it is up", async () => ((await one.log(id)) === "up\n" ? true : undefined));
      const from = clock.now();
      await runtime.runtime.stopContainer(id, millis(300));
      const { finishedAt } = await one.exited(id);
      expect(finishedAt - from).toBeGreaterThanOrEqual(290);
      expect(finishedAt - from).toBeLessThan(900);
    });

    it("ends a command on time although its child keeps the output open", async () => {
      const one = await pod();
      const id = await one.start("sleep 3600");
      const from = clock.now();
      const failure = await runtime.runtime
        .execSync(id, ["sh", "-c", "sleep 30 & sleep 30"], seconds(1))
        .catch((error: unknown) => error as Error);
      expect((failure as Error).message).toBe('command timed out: "sh -c sleep 30 & sleep 30" timed out after 1s');
      expect(clock.now() - from).toBeLessThan(4000);
    });

    it("does not blame a command for a runtime that stood still", async () => {
      const one = await pod();
      const id = await one.start("sleep 3600");
      containerd.signal("SIGSTOP");
      const result = runtime.runtime.execSync(id, ["echo", "well"], seconds(2));
      await clock.sleep(seconds(5));
      containerd.signal("SIGCONT");
      expect(Buffer.from((await result).stdout).toString()).toBe("well\n");
    });

    it.each([
      ["whole seconds", seconds(1)],
      ["a part of a second", millis(300)],
    ])("kills a command whose time of %s is up", async (_what, timeout) => {
      const one = await pod();
      const id = await one.start("sleep 3600");
      await expect(runtime.runtime.execSync(id, ["sleep", "77"], timeout)).rejects.toThrow(
        `command timed out: "sleep 77" timed out after ${timeout / 1000}s`,
      );
      await until("the command is gone", async () => {
        const { stdout } = await runtime.runtime.execSync(id, ["ps", "-o", "args"]);
        return Buffer.from(stdout).includes("sleep 77") ? undefined : true;
      });
      expect((await runtime.runtime.containerStatus(id)).state.kind).toBe("running");
    });

    it("ends a follower as soon as the exit is told, after the last line", async () => {
      const subscription = runtime.runtime.subscribe?.({ event: () => undefined, lost: () => undefined });
      const one = await pod();
      const id = await one.start("echo one; sleep 0.3; printf two; exit 4");
      const { logPath } = await runtime.runtime.containerStatus(id);
      const texts: string[] = [];
      for await (const line of runtime.runtime.readLog(logPath, id, { follow: true })) {
        texts.push(Buffer.from(line.text).toString());
      }
      subscription?.close();
      expect(texts).toEqual(["one", "two"]);
      const { state } = await runtime.runtime.containerStatus(id);
      expect(state).toMatchObject({ kind: "exited", exitCode: 4 });
    });
  });

  describe("images", () => {
    it("pulls with the credentials that fit, and says what the registry said when none do", async () => {
      const registry = await startRegistry({ username: "pod", password: "secret" });
      const image = registry.add("private/busybox", "1", { layer: busyboxLayer() });
      const config = sandboxConfig("puller", join(containerd.scratch, "logs", "puller"));
      try {
        await expect(runtime.images.pullImage({ image }, [], config)).rejects.toThrow(
          /failed to pull and unpack image .*private\/busybox:1.*(401|authorization failed|no basic auth credentials)/,
        );
        const wrong = { username: "pod", password: "wrong" };
        await expect(runtime.images.pullImage({ image }, [wrong], config)).rejects.toThrow(/authorization failed|401/);
        const reference = await runtime.images.pullImage(
          { image },
          [wrong, { username: "pod", password: "secret" }],
          config,
        );
        const status = await runtime.images.imageStatus({ image });
        expect(status).toMatchObject({
          repoTags: [image],
          repoDigests: [expect.stringMatching(/@sha256:[0-9a-f]{64}$/)],
        });
        expect((await runtime.images.imageStatus({ image: reference }))?.id).toBe(status?.id);
        await runtime.images.removeImage({ image });
        await runtime.images.removeImage({ image });
        expect(await runtime.images.imageStatus({ image })).toBeUndefined();
      } finally {
        await registry.close();
      }
    });
  });

  describe("finding a runtime", () => {
    it("finds the first socket that answers", async () => {
      const silent = join(containerd.scratch, "nobody.sock");
      const found = await findCriEndpoint({ clock }, [silent, containerd.endpoint]);
      expect(found).toMatchObject({
        kind: "answers",
        endpoint: containerd.endpoint,
        version: { runtimeName: "containerd" },
      });
    });

    it("says why a socket is of no use", async () => {
      const absent = await probeCriEndpoint(`unix://${containerd.scratch}/nobody.sock`, { clock });
      expect(absent).toMatchObject({ kind: "absent", reason: expect.stringContaining("ENOENT") });

      const path = join(containerd.scratch, "mute.sock");
      const mute = createServer((socket) => socket.resume());
      await new Promise<void>((resolve) => mute.listen(path, resolve));
      const slow = await probeCriEndpoint(path, { clock, timeout: millis(200) });
      await new Promise((resolve) => mute.close(resolve));
      expect(slow).toMatchObject({ kind: "absent", reason: "Version was not answered within 0.2s" });
    });
  });

  // Last: it restarts containerd.
  describe("when containerd crashes", () => {
    it("loses the events, fails clearly meanwhile, and finds all containers again", async () => {
      const events: RuntimeEvent[] = [];
      const losses: string[] = [];
      runtime.runtime.subscribe?.({ event: (event) => events.push(event), lost: (reason) => losses.push(reason) });
      const one = await pod();
      const stays = await one.start("sleep 3600");
      const ends = await one.start("sleep 0.5; exit 7");
      const before = await runtime.runtime.containerStatus(stays);

      await containerd.end("SIGKILL");
      await until("the loss was told", () => losses[0]);
      await expect(runtime.runtime.listPodSandboxes()).rejects.toMatchObject({
        code: "Unavailable",
        message: expect.stringContaining(`the container runtime at ${containerd.endpoint} cannot be reached`),
      });
      await containerd.begin();

      expect(losses).toHaveLength(1);
      expect(await runtime.runtime.containerStatus(stays)).toEqual(before);
      expect(await one.exited(ends)).toMatchObject({ exitCode: 7, reason: "Error" });
      const later: RuntimeEvent[] = [];
      const again = runtime.runtime.subscribe?.({ event: (event) => later.push(event), lost: () => undefined });
      await runtime.runtime.stopContainer(stays, seconds(0));
      await until("the exit was told", () => later.find(({ kind }) => kind === "containerExited"));
      again?.close();
      expect(later).toContainEqual({ kind: "containerExited", containerId: stays, sandboxId: one.sandboxId });
    });

    it("leaves nothing of the removed Pods", async () => {
      await Promise.all(pods.map((one) => one.remove()));
      expect(await runtime.runtime.listPodSandboxes()).toEqual([]);
      expect(await runtime.runtime.listContainers()).toEqual([]);
      expect(await containerd.ctr("tasks", "list", "-q")).toBe("");
    });
  });
});

async function fetchText(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks).toString()));
    });
    request.on("error", () => resolve(undefined));
  });
}
