// The tools of the suite's checks: to launch a program, to wait for a state, to read a log, to compare.

import type { Millis } from "../../base/time.ts";
import { after, millis, seconds } from "../../base/time.ts";
import type {
  ContainerConfig,
  ContainerId,
  ContainerRuntime,
  ContainerRuntimeState,
  ContainerStatus,
  LogLine,
  PodSandboxConfig,
  ReadLogOptions,
  RuntimeService,
  SandboxId,
} from "../runtime-service.ts";
import { RuntimeNotFoundError } from "../runtime-service.ts";
import type { ContractProgram, ContractStep, RuntimeUnderTest } from "./runtime-under-test.ts";

/** One promise of a runtime and how it is checked. */
export interface RuntimeCheck {
  readonly name: string;
  readonly body: (bench: ContractBench) => Promise<void>;
}

/** A container of a check, with the sandbox that it is in. */
export interface Launched {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly logPath: string;
}

export type ContainerOverrides = Partial<ContainerConfig>;

/** No check waits longer than this for something to become true. */
const patience = seconds(15);

export class ContractBench {
  readonly subject: RuntimeUnderTest;
  #runtime: ContainerRuntime;
  #pods = 0;

  constructor(subject: RuntimeUnderTest) {
    this.subject = subject;
    this.#runtime = subject.runtime;
  }

  get runtime(): RuntimeService {
    return this.#runtime.runtime;
  }

  get images(): ContainerRuntime["images"] {
    return this.#runtime.images;
  }

  /** From here on the checks use the runtime as it was opened again. */
  async reopen(): Promise<void> {
    this.#runtime = await this.subject.reopen();
  }

  sandboxConfig(overrides: Partial<PodSandboxConfig> = {}): PodSandboxConfig {
    const name = `pod-${++this.#pods}`;
    return {
      metadata: { name, namespace: "default", uid: `uid-${name}`, attempt: 0 },
      hostname: name,
      logDirectory: `${this.subject.directory}/logs/default_${name}_uid-${name}`,
      portMappings: [],
      labels: { "io.kubernetes.pod.name": name },
      annotations: {},
      securityContext: { namespaceOptions: { network: "POD", pid: "CONTAINER", ipc: "POD" } },
      ...overrides,
    };
  }

  async sandbox(overrides: Partial<PodSandboxConfig> = {}): Promise<{ id: SandboxId; config: PodSandboxConfig }> {
    const config = this.sandboxConfig(overrides);
    return { id: await this.runtime.runPodSandbox(config), config };
  }

  /** Creates a container, and a sandbox for it if none is given, without starting it. */
  async create(
    program: readonly ContractStep[] | ContractProgram,
    overrides: ContainerOverrides = {},
    sandbox?: { readonly id: SandboxId; readonly config: PodSandboxConfig },
  ): Promise<Launched> {
    const { image, command, args } = "image" in program ? program : this.subject.program(program);
    const { id: sandboxId, config: sandboxConfig } = sandbox ?? (await this.sandbox());
    const imageRef = this.runtime.capabilities.images ? await this.#present(image, sandboxConfig) : image;
    const metadata = overrides.metadata ?? { name: "main", attempt: 0 };
    const config: ContainerConfig = {
      metadata,
      imageRef,
      userSpecifiedImage: image,
      command,
      args: args ?? [],
      workingDir: "",
      envs: [],
      mounts: [],
      labels: { "io.kubernetes.container.name": metadata.name },
      annotations: {},
      logPath: `${metadata.name}/${metadata.attempt}.log`,
      stdin: false,
      stdinOnce: false,
      tty: false,
      resources: {},
      securityContext: { namespaceOptions: { network: "POD", pid: "CONTAINER", ipc: "POD" } },
      ...overrides,
    };
    const id = await this.runtime.createContainer(sandboxId, config, sandboxConfig);
    return { id, sandboxId, logPath: `${sandboxConfig.logDirectory}/${config.logPath}` };
  }

  /** Creates and starts a container. */
  async launch(...request: Parameters<ContractBench["create"]>): Promise<Launched> {
    const launched = await this.create(...request);
    await this.runtime.startContainer(launched.id);
    return launched;
  }

  /** Launches a program and waits for its end. */
  async run(...request: Parameters<ContractBench["create"]>): Promise<Launched & { readonly exit: Exited }> {
    const launched = await this.launch(...request);
    return { ...launched, exit: await this.exited(launched.id) };
  }

  /** Waits until the container has exited. */
  async exited(id: ContainerId): Promise<Exited> {
    const status = await this.until("the container has exited", async () => {
      const seen = await this.runtime.containerStatus(id);
      return seen.state.kind === "exited" ? seen : undefined;
    });
    return exitOf(status);
  }

  /** Looks until there is something to see. @throws Error that says what was waited for */
  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const { clock } = this.subject;
    const deadline = after(clock.now(), patience);
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      if (clock.now() >= deadline) throw new Error(`waited ${patience / 1000} s in vain until ${what}`);
      await clock.sleep(millis(10));
    }
  }

  /** All that is in a log. */
  async log(launched: Launched, options: Partial<ReadLogOptions> = {}): Promise<readonly LogLine[]> {
    const lines: LogLine[] = [];
    const reading = this.runtime.readLog(launched.logPath, launched.id, { follow: false, ...options });
    for await (const line of reading) lines.push(line);
    return lines;
  }

  /** The texts in a log, waiting until there are at least so many. */
  async texts(launched: Launched, atLeast = 0, options: Partial<ReadLogOptions> = {}): Promise<readonly string[]> {
    return await this.until(`the log has ${atLeast} lines`, async () => {
      const lines = await this.log(launched, options);
      return lines.length >= atLeast ? lines.map(textOf) : undefined;
    });
  }

  /** How long something took on the runtime's clock. */
  async timed(work: () => Promise<void>): Promise<Millis> {
    const from = this.subject.clock.now();
    await work();
    return millis(this.subject.clock.now() - from);
  }

  /** Removes whatever the check left. */
  async cleanUp(): Promise<void> {
    for (const sandbox of await this.runtime.listPodSandboxes()) await this.runtime.removePodSandbox(sandbox.id);
  }

  async #present(image: string, sandboxConfig: PodSandboxConfig): Promise<string> {
    const status = await this.images.imageStatus({ image });
    return status?.id ?? (await this.images.pullImage({ image }, [], sandboxConfig));
  }
}

export type Exited = Extract<ContainerRuntimeState, { kind: "exited" }>;

export function exitOf(status: ContainerStatus): Exited {
  if (status.state.kind !== "exited") throw new Error(`expected an exited container, it is ${status.state.kind}`);
  return status.state;
}

export const textOf = (line: LogLine): string => new TextDecoder().decode(line.text);
export const decode = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);
export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** @throws Error unless it holds */
export function ensure(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected ${what}`);
}

/** @throws Error unless both are the same as JSON */
export function same(seen: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: expected ${b}, saw ${a}`);
}

/** @throws Error unless the work fails; gives what it failed with */
export async function failureOf(work: Promise<unknown>, what: string): Promise<Error> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error(`expected ${what} to fail`);
  return outcome;
}

export async function ensureNotFound(work: Promise<unknown>, what: string): Promise<void> {
  const error = await failureOf(work, what);
  ensure(error instanceof RuntimeNotFoundError, `${what} to fail with RuntimeNotFoundError, it was "${error.message}"`);
}
