// One container of the process runtime: its state as the files tell it, and what is done to it.

import type { Clock, Instant, Millis, Timer } from "../../base/time.ts";
import { elapsed, later, millis } from "../../base/time.ts";
import { mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import type {
  ContainerRuntimeState,
  ContainerStatus,
  ExecSyncResult,
  StreamCall,
  StreamRequest,
} from "../runtime-service.ts";
import { attachStream } from "./attach-stream.ts";
import type { ContainerFiles, ContainerRecord, StartRecord } from "./container-files.ts";
import { execProcess } from "./exec-process.ts";
import { execStream, requireTerminal } from "./exec-stream.ts";
import { ProcessLaunch } from "./process-launch.ts";
import type { ProcessLog } from "./process-log.ts";
import type { ProcessTable } from "./process-table.ts";
import { isAlive, signalGroup } from "./process-table.ts";
import type { Privileges } from "./requirements.ts";
import { startSupervisor } from "./start-supervisor.ts";

/** What a container needs of the runtime that it is in. */
export interface ContainerSurroundings {
  readonly clock: Clock;
  readonly files: ContainerFiles;
  readonly table: ProcessTable;
  readonly privileges: Privileges;
  /** Opens the log's keeper; it is called once the log file is there. */
  keepLog(path: string): Promise<ProcessLog>;
  started(container: ProcessContainer): void;
  exited(container: ProcessContainer): void;
  trouble(error: Error): void;
}

/** How often, and how far apart, to look for a container that somebody else has begun to start. */
const claimedLooks = 100;
const claimedLookDistance = millis(20);

const endedBeforeExec = "failed to exec in container: container is in state CONTAINER_EXITED";

/** Exit code of a container whose process could not be started. */
const startErrorCode = 128;

export class ProcessContainer {
  readonly record: ContainerRecord;
  readonly launch: ProcessLaunch;
  readonly #around: ContainerSurroundings;
  #state: ContainerRuntimeState = { kind: "created" };
  #start: StartRecord | undefined;
  #starting: Promise<void> | undefined;
  #log: ProcessLog | undefined;
  #missedLooks = 0;
  #gone: Promise<void> | undefined;
  readonly #ended = new Set<() => void>();

  constructor(record: ContainerRecord, around: ContainerSurroundings) {
    this.record = record;
    this.#around = around;
    this.launch = new ProcessLaunch(record, around.privileges);
  }

  get isRunning(): boolean {
    return this.#state.kind === "running";
  }

  /** Its first process while it runs. */
  get process(): StartRecord | undefined {
    return this.#start;
  }

  get log(): ProcessLog | undefined {
    return this.#log;
  }

  status(): ContainerStatus {
    const { record, launch } = this;
    const { uid, gid, supplementalGroups } = launch.account;
    return {
      id: record.id,
      sandboxId: record.sandboxId,
      metadata: record.config.metadata,
      state: this.#state,
      createdAt: record.createdAt,
      image: record.config.userSpecifiedImage,
      imageRef: record.config.imageRef,
      labels: record.config.labels,
      annotations: record.config.annotations,
      logPath: record.logPath,
      user: { uid, gid, supplementalGroups },
    };
  }

  /** @throws Error with the reason if the process could not be started; the container has exited then */
  async start(): Promise<void> {
    if (this.#state.kind !== "created" || this.#starting !== undefined) {
      throw new Error(
        `container "${this.record.id}" is in state ${this.#starting === undefined ? this.#state.kind : "starting"}, expected created`,
      );
    }
    this.#starting = this.#launch();
    try {
      await this.#starting;
    } finally {
      this.#starting = undefined;
    }
  }

  async #launch(): Promise<void> {
    const { files } = this.#around;
    const { id, logPath, commandLine } = this.record;
    const why = this.launch.whyNotStartable();
    if (why !== undefined) {
      files.saveFailedStart(id, startError(why), startErrorCode);
    } else {
      mkdirSync(dirname(logPath), { recursive: true, mode: 0o755 });
      const outcome = await startSupervisor({
        folder: files.folderOf(id),
        exitFile: files.exitFileOf(id),
        logPath,
        script: this.launch.script,
        commandLine: this.launch.dressed(commandLine),
        stdin: this.record.config.stdin,
        onEnd: () => this.look(),
      });
      if (outcome !== "failed" && (await this.#nowRunning())) return;
      // Another supervisor was at it. If it lives it comes to the point in no time.
      for (let look = 0; outcome === "claimed" && look < claimedLooks; look++) {
        await this.#around.clock.sleep(claimedLookDistance);
        if (await this.#nowRunning()) return;
      }
      // The supervisor writes the exit file right after the report.
      if (files.errorOf(id) === undefined)
        files.saveFailedStart(id, startError("its set-up was killed"), startErrorCode);
    }
    this.#finish(this.#failedState());
    throw new Error(files.errorOf(id) ?? "");
  }

  /** @returns false if there is no process to be seen */
  async #nowRunning(): Promise<boolean> {
    this.#start = this.#around.files.startOf(this.record.id);
    if (this.#start === undefined) return false;
    this.#log = await this.#around.keepLog(this.record.logPath);
    this.#state = { kind: "running", startedAt: later(this.record.createdAt, this.#start.startedAt) };
    this.#around.started(this);
    this.look();
    return true;
  }

  /** Takes up a container that was there before lifepod was. */
  async adopt(): Promise<void> {
    const { files, clock } = this.#around;
    const { id, createdAt } = this.record;
    const exit = files.exitOf(id);
    this.#start = files.startOf(id);
    if (this.#start === undefined && exit === undefined) return; // created, not started
    const startedAt = later(createdAt, this.#start?.startedAt ?? createdAt);
    this.#state = { kind: "running", startedAt };
    if (exit === undefined) {
      this.#log = await this.#around.keepLog(this.record.logPath);
      return;
    }
    this.#state = this.#exitedState(startedAt, clock.now());
    await this.#sweep();
  }

  /** The machine was started anew: nothing can be alive. */
  noteReboot(): void {
    const { files } = this.#around;
    const { id } = this.record;
    if (files.exitOf(id) === undefined && files.startOf(id) !== undefined) files.saveLoss(id);
  }

  /** Looks whether it has ended. Cheap; called whenever something hints at it. */
  look(): void {
    if (this.#state.kind !== "running") return;
    const { startedAt } = this.#state;
    if (this.#around.files.exitOf(this.record.id) !== undefined) {
      this.#finish(this.#exitedState(startedAt, this.#around.clock.now()));
    }
  }

  /** Looks also at the process itself: if it is gone and its supervisor has nothing to say for a while, it is lost. */
  lookClosely(): void {
    this.look();
    if (this.#state.kind !== "running" || this.#start === undefined) return;
    this.#log?.look();
    if (isAlive(this.#start)) {
      this.#missedLooks = 0;
    } else if (++this.#missedLooks >= 2) {
      this.#around.files.saveLoss(this.record.id);
      this.look();
    }
  }

  /** TERM to its processes, up to `timeout` for the first of them to end, then KILL. Resolves when none is left. */
  async stop(timeout: Millis): Promise<void> {
    // A start on its way is seen to its end: whoever asked for it hears of its failure.
    await this.#starting?.catch(() => undefined);
    if (this.#state.kind === "running" && this.#start !== undefined) {
      const leader = this.#start;
      const ended = this.#untilEnded();
      let timer: Timer | undefined;
      if (timeout > 0) {
        signalGroup(leader, "SIGTERM");
        timer = this.#around.clock.setTimer(timeout, () => signalGroup(leader, "SIGKILL"), "stop");
      } else {
        signalGroup(leader, "SIGKILL");
      }
      await ended;
      timer?.cancel();
    }
    await this.#gone;
  }

  async exec(command: readonly string[], timeout: Millis | undefined): Promise<ExecSyncResult> {
    const { clock } = this.#around;
    if (!this.launch.hasOwnFiles) return await execProcess(this.#another(command), command, timeout, clock);
    const start = this.#runningProcess();
    // Held open: the container may end at any moment, and that its files cannot be entered any more must not be taken for the command's own failure.
    const files = await open(`/proc/${start.pid}/ns/mnt`).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ESRCH") throw new Error(endedBeforeExec, { cause: error });
      throw error;
    });
    try {
      if (!isAlive(start)) throw new Error(endedBeforeExec);
      return await execProcess(this.#another(command, `/proc/${process.pid}/fd/${files.fd}`), command, timeout, clock);
    } finally {
      await files.close();
    }
  }

  /** @throws Error if it does not run, RuntimeUnsupportedError if there can be no terminal */
  stream(command: readonly string[], request: StreamRequest): StreamCall {
    this.#runningProcess();
    if (request.tty) requireTerminal();
    const words = request.tty ? ["env", "TERM=xterm", ...command] : command;
    return async (streams) => {
      this.#refuseMissing(command);
      return await execStream(this.#another(words), request, streams);
    };
  }

  /** @throws Error if it does not run */
  async attach(): Promise<StreamCall> {
    this.#runningProcess("");
    const { files, clock } = this.#around;
    const { id, config } = this.record;
    if (this.#log === undefined) throw new Error(`container "${id}" has no log to attach to`);
    return await attachStream({
      clock,
      folder: files.folderOf(id),
      log: this.#log,
      stdin: config.stdin,
      stdinOnce: config.stdinOnce,
      keeper: () => files.inputKeeperOf(id),
    });
  }

  /** The command line that runs another command in this container. @throws Error if it cannot be run */
  #another(command: readonly string[], mountNamespace?: string): readonly string[] {
    const { pid } = this.#runningProcess();
    this.#refuseMissing(command);
    return this.launch.another(mountNamespace ?? `/proc/${pid}/ns/mnt`, command);
  }

  #runningProcess(failed = "failed to exec in container: "): StartRecord {
    if (this.#state.kind !== "running" || this.#start === undefined) {
      throw new Error(`${failed}container is in state CONTAINER_${this.#state.kind.toUpperCase()}`);
    }
    return this.#start;
  }

  #refuseMissing(command: readonly string[]): void {
    const why = this.launch.whyNotExecutable(command);
    if (why === undefined) return;
    throw new Error(`failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: ${why}`);
  }

  /** Stops looking after it, without touching it. */
  letGo(): void {
    this.#log?.close();
  }

  #finish(state: ContainerRuntimeState): void {
    this.#state = state;
    this.#log?.end();
    this.#gone = this.#sweep();
    this.#around.exited(this);
    for (const wake of this.#ended) wake();
  }

  /** When the first process has ended, the others have no business any more; so it is in a container. */
  #sweep(): Promise<void> {
    return this.#around.table
      .killAll(this.record.id, this.#start)
      .then(() => this.#log?.flush())
      .catch((error: Error) => this.#around.trouble(error));
  }

  #exitedState(startedAt: Instant, now: Instant): ContainerRuntimeState {
    const { files } = this.#around;
    const exit = files.exitOf(this.record.id);
    if (files.errorOf(this.record.id) !== undefined) return this.#failedState();
    if (exit === undefined) return { kind: "unknown" };
    // The clock of the file system is coarser than ours.
    const finishedAt = elapsed(now, exit.finishedAt) > 0 ? now : later(startedAt, exit.finishedAt);
    const reason = exit.lost ? "Unknown" : exit.exitCode === 0 ? "Completed" : "Error";
    return { kind: "exited", startedAt, finishedAt, exitCode: exit.exitCode, reason, message: "" };
  }

  #failedState(): ContainerRuntimeState {
    const { files, clock } = this.#around;
    return {
      kind: "exited",
      startedAt: 0 as Instant,
      finishedAt: files.exitOf(this.record.id)?.finishedAt ?? clock.now(),
      exitCode: startErrorCode,
      reason: "StartError",
      message: files.errorOf(this.record.id) ?? "",
    };
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
}

const startError = (why: string): string => `failed to start process: ${why}`;
