// Creating, running, listing, adopting.

import { millis, seconds } from "../../base/time.ts";
import type { ContainerId, RuntimeEvent, SandboxId } from "../runtime-service.ts";
import type { ContractBench, RuntimeCheck } from "./contract-bench.ts";
import { ensure, ensureNotFound, exitOf, failureOf, same } from "./contract-bench.ts";

export const lifecycleChecks: readonly RuntimeCheck[] = [
  {
    name: "says who it is and that it is ready",
    async body({ runtime }) {
      const version = await runtime.version();
      ensure(version.runtimeName !== "" && version.runtimeVersion !== "", "a name and a version");
      const conditions = await runtime.status();
      for (const type of ["RuntimeReady", "NetworkReady"]) {
        ensure(
          conditions.some((c) => c.type === type && c.status),
          `${type} to be true`,
        );
      }
    },
  },
  {
    name: "runs a sandbox and tells what it is",
    async body(bench) {
      const before = bench.subject.clock.now();
      const labels = { app: "web", tier: "front" };
      const { id, config } = await bench.sandbox({ labels, annotations: { note: "some text" } });
      const status = await bench.runtime.podSandboxStatus(id);
      same(status.state, "ready", "state");
      same(status.metadata, config.metadata, "metadata");
      same(sorted(status.labels), sorted(labels), "labels");
      same(status.annotations, { note: "some text" }, "annotations");
      ensure(status.createdAt >= before - 1000, "a creation time that is not before the request");
    },
  },
  {
    name: "takes a container from created to running to exited, with times in order",
    async body(bench) {
      const { id } = await bench.create([{ do: "sleep", time: millis(200) }]);
      same((await bench.runtime.containerStatus(id)).state.kind, "created", "state before the start");
      await bench.runtime.startContainer(id);
      const running = await bench.runtime.containerStatus(id);
      same(running.state.kind, "running", "state after the start");
      const exit = await bench.exited(id);
      same([exit.exitCode, exit.reason], [0, "Completed"], "exit code and reason");
      ensure(running.createdAt <= exit.startedAt, "the start not before the creation");
      ensure(exit.finishedAt - exit.startedAt >= 150, "the end 200 ms after the start");
    },
  },
  ...[1, 3, 126, 255].map(
    (code): RuntimeCheck => ({
      name: `keeps exit code ${code}`,
      async body(bench) {
        const { exit } = await bench.run([{ do: "exit", code }]);
        same([exit.exitCode, exit.reason], [code, "Error"], "exit code and reason");
      },
    }),
  ),
  {
    name: "leaves a container exited with 128 and StartError when its process cannot be started",
    async body(bench) {
      const { id } = await bench.create(bench.subject.unstartable);
      const error = await failureOf(bench.runtime.startContainer(id), "startContainer");
      ensure(error.message.length > 0, "a message");
      const exit = await bench.exited(id);
      same([exit.exitCode, exit.reason], [128, "StartError"], "exit code and reason");
      ensure(exit.message.length > 0, "a message in the status");
    },
  },
  {
    name: "does not start a container twice",
    async body(bench) {
      const { id } = await bench.launch([{ do: "runForEver" }]);
      await failureOf(bench.runtime.startContainer(id), "a second startContainer");
      same((await bench.runtime.containerStatus(id)).state.kind, "running", "state");
      await bench.runtime.stopContainer(id, seconds(0));
      await failureOf(bench.runtime.startContainer(id), "startContainer of an exited container");
    },
  },
  {
    name: "runs several instances of one container side by side with their own state",
    async body(bench) {
      const sandbox = await bench.sandbox();
      const first = await bench.run([{ do: "exit", code: 5 }], { metadata: { name: "main", attempt: 0 } }, sandbox);
      const second = await bench.launch([{ do: "runForEver" }], { metadata: { name: "main", attempt: 1 } }, sandbox);
      const listed = await bench.runtime.listContainers({ sandboxId: sandbox.id });
      const byAttempt = [...listed].sort((a, b) => a.metadata.attempt - b.metadata.attempt);
      same(
        byAttempt.map((c) => [c.id, c.metadata.attempt, c.state.kind]),
        [
          [first.id, 0, "exited"],
          [second.id, 1, "running"],
        ],
        "instances",
      );
    },
  },
  {
    name: "keeps labels, annotations, metadata and the path of the log",
    async body(bench) {
      const overrides = {
        metadata: { name: "web", attempt: 2 },
        labels: { "io.kubernetes.container.name": "web", x: "y" },
        annotations: { "io.kubernetes.container.hash": "abc", empty: "" },
        logPath: "web/2.log",
      };
      const { id, sandboxId, logPath } = await bench.launch([{ do: "runForEver" }], overrides);
      const status = await bench.runtime.containerStatus(id);
      same(status.sandboxId, sandboxId, "sandbox");
      same(status.metadata, overrides.metadata, "metadata");
      same(sorted(status.labels), sorted(overrides.labels), "labels");
      same(sorted(status.annotations), sorted(overrides.annotations), "annotations");
      same(status.logPath, logPath, "log path");
    },
  },
  {
    name: "lists containers by sandbox and by labels, and sandboxes by labels",
    async body(bench) {
      const one = await bench.sandbox({ labels: { app: "one", both: "yes" } });
      const two = await bench.sandbox({ labels: { app: "two", both: "yes" } });
      const a = await bench.create([{ do: "exit", code: 0 }], { labels: { role: "a" } }, one);
      const b = await bench.create([{ do: "exit", code: 0 }], { labels: { role: "b" } }, two);
      const ids = async (filter: Parameters<typeof bench.runtime.listContainers>[0]): Promise<readonly string[]> =>
        (await bench.runtime.listContainers(filter)).map((c) => c.id).sort();
      same(await ids({}), [a.id, b.id].sort(), "all");
      same(await ids({ sandboxId: one.id }), [a.id], "by sandbox");
      same(await ids({ labels: { role: "b" } }), [b.id], "by label");
      same(await ids({ sandboxId: one.id, labels: { role: "b" } }), [], "by both");
      const sandboxes = async (labels: Record<string, string>): Promise<readonly string[]> =>
        (await bench.runtime.listPodSandboxes(labels)).map((s) => s.id).sort();
      same(await sandboxes({ both: "yes" }), [one.id, two.id].sort(), "sandboxes");
      same(await sandboxes({ both: "yes", app: "two" }), [two.id], "sandboxes by two labels");
    },
  },
  {
    name: "does not know what it never made or has removed",
    async body(bench) {
      const { id, sandboxId } = await bench.run([{ do: "exit", code: 0 }]);
      await bench.runtime.removeContainer(id);
      await ensureNotFound(bench.runtime.containerStatus(id), "status of a removed container");
      await bench.runtime.removePodSandbox(sandboxId);
      await ensureNotFound(bench.runtime.podSandboxStatus(sandboxId), "status of a removed sandbox");
      await ensureNotFound(bench.runtime.containerStatus(unknownContainer), "status of an unknown container");
      await ensureNotFound(bench.runtime.podSandboxStatus(unknownSandbox), "status of an unknown sandbox");
      await failureOf(bench.runtime.startContainer(unknownContainer), "start of an unknown container");
    },
  },
  {
    name: "stops and removes again what is stopped and removed",
    async body(bench) {
      const { id, sandboxId } = await bench.run([{ do: "exit", code: 4 }]);
      await bench.runtime.stopContainer(id, seconds(1));
      await bench.runtime.stopContainer(id, seconds(0));
      same(exitOf(await bench.runtime.containerStatus(id)).exitCode, 4, "exit code after stopping again");
      await bench.runtime.removeContainer(id);
      await bench.runtime.removeContainer(id);
      await bench.runtime.stopContainer(id, seconds(1));
      await bench.runtime.stopPodSandbox(sandboxId);
      await bench.runtime.stopPodSandbox(sandboxId);
      await bench.runtime.removePodSandbox(sandboxId);
      await bench.runtime.removePodSandbox(sandboxId);
      await bench.runtime.stopPodSandbox(sandboxId);
      await bench.runtime.removeContainer(unknownContainer);
      await bench.runtime.removePodSandbox(unknownSandbox);
    },
  },
  {
    name: "tells about starts and ends as they happen",
    async body(bench) {
      if (bench.runtime.subscribe === undefined) return;
      const seen: RuntimeEvent[] = [];
      const subscription = bench.runtime.subscribe({ event: (event) => seen.push(event), lost: () => undefined });
      const { id } = await bench.launch([{ do: "sleep", time: millis(100) }]);
      await bench.until("the end was told", async () => seen.find(isExitOf(id)));
      const kinds = seen.filter((event) => event.containerId === id).map((event) => event.kind);
      same(kinds, ["containerStarted", "containerExited"], "events");
      same((await bench.runtime.containerStatus(id)).state.kind, "exited", "state once the end is told");
      subscription.close();
      const count = seen.length;
      await bench.run([{ do: "exit", code: 0 }]);
      same(seen.length, count, "events after closing");
    },
  },
  {
    name: "finds everything again after it was opened anew, and what ended meanwhile",
    async body(bench) {
      const sandbox = await bench.sandbox({ labels: { app: "kept" }, annotations: { note: "kept" } });
      const stays = await bench.launch(
        [{ do: "print", text: "still here" }, { do: "runForEver" }],
        named("stays"),
        sandbox,
      );
      const ends = await bench.launch(
        [
          { do: "sleep", time: millis(300) },
          { do: "exit", code: 7 },
        ],
        named("ends"),
        sandbox,
      );
      const waits = await bench.create([{ do: "exit", code: 3 }], named("waits"), sandbox);
      const before = await bench.runtime.containerStatus(stays.id);
      await bench.reopen();
      same((await bench.runtime.podSandboxStatus(sandbox.id)).labels, { app: "kept" }, "labels of the sandbox");
      same(await bench.runtime.containerStatus(stays.id), before, "status of the running container");
      same((await bench.exited(ends.id)).exitCode, 7, "exit code of the one that ended");
      same((await bench.runtime.containerStatus(waits.id)).state.kind, "created", "state of the one not started");
      await bench.runtime.startContainer(waits.id);
      same((await bench.exited(waits.id)).exitCode, 3, "exit code of the one started later");
      same(await bench.texts(stays, 1), ["still here"], "log");
      await bench.runtime.stopContainer(stays.id, seconds(5));
      same((await bench.exited(stays.id)).exitCode, 143, "exit code of the adopted one");
    },
  },
  {
    name: "starts many at once",
    async body(bench) {
      const codes = await Promise.all(
        Array.from({ length: 10 }, async (_, n) => (await bench.run([{ do: "exit", code: n }])).exit.exitCode),
      );
      same(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "exit codes");
    },
  },
];

const unknownContainer = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" as ContainerId;
const unknownSandbox = unknownContainer as string as SandboxId;

const isExitOf =
  (id: ContainerId) =>
  (event: RuntimeEvent): boolean =>
    event.kind === "containerExited" && event.containerId === id;

const named = (name: string): Parameters<ContractBench["create"]>[1] => ({
  metadata: { name, attempt: 0 },
  logPath: `${name}/0.log`,
});

const sorted = (record: Readonly<Record<string, string>>): unknown =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
