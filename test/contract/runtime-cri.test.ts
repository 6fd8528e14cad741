// The contract suite over containerd, one private containerd for all checks. Each check opens its own connection.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll } from "vitest";
import { millis } from "../../src/base/time.ts";
import { HostFilesystem } from "../../src/host/node-filesystem.ts";
import { WallClock } from "../../src/host/wall-clock.ts";
import {
  type ContractRunner,
  runtimeContract,
  shellScriptOf,
  type RuntimeUnderTest,
} from "../../src/runtimes/contract.ts";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import type { ContainerRuntime } from "../../src/runtimes/runtime-service.ts";
import { containerdAbsence, type PrivateContainerd, startContainerd } from "../containerd/containerd.ts";

import { busyboxLayer } from "../containerd/test-images.ts";
import { startRegistry, type TestRegistry } from "../containerd/test-registry.ts";
import { absentRunner, vitestRunner } from "./vitest-runner.ts";

const absence = containerdAbsence();
const clock = new WallClock();

interface Node {
  readonly containerd: PrivateContainerd;
  readonly registry: TestRegistry;
  /** In the registry, and pulled once. */
  readonly image: string;
}

let node: Promise<Node> | undefined;

// Where containerd cannot run, each check is shown as skipped, with the reason.
const runner: ContractRunner = absence === undefined ? vitestRunner : absentRunner(absence);

runtimeContract(runner, "containerd over CRI", makeRuntime);

afterAll(async () => {
  const started = await node;
  await started?.containerd.stop();
  await started?.registry.close();
});

async function makeRuntime(): Promise<RuntimeUnderTest> {
  node ??= startNode();
  const { containerd, registry, image } = await node;
  const directory = await mkdtemp(join(containerd.scratch, "check-"));
  const opened: ContainerRuntime[] = [];
  const open = async (): Promise<ContainerRuntime> => {
    const runtime = await openCriRuntime({ endpoint: containerd.endpoint, clock });
    opened.push(runtime);
    return runtime;
  };
  const runtime = await open();
  return {
    runtime,
    clock,
    files: new HostFilesystem(),
    directory,
    // The checks share two cores with other suites; what is measured is seconds.
    slack: millis(2500),
    program: (steps) => ({ image, command: ["sh", "-c", shellScriptOf(steps)] }),
    command: (steps) => ["sh", "-c", shellScriptOf(steps)],
    absentCommand: ["no-such-program"],
    unstartable: { image, command: ["/no/such/program"] },
    absentImage: `${registry.host}/absent:1`,
    reopen: open,
    play: (body) => body(),
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startNode(): Promise<Node> {
  const registry = await startRegistry();
  const image = registry.add("busybox", "1", { layer: busyboxLayer(), command: ["sh"] });
  return { containerd: await startContainerd(), registry, image };
}
