import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seconds } from "../../base/time.ts";
import { WallClock } from "../../host/wall-clock.ts";
import type { ContainerConfig, ContainerId, ContainerRuntime, SandboxId } from "../runtime-service.ts";
import { AddressRange } from "../../network/ipam.ts";
import type { ProcessRuntimeOptions } from "./process-runtime.ts";
import { openProcessRuntime } from "./process-runtime.ts";
import { containerMark, parseStat } from "./process-table.ts";

const isRoot = process.getuid?.() === 0;
const namespaceOptions = { network: "POD", pid: "CONTAINER", ipc: "POD" } as const;

let folder: string;
let opened: ContainerRuntime[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifepod-process-"));
  opened = [];
});

afterEach(async () => {
  const last = opened.at(-1);
  for (const { id } of (await last?.runtime.listPodSandboxes()) ?? []) await last?.runtime.removePodSandbox(id);
  for (const runtime of opened) await runtime.close();
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<ProcessRuntimeOptions> = {}): Promise<ContainerRuntime> {
  const stateDirectory = join(folder, "state");
  const runtime = await openProcessRuntime({ stateDirectory, clock: new WallClock(), ...options });
  opened.push(runtime);
  return runtime;
}

interface Pod {
  readonly id: ContainerId;
  readonly sandbox: SandboxId;
  readonly logPath: string;
}

async function create(
  { runtime }: ContainerRuntime,
  script: string,
  change: Partial<ContainerConfig> = {},
): Promise<Pod> {
  const sandboxConfig = {
    metadata: { name: "pod", namespace: "default", uid: "1", attempt: 0 },
    hostname: "pod-host",
    logDirectory: join(folder, "logs"),
    portMappings: [],
    labels: {},
    annotations: {},
    securityContext: { namespaceOptions },
  };
  const sandbox = await runtime.runPodSandbox(sandboxConfig);
  const config: ContainerConfig = {
    metadata: { name: "main", attempt: 0 },
    imageRef: "image",
    userSpecifiedImage: "image",
    command: ["sh", "-c", script],
    args: [],
    workingDir: "",
    envs: [],
    mounts: [],
    labels: {},
    annotations: {},
    logPath: `${sandbox}/0.log`,
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: {},
    securityContext: { namespaceOptions },
    ...change,
  };
  const id = await runtime.createContainer(sandbox, config, sandboxConfig);
  return { id, sandbox, logPath: join(sandboxConfig.logDirectory, config.logPath) };
}

async function launch(runtime: ContainerRuntime, ...rest: [string, Partial<ContainerConfig>?]): Promise<Pod> {
  const pod = await create(runtime, ...rest);
  await runtime.runtime.startContainer(pod.id);
  return pod;
}

/** Runs to the end; gives the output. */
async function outputOf(runtime: ContainerRuntime, ...rest: [string, Partial<ContainerConfig>?]): Promise<string> {
  const pod = await launch(runtime, ...rest);
  await exitOf(runtime, pod.id);
  return readFileSync(pod.logPath, "utf8");
}

async function exitOf({ runtime }: ContainerRuntime, id: ContainerId) {
  return await until(async () => {
    const { state } = await runtime.containerStatus(id);
    return state.kind === "exited" ? state : undefined;
  });
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = performance.now() + 15_000; ; ) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`waited in vain until ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const firstPid = (id: ContainerId): number =>
  Number.parseInt(readFileSync(join(folder, "state/containers", id, "process"), "utf8"), 10);

/** Open files of this process, beyond the usual three, that children get as well. */
function inherited(): readonly string[] {
  const closeOnExec = 0o2000000;
  return readdirSync("/proc/self/fd").filter((fd) => {
    if (Number(fd) <= 2 || !existsSync(`/proc/self/fdinfo/${fd}`)) return false;
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
    return (Number.parseInt(flags, 8) & closeOnExec) === 0;
  });
}

/** Processes on the machine that carry the container's mark. */
function processesOf(id: ContainerId): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, "utf8").includes(`${containerMark}=${id}`);
    } catch (error) {
      if (["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    }
  });
}

describe("a process's surroundings", () => {
  it("hold nothing of lifepod's own: environment, open files, ignored signals", async () => {
    const runtime = await open();
    const output = await outputOf(
      runtime,
      "env | sort; ls /proc/$$/fd; grep -E '^Sig(Ign|Blk)' /proc/self/status; pwd; readlink /proc/$$/fd/0; umask",
      { envs: [{ key: "A", value: "b" }] },
    );
    const [first, ...rest] = output.split("\n");
    expect(first).toBe("A=b");
    // What this very test was given by whoever started it goes on to its children.
    const own = rest.filter((line) => !inherited().includes(line));
    expect(own.map((line) => line.replace(/=[0-9a-f]{64}$/, "=id"))).toEqual([
      `HOME=${userInfo().homedir}`,
      "HOSTNAME=pod-host",
      "LIFEPOD_CONTAINER=id",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      // The shell's own.
      "PWD=/",
      "0",
      "1",
      "2",
      "SigBlk:\t0000000000000000",
      "SigIgn:\t0000000000000000",
      "/",
      "/dev/null",
      "0022",
      "",
    ]);
  });

  it("may have variables whose names no shell would take", async () => {
    const runtime = await open();
    const envs = [
      { key: "my.var-1", value: "dotted" },
      { key: "IFS", value: "x" },
      { key: "PATH", value: "/usr/bin:/bin" },
    ];
    const output = await outputOf(runtime, "", { command: ["env"], envs });
    expect(output.split("\n")).toEqual(expect.arrayContaining(["my.var-1=dotted", "IFS=x", "PATH=/usr/bin:/bin"]));
  });

  it("are its own session and process group", async () => {
    const runtime = await open();
    const { id } = await launch(runtime, "sleep 1000");
    const pid = firstPid(id);
    expect(parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"))).toMatchObject({ pid, session: pid });
  });

  it("may be narrowed: capabilities, new privileges, writing to the machine's files", async (test) => {
    test.skip(!isRoot, "needs root");
    const runtime = await open();
    const script = `grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; echo x > /usr/lifepod-test || echo refused; echo x > ${folder}/volume/file && echo written`;
    mkdirSync(join(folder, "volume"));
    const output = await outputOf(runtime, script, {
      mounts: [
        {
          containerPath: join(folder, "volume"),
          hostPath: join(folder, "volume"),
          readonly: false,
          propagation: "None",
        },
        {
          containerPath: "/mnt/lifepod-volume",
          hostPath: join(folder, "volume"),
          readonly: false,
          propagation: "None",
        },
      ],
      securityContext: {
        namespaceOptions,
        readonlyRootfs: true,
        noNewPrivileges: true,
        capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
      },
    });
    expect(output).toContain("CapEff:\t0000000000000400");
    expect(output).toContain("CapBnd:\t0000000000000400");
    expect(output).toContain("NoNewPrivs:\t1");
    expect(output).toContain("refused");
    expect(existsSync("/usr/lifepod-test")).toBe(false);
  });
});

describe("what cannot be started", () => {
  it.each<[string, Partial<ContainerConfig>, string]>([
    [
      "an unknown name",
      { command: ["no-such-program"] },
      'exec: "no-such-program": executable file not found in $PATH',
    ],
    ["a missing file", { command: ["/no/such"] }, 'exec: "/no/such": stat /no/such: no such file or directory'],
    ["a file without the right", { command: ["/etc/passwd"] }, 'exec: "/etc/passwd": permission denied'],
    ["a folder", { command: ["/etc"] }, 'exec: "/etc": permission denied'],
    [
      "a missing folder to be in",
      { workingDir: "/no/dir" },
      'chdir to cwd ("/no/dir") set in config.json failed: no such file',
    ],
  ])("says why: %s", async (_what, change, text) => {
    const runtime = await open();
    const { id } = await create(runtime, "true", change);
    await expect(runtime.runtime.startContainer(id)).rejects.toThrow(text);
    const state = await exitOf(runtime, id);
    expect(state).toMatchObject({ exitCode: 128, reason: "StartError", message: expect.stringContaining(text) });
    // It is found so after a crash, too.
    const again = await open();
    expect((await again.runtime.containerStatus(id)).state).toEqual(state);
  });

  it("runs nothing for an image that stands for no command, and the command for one that does", async () => {
    const runtime = await open({ images: { greeter: ["echo", "hello"] } });
    await expect(create(runtime, "", { command: [] })).rejects.toThrow('set "command" to a program that is installed');
    const mapped = { command: [], args: ["world"], userSpecifiedImage: "greeter:1.2" };
    expect(await outputOf(runtime, "", mapped)).toBe("hello world\n");
  });

  it.runIf(isRoot)("tells why a mount failed", async () => {
    const runtime = await open();
    mkdirSync(join(folder, "volume"));
    writeFileSync(join(folder, "target"), "");
    const { id } = await create(runtime, "true", {
      mounts: [
        {
          containerPath: join(folder, "target"),
          hostPath: join(folder, "volume"),
          readonly: false,
          propagation: "None",
        },
      ],
    });
    await expect(runtime.runtime.startContainer(id)).rejects.toThrow(`failed to mount ${join(folder, "volume")} at`);
    expect(await exitOf(runtime, id)).toMatchObject({ exitCode: 128, reason: "StartError" });
  });
});

describe("the end", () => {
  it("takes along daemons that left the session", async () => {
    const runtime = await open();
    const { id } = await launch(runtime, "setsid -f sleep 1000; setsid sleep 1000 & sleep 1000");
    await until(() => (processesOf(id).length >= 4 ? true : undefined));
    await runtime.runtime.stopContainer(id, seconds(0));
    expect(processesOf(id)).toEqual([]);
  });

  it("is asked for by TERM to all processes of the group", async () => {
    const runtime = await open();
    const child = "(trap 'echo child; exit' TERM; echo up; while :; do sleep 1000 & wait $!; done) &";
    const pod = await launch(runtime, `trap : TERM; ${child} wait $!; wait $!; echo parent; exit 4`);
    await until(() => (readFileSync(pod.logPath, "utf8").includes("up") ? true : undefined));
    await runtime.runtime.stopContainer(pod.id, seconds(10));
    expect(await exitOf(runtime, pod.id)).toMatchObject({ exitCode: 4 });
    expect(readFileSync(pod.logPath, "utf8")).toContain("child\nparent\n");
  });

  it("puts nothing into the log that the container did not say", async () => {
    const runtime = await open();
    const pod = await launch(runtime, "echo up; exec sleep 1000");
    await until(() => (readFileSync(pod.logPath, "utf8").includes("up") ? true : undefined));
    await runtime.runtime.stopContainer(pod.id, seconds(10));
    expect(await exitOf(runtime, pod.id)).toMatchObject({ exitCode: 143 });
    expect(readFileSync(pod.logPath, "utf8")).toBe("up\n");
  });

  it("leaves no process, file or mount point behind", async () => {
    const runtime = await open();
    writeFileSync(join(folder, "message"), "");
    const mounts = isRoot
      ? [
          {
            containerPath: "/lifepod-test/file",
            hostPath: join(folder, "message"),
            readonly: false,
            propagation: "None" as const,
          },
          { containerPath: "/lifepod-test/deep", hostPath: folder, readonly: true, propagation: "None" as const },
        ]
      : [];
    const pods = await Promise.all([1, 2, 3].map(() => launch(runtime, "sleep 1000 & sleep 1000", { mounts })));
    await Promise.all(pods.map(({ sandbox }) => runtime.runtime.removePodSandbox(sandbox)));
    expect(pods.flatMap(({ id }) => processesOf(id))).toEqual([]);
    const left = ["sandboxes", "containers", "exits"].flatMap((name) => readdirSync(join(folder, "state", name)));
    expect(left).toEqual([]);
    expect(existsSync("/lifepod-test")).toBe(false);
  });

  it("is noticed when nobody is left to write it down", async () => {
    const runtime = await open();
    const { id } = await launch(runtime, "sleep 1000");
    const pid = firstPid(id);
    const supervisor = Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[1]);
    process.kill(supervisor, "SIGKILL");
    process.kill(pid, "SIGKILL");
    expect(await exitOf(runtime, id)).toMatchObject({ exitCode: 255, reason: "Unknown" });
  });

  it("has come for all when the machine was started anew", async () => {
    const runtime = await open();
    const { id, sandbox } = await launch(runtime, "sleep 1000");
    const waiting = await create(runtime, "true");
    await runtime.close();
    writeFileSync(join(folder, "state/boot"), "another boot\n");
    const again = await open();
    expect((await again.runtime.containerStatus(id)).state).toMatchObject({ exitCode: 255, reason: "Unknown" });
    expect((await again.runtime.podSandboxStatus(sandbox)).state).toBe("notReady");
    expect((await again.runtime.containerStatus(waiting.id)).state.kind).toBe("created");
  });

  it("does not come twice: a container that runs already is taken for started", async () => {
    const first = await open();
    const { id } = await create(first, "echo once; sleep 1000");
    // Another lifepod that did not see the first one start it.
    const second = await open();
    await first.runtime.startContainer(id);
    const pid = firstPid(id);
    await second.runtime.startContainer(id);
    expect(firstPid(id)).toBe(pid);
    expect((await second.runtime.containerStatus(id)).state.kind).toBe("running");
    expect(processesOf(id).length).toBeLessThanOrEqual(3);
  });
});

it("runs commands in a container with its own surroundings, and without it only with an error", async () => {
  const runtime = await open();
  const { id } = await launch(runtime, "sleep 1000", { workingDir: "/usr", envs: [{ key: "A.B", value: "c" }] });
  const result = await runtime.runtime.execSync(id, ["sh", "-c", "pwd; umask; exit 3"], seconds(10));
  expect([new TextDecoder().decode(result.stdout), result.exitCode]).toEqual(["/usr\n0022\n", 3]);
  const environment = await runtime.runtime.execSync(id, ["env"]);
  expect(new TextDecoder().decode(environment.stdout).split("\n")).toContain("A.B=c");
  await expect(runtime.runtime.execSync(id, ["no-such-program"])).rejects.toThrow(
    'failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "no-such-program": executable file not found in $PATH',
  );
  const killed = await runtime.runtime.execSync(id, ["sh", "-c", "kill -TERM $$"]);
  expect(killed.exitCode).toBe(143);
});

it("does not take a container that ends just now for the failure of a command in it", async (test) => {
  test.skip(!isRoot, "mounts need root");
  const runtime = await open();
  const hostPath = join(folder, "message");
  writeFileSync(hostPath, "");
  const mounts = [{ containerPath: "/dev/lifepod-test", hostPath, readonly: false, propagation: "None" as const }];
  const { id } = await launch(runtime, "sleep 1000", { mounts });
  process.kill(firstPid(id), "SIGKILL");
  // A command that still came in before the end has run; the first one that did not must hear of the end, and of nothing else.
  const untilRefused = async (): Promise<never> => {
    for (;;) expect(await runtime.runtime.execSync(id, ["true"])).toMatchObject({ exitCode: 0 });
  };
  await expect(untilRefused()).rejects.toThrow("failed to exec in container: container is in state CONTAINER_EXITED");
});

it("does not wait for what a command leaves in the background, and ends that with the container", async () => {
  const runtime = await open();
  const { id } = await launch(runtime, "sleep 1000");
  const result = await runtime.runtime.execSync(id, ["sh", "-c", "sleep 1000 & echo left"], seconds(10));
  expect(new TextDecoder().decode(result.stdout)).toBe("left\n");
  await runtime.runtime.stopContainer(id, seconds(0));
  expect(processesOf(id)).toEqual([]);
});

it("waits for a start on its way before it removes, so that nothing runs on unknown", async () => {
  const runtime = await open();
  const { id, sandbox } = await create(runtime, "sleep 1000");
  const starting = runtime.runtime.startContainer(id).catch(() => undefined);
  await runtime.runtime.removePodSandbox(sandbox);
  await starting;
  expect(processesOf(id)).toEqual([]);
});

it("takes up a container whose log somebody removed", async () => {
  const runtime = await open();
  const { id, logPath } = await launch(runtime, "sleep 1000");
  rmSync(logPath);
  await runtime.close();
  const again = await open();
  expect((await again.runtime.containerStatus(id)).state.kind).toBe("running");
});

it("gives a Pod an address, keeps it over a return, and takes it back at the Pod's end; none to Pods on the node's own network", async () => {
  const first = await open({ podAddresses: new AddressRange("127.200.0.0/24") });
  const config = {
    metadata: { name: "pod", namespace: "default", uid: "1", attempt: 0 },
    hostname: "pod",
    logDirectory: join(folder, "logs"),
    portMappings: [],
    labels: {},
    annotations: {},
  };
  const pod = await first.runtime.runPodSandbox({ ...config, securityContext: { namespaceOptions } });
  expect((await first.runtime.podSandboxStatus(pod)).ips).toEqual(["127.200.0.2"]);
  const host = { namespaceOptions: { ...namespaceOptions, network: "NODE" as const } };
  const onNode = await first.runtime.runPodSandbox({ ...config, securityContext: host });
  expect((await first.runtime.podSandboxStatus(onNode)).ips).toEqual([]);
  await first.close();

  const addresses = new AddressRange("127.200.0.0/24");
  const again = await open({ podAddresses: addresses });
  expect((await again.runtime.podSandboxStatus(pod)).ips).toEqual(["127.200.0.2"]);
  expect(addresses.allocate()).toBe("127.200.0.3");
  await again.runtime.stopPodSandbox(pod);
  expect((await again.runtime.podSandboxStatus(pod)).ips).toEqual([]);
  addresses.take("127.200.0.4");
  expect(Array.from({ length: 251 }, () => addresses.allocate())).toContain("127.200.0.2");
});

it("measures what a container's processes use together", async () => {
  const runtime = await open();
  const { id } = await launch(runtime, "(while :; do :; done) & while :; do :; done");
  const stats = await until(async () => {
    const [seen] = await runtime.runtime.containerStats();
    return seen !== undefined && seen.cpuUsageNanoSeconds >= 100_000_000n ? seen : undefined;
  });
  expect(stats.id).toBe(id);
  expect(stats.memoryUsageBytes).toBeGreaterThan(500_000);
});

describe("a hostile container", () => {
  const nasty = `a'b"c$(touch /tmp/x)\`id\`\\n\n\nnew line; exit 3 #\t*?~ -- é`;

  it("gets its words as they are, whatever a shell would make of them", async () => {
    const runtime = await open();
    const output = await outputOf(runtime, "", {
      command: ["sh", "-c", 'printf "%s|" "$0" "$@" "$ODD"', nasty],
      args: ["", nasty, "-n", "--", "a=b"],
      envs: [{ key: "ODD", value: nasty }],
    });
    expect(output).toBe([nasty, "", nasty, "-n", "--", "a=b", nasty, ""].join("|"));
  });

  it("runs a program whose name looks like a variable", async () => {
    const runtime = await open();
    const program = join(folder, "a=b");
    writeFileSync(program, '#!/bin/sh\necho "$0 $1"\n', { mode: 0o755 });
    expect(await outputOf(runtime, "", { command: [program, "c=d"] })).toBe(`${program} c=d\n`);
  });

  it("shows its environment on no command line, while it runs", async () => {
    const runtime = await open();
    const value = `secret-${Math.random()}`;
    const { id, logPath } = await launch(runtime, "echo up; sleep 1000", { envs: [{ key: "TOKEN", value }] });
    await until(() => readFileSync(logPath, "utf8") === "up\n" || undefined);
    const commandLines = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          return [readFileSync(`/proc/${pid}/cmdline`, "utf8")];
        } catch {
          return []; // gone meanwhile
        }
      });
    expect(commandLines.filter((line) => line.includes(value))).toEqual([]);
    const launchFile = join(folder, "state", "containers", id, "launch");
    expect(readFileSync(launchFile, "utf8")).toContain(value);
    expect(statSync(launchFile).mode & 0o777).toBe(0o600);
  });

  it.each<[string, Partial<ContainerConfig>, string]>([
    ["a NUL in its command", { command: ["echo", "a\0b"] }, "exec: invalid argument"],
    ["a NUL in its environment", { envs: [{ key: "A", value: "\0" }] }, "exec: invalid argument"],
    ["a NUL in its folder", { workingDir: "/tmp\0" }, "exec: invalid argument"],
    ["a word that the kernel does not take", { args: ["x".repeat(200_000)] }, "exec: argument list too long"],
    ["a variable that the kernel does not take", { envs: [{ key: "A", value: "x".repeat(200_000) }] }, "argument list"],
  ])("does not start with %s, and leaves nothing open", async (_what, change, text) => {
    const runtime = await open();
    const { id } = await create(runtime, "true", change);
    const openFiles = readdirSync("/proc/self/fd").length;
    await expect(runtime.runtime.startContainer(id)).rejects.toThrow(text);
    expect(readdirSync("/proc/self/fd").length).toBe(openFiles);
    expect(await exitOf(runtime, id)).toMatchObject({ exitCode: 128, reason: "StartError" });
  });
});
