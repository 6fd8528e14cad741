// Containers of the process runtime outlive lifepod: it is killed with -9 in the middle, and what it finds afterwards is what happened.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { WallClock } from "../../src/host/wall-clock.ts";
import { openProcessRuntime } from "../../src/runtimes/process/process-runtime.ts";
import type { ContainerId, ContainerRuntime } from "../../src/runtimes/runtime-service.ts";

const starter = fileURLToPath(new URL("./process-crash-starter.mjs", import.meta.url));
const built = fileURLToPath(new URL("../../dist/runtimes/process/process-runtime.js", import.meta.url));

describe("the process runtime under kill -9", () => {
  let folder: string;
  const opened: ContainerRuntime[] = [];

  beforeAll(async () => {
    if (!existsSync(built)) throw new Error(`${built} is missing: build first (npm run build)`);
    folder = await mkdtemp(join(tmpdir(), "lifepod-crash-"));
  });
  afterAll(async () => {
    for (const each of opened) {
      for (const { id } of await each.runtime.listPodSandboxes()) await each.runtime.removePodSandbox(id);
      await each.close();
    }
    await rm(folder, { recursive: true });
  });

  async function open(): Promise<ContainerRuntime> {
    const runtime = await openProcessRuntime({ stateDirectory: join(folder, "state"), clock: new WallClock() });
    opened.push(runtime);
    return runtime;
  }

  /** Starts a container for each script in a lifepod of its own, and kills that lifepod. */
  async function startAndKill(scripts: readonly string[]): Promise<readonly ContainerId[]> {
    const child = spawn(process.execPath, [starter, folder, ...scripts], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    return line.split(" ") as ContainerId[];
  }

  it("keeps exit codes, output and running containers", async () => {
    const go = join(folder, "go");
    const wait = `until [ -e ${go} ]; do sleep 0.01; done`;
    const [ends, dies, stays] = (await startAndKill([
      `echo before; ${wait}; echo after; exit 7`,
      `${wait}; kill -9 $$`,
      "trap 'echo bye; exit 9' TERM; echo up; while :; do sleep 1000 & wait $!; done",
    ])) as [ContainerId, ContainerId, ContainerId];

    // Two of them end while no lifepod is there.
    await writeFile(go, "");
    const exits = [ends, dies].map((id) => join(folder, "state/exits", id));
    for (const path of exits) while (!existsSync(path) || (await readFile(path, "utf8")) === "") await nextTurn();

    const { runtime } = await open();
    const stateOf = async (id: ContainerId) => (await runtime.containerStatus(id)).state;
    expect(await stateOf(ends)).toMatchObject({ kind: "exited", exitCode: 7, reason: "Error" });
    expect(await stateOf(dies)).toMatchObject({ kind: "exited", exitCode: 137, reason: "Error" });
    expect(await stateOf(stays)).toMatchObject({ kind: "running" });

    const logOf = async (n: number): Promise<readonly string[]> => {
      const lines = [];
      for await (const line of runtime.readLog(join(folder, `logs/c${n}/0.log`), undefined, { follow: false })) {
        lines.push(new TextDecoder().decode(line.text));
      }
      return lines;
    };
    expect(await logOf(0)).toEqual(["before", "after"]);
    while ((await logOf(2)).length === 0) await nextTurn();
    await runtime.stopContainer(stays, seconds(10));
    expect(await stateOf(stays)).toMatchObject({ kind: "exited", exitCode: 9 });
    expect(await logOf(2)).toEqual(expect.arrayContaining(["up", "bye"]));
  });

  it("tells at once when an adopted container ends", async () => {
    const [id] = (await startAndKill(["while :; do sleep 1000 & wait $!; done"])) as [ContainerId];
    const { runtime } = await open();
    const told = new Promise<void>((resolve) => {
      runtime.subscribe?.({
        event: (event) => {
          if (event.kind === "containerExited" && event.containerId === id) resolve();
        },
        lost: () => undefined,
      });
    });
    const { pid } = await processOf(id);
    process.kill(pid, "SIGKILL");
    await told;
    expect((await runtime.containerStatus(id)).state).toMatchObject({ kind: "exited", exitCode: 137 });
  });

  async function processOf(id: ContainerId): Promise<{ pid: number }> {
    return { pid: Number.parseInt(await readFile(join(folder, "state/containers", id, "process"), "utf8"), 10) };
  }
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
