#!/usr/bin/env node
// The command line: what the commands are called and what they take. Each command's code is loaded when it is called.

import { isIP } from "node:net";
import { Command, InvalidArgumentError, Option } from "commander";
import { lifepodVersion } from "../standalone/version.ts";
import { CommandError } from "./command-error.ts";
import { endOnMistake, isMistake } from "./mistake.ts";
import type { RunOptions } from "./run-command.ts";
import type { UpOptions } from "./up-command.ts";

const program = new Command("lifepod")
  .description("A small, real Kubernetes for the life of Pods.")
  .version(lifepodVersion, "-v, --version", "print the version")
  .exitOverride((error) => {
    // Help and version are answers; everything else commander complains about is a wrong call. (Commands made below take this over.)
    process.exit(error.exitCode === 0 ? 0 : 2);
  })
  .showHelpAfterError("(lifepod --help lists the commands, lifepod COMMAND --help explains one)")
  .configureHelp({ showGlobalOptions: false });

const runtimeOption = (): Option =>
  new Option("--runtime <name>", "what runs the containers; auto takes containerd if its socket answers, else process")
    .choices(["auto", "process", "containerd"])
    .default("auto");

const imageOption = (): Option =>
  new Option(
    "--image <name=command>",
    "on the process runtime: what an image stands for, when a Pod names no command; may be given more than once",
  )
    .argParser(imageCommand)
    .default(undefined);

const endpointOption = (): Option =>
  new Option("--runtime-endpoint <path>", "socket of containerd, if it is not at its usual place");

program
  .command("run")
  .description("run the Pods of manifests in a throw-away cluster and show their lives as they happen")
  .argument("<file...>", "YAML or JSON manifests, or folders of them; - reads standard input")
  .addOption(runtimeOption())
  .addOption(endpointOption())
  .addOption(imageOption())
  .option(
    "--for <duration>",
    "stop after this long (90s, 2m, 1h); else when all Pods have finished, or at Ctrl-C",
    duration,
  )
  .option("--logs", "show what the containers print, too")
  .addHelpText(
    "after",
    `
Ends by deleting everything gracefully. Exit status: 0 if nothing failed; 1 if a Pod failed, a container crashed or a Pod was not Ready at the end;
2 if the manifests or the options were wrong; 130 after Ctrl-C if nothing had failed before it.

Limits: one node, 110 Pods, one machine; what a manifest asks for and lifepod cannot do is refused or named in a warning.`,
  )
  .action(async (files: string[], options: RunOptions) => {
    const { runCommand } = await import("./run-command.ts");
    process.exitCode = await runCommand(files, options);
  });

program
  .command("up")
  .description("keep a cluster running; its state survives restarts")
  .option("--data <dir>", "folder that holds everything (default: the user's data folder)")
  .option(
    "--port <n>",
    "port of the API server; 0 takes any free one (default: 6443, or what this folder had last)",
    port,
  )
  .option("--bind <address>", "address that the API server listens on", address, "127.0.0.1")
  .addOption(runtimeOption())
  .addOption(endpointOption())
  .addOption(imageOption())
  .option(
    "--pod-manifest-path <dir>",
    "folder of static Pods: the node runs what its manifests say, also when it starts again, until they are gone",
  )
  .option("--json", "print its own lines as JSON")
  .option("--stop-pods", "when told to end, end the Pods too")
  .addHelpText(
    "after",
    `
Says "ready" when /readyz answers 200, and prints the line that makes kubectl use this cluster. TERM or Ctrl-C ends it cleanly and leaves the Pods
running; the next start adopts them. kill -9 loses nothing that was acknowledged. A folder stays with its runtime unless --runtime names another.

Limits: one node, 110 Pods, request bodies of 3 MiB, events kept for one hour.`,
  )
  .action(async (options: UpOptions) => {
    const { upCommand } = await import("./up-command.ts");
    process.exitCode = await upCommand(options);
  });

program
  .command("status")
  .description("what runs where")
  .option("--data <dir>", "folder of the cluster")
  .action(async (options: { data?: string }) => {
    const { statusCommand } = await import("./status-command.ts");
    process.exitCode = await statusCommand(options);
  });

program
  .command("kubeconfig")
  .description("print the kubeconfig of the cluster")
  .option("--data <dir>", "folder of the cluster")
  .option("--path", "print where it is, not what is in it")
  .action(async (options: { data?: string; path?: boolean }) => {
    const { kubeconfigCommand } = await import("./kubeconfig-command.ts");
    process.exitCode = await kubeconfigCommand(options);
  });

program
  .command("reset")
  .description("end the Pods of a cluster that is not running and remove its folder, after a question")
  .option("--data <dir>", "folder of the cluster")
  .option("-y, --yes", "do not ask")
  .action(async (options: { data?: string; yes?: boolean }) => {
    const { resetCommand } = await import("./reset-command.ts");
    process.exitCode = await resetCommand(options);
  });

/** `90s`, `2m`, `1h30m` as milliseconds. */
function duration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
    throw new InvalidArgumentError("a duration looks like 90s, 2m or 1h30m.");
  }
  const unit: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  return parts.reduce((sum, part) => sum + Number(part[1]) * (unit[part[2] as string] as number), 0);
}

/** `nginx=/usr/sbin/nginx -g "daemon off;"`, added to those before. */
function imageCommand(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const equals = text.indexOf("=");
  if (equals < 1 || text.slice(equals + 1).trim() === "") {
    throw new InvalidArgumentError("expected IMAGE=COMMAND, for example nginx='/usr/sbin/nginx -g \"daemon off;\"'.");
  }
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}

function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new InvalidArgumentError("a port is a whole number from 0 to 65535.");
  return number;
}

function address(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError("an address to listen on looks like 127.0.0.1, 0.0.0.0 or ::1.");
  return text;
}

endOnMistake();
try {
  await program.parseAsync();
} catch (error) {
  if (isMistake(error)) throw error;
  process.stderr.write(`lifepod: ${(error as Error).message}\n`);
  process.exitCode = error instanceof CommandError ? error.exitStatus : 1;
}
