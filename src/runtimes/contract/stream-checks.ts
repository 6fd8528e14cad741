// Streams: commands with a client's input and output on them, the container's own streams, connections into a sandbox.

import { type ByteSink, type ProcessStreams, StreamQueue, type TerminalSize } from "../../base/byte-stream.ts";
import { millis } from "../../base/time.ts";
import type { ContainerId, RuntimeService, StreamCall, StreamRequest } from "../runtime-service.ts";
import type { ContractBench, RuntimeCheck } from "./contract-bench.ts";
import { encode, ensure, ensureNotFound, failureOf, same } from "./contract-bench.ts";

export const streamChecks: readonly RuntimeCheck[] = [
  {
    name: "runs a command of exec with its outputs apart, and tells its exit code",
    async body(bench) {
      const { id } = await bench.launch([{ do: "runForEver" }]);
      const client = new StreamClient();
      const run = await exec(bench, id, [
        { do: "print", text: "out" },
        { do: "print", text: "err", stream: "stderr" },
        { do: "exit", code: 3 },
      ]);
      same(await run(client.streams()), 3, "exit code");
      same([client.stdout, client.stderr], ["out\n", "err\n"], "outputs");
    },
  },
  {
    name: "passes the input of a client on to a command, to its end",
    async body(bench) {
      const { id } = await bench.launch([{ do: "runForEver" }]);
      const client = new StreamClient();
      client.type("one\n");
      client.type("two\n");
      client.endInput();
      same(await (await exec(bench, id, [{ do: "printInput" }]))(client.streams()), 0, "exit code");
      same(client.stdout.trimEnd(), "one\ntwo", "output");
    },
  },
  {
    name: "says why a command of exec cannot be run, once it is to be run",
    async body(bench) {
      const { id } = await bench.launch([{ do: "runForEver" }]);
      const run = await prepared(bench.runtime, id, bench.subject.absentCommand);
      const failure = await failureOf(run(new StreamClient().streams()), "exec");
      ensure(/no such file|not found/.test(failure.message), `a reason, not "${failure.message}"`);
    },
  },
  {
    name: "runs no command of exec in a container that has exited or is not there",
    async body(bench) {
      const { id } = await bench.run([{ do: "exit", code: 0 }]);
      const failure = await failureOf(exec(bench, id, []), "exec");
      ensure(failure.message.includes("CONTAINER_EXITED"), `the state, not "${failure.message}"`);
      await bench.runtime.removeContainer(id);
      await ensureNotFound(exec(bench, id, []), "exec");
    },
  },
  {
    name: "lets go of a command when its client goes away",
    async body(bench) {
      const { id } = await bench.launch([{ do: "runForEver" }]);
      const client = new StreamClient();
      const running = (await exec(bench, id, [{ do: "print", text: "up" }, { do: "runForEver" }]))(client.streams());
      // Whether it has said so yet does not matter.
      await bench.subject.clock.sleep(millis(20));
      client.goAway();
      await failureOf(running, "exec without a client");
      same((await bench.runtime.containerStatus(id)).state.kind, "running", "state of the container");
    },
  },
  {
    name: "gives a terminal the size of the client's",
    async body(bench) {
      const { id } = await bench.launch([{ do: "runForEver" }]);
      const client = new StreamClient();
      const request = { stdin: true, stdout: true, stderr: false, tty: true };
      const run = await prepared(bench.runtime, id, ["sh"], request);
      const running = run(client.streams({ tty: true }));
      // What fails here is told below.
      running.catch(() => undefined);
      client.resize({ columns: 97, rows: 31 });
      const ask = "until [ \"$(stty size)\" = '31 97' ]; do sleep 0.02; done; echo size=$(stty size)\n";
      client.type(ask);
      await bench.until("the terminal has the size", async () => client.stdout.includes("size=31 97\r\n") || undefined);
      client.type("exit 4\n");
      same(await running, 4, "exit code");
    },
  },
  {
    name: "shows a client that attaches what the container writes from then on, until it ends",
    async body(bench) {
      const { id } = await bench.launch([
        { do: "sleep", time: millis(700) },
        { do: "print", text: "late" },
        { do: "sleep", time: millis(100) },
        { do: "exit", code: 5 },
      ]);
      const client = new StreamClient();
      same(await (await attach(bench, id, false))(client.streams()), 0, "outcome");
      same(client.stdout, "late\n", "output");
    },
  },
  {
    name: "passes the input of a client on to the container's own process",
    async body(bench) {
      const launched = await bench.launch([{ do: "printInput" }], { stdin: true, stdinOnce: true });
      const client = new StreamClient();
      client.type("by hand\n");
      client.endInput();
      same(await (await attach(bench, launched.id, true))(client.streams()), 0, "outcome");
      same((await bench.exited(launched.id)).exitCode, 0, "exit code");
      same(client.stdout, "by hand\n", "output");
      same(await bench.texts(launched), ["by hand"], "log");
    },
  },
  {
    name: "keeps the input of a container when it is opened again",
    async body(bench) {
      const { id } = await bench.launch([{ do: "printInput" }], { stdin: true, stdinOnce: true });
      await bench.reopen();
      same((await bench.runtime.containerStatus(id)).state.kind, "running", "state");
      const client = new StreamClient();
      client.type("later\n");
      client.endInput();
      same(await (await attach(bench, id, true))(client.streams()), 0, "outcome");
      same(client.stdout, "later\n", "output");
    },
  },
  {
    name: "says why no connection can be made to a port of a sandbox",
    async body(bench) {
      const { sandboxId } = await bench.launch([{ do: "runForEver" }]);
      const { runtime } = bench;
      if (runtime.portForward === undefined) throw new Error("the runtime has no portForward");
      const forwarding = await runtime.portForward(sandboxId);
      const connecting = forwarding.connect(1).then(async ({ source }) => {
        for await (const chunk of source) ensure(chunk.length === 0, "no bytes");
      });
      const { message } = await failureOf(connecting, "connect");
      ensure(message.includes("connection refused"), `a reason, not "${message}"`);
      forwarding.close();
    },
  },
];

type Steps = Parameters<ContractBench["subject"]["command"]>[0];

const everything: StreamRequest = { stdin: true, stdout: true, stderr: true, tty: false };

function exec(bench: ContractBench, id: ContainerId, steps: Steps): Promise<StreamCall> {
  return prepared(bench.runtime, id, bench.subject.command(steps));
}

function prepared(
  runtime: RuntimeService,
  id: ContainerId,
  command: readonly string[],
  request = everything,
): Promise<StreamCall> {
  if (runtime.exec === undefined) throw new Error("the runtime has no exec");
  return runtime.exec(id, command, request);
}

function attach({ runtime }: ContractBench, id: ContainerId, stdin: boolean): Promise<StreamCall> {
  if (runtime.attach === undefined) throw new Error("the runtime has no attach");
  return runtime.attach(id, { ...everything, stdin });
}

/** A client's side of a process's streams. */
class StreamClient {
  readonly #input = new StreamQueue<Uint8Array>({ limit: 1 << 20, sizeOf: (chunk) => chunk.length });
  readonly #sizes = new StreamQueue<TerminalSize>({ limit: 16, sizeOf: () => 1 });
  readonly #gone = new AbortController();
  stdout = "";
  stderr = "";

  streams({ tty = false } = {}): ProcessStreams {
    const sink = (take: (text: string) => void): ByteSink => ({
      write: async (chunk) => take(new TextDecoder().decode(chunk)),
      end: () => undefined,
    });
    return {
      stdin: this.#input,
      stdout: sink((text) => {
        this.stdout += text;
      }),
      ...(tty
        ? { resize: this.#sizes }
        : {
            stderr: sink((text) => {
              this.stderr += text;
            }),
          }),
      signal: this.#gone.signal,
    };
  }

  type(text: string): void {
    this.#input.push(encode(text));
  }

  endInput(): void {
    this.#input.close();
  }

  resize(size: TerminalSize): void {
    this.#sizes.push(size);
  }

  goAway(): void {
    this.#gone.abort(new Error("the client is gone"));
    this.#input.close();
    this.#sizes.close();
  }
}
