// The life of one simulated container: created, running, exited. Its ends (by itself, of TERM, of KILL, for lack of memory) race on the clock
// and the first one wins.

import type { Clock, Instant, Millis, Timer } from "../../base/time.ts";
import { elapsed, millis } from "../../base/time.ts";
import type { NodeFilesystem } from "../node-filesystem.ts";
import type {
  ContainerConfig,
  ContainerId,
  ContainerRuntimeState,
  ContainerStats,
  ContainerStatus,
  ExecSyncResult,
  Mount,
  PodSandboxConfig,
  RuntimeEvent,
  SandboxId,
} from "../runtime-service.ts";
import { ExecTimeoutError } from "../runtime-service.ts";
import type { ContainerBehaviour, ContainerContext, ExecAnswer, ImageBehaviour } from "./behaviour.ts";
import { cpuNanoSecondsAt, exitCodeOfTurn, isReadyAt, valueAt } from "./behaviour.ts";
import type { Endpoint } from "./endpoint.ts";
import { endpointOf } from "./endpoint.ts";
import { SimulatedLog } from "./simulated-log.ts";

export interface SimulatedContainerParts {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly config: ContainerConfig;
  readonly sandboxConfig: PodSandboxConfig;
  readonly image: ImageBehaviour;
  readonly imageName: string;
  readonly clock: Clock;
  readonly files: NodeFilesystem;
  emit(event: RuntimeEvent): void;
  listen(endpoint: Endpoint): { close(): void };
}

/** Where a container's termination message goes unless an annotation names another place. */
const defaultTerminationMessagePath = "/dev/termination-log";
const terminationMessageAnnotation = "io.kubernetes.container.terminationMessagePath";

export class SimulatedContainer {
  readonly parts: SimulatedContainerParts;
  readonly logPath: string;
  readonly #createdAt: Instant;
  #state: ContainerRuntimeState = { kind: "created" };
  #behaviour: ContainerBehaviour = {};
  #log: SimulatedLog | undefined;
  #timers: Timer[] = [];
  #endpoint: { close(): void } | undefined;
  #ending: Promise<void> | undefined;
  #gotTerm = false;
  readonly #ownFiles = new Map<string, Uint8Array>();
  readonly #ended = new Set<() => void>();

  constructor(parts: SimulatedContainerParts) {
    this.parts = parts;
    this.logPath = `${parts.sandboxConfig.logDirectory}/${parts.config.logPath}`;
    this.#createdAt = parts.clock.now();
  }

  get isRunning(): boolean {
    return this.#state.kind === "running";
  }

  get log(): SimulatedLog | undefined {
    return this.#log;
  }

  /** @throws Error with the start error of the behaviour; the container has exited then. */
  async start(): Promise<void> {
    if (this.#state.kind !== "created") {
      throw new Error(`container "${this.parts.id}" is in state ${this.#state.kind}, expected created`);
    }
    const { image, clock, config } = this.parts;
    this.#behaviour = image.behaves === undefined ? image : await image.behaves(this.#context());
    const now = clock.now();
    const behaviour = this.#behaviour;
    if (behaviour.startError !== undefined) {
      const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: ${behaviour.startError}`;
      this.#state = {
        kind: "exited",
        startedAt: 0 as Instant,
        finishedAt: now,
        exitCode: 128,
        reason: "StartError",
        message,
      };
      this.parts.emit({ kind: "containerExited", containerId: this.parts.id, sandboxId: this.parts.sandboxId });
      throw new Error(message);
    }
    this.#state = { kind: "running", startedAt: now };
    this.#log = new SimulatedLog(clock, now, behaviour.logs ?? []);
    this.#endpoint = this.parts.listen(endpointOf(behaviour, () => elapsed(now, clock.now())));
    this.#timers = [];
    for (const file of behaviour.files ?? []) {
      if ((file.at ?? 0) <= 0) await this.#write(file.path, file.content);
      else this.#at(file.at as Millis, () => this.#write(file.path, file.content));
    }
    if (behaviour.runsFor !== undefined) {
      const exitCode = exitCodeOfTurn(behaviour, config.metadata.attempt);
      this.#at(behaviour.runsFor, () => this.#end(exitCode, true));
    }
    if (behaviour.oomAfter !== undefined) this.#at(behaviour.oomAfter, () => this.outOfMemory());
    this.parts.emit({ kind: "containerStarted", containerId: this.parts.id, sandboxId: this.parts.sandboxId });
  }

  /** TERM, up to `timeout`, KILL. Resolves when it has ended. */
  async stop(timeout: Millis): Promise<void> {
    if (this.#state.kind !== "running") return this.#ending;
    if (timeout <= 0) return await this.kill(9);
    const done = this.#untilEnded();
    this.#term();
    if (this.#state.kind === "running") this.#at(timeout, () => this.kill(9));
    await done;
  }

  /** The process dies of a signal at once. */
  async kill(signal: number): Promise<void> {
    await this.#end(128 + signal, false);
  }

  async outOfMemory(): Promise<void> {
    if (this.#state.kind !== "running") return;
    this.parts.emit({ kind: "containerOutOfMemory", containerId: this.parts.id, sandboxId: this.parts.sandboxId });
    await this.#end(137, false, "OOMKilled");
  }

  /** The machine went down under it. */
  async lose(): Promise<void> {
    await this.#end(255, false, "Unknown");
  }

  /** @param input what a client sends, to its end */
  async exec(
    command: readonly string[],
    timeout: Millis | undefined,
    input: () => Promise<string> = async () => "",
  ): Promise<ExecSyncResult> {
    const startedAt = this.runningSince("failed to exec in container: ");
    const sinceStart = elapsed(startedAt, this.parts.clock.now());
    const answer = await this.#execAnswer(command, sinceStart, input);
    const encoder = new TextEncoder();
    const result = { stdout: encoder.encode(answer.stdout ?? ""), stderr: encoder.encode(answer.stderr ?? "") };
    const delay = answer.delay ?? millis(0);
    if (delay <= 0) return { ...result, exitCode: answer.exitCode };
    const timedOut = timeout !== undefined && delay >= timeout;
    const outcome = await this.#waitOrEnd(timedOut ? timeout : delay);
    // Its processes die with the container.
    if (outcome === "ended") return { stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode: 137 };
    if (timedOut) throw new ExecTimeoutError(command, timeout);
    return { ...result, exitCode: answer.exitCode };
  }

  /** @throws Error if it does not run */
  runningSince(failed = ""): Instant {
    if (this.#state.kind === "running") return this.#state.startedAt;
    throw new Error(`${failed}container is in state CONTAINER_${this.#state.kind.toUpperCase()}`);
  }

  status(): ContainerStatus {
    const { id, sandboxId, config, image, imageName } = this.parts;
    const security = config.securityContext;
    return {
      id,
      sandboxId,
      metadata: config.metadata,
      state: this.#state,
      createdAt: this.#createdAt,
      image: imageName,
      imageRef: config.imageRef,
      labels: config.labels,
      annotations: config.annotations,
      logPath: this.logPath,
      resources: config.resources,
      user: {
        uid: security.runAsUser ?? (typeof image.user === "number" ? image.user : 0),
        gid: security.runAsGroup ?? 0,
        supplementalGroups: security.supplementalGroups ?? [],
      },
    };
  }

  stats(): ContainerStats {
    const now = this.parts.clock.now();
    const uses = this.#behaviour.uses;
    const running = this.#state.kind === "running" ? elapsed(this.#state.startedAt, now) : millis(0);
    const memory = this.#state.kind === "running" ? valueAt(uses?.memoryBytes ?? 0, running) : 0;
    return {
      id: this.parts.id,
      timestamp: now,
      cpuUsageNanoSeconds: cpuNanoSecondsAt(uses?.cpuMillis ?? 0, running),
      memoryWorkingSetBytes: memory,
      memoryUsageBytes: memory,
    };
  }

  #term(): void {
    const behaviour = this.#behaviour;
    if (this.#gotTerm) return;
    this.#gotTerm = true;
    this.#log?.write("stdout", ...(behaviour.logsOnTerm ?? []));
    if (behaviour.ignoresTerm === true) return;
    const exitCode = behaviour.exitCodeOnTerm ?? 143;
    if ((behaviour.stopsIn ?? 0) <= 0) void this.#end(exitCode, true);
    else this.#at(behaviour.stopsIn as Millis, () => this.#end(exitCode, true));
  }

  /** @param orderly whether it still gets to write its last words */
  #end(exitCode: number, orderly: boolean, reason = exitCode === 0 ? "Completed" : "Error"): Promise<void> {
    const state = this.#state;
    if (state.kind !== "running") return Promise.resolve();
    if (this.#ending !== undefined) return this.#ending;
    const finish = (): void => {
      for (const timer of this.#timers) timer.cancel();
      this.#endpoint?.close();
      this.#state = {
        kind: "exited",
        startedAt: state.startedAt,
        finishedAt: this.parts.clock.now(),
        exitCode,
        reason,
        message: "",
      };
      this.#log?.end();
      this.parts.emit({ kind: "containerExited", containerId: this.parts.id, sandboxId: this.parts.sandboxId });
      for (const wake of this.#ended) wake();
    };
    const lastWords = orderly ? this.#behaviour.writesTerminationMessage : undefined;
    this.#ending = lastWords === undefined ? Promise.resolve(finish()) : this.#writeLastWords(lastWords).then(finish);
    return this.#ending;
  }

  #writeLastWords(text: string): Promise<void> {
    const path = this.parts.config.annotations[terminationMessageAnnotation] ?? defaultTerminationMessagePath;
    return this.#write(path, text);
  }

  async #execAnswer(command: readonly string[], sinceStart: Millis, input: () => Promise<string>): Promise<ExecAnswer> {
    const behaviour = this.#behaviour;
    const ready = isReadyAt(behaviour, sinceStart);
    if (behaviour.exec === undefined) {
      return ready ? { exitCode: 0 } : { exitCode: 1, stderr: "not ready" };
    }
    const declared =
      typeof behaviour.exec === "function"
        ? await behaviour.exec(command, { ...this.#context(), sinceStart, ready, input })
        : behaviour.exec[command.join(" ")];
    if (declared === undefined) {
      throw new Error(
        `failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "${command[0] ?? ""}": executable file not found in $PATH: unknown`,
      );
    }
    return valueAt(declared, sinceStart);
  }

  #context(): ContainerContext {
    const { config, sandboxConfig } = this.parts;
    return { config, sandboxConfig, turn: config.metadata.attempt, readFile: (path) => this.#read(path) };
  }

  async #read(path: string): Promise<Uint8Array | undefined> {
    const place = this.#onNode(path);
    return place === undefined ? this.#ownFiles.get(path) : await this.parts.files.readFile(place.path);
  }

  async #write(path: string, text: string): Promise<void> {
    const content = new TextEncoder().encode(text);
    const place = this.#onNode(path);
    if (place === undefined) {
      this.#ownFiles.set(path, content);
    } else if (place.mount.readonly) {
      this.#log?.write("stderr", `cannot write ${path}: Read-only file system`);
    } else {
      const written = this.parts.files.writeFile(place.path, content, 0o644);
      await written.catch((error: Error) => this.#log?.write("stderr", `cannot write ${path}: ${error.message}`));
    }
  }

  /** Where on the node a path inside the container is, if a mount puts it there. */
  #onNode(path: string): { readonly mount: Mount; readonly path: string } | undefined {
    const holding = this.parts.config.mounts.filter(
      ({ containerPath }) => path === containerPath || path.startsWith(`${containerPath.replace(/\/$/, "")}/`),
    );
    const mount = holding.sort((a, b) => b.containerPath.length - a.containerPath.length)[0];
    return mount && { mount, path: mount.hostPath + path.slice(mount.containerPath.replace(/\/$/, "").length) };
  }

  /** Calls something later in the container's life, unless it ends before. */
  #at(wait: Millis, fire: () => Promise<void>): void {
    this.#timers.push(
      this.parts.clock.setTimer(wait, () => void fire(), `container ${this.parts.config.metadata.name}`),
    );
  }

  #untilEnded(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#ended.delete(wake);
        resolve();
      };
      this.#ended.add(wake);
    });
  }

  #waitOrEnd(wait: Millis): Promise<"passed" | "ended"> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        this.#ended.delete(wake);
        resolve("ended");
      };
      const timer = this.parts.clock.setTimer(
        wait,
        () => {
          this.#ended.delete(wake);
          resolve("passed");
        },
        "exec",
      );
      this.#ended.add(wake);
    });
  }
}
