// Logs and commands in running containers.

import type { Instant } from "../../base/time.ts";
import { millis, seconds } from "../../base/time.ts";
import { ExecTimeoutError } from "../runtime-service.ts";
import type { RuntimeCheck } from "./contract-bench.ts";
import { decode, ensure, failureOf, same, textOf } from "./contract-bench.ts";
import type { ContractStep } from "./runtime-under-test.ts";

const count = (to: number): readonly ContractStep[] =>
  Array.from({ length: to }, (_, n): ContractStep => ({ do: "print", text: `line ${n + 1}` }));

export const logChecks: readonly RuntimeCheck[] = [
  {
    name: "keeps the lines of a log in order, with times",
    async body(bench) {
      const before = bench.subject.clock.now();
      const launched = await bench.run([...count(20), { do: "exit", code: 0 }]);
      const lines = await bench.log(launched);
      same(
        lines.map(textOf),
        Array.from({ length: 20 }, (_, n) => `line ${n + 1}`),
        "lines",
      );
      for (const [n, line] of lines.entries()) {
        ensure(line.time >= before - 50 && line.time <= bench.subject.clock.now() + 50, "times within the run");
        ensure(n === 0 || line.time >= (lines[n - 1]?.time as Instant), "times in order");
      }
    },
  },
  {
    name: "tells the two streams of a log apart",
    async body(bench) {
      const launched = await bench.run([
        { do: "print", text: "to out", stream: "stdout" },
        { do: "print", text: "to err", stream: "stderr" },
      ]);
      const lines = await bench.log(launched);
      same(lines.map((line) => `${line.stream} ${textOf(line)}`).sort(), ["stderr to err", "stdout to out"], "lines");
    },
  },
  {
    name: "keeps a last line without an end, empty lines and text in other scripts",
    async body(bench) {
      const launched = await bench.run([
        { do: "print", text: "" },
        { do: "print", text: "Grüße, 世界 🌍" },
        { do: "printPart", text: "no end" },
      ]);
      same(await bench.texts(launched, 3), ["", "Grüße, 世界 🌍", "no end"], "lines");
    },
  },
  {
    name: "reads the end of a log",
    async body(bench) {
      const launched = await bench.run([...count(5)]);
      same(await bench.texts(launched, 0, { tailLines: 2 }), ["line 4", "line 5"], "last two");
      same(await bench.texts(launched, 0, { tailLines: 0 }), [], "last none");
      same((await bench.texts(launched, 0, { tailLines: 100 })).length, 5, "count of last hundred");
    },
  },
  {
    name: "leaves out what is older than asked",
    async body(bench) {
      const launched = await bench.run([
        { do: "print", text: "early" },
        { do: "sleep", time: millis(400) },
        { do: "print", text: "late" },
      ]);
      const since = (launched.exit.startedAt + 250) as Instant;
      same(await bench.texts(launched, 0, { since }), ["late"], "lines since the middle");
    },
  },
  {
    name: "follows a log until the container has ended",
    async body(bench) {
      const launched = await bench.launch([
        { do: "print", text: "first" },
        { do: "sleep", time: millis(200) },
        { do: "print", text: "second" },
        { do: "sleep", time: millis(200) },
        { do: "print", text: "last" },
      ]);
      same((await bench.log(launched, { follow: true })).map(textOf), ["first", "second", "last"], "lines");
    },
  },
  {
    name: "follows a log from its end and stops when told",
    async body(bench) {
      const launched = await bench.launch([...count(3), { do: "startChild", text: "more" }, { do: "runForEver" }]);
      await bench.texts(launched, 3);
      const abort = new AbortController();
      const seen: string[] = [];
      const options = { follow: true, tailLines: 1, signal: abort.signal };
      for await (const line of bench.runtime.readLog(launched.logPath, launched.id, options)) {
        seen.push(textOf(line));
        if (seen.length === 4) abort.abort();
      }
      same(seen.length, 4, "count of lines");
      same(seen.slice(1), ["more", "more", "more"], "lines written meanwhile");
    },
  },
  {
    name: "keeps the log of a removed container until it is removed too",
    async body(bench) {
      const sandbox = await bench.sandbox();
      const launched = await bench.run([{ do: "print", text: "last words" }], {}, sandbox);
      await bench.runtime.removeContainer(launched.id);
      same(await bench.texts(launched), ["last words"], "lines");
      await bench.runtime.removePodSandbox(sandbox.id);
      const reading = async (): Promise<unknown> => {
        const lines = [];
        for await (const line of bench.runtime.readLog(launched.logPath, undefined, { follow: false }))
          lines.push(line);
        return lines.map(textOf);
      };
      same(await reading(), ["last words"], "lines after the sandbox is gone");
      await bench.runtime.removeLogs(sandbox.config.logDirectory);
      await failureOf(reading(), "reading a removed log");
      await bench.runtime.removeLogs(sandbox.config.logDirectory);
    },
  },
  {
    name: "removes the log of one turn of a container and leaves the others",
    async body(bench) {
      const sandbox = await bench.sandbox();
      const turn = (attempt: number) =>
        bench.run([{ do: "print", text: `turn ${attempt}` }], { metadata: { name: "main", attempt } }, sandbox);
      const first = await turn(0);
      const second = await turn(1);
      await bench.runtime.removeContainer(first.id);
      await bench.runtime.removeLogs(first.logPath);
      await failureOf(bench.texts(first), "reading a removed log");
      same(await bench.texts(second), ["turn 1"], "lines of the other log");
    },
  },
  {
    name: "runs a command in a container and gives back its output and exit code",
    async body(bench) {
      const launched = await bench.launch([{ do: "runForEver" }]);
      const command = bench.subject.command([
        { do: "print", text: "out" },
        { do: "print", text: "err", stream: "stderr" },
        { do: "exit", code: 6 },
      ]);
      const result = await bench.runtime.execSync(launched.id, command, seconds(10));
      same([decode(result.stdout), decode(result.stderr), result.exitCode], ["out\n", "err\n", 6], "result");
      same(await bench.texts(launched), [], "lines in the container's own log");
    },
  },
  {
    name: "runs a command with the environment of the container",
    async body(bench) {
      const envs = [{ key: "COLOUR", value: "green" }];
      const { id } = await bench.launch([{ do: "runForEver" }], { envs });
      const result = await bench.runtime.execSync(id, bench.subject.command([{ do: "printVariable", name: "COLOUR" }]));
      same(decode(result.stdout), "green\n", "output");
    },
  },
  {
    name: "kills a command that takes too long",
    async body(bench) {
      const { id } = await bench.launch([{ do: "runForEver" }]);
      const command = bench.subject.command([{ do: "sleep", time: seconds(60) }]);
      let error: Error | undefined;
      const took = await bench.timed(async () => {
        error = await failureOf(bench.runtime.execSync(id, command, seconds(1)), "execSync");
      });
      ensure(error instanceof ExecTimeoutError, `an ExecTimeoutError, it was "${error?.message}"`);
      ensure(took >= 990 && took <= 1000 + bench.subject.slack, `a second of waiting, it took ${took} ms`);
      same((await bench.runtime.containerStatus(id)).state.kind, "running", "state of the container");
    },
  },
  {
    name: "runs no command in a container that does not run",
    async body(bench) {
      const { id } = await bench.run([{ do: "exit", code: 0 }]);
      await failureOf(bench.runtime.execSync(id, bench.subject.command([{ do: "exit", code: 0 }])), "execSync");
    },
  },
];
