// A private containerd for tests: its own root, state, socket, network and images below one temporary folder, so that it runs beside the machine's
// and beside that of other test files. It takes nothing from the network. `stop` leaves nothing behind.

import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Millis, seconds } from "../../src/base/time.ts";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import { probeCriEndpoint } from "../../src/runtimes/cri/probe-cri-endpoint.ts";
import { cgroupsNamedIn, removeCgroups } from "./cgroups.ts";
import { testImageArchives, testImages } from "./test-images.ts";
import { clock, until } from "./until.ts";

const run = promisify(execFile);

export interface PrivateContainerd {
  /** Path of its socket. */
  readonly endpoint: string;
  readonly images: typeof testImages;
  /** Pods get their addresses here. */
  readonly subnet: string;
  /** A folder below which tests may write; goes away with `stop`. */
  readonly scratch: string;
  /** What containerd printed. */
  log(): string;
  /** Ends containerd as a crash does (KILL) or cleanly (TERM); containers go on running. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Stops it where it is, and lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Starts it again over the same state and waits until it answers. */
  begin(): Promise<void>;
  /** Runs `ctr` against it in namespace k8s.io. */
  ctr(...args: readonly string[]): Promise<string>;
  /** Ends all containers and containerd itself and removes mounts, interfaces and folders. */
  stop(): Promise<void>;
}

/** Why no private containerd can run here, for a named skip; `undefined` if it can. */
export function containerdAbsence(): string | undefined {
  if (process.platform !== "linux") return "containerd needs Linux";
  if (process.getuid?.() !== 0) return "containerd needs root";
  const missing = ["containerd", "ctr", "runc", "setpriv"].filter((program) => !findProgram(program));
  if (!existsSync("/bin/busybox")) missing.push("busybox-static");
  if (!existsSync("/usr/lib/cni/bridge")) missing.push("containernetworking-plugins");
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/** @throws with containerd's own output if it does not come up */
export async function startContainerd(): Promise<PrivateContainerd> {
  const absence = containerdAbsence();
  if (absence !== undefined) throw new Error(absence);
  const folder = await mkdtemp(join(tmpdir(), "lifepod-ctd-"));
  const lot = await takeLot(folder);
  const server = new Server(folder, lot);
  try {
    server.writeConfiguration();
    await server.begin();
    await server.importImages();
    await server.ready(seconds(30));
  } catch (error) {
    const log = server.log();
    await server.stop();
    throw new Error(`containerd did not come up: ${(error as Error).message}\n${log}`, { cause: error });
  }
  return server;
}

/**
 * One of 64 numbers that no living test process holds: it gives the bridge its name and Pods their subnet. What a killed test process left under
 * the number is cleaned up.
 */
async function takeLot(folder: string): Promise<number> {
  mkdirSync(lotFolder, { recursive: true });
  for (let lot = 0; lot < 64; lot++) {
    const path = lotFile(lot);
    const holder = readIfThere(path);
    const [pid = "", left = ""] = holder.split(" ");
    if (holder !== "") {
      if (existsSync(`/proc/${pid}`)) continue;
      await new Server(left, lot).salvage();
    }
    try {
      writeFileSync(path, `${process.pid} ${folder}`, { flag: "wx" });
      return lot;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // another process was faster
    }
  }
  throw new Error("64 private containerds run already");
}

const lotFolder = join(tmpdir(), "lifepod-containerd-lots");
const lotFile = (lot: number): string => join(lotFolder, String(lot));
const bridgeOf = (lot: number): string => `lifepodtest${lot}`;
const endpointIn = (folder: string): string => join(folder, "containerd.sock");

/** Removes what remains of a private containerd that has ended. */
async function cleanUp(folder: string, lot: number): Promise<void> {
  await endShims(endpointIn(folder));
  unmountBelow(folder);
  execFileSync("sh", ["-c", `ip link delete ${bridgeOf(lot)} 2>/dev/null || true`]);
  rmSync(folder, { recursive: true, force: true });
  rmSync(lotFile(lot), { force: true });
}

/** Shims outlive containerd. Those of ours carry its socket in their arguments. */
async function endShims(endpoint: string): Promise<void> {
  const shims = readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const argv = readIfThere(`/proc/${pid}/cmdline`).split("\0");
    return (argv[0]?.includes("containerd-shim") ?? false) && argv.includes(endpoint);
  });
  const ended = shims.flatMap((pid) => {
    const children = readIfThere(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
    for (const one of [...children, pid]) kill(Number(one));
    return [...children, pid];
  });
  const gone = () => (ended.every((pid) => readIfThere(`/proc/${pid}/cmdline`) === "") ? true : undefined);
  await until("the shims and their containers have ended", gone, seconds(5));
}

class Server implements PrivateContainerd {
  readonly images = testImages;
  readonly endpoint: string;
  readonly subnet: string;
  readonly scratch: string;
  readonly #folder: string;
  readonly #lot: number;
  readonly #bridge: string;
  #process: ChildProcess | undefined;

  constructor(folder: string, lot: number) {
    this.#folder = folder;
    this.#lot = lot;
    this.#bridge = bridgeOf(lot);
    this.subnet = `10.211.${lot}.0/24`;
    this.endpoint = endpointIn(folder);
    this.scratch = join(folder, "scratch");
  }

  writeConfiguration(): void {
    for (const name of ["scratch", "cni", "ipam", "images"]) mkdirSync(join(this.#folder, name), { recursive: true });
    writeFileSync(join(this.#folder, "config.toml"), this.#config());
    const network = {
      cniVersion: "0.4.0",
      name: this.#bridge,
      plugins: [
        {
          type: "bridge",
          bridge: this.#bridge,
          isGateway: true,
          ipMasq: false,
          hairpinMode: true,
          ipam: {
            type: "host-local",
            dataDir: join(this.#folder, "ipam"),
            ranges: [[{ subnet: this.subnet }]],
            routes: [{ dst: "0.0.0.0/0" }],
          },
        },
        { type: "portmap", capabilities: { portMappings: true } },
      ],
    };
    writeFileSync(join(this.#folder, "cni", "10-test.conflist"), JSON.stringify(network));
  }

  #config(): string {
    // Without CAP_SYS_RESOURCE a sandbox's oom_score_adj of -998 cannot be set.
    return `version = 2
root = "${this.#folder}/root"
state = "${this.#folder}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "${this.endpoint}"
[debug]
  level = "info"
[plugins."io.containerd.internal.v1.opt"]
  path = "${this.#folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${testImages.pause}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${this.#folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${this.#folder}/registry"
`;
  }

  async begin(): Promise<void> {
    if (this.#process !== undefined) throw new Error("containerd runs already");
    const output = openSync(join(this.#folder, "containerd.log"), "a");
    // It must not outlive a test process that is killed.
    const command = ["--pdeathsig", "KILL", "containerd", "-c", join(this.#folder, "config.toml")];
    this.#process = spawn("setpriv", command, { stdio: ["ignore", output, output] });
    closeSync(output);
    await this.#until(seconds(20), async () => (await this.#probe()).kind === "answers");
  }

  /** Ends what a killed test process left: only containerd itself can give back addresses, ports and cgroups. */
  async salvage(): Promise<void> {
    try {
      if (existsSync(join(this.#folder, "config.toml"))) await this.begin();
    } catch (error) {
      process.stderr.write(`a private containerd could not be started again: ${(error as Error).message}\n`);
    } finally {
      await this.stop();
    }
  }

  async importImages(): Promise<void> {
    for (const [name, archive] of testImageArchives()) {
      const path = join(this.#folder, "images", `${name.replaceAll(/[/:]/g, "_")}.tar`);
      writeFileSync(path, archive);
      await this.ctr("images", "import", path);
      rmSync(path);
    }
  }

  /** Waits until Pods can get addresses. */
  async ready(limit: Millis): Promise<void> {
    await this.#until(limit, async () => {
      const probe = await this.#probe();
      return (
        probe.kind === "answers" && probe.conditions.length === 2 && probe.conditions.every(({ status }) => status)
      );
    });
  }

  log(): string {
    const path = join(this.#folder, "containerd.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  async ctr(...args: readonly string[]): Promise<string> {
    return (await run("ctr", ["-a", this.endpoint, "-n", "k8s.io", ...args])).stdout;
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.#process !== undefined && this.#process.exitCode === null) await this.#removeSandboxes();
    await this.end("SIGTERM");
    const cgroups = cgroupsNamedIn(this.log());
    await cleanUp(this.#folder, this.#lot);
    removeCgroups(cgroups);
  }

  async #removeSandboxes(): Promise<void> {
    const opened = await openCriRuntime({ endpoint: this.endpoint, clock });
    try {
      const sandboxes = await opened.runtime.listPodSandboxes();
      await Promise.all(sandboxes.map(({ id }) => opened.runtime.removePodSandbox(id)));
    } catch (error) {
      process.stderr.write(`a private containerd could not remove its sandboxes: ${(error as Error).message}\n`);
    } finally {
      await opened.close();
    }
  }

  async #probe() {
    return probeCriEndpoint(this.endpoint, { clock, timeout: seconds(2) });
  }

  async #until(limit: Millis, reached: () => Promise<boolean>): Promise<void> {
    await until(
      "containerd is ready",
      async () => {
        const status = this.#process?.exitCode;
        if (status !== undefined && status !== null) throw new Error(`containerd ended with status ${status}`);
        return (await reached()) ? true : undefined;
      },
      limit,
    );
  }
}

function findProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return ""; // the process ended meanwhile
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Deepest first, so that none is busy because of another. */
function unmountBelow(folder: string): void {
  const points = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
  for (const point of points) execFileSync("umount", ["-l", point]);
}
