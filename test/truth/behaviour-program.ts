// The declared behaviour of a simulated container as a program that does the same: shell scripts for busybox. The same few files run in a container and as
// a process of the machine.

import { type Millis, millis } from "../../src/base/time.ts";
import type {
  Answers,
  ContainerBehaviour,
  ExecAnswer,
  HttpAnswer,
  LogBehaviour,
  OverTime,
} from "../../src/runtimes/simulated/behaviour.ts";
import { exitCodeOfTurn, valueAt } from "../../src/runtimes/simulated/behaviour.ts";
import { NotToldError } from "./not-told.ts";

/** What a story asks of a container: a program need not answer what nobody asks. */
export interface Demands {
  readonly ports: readonly { readonly port: number; readonly protocol: "http" | "tcp" }[];
  readonly commands: readonly (readonly string[])[];
}

export interface ProgramQuestion {
  readonly behaviour: ContainerBehaviour;
  readonly demands: Demands;
  /** The restart count. */
  readonly turn: number;
  /** Where the program's files are, as the program sees them. */
  readonly home: string;
  /** The port to listen on in place of a port of the story. */
  readonly portFor: (port: number) => number;
  readonly terminationMessagePath: string;
  /** How long the story takes at most: behaviours that depend on time are sampled until then. */
  readonly horizon: Millis;
}

export interface Program {
  readonly command: readonly string[];
  /** Path below home → text; all of them may be executed. */
  readonly files: ReadonlyMap<string, string>;
}

const shebang = "#!/bin/busybox sh";

/** Reads the time since the container's start, in hundredths of a second, into `t`. */
const timeSinceStart = (home: string): string =>
  `read -r up rest < /proc/uptime; read -r begin < ${home}/started; t=$(( \${up%.*}\${up#*.} - begin ))`;

/** @throws NotToldError if busybox cannot do what is declared */
export function programOf(question: ProgramQuestion): Program {
  const { behaviour, home, demands } = question;
  if (behaviour.createError !== undefined)
    throw new NotToldError("it declares that a container cannot be created, which no program can do");
  const files = new Map<string, string>();
  if (behaviour.startError !== undefined) return { command: ["nothing-is-here"], files };
  for (const command of new Set(demands.commands.map(([name = ""]) => name))) {
    if (command.includes("/")) throw new NotToldError("it runs a command by its path");
    const text = commandScript(command, question);
    if (text !== undefined) files.set(`bin/${command}`, text);
  }
  const servers = demands.ports.flatMap((one) => serverLines(one, question, files));
  files.set("main", mainScript(question, servers));
  if (behaviour.writesTerminationMessage !== undefined) files.set("last-words", behaviour.writesTerminationMessage);
  return { command: ["/bin/busybox", "sh", `${home}/main`], files };
}

function mainScript({ behaviour, turn, home, terminationMessagePath }: ProgramQuestion, servers: readonly string[]) {
  const lastWords =
    behaviour.writesTerminationMessage === undefined ? "" : `cat ${home}/last-words > ${terminationMessagePath}; `;
  const farewell = (behaviour.logsOnTerm ?? []).map((line) => `echo ${quoted(line)}; `).join("");
  const leaving = `trap '' TERM; ${farewell}${sleepFor(behaviour.stopsIn)}${lastWords}exit ${behaviour.exitCodeOnTerm ?? 143}`;
  const onTerm = behaviour.ignoresTerm === true ? `trap '' TERM; ${farewell}:` : leaving;
  const lines = [
    shebang,
    `trap ${quoted(onTerm)} TERM`,
    "read -r up rest < /proc/uptime",
    `echo "\${up%.*}\${up#*.}" > ${home}/started`,
    ...(behaviour.files ?? []).flatMap(({ path, content, at }) =>
      later(at ?? millis(0), `printf %s ${quoted(content)} > ${quoted(path)}`),
    ),
    ...(behaviour.logs ?? []).flatMap(logLines),
    ...servers,
  ];
  const ends = [behaviour.runsFor, behaviour.oomAfter].filter((end) => end !== undefined);
  if (ends.length === 0) return text([...lines, "while :; do sleep 3600 & wait $!; done"]);
  const isOom = behaviour.oomAfter !== undefined && behaviour.oomAfter === Math.min(...ends);
  return text([
    ...lines,
    ...waitUntil(Math.min(...ends), home),
    // A line without an end: all of it has to be remembered.
    isOom ? "exec tail /dev/zero" : `${lastWords}exit ${exitCodeOfTurn(behaviour, turn)}`,
  ]);
}

/** Waits in pieces, because a signal that is ignored ends a wait. */
function waitUntil(end: number, home: string): readonly string[] {
  if (end <= 0) return [];
  return [
    `sleep ${end / 1000} & wait $!`,
    "while :; do",
    `  ${timeSinceStart(home)}`,
    `  rest=$(( ${Math.round(end / 10)} - t ))`,
    "  [ $rest -le 1 ] && break",
    "  sleep $(( rest / 100 )).$(( rest / 10 % 10 ))$(( rest % 10 )) & wait $!",
    "done",
  ];
}

const sleepFor = (wait: Millis | undefined): string => ((wait ?? 0) > 0 ? `sleep ${(wait ?? 0) / 1000}; ` : "");

/** Something that happens beside the main road; TERM for the whole group does not end it. */
const later = (at: Millis, line: string): readonly string[] =>
  at <= 0 ? [line] : [`(trap '' TERM; sleep ${at / 1000}; ${line}) &`];

function logLines({ at, text: words, stream, every }: LogBehaviour): readonly string[] {
  const to = stream === "stderr" ? " >&2" : "";
  if (every === undefined) {
    const line = typeof words === "string" ? words : words(0);
    return later(at, `echo ${quoted(line)}${to}`);
  }
  const pattern = typeof words === "string" ? words : numbered(words);
  const parts = pattern.split("\0").map(quoted).join('"$n"');
  return [
    `(trap '' TERM; ${sleepFor(at)}n=0; while :; do echo ${parts}${to}; n=$(( n + 1 )); sleep ${every / 1000}; done) &`,
  ];
}

/** The line with a NUL in place of its number. */
function numbered(line: (n: number) => string): string {
  const pattern = line(7).replace("7", "\0");
  const isPattern = [0, 1, 2, 10, 123].every((n) => line(n) === pattern.replace("\0", String(n)));
  if (!isPattern) throw new NotToldError("its log lines are worked out by the test program");
  return pattern;
}

function serverLines(
  { port, protocol }: Demands["ports"][number],
  question: ProgramQuestion,
  files: Map<string, string>,
): readonly string[] {
  const { behaviour, home, portFor, horizon } = question;
  const answers: Answers = behaviour.answers ?? { http: { "*": { status: 200, body: "ok" } }, tcp: "connected" };
  if (answers.ports !== undefined && !answers.ports.includes(port)) return [];
  const listen = (program: string): string => `nc -ll -p ${portFor(port)} -e ${program}`;
  const declaresReadiness = behaviour.becomesReadyAfter !== undefined || behaviour.stopsBeingReadyAfter !== undefined;
  switch (protocol) {
    case "http": {
      if (answers.http === undefined) return [];
      files.set(`http-${port}`, httpScript(answers.http, question));
      return [`(trap '' TERM; exec ${listen(`${home}/http-${port}`)}) &`];
    }
    case "tcp": {
      if (answers.tcp === undefined && answers.http === undefined) return [];
      const steps = stepsOf(answers.tcp ?? "connected", horizon);
      const [only] = steps;
      if (steps.length > 1) throw new NotToldError("its TCP server comes and goes");
      if (only?.value === "refused") return [];
      // Connections wait in the kernel's queue: a server that takes none is a silent one, too.
      files.set(`tcp-${port}`, text([shebang, only?.value === "silent" ? "sleep 3600" : ":"]));
      const from = behaviour.becomesReadyAfter ?? millis(0);
      const until = behaviour.stopsBeingReadyAfter;
      const serve = listen(`${home}/tcp-${port}`);
      if (!declaresReadiness || answers.tcp === undefined) return [`(trap '' TERM; exec ${serve}) &`];
      const closing = until === undefined ? "wait" : `sleep ${(until - from) / 1000}; kill -9 $!`;
      return [`(trap '' TERM; ${sleepFor(from)}${serve} & ${closing}) &`];
    }
  }
}

function httpScript(answers: NonNullable<Answers["http"]>, question: ProgramQuestion): string {
  const { behaviour, home, horizon } = question;
  const paths = Object.keys(answers).filter((path) => path !== "*");
  const cases = [...paths, "*"].map((path) => {
    const declared = answers[path];
    const name = path === "*" ? "*" : quoted(path);
    if (declared === undefined) return `${name}) status=404; body='404 page not found' ;;`;
    return `${name}) ${overTime(declared, horizon, httpAssignment)} ;;`;
  });
  const open = readiness(behaviour, "true", "status=503; body='not ready'; return");
  return text([
    shebang,
    "read -r method target version",
    `while read -r header; do [ -z "\${header%$(printf '\\r')}" ] && break; done`,
    timeSinceStart(home),
    "delay=; location=; status=200; body=",
    "answer() {",
    `  ${open}`,
    `  case "\${target%%\\?*}" in`,
    ...cases.map((line) => `  ${line}`),
    "  esac",
    "}",
    "answer",
    '[ "$status" = silent ] && sleep 3600',
    '[ -n "$delay" ] && sleep "$delay"',
    `printf 'HTTP/1.1 %s Answer\\r\\n' "$status"`,
    `[ -n "$location" ] && printf 'Location: %s\\r\\n' "$location"`,
    `printf 'Content-Length: %s\\r\\nConnection: close\\r\\n\\r\\n%s' "\${#body}" "$body"`,
  ]);
}

function httpAssignment(answer: HttpAnswer | "silent" | "refused"): string {
  if (answer === "refused") throw new NotToldError("its HTTP server comes and goes");
  if (answer === "silent") return "status=silent";
  const { status, body = "", location = "", delay } = answer;
  const wait = delay === undefined ? "" : `delay=${delay / 1000}; `;
  return `${wait}status=${status}; body=${quoted(body)}; location=${quoted(location)}`;
}

/** `undefined` if there is no such command. */
function commandScript(name: string, question: ProgramQuestion): string | undefined {
  const { behaviour, home, horizon } = question;
  const { exec } = behaviour;
  if (typeof exec === "function") throw new NotToldError("its commands are answered by the test program");
  const head = [shebang, timeSinceStart(home)];
  if (exec === undefined) return text([...head, readiness(behaviour, "exit 0", "printf 'not ready' >&2; exit 1")]);
  const declared = Object.entries(exec).filter(([line]) => line.split(" ")[0] === name);
  if (declared.length === 0) return undefined;
  const cases = declared.map(([line, answer]) => `${quoted(line)}) ${overTime(answer, horizon, execAssignment)} ;;`);
  return text([...head, `case "${name}\${*:+ $*}" in`, ...cases, "*) exit 127 ;;", "esac"]);
}

function execAssignment({ exitCode, stdout, stderr, delay }: ExecAnswer): string {
  const out = stdout === undefined ? "" : `printf %s ${quoted(stdout)}; `;
  const error = stderr === undefined ? "" : `printf %s ${quoted(stderr)} >&2; `;
  return `${sleepFor(delay)}${out}${error}exit ${exitCode}`;
}

/** One line of shell: `ready` while the container counts as ready, `not` otherwise. */
function readiness(behaviour: ContainerBehaviour, ready: string, not: string): string {
  const { becomesReadyAfter: from, stopsBeingReadyAfter: until } = behaviour;
  const tests = [
    ...(from === undefined ? [] : [`[ $t -lt ${from / 10} ]`]),
    ...(until === undefined ? [] : [`[ $t -ge ${until / 10} ]`]),
  ];
  return tests.length === 0 ? ready : `if ${tests.join(" || ")}; then ${not}; else ${ready}; fi`;
}

interface Step<T> {
  readonly from: Millis;
  readonly value: T;
}

const samplePeriod = millis(100);

/** When a declared value changes; the moments are exact to a tenth of a second. */
function stepsOf<T>(value: OverTime<T>, horizon: Millis): readonly Step<T>[] {
  if (typeof value !== "function") return [{ from: millis(0), value }];
  const steps: Step<T>[] = [];
  let last: string | undefined;
  for (let from = 0; from <= horizon; from += samplePeriod) {
    const now = valueAt(value, millis(from));
    const shape = JSON.stringify(now);
    if (shape !== last) steps.push({ from: millis(from), value: now });
    last = shape;
  }
  return steps;
}

function overTime<T>(value: OverTime<T>, horizon: Millis, line: (value: T) => string): string {
  const steps = stepsOf(value, horizon);
  const branches = steps.map((step, index) => {
    const next = steps[index + 1];
    return next === undefined ? line(step.value) : `if [ $t -lt ${next.from / 10} ]; then ${line(step.value)}; else `;
  });
  return `${branches.join("")}${"; fi".repeat(steps.length - 1)}`;
}

const quoted = (words: string): string => `'${words.replaceAll("'", "'\\''")}'`;
const text = (lines: readonly string[]): string => `${lines.join("\n")}\n`;
