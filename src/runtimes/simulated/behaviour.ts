// How a simulated image behaves. A behaviour is declared, not programmed: what it does follows from the moment its container started, so a
// container that runs for a week costs nothing until somebody looks.

import type { Millis } from "../../base/time.ts";
import type { ContainerConfig, PodSandboxConfig } from "../runtime-service.ts";

/** A value, or one that depends on the time since the container started. */
export type OverTime<T> = T | ((sinceStart: Millis) => T);

export interface HttpAnswer {
  readonly status: number;
  readonly body?: string;
  readonly location?: string;
  readonly delay?: Millis;
  readonly scheme?: "http" | "https";
}

export interface ExecAnswer {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly delay?: Millis;
}

export type GrpcStatus = "SERVING" | "NOT_SERVING" | "UNKNOWN" | "SERVICE_UNKNOWN" | "unimplemented" | "unknownService";

/** What a container's servers say. A protocol that is not mentioned has no server; `"silent"` takes a connection and never answers. */
export interface Answers {
  /** By path without query; `*` for all other paths (else 404). */
  readonly http?: Readonly<Record<string, OverTime<HttpAnswer | "silent" | "refused">>>;
  readonly tcp?: OverTime<"connected" | "silent" | "refused">;
  /** By service name (`""` for the server as a whole); `*` for all others (else the server does not know the service). */
  readonly grpc?: Readonly<
    Record<
      string,
      OverTime<GrpcStatus | { readonly status: GrpcStatus; readonly delay: Millis } | "silent" | "refused">
    >
  >;
  /** The ports that it listens on; all if absent. */
  readonly ports?: readonly number[];
}

export interface LogBehaviour {
  /** Time since start of the (first) line. */
  readonly at: Millis;
  readonly text: string | ((n: number) => string);
  readonly stream?: "stdout" | "stderr";
  /** Repeats the line with this distance for as long as the container runs. */
  readonly every?: Millis;
}

/** What a container does after it was started. Everything has a default; the empty behaviour runs for ever, healthy, and dies of TERM at once. */
export interface ContainerBehaviour {
  /** Ends by itself after this time; runs until it is stopped if absent. */
  readonly runsFor?: Millis;
  /** The exit code when it ends by itself; 0 if absent. */
  readonly exits?: number;
  /** The exit code by restart count; the last one goes on for ever. Wins over `exits`. */
  readonly exitsByTurn?: readonly number[];
  /** Fails all of its probes and hooks before this time has passed (HTTP 503, connection refused, NOT_SERVING, exit 1). */
  readonly becomesReadyAfter?: Millis;
  /** Fails them again from this time on. */
  readonly stopsBeingReadyAfter?: Millis;
  /** Goes on when told to end; only KILL ends it. */
  readonly ignoresTerm?: boolean;
  /** Time from TERM to its end; 0 if absent. */
  readonly stopsIn?: Millis;
  /** 143 if absent: it had no handler. */
  readonly exitCodeOnTerm?: number;
  readonly logs?: readonly LogBehaviour[];
  /** Lines it writes when it gets TERM. */
  readonly logsOnTerm?: readonly string[];
  /**
   * What it answers, once it is ready. Absent: a healthy server on every port (200, connected, SERVING). `{}`: nothing listens.
   */
  readonly answers?: Answers;
  /**
   * Commands by their words joined with spaces, or a function (`undefined`: no such command, as runc words it).
   * Absent: every command ends with 0 when ready, with 1 when not.
   */
  readonly exec?:
    | Readonly<Record<string, OverTime<ExecAnswer>>>
    | ((command: readonly string[], context: ExecContext) => ExecAnswer | undefined | Promise<ExecAnswer | undefined>);
  /** Written to the termination message file just before it ends by itself or of TERM. */
  readonly writesTerminationMessage?: string;
  /** Files that it writes, by path inside the container; through a mount they reach the node. */
  readonly files?: readonly { readonly path: string; readonly content: string; readonly at?: Millis }[];
  /** Is killed for lack of memory after this time (137, OOMKilled). */
  readonly oomAfter?: Millis;
  /** The process cannot be started: the container exits with 128, StartError and this text. */
  readonly startError?: string;
  /** The container cannot be created. */
  readonly createError?: string;
  /** What it uses while it runs, for stats. */
  readonly uses?: {
    readonly memoryBytes?: OverTime<number>;
    /** Thousandths of a core: always the same, or in stretches, each until the next begins (none before the first). */
    readonly cpuMillis?: number | readonly CpuStretch[];
  };
}

export interface CpuStretch {
  /** Time since start. */
  readonly from: Millis;
  readonly cpuMillis: number;
}

/** The processor time used since the start, in nanoseconds. @param stretches in order of time */
export function cpuNanoSecondsAt(uses: number | readonly CpuStretch[], sinceStart: Millis): bigint {
  const stretches = typeof uses === "number" ? [{ from: 0, cpuMillis: uses }] : uses;
  const micros = stretches.reduce((sum, { from, cpuMillis }, index) => {
    const end = Math.min(stretches[index + 1]?.from ?? sinceStart, sinceStart);
    return sum + Math.max(0, end - from) * cpuMillis;
  }, 0);
  return BigInt(Math.floor(micros * 1000));
}

/** What an image is, apart from what its containers do. */
export interface ImageProperties {
  /** Is on the machine from the beginning. */
  readonly present?: boolean;
  readonly pullTime?: Millis;
  /** The first `times` pulls fail (all of them if absent) with the message (a registry's "not found" if absent). */
  readonly pullFails?: { readonly times?: number; readonly message?: string };
  /** 1,000,000 if absent. */
  readonly sizeBytes?: number;
  /** The image's user: a number or a name; 0 if absent. */
  readonly user?: number | string;
}

/** What a behaviour may know about the container that it is for. */
export interface ContainerContext {
  readonly config: ContainerConfig;
  readonly sandboxConfig: PodSandboxConfig;
  /** The restart count. */
  readonly turn: number;
  /** A file as the container sees it: through its mounts, or what it wrote itself. */
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>;
}

export interface ExecContext extends ContainerContext {
  readonly sinceStart: Millis;
  readonly ready: boolean;
  /** All that a client sends as input, to its end; empty where there is no client. */
  readonly input: () => Promise<string>;
}

/** An image: its properties and what its containers do, the same for all or worked out for each one as it is started. */
export interface ImageBehaviour extends ImageProperties, ContainerBehaviour {
  /** Takes the place of the behaviour above, container by container. */
  readonly behaves?: (context: ContainerContext) => ContainerBehaviour | Promise<ContainerBehaviour>;
}

export function isReadyAt(behaviour: ContainerBehaviour, sinceStart: Millis): boolean {
  if (behaviour.becomesReadyAfter !== undefined && sinceStart < behaviour.becomesReadyAfter) return false;
  return behaviour.stopsBeingReadyAfter === undefined || sinceStart < behaviour.stopsBeingReadyAfter;
}

export function exitCodeOfTurn(behaviour: ContainerBehaviour, turn: number): number {
  const byTurn = behaviour.exitsByTurn;
  if (byTurn === undefined || byTurn.length === 0) return behaviour.exits ?? 0;
  return byTurn[Math.min(turn, byTurn.length - 1)] as number;
}

export function valueAt<T>(value: OverTime<T>, sinceStart: Millis): T {
  return typeof value === "function" ? (value as (sinceStart: Millis) => T)(sinceStart) : value;
}
