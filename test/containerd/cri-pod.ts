// Short ways to a sandbox and a container for tests of the CRI runtime.

import { type Millis, seconds } from "../../src/base/time.ts";
import type {
  ContainerConfig,
  ContainerId,
  ContainerRuntime,
  ContainerRuntimeState,
  PodSandboxConfig,
  SandboxId,
} from "../../src/runtimes/runtime-service.ts";
import { until } from "./until.ts";

export type Exited = Extract<ContainerRuntimeState, { kind: "exited" }>;

/** One Pod: a sandbox and what runs in it. */
export class CriPod {
  static #count = 0;
  readonly sandboxId: SandboxId;
  readonly config: PodSandboxConfig;
  readonly #runtime: ContainerRuntime;
  readonly #image: string;
  #attempt = 0;

  private constructor(runtime: ContainerRuntime, image: string, sandboxId: SandboxId, config: PodSandboxConfig) {
    this.#runtime = runtime;
    this.#image = image;
    this.sandboxId = sandboxId;
    this.config = config;
  }

  /** @param logs folder below which its logs lie */
  static async run(
    runtime: ContainerRuntime,
    image: string,
    logs: string,
    overrides: Partial<PodSandboxConfig> = {},
  ): Promise<CriPod> {
    const name = `pod-${++CriPod.#count}`;
    const config = sandboxConfig(name, `${logs}/${name}`, overrides);
    return new CriPod(runtime, image, await runtime.runtime.runPodSandbox(config), config);
  }

  async create(command: readonly string[], overrides: Partial<ContainerConfig> = {}): Promise<ContainerId> {
    const attempt = this.#attempt++;
    return this.#runtime.runtime.createContainer(
      this.sandboxId,
      {
        metadata: { name: "main", attempt },
        imageRef: this.#image,
        userSpecifiedImage: this.#image,
        command,
        args: [],
        workingDir: "",
        envs: [],
        mounts: [],
        labels: {},
        annotations: {},
        logPath: `main/${attempt}.log`,
        stdin: false,
        stdinOnce: false,
        tty: false,
        resources: {},
        securityContext: { namespaceOptions: ownNamespaces },
        ...overrides,
      },
      this.config,
    );
  }

  async start(script: string, overrides: Partial<ContainerConfig> = {}): Promise<ContainerId> {
    const id = await this.create(["sh", "-c", script], overrides);
    await this.#runtime.runtime.startContainer(id);
    return id;
  }

  /** Runs a script to its end and gives back what it printed. */
  async output(
    script: string,
    overrides: Partial<ContainerConfig> = {},
  ): Promise<{ readonly text: string; readonly exit: Exited }> {
    const id = await this.start(script, overrides);
    const exit = await this.exited(id);
    return { text: await this.log(id), exit };
  }

  async exited(id: ContainerId, within: Millis = seconds(15)): Promise<Exited> {
    return until(
      "the container has exited",
      async () => {
        const { state } = await this.#runtime.runtime.containerStatus(id);
        return state.kind === "exited" ? state : undefined;
      },
      within,
    );
  }

  async log(id: ContainerId): Promise<string> {
    const { logPath } = await this.#runtime.runtime.containerStatus(id);
    const parts: string[] = [];
    for await (const line of this.#runtime.runtime.readLog(logPath, id, { follow: false })) {
      parts.push(Buffer.from(line.text).toString(), line.partial ? "" : "\n");
    }
    return parts.join("");
  }

  async address(): Promise<string> {
    return (await this.#runtime.runtime.podSandboxStatus(this.sandboxId)).ips[0] ?? "";
  }

  async remove(): Promise<void> {
    await this.#runtime.runtime.removePodSandbox(this.sandboxId);
  }
}

export const ownNamespaces = { network: "POD", pid: "CONTAINER", ipc: "POD" } as const;

export function sandboxConfig(
  name: string,
  logDirectory: string,
  overrides: Partial<PodSandboxConfig> = {},
): PodSandboxConfig {
  return {
    metadata: { name, namespace: "default", uid: `uid-${name}`, attempt: 0 },
    hostname: name,
    logDirectory,
    portMappings: [],
    labels: {},
    annotations: {},
    securityContext: { namespaceOptions: ownNamespaces },
    ...overrides,
  };
}
