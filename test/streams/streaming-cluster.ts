// A cluster on a real runtime with one Pod to stream into, and the real clients to do it with.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { startStandaloneCluster, type StandaloneCluster } from "../../src/standalone/standalone-cluster.ts";
import { containerdAbsence, type PrivateContainerd, startContainerd } from "../containerd/containerd.ts";
import { until } from "../containerd/until.ts";
import { findKubectl, promisedKubectlVersions } from "../apiserver/kubectl.ts";

export type RuntimeName = "process" | "containerd";

/** Why the runtime cannot run here; `undefined` if it can. */
export const absenceOf: Readonly<Record<RuntimeName, string | undefined>> = {
  process: process.platform === "linux" ? undefined : "the process runtime needs Linux",
  containerd: containerdAbsence(),
};

/** The promised kubectls that are installed here. */
export const kubectls: readonly string[] = promisedKubectlVersions.filter(
  (version) => findKubectl(version) !== undefined,
);

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What a client gets on its standard input; nothing if absent. `open` stays open. */
export type Input = Uint8Array | string | { readonly kind: "open" };

export interface RunningKubectl {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export class StreamingCluster {
  readonly config = new KubeConfig();
  /** A folder that processes and tests share. */
  readonly folder: string;
  /** Where the Pod `echo` says back what it is told. */
  readonly echoPort: number;
  readonly image: string;
  readonly #cluster: StandaloneCluster;
  readonly #containerd: PrivateContainerd | undefined;

  private constructor(
    folder: string,
    echoPort: number,
    cluster: StandaloneCluster,
    containerd: PrivateContainerd | undefined,
  ) {
    this.folder = folder;
    this.echoPort = echoPort;
    this.#cluster = cluster;
    this.#containerd = containerd;
    this.image = containerd?.images.busybox ?? "busybox";
    this.config.loadFromFile(cluster.kubeconfigPath);
  }

  static async start(runtime: RuntimeName): Promise<StreamingCluster> {
    const folder = await mkdtemp(join(tmpdir(), "lifepod-streams-"));
    const containerd = runtime === "containerd" ? await startContainerd() : undefined;
    const complaints: string[] = [];
    const cluster = await startStandaloneCluster({
      folder: join(folder, "data"),
      durable: false,
      host: "127.0.0.1",
      port: 0,
      runtime,
      ...(containerd === undefined ? {} : { runtimeEndpoint: containerd.endpoint }),
      log: (message) => complaints.push(message),
    });
    await cluster.whenNodeReady();
    return new StreamingCluster(folder, runtime === "process" ? await freePort() : 9000, cluster, containerd);
  }

  async stop(): Promise<void> {
    await this.#cluster.stop({ pods: "end" });
    await this.#containerd?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Makes a Pod with one container `main` and waits until it runs. */
  async run(name: string, command: readonly string[], more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const container = { name: "main", image: this.image, command, ...more };
    await this.#cluster.client.pods.create(
      { metadata: { name }, spec: { containers: [container], terminationGracePeriodSeconds: 1 } },
      "default",
    );
    await this.untilPhase(name, "Running");
  }

  async untilPhase(name: string, phase: string): Promise<void> {
    await until(`${name} is ${phase}`, async () => {
      const pod = await this.#cluster.client.pods.get(name, "default");
      return pod.status.phase === phase ? true : undefined;
    });
  }

  /** The Pods that most tests use: `idle`, and `echo` with its port. */
  async runUsualPods(): Promise<void> {
    const { echoPort } = this;
    const echo =
      this.#containerd === undefined
        ? [
            process.execPath,
            "-e",
            `require("net").createServer({allowHalfOpen:true},s=>s.pipe(s)).listen(${echoPort},"127.0.0.1")`,
          ]
        : ["nc", "-ll", "-p", String(echoPort), "-e", "cat"];
    await Promise.all([this.run("idle", ["sleep", "3600"]), this.run("echo", echo)]);
  }

  kubectl(version: string, args: readonly string[], input?: Input): RunningKubectl {
    return this.#start([findKubectl(version) as string, ...args], input);
  }

  /** Runs a kubectl to its end. */
  async ran(version: string, args: readonly string[], input?: Input): Promise<Ended> {
    return this.kubectl(version, args, input).ended;
  }

  /** Runs a kubectl at a terminal of the given size, and types at it when it has said something. */
  async atTerminal(
    version: string,
    args: readonly string[],
    size: { readonly rows: number; readonly columns: number },
    answer: { readonly to: string; readonly type: string },
  ): Promise<Ended> {
    const words = [findKubectl(version) as string, ...args].map((word) => `'${word}'`).join(" ");
    const command = `stty rows ${size.rows} cols ${size.columns}; exec ${words}`;
    const running = this.#start(["script", "--quiet", "--return", "--command", command, "/dev/null"], { kind: "open" });
    let said = "";
    let answered = false;
    running.child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (answered || !said.includes(answer.to)) return;
      answered = true;
      running.child.stdin?.write(answer.type);
    });
    return running.ended;
  }

  #start([program = "", ...args]: readonly string[], input: Input | undefined): RunningKubectl {
    const child = spawn(program, args, {
      env: { PATH: process.env["PATH"], HOME: this.folder, KUBECONFIG: this.#cluster.kubeconfigPath, SHELL: "/bin/sh" },
    });
    const stdout: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    // A client may end before it has read all.
    child.stdin.on("error", () => child.stdin.destroy());
    if (typeof input !== "object" || input instanceof Uint8Array) child.stdin.end(input ?? "");
    const ended = once(child, "close").then(([exitCode]) => ({
      exitCode: exitCode as number | null,
      stdout: Buffer.concat(stdout),
      stderr,
    }));
    return { child, ended };
  }

  /** The command lines of all processes of the machine that hold the word. */
  async processesWith(word: string): Promise<readonly string[]> {
    const { readdir } = await import("node:fs/promises");
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    return lines.filter((line) => line.includes(word) && !line.includes("kubectl"));
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Sends the bytes to a port of this machine and gives what came back, until that is as much, or until the other side ends. */
export async function conversation(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect({ host: "127.0.0.1", port });
  const chunks: Buffer[] = [];
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bytes.length) socket.end();
  });
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks);
}
