// What a runtime has to bring along to be checked. Programs are described step by step; each runtime says how it runs such a program: as a
// shell script in an image or on the host, or as a declared behaviour.

import type { Clock, Millis } from "../../base/time.ts";
import type { NodeFilesystem } from "../node-filesystem.ts";
import type { ContainerRuntime } from "../runtime-service.ts";

/** One step of a program of the suite. A program that comes to its end exits with 0; unless told otherwise it exits with 143 at once on TERM. */
export type ContractStep =
  | { readonly do: "print"; readonly text: string; readonly stream?: "stdout" | "stderr" }
  /** Prints without a line end. */
  | { readonly do: "printPart"; readonly text: string }
  /** Prints the value of an environment variable. */
  | { readonly do: "printVariable"; readonly name: string }
  | { readonly do: "printWorkingDirectory" }
  /** Prints `<uid>:<gid>`. */
  | { readonly do: "printUser" }
  /** Prints a file; a missing file prints the line `missing`. */
  | { readonly do: "printFile"; readonly path: string }
  /** Writes a file without a line end; prints `cannot write` to stderr if it may not. */
  | { readonly do: "writeFile"; readonly path: string; readonly text: string }
  | { readonly do: "sleep"; readonly time: Millis }
  /** Goes on until it is stopped. */
  | { readonly do: "runForEver" }
  /** From here on TERM is ignored, or makes it exit with the code. */
  | { readonly do: "onTerm"; readonly reaction: "ignore" | { readonly exit: number } }
  /** Starts a child that prints the text every 20 ms, ignores TERM, and is not waited for. */
  | { readonly do: "startChild"; readonly text: string }
  /** Prints what comes as input, to its end. */
  | { readonly do: "printInput" }
  | { readonly do: "exit"; readonly code: number };

/** How a container of the suite is asked for. */
export interface ContractProgram {
  readonly image: string;
  readonly command: readonly string[];
  readonly args?: readonly string[];
}

/** A fresh runtime on the bench. */
export interface RuntimeUnderTest {
  readonly runtime: ContainerRuntime;
  /** The clock that the runtime lives by. */
  readonly clock: Clock;
  /** The disk of the node that the runtime is on. */
  readonly files: NodeFilesystem;
  /** An empty folder on that disk, an absolute path; `close` removes it. */
  readonly directory: string;
  /** How much later than asked something may happen on this machine. */
  readonly slack: Millis;
  /** A container that runs the program. */
  program(steps: readonly ContractStep[]): ContractProgram;
  /** A command that runs the program, for `execSync` and `exec` in any container of the suite. */
  command(steps: readonly ContractStep[]): readonly string[];
  /** A container whose process cannot be started. */
  readonly unstartable: ContractProgram;
  /** A command that cannot be run in any container of the suite. */
  readonly absentCommand: readonly string[];
  /** The name of an image that no registry has; only for runtimes with images. */
  readonly absentImage?: string;
  /** Opens the same runtime again as after a crash of this program; what was open before is not used any more. */
  reopen(): Promise<ContainerRuntime>;
  /** Runs a check. On a virtual clock this lets time pass until the check is over. */
  play(body: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}
