// Signals, time limits, and that nothing is left.

import { millis, seconds } from "../../base/time.ts";
import type { RuntimeCheck } from "./contract-bench.ts";
import { ensure, failureOf, same } from "./contract-bench.ts";

export const endingChecks: readonly RuntimeCheck[] = [
  {
    name: "ends a container on TERM without waiting for the time limit",
    async body(bench) {
      const { id } = await bench.launch([{ do: "print", text: "up" }, { do: "runForEver" }]);
      const took = await bench.timed(() => bench.runtime.stopContainer(id, seconds(10)));
      const exit = await bench.exited(id);
      same([exit.exitCode, exit.reason], [143, "Error"], "exit code and reason");
      ensure(took <= bench.subject.slack, `a stop within ${bench.subject.slack} ms, it took ${took} ms`);
    },
  },
  {
    name: "keeps the exit code of a container that handles TERM",
    async body(bench) {
      const launched = await bench.launch([
        { do: "onTerm", reaction: { exit: 9 } },
        { do: "print", text: "up" },
        { do: "runForEver" },
      ]);
      await bench.texts(launched, 1);
      await bench.runtime.stopContainer(launched.id, seconds(10));
      same((await bench.exited(launched.id)).exitCode, 9, "exit code");
    },
  },
  {
    name: "kills a container that ignores TERM when its time is up and not before",
    async body(bench) {
      const launched = await bench.launch([
        { do: "onTerm", reaction: "ignore" },
        { do: "print", text: "up" },
        { do: "runForEver" },
      ]);
      await bench.texts(launched, 1);
      const took = await bench.timed(() => bench.runtime.stopContainer(launched.id, seconds(1)));
      const exit = await bench.exited(launched.id);
      same([exit.exitCode, exit.reason], [137, "Error"], "exit code and reason");
      ensure(took >= 990, `a second of waiting, it took ${took} ms`);
      ensure(took <= 1000 + bench.subject.slack, `the kill soon after a second, it took ${took} ms`);
    },
  },
  {
    name: "kills at once with a time limit of zero",
    async body(bench) {
      const launched = await bench.launch([
        { do: "onTerm", reaction: { exit: 0 } },
        { do: "print", text: "up" },
        { do: "runForEver" },
      ]);
      await bench.texts(launched, 1);
      const took = await bench.timed(() => bench.runtime.stopContainer(launched.id, seconds(0)));
      same((await bench.exited(launched.id)).exitCode, 137, "exit code");
      ensure(took <= bench.subject.slack, `a kill within ${bench.subject.slack} ms, it took ${took} ms`);
    },
  },
  {
    name: "lets a shorter second stop cut the first one short",
    async body(bench) {
      const launched = await bench.launch([
        { do: "onTerm", reaction: "ignore" },
        { do: "print", text: "up" },
        { do: "runForEver" },
      ]);
      await bench.texts(launched, 1);
      const took = await bench.timed(async () => {
        const first = bench.runtime.stopContainer(launched.id, seconds(30));
        await bench.runtime.stopContainer(launched.id, seconds(0));
        await first;
      });
      same((await bench.exited(launched.id)).exitCode, 137, "exit code");
      ensure(took <= bench.subject.slack, `both to end within ${bench.subject.slack} ms, it took ${took} ms`);
    },
  },
  {
    name: "kills the children of a container with it",
    async body(bench) {
      const launched = await bench.launch([
        { do: "startChild", text: "child" },
        { do: "onTerm", reaction: "ignore" },
        { do: "runForEver" },
      ]);
      await bench.texts(launched, 3);
      await bench.runtime.stopContainer(launched.id, millis(100));
      await ensureSilent(bench, launched);
    },
  },
  {
    name: "leaves no children behind when a container ends by itself and is removed",
    async body(bench) {
      const launched = await bench.launch([
        { do: "startChild", text: "child" },
        { do: "sleep", time: millis(200) },
        { do: "exit", code: 0 },
      ]);
      await bench.exited(launched.id);
      await bench.runtime.removeContainer(launched.id);
      await ensureSilent(bench, launched);
    },
  },
  {
    name: "kills a running container that is removed",
    async body(bench) {
      const launched = await bench.launch([{ do: "startChild", text: "child" }, { do: "runForEver" }]);
      await bench.texts(launched, 1);
      await bench.runtime.removeContainer(launched.id);
      same(await bench.runtime.listContainers({ sandboxId: launched.sandboxId }), [], "containers");
      await ensureSilent(bench, launched);
    },
  },
  {
    name: "kills all containers of a sandbox that is stopped and takes no new ones in it",
    async body(bench) {
      const sandbox = await bench.sandbox();
      const names = ["one", "two"];
      const launched = await Promise.all(
        names.map((name) =>
          bench.launch(
            [{ do: "onTerm", reaction: "ignore" }, { do: "runForEver" }],
            { metadata: { name, attempt: 0 } },
            sandbox,
          ),
        ),
      );
      await bench.runtime.stopPodSandbox(sandbox.id);
      for (const { id } of launched) same((await bench.exited(id)).exitCode, 137, "exit code");
      same((await bench.runtime.podSandboxStatus(sandbox.id)).state, "notReady", "state of the sandbox");
      await failureOf(bench.create([{ do: "exit", code: 0 }], {}, sandbox), "createContainer in a stopped sandbox");
    },
  },
  {
    name: "removes the containers of a sandbox that is removed",
    async body(bench) {
      const running = await bench.launch([{ do: "startChild", text: "child" }, { do: "runForEver" }]);
      await bench.texts(running, 1);
      await bench.runtime.removePodSandbox(running.sandboxId);
      same(await bench.runtime.listContainers(), [], "containers");
      same(await bench.runtime.listPodSandboxes(), [], "sandboxes");
      await ensureSilent(bench, running);
    },
  },
];

/** Nobody writes to the log any more: two looks a while apart see the same. */
async function ensureSilent(
  bench: Parameters<RuntimeCheck["body"]>[0],
  launched: Parameters<typeof bench.log>[0],
): Promise<void> {
  const before = (await bench.log(launched)).length;
  await bench.subject.clock.sleep(millis(200));
  same((await bench.log(launched)).length, before, "lines in the log 200 ms later");
}
