import type { ContractStep } from "./runtime-under-test.ts";

/**
 * A program of the suite as a POSIX shell script, for runtimes that run real processes (`sh -c <script>`); busybox is enough.
 * Waiting is done in the background, because a shell runs its traps only between commands.
 */
export function shellScriptOf(steps: readonly ContractStep[]): string {
  return ["trap 'exit 143' TERM", ...steps.map(lineOf)].join("\n");
}

function lineOf(step: ContractStep): string {
  switch (step.do) {
    case "print":
      return `echo ${quoted(step.text)}${step.stream === "stderr" ? " >&2" : ""}`;
    case "printPart":
      return `printf %s ${quoted(step.text)}`;
    case "printVariable":
      return `echo "$${step.name}"`;
    case "printWorkingDirectory":
      return "pwd";
    case "printUser":
      return 'echo "$(id -u):$(id -g)"';
    case "printFile":
      return `if [ -e ${quoted(step.path)} ]; then cat ${quoted(step.path)}; else echo missing; fi`;
    case "writeFile":
      return `(printf %s ${quoted(step.text)} > ${quoted(step.path)}) 2>/dev/null || echo 'cannot write' >&2`;
    case "sleep":
      return `sleep ${step.time / 1000} & wait $!`;
    case "runForEver":
      return "while :; do sleep 3600 & wait $!; done";
    case "onTerm":
      return step.reaction === "ignore" ? "trap '' TERM" : `trap 'exit ${step.reaction.exit}' TERM`;
    case "startChild":
      return `(trap '' TERM; while :; do echo ${quoted(step.text)}; sleep 0.02; done) &`;
    case "printInput":
      return "cat";
    case "exit":
      return `exit ${step.code}`;
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
