// What stands between lifepod and a container's process: one small POSIX shell for each container. It lives in a session of its own, so it
// survives lifepod, waits for the container and writes down how it ended. Nothing of what it does needs lifepod to be there.
//
//   supervisor (sh)                      own session, ignores what is sent to lifepod's
//   └── setsid → sh → [unshare, mounts] → [setpriv] → env → the command      one process id all the way, leader of its session and group
//
// File descriptor 3 is a pipe to lifepod on which one line says how the start went; descriptor 4 is the container's log.

import type { Mount } from "../runtime-service.ts";
import { containerMark } from "./process-table.ts";

/** Files that the scripts write and lifepod reads, below a container's folder. */
export const claimFile = "claim";
export const processFile = "process";
export const errorFile = "error";
/** What the supervisor runs. A file that only lifepod's user reads: everybody sees command lines, and environments hold secrets. */
export const launchFile = "launch";
/** The named pipe that a container with an input reads from, and who holds it open. */
export const inputFile = "stdin";
export const inputKeeperFile = "stdin-keeper";

/** A start that failed before the command ran leaves this exit code and a text in the error file. */
export const failedBeforeCommand = 125;

// Somebody must hold the pipe open for writing, or the container would read its end as soon as the first client has left. Whoever that is carries the
// container's mark and is swept away with it.
const keepInput = `read -r stat < /proc/$$/stat; echo "$$ $stat" > "$1/${inputKeeperFile}"; exec sleep infinity`;
const makeInput = `
input=$dir/${inputFile}
mkfifo -m 600 "$input"
${containerMark}=\${dir##*/} sh -c '${keepInput}' lifepod-stdin "$dir" 3>&- 4>&- > "$input" &
`;

/**
 * Arguments: folder, exit file.
 * Whoever makes the claim file runs the container; a second supervisor, of a lifepod that could not know of the first, gives up.
 */
export const supervisorScript = (stdin: boolean): string => `
trap : HUP INT TERM
dir=$1 exit=$2
set -C
{ echo "$$" > "$dir/${claimFile}"; } 2>/dev/null || { echo claimed >&3; exit; }
set +C
${stdin ? makeInput : "input=/dev/null"}
# In a subshell, so that what this shell has to say about the end ("Terminated") does not get into the container's log.
(exec setsid sh "$dir/${launchFile}" "$dir" < "$input" >&4 2>&4 4>&-)
code=$?
read -r pid rest < "$dir/${processFile}" && kill -s KILL -- "-$pid"
echo "$code" > "$exit"
`;

// The kernel's line on the process has its start time, which tells it from a later process with the same number.
// Files that the container makes get the rights that they get in every container, whatever lifepod's own mask is.
const introduce = `
dir=$1
shift
umask 022
read -r stat < /proc/$$/stat
echo "$$ $stat" > "$dir/${processFile}"
`;

const failFunction = `
fail() { echo "$1" > "$dir/${errorFile}"; trap '' PIPE; echo failed >&3; exit ${failedBeforeCommand}; }
`;

// lifepod may be gone by now; that must not cost the container its life.
const report = `
trap '' PIPE
echo started >&3
exec 3>&-
trap - PIPE
`;

const changeDirectory = (path: string): string => `cd -- ${quoted(path)} 2>/dev/null || fail ${quoted(
  `chdir to cwd (${JSON.stringify(path)}) set in config.json failed: no such file or directory`,
)}
unset PWD OLDPWD
`;

export interface ContainerScript {
  readonly mounts: readonly Mount[];
  readonly workingDirectory: string;
  /** Nothing of the machine's own files may be written. */
  readonly readonlyRoot: boolean;
}

/** The launch file: a container's script with the command line that it ends in. Argument: folder. */
export const launchScript = (script: string, commandLine: readonly string[]): string =>
  `set -- "$1" ${commandLine.map(quoted).join(" ")}\n${script}`;

/** The script that sets a container up and becomes its command. Arguments: folder, then the command line. */
export function containerScript(script: ContainerScript): string {
  const setUp = script.mounts.map(bindLine).join("") + (script.readonlyRoot ? readonlyRootLine : "");
  const run = `${changeDirectory(script.workingDirectory)}${report}exec "$@"\n`;
  if (setUp === "") return introduce + failFunction + run;
  const inside = `dir=$1\nshift\n${failFunction}${setUp}${run}`;
  // Mounts made on the machine later, and taken away, follow into the container's view; none of its own get out.
  return `${introduce}exec unshare --mount --propagation slave sh -c ${quoted(inside)} lifepod-container "$dir" "$@"\n`;
}

/** Whether the script needs a mount namespace of its own. */
export const needsNamespace = (script: Pick<ContainerScript, "mounts" | "readonlyRoot">): boolean =>
  script.mounts.length > 0 || script.readonlyRoot;

function bindLine(mount: Mount): string {
  const options = mount.readonly ? "rbind,ro" : "rbind";
  const command = `mount -o ${options} -- ${quoted(mount.hostPath)} ${quoted(mount.containerPath)}`;
  return `error=$(${command} 2>&1) || fail ${quoted(`failed to mount ${mount.hostPath} at ${mount.containerPath}`)}": $error"\n`;
}

const readonlyRootLine = `error=$(mount -o remount,bind,ro / 2>&1) || fail "failed to make the root file system read-only: $error"\n`;

/** A word for the shell that stands for exactly this text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
