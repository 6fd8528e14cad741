// The contract suite over real processes of this machine.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { millis } from "../../src/base/time.ts";
import { HostFilesystem } from "../../src/host/node-filesystem.ts";
import { WallClock } from "../../src/host/wall-clock.ts";
import { AddressRange } from "../../src/network/ipam.ts";
import type { RuntimeUnderTest } from "../../src/runtimes/contract.ts";
import { runtimeContract, shellScriptOf } from "../../src/runtimes/contract.ts";
import { openProcessRuntime } from "../../src/runtimes/process/process-runtime.ts";
import type { ContainerRuntime } from "../../src/runtimes/runtime-service.ts";
import { processGaps, processGapsWithoutRoot } from "./process-gaps.ts";
import { vitestRunner } from "./vitest-runner.ts";

runtimeContract(vitestRunner, "process", makeRuntime, {
  cannot: { ...processGaps, ...(process.getuid?.() === 0 ? {} : processGapsWithoutRoot) },
});

async function makeRuntime(): Promise<RuntimeUnderTest> {
  const clock = new WallClock();
  const directory = await mkdtemp(join(tmpdir(), "lifepod-process-"));
  const opened: ContainerRuntime[] = [];
  const open = async (): Promise<ContainerRuntime> => {
    const runtime = await openProcessRuntime({
      stateDirectory: join(directory, "state"),
      clock,
      podAddresses: new AddressRange("127.200.1.0/24"),
    });
    opened.push(runtime);
    return runtime;
  };
  return {
    runtime: await open(),
    clock,
    files: new HostFilesystem(),
    directory,
    // The checks share two cores with other suites; what is measured is seconds.
    slack: millis(2500),
    program: (steps) => ({ image: "shell", command: ["sh", "-c", shellScriptOf(steps)] }),
    command: (steps) => ["sh", "-c", shellScriptOf(steps)],
    absentCommand: ["no-such-program"],
    unstartable: { image: "broken", command: ["/no/such/program"] },
    async reopen() {
      await opened.at(-1)?.close();
      return await open();
    },
    play: (body) => body(),
    async close() {
      for (const runtime of opened) await runtime.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
