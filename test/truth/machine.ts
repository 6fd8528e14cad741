// The real runtimes that stories are told on.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Millis, millis } from "../../src/base/time.ts";
import { WallClock } from "../../src/host/wall-clock.ts";
import { AddressRange } from "../../src/network/ipam.ts";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import { openProcessRuntime } from "../../src/runtimes/process/process-runtime.ts";
import type { ContainerRuntime } from "../../src/runtimes/runtime-service.ts";
import type { ImageBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import { containerdAbsence, startContainerd } from "../containerd/containerd.ts";
import { busyboxLayer, testImages } from "../containerd/test-images.ts";
import { startRegistry, type TestRegistry } from "../containerd/test-registry.ts";
import { NotToldError } from "./not-told.ts";

export const runtimeNames = ["containerd", "process"] as const;
export type RuntimeName = (typeof runtimeNames)[number];

/** A runtime of this machine, and what stands for the images of a story on it. */
export interface Machine {
  readonly name: RuntimeName;
  readonly clock: WallClock;
  /** Containers have file systems, addresses and ports of their own. */
  readonly hasContainers: boolean;
  /** Everything of the machine is below this folder. */
  readonly folder: string;
  /** Another client of the runtime; `folder` is for its state. */
  open(folder: string): Promise<ContainerRuntime>;
  images(story: number): MachineImages;
  close(): Promise<void>;
}

/** The images of one story. */
export interface MachineImages {
  /** @throws NotToldError if there can be no such image */
  declare(image: string, behaviour: ImageBehaviour): void;
  /** What to ask for to see whether the image is there. */
  presentReference(image: string): string;
  /** What to pull. */
  pullReference(image: string): string;
}

/** Why a runtime is not at hand; `undefined` if it is. */
export function machineAbsence(name: RuntimeName): string | undefined {
  if (name === "containerd") return containerdAbsence();
  return process.getuid?.() === 0 ? undefined : "volumes and users of processes need root";
}

export async function openMachine(name: RuntimeName): Promise<Machine> {
  return name === "containerd" ? openContainerdMachine() : openProcessMachine();
}

async function openProcessMachine(): Promise<Machine> {
  const clock = new WallClock();
  const root = await mkdtemp(join(tmpdir(), "lifepod-truth-"));
  const podAddresses = new AddressRange("127.95.0.0/16");
  const same = (image: string): string => image;
  return {
    name: "process",
    clock,
    hasContainers: false,
    folder: root,
    open: (folder) => openProcessRuntime({ stateDirectory: join(folder, "processes"), clock, podAddresses }),
    images: () => ({
      declare(_image, { pullTime, pullFails, user, oomAfter }) {
        if (oomAfter !== undefined) throw new NotToldError("processes have no limits");
        if (pullTime !== undefined || pullFails !== undefined) throw new NotToldError("processes pull no images");
        if (user !== undefined) throw new NotToldError("processes have no images with users");
      },
      presentReference: same,
      pullReference: same,
    }),
    close: () => rm(root, { recursive: true }),
  };
}

async function openContainerdMachine(): Promise<Machine> {
  const clock = new WallClock();
  const containerd = await startContainerd();
  const declared = new Map<string, DeclaredImage>();
  const registry = await startRegistry(undefined, async (method, path) => {
    // The first question of a pull is for the image's name.
    const asked = /^\/v2\/(.+)\/manifests\/([^:]+)$/.exec(path);
    const image = declared.get(`${asked?.[1]}:${asked?.[2]}`);
    if (image === undefined || method !== "HEAD") return "given";
    await clock.sleep(image.pullTime);
    return image.pulls++ < image.failures ? "refused" : "given";
  });
  return {
    name: "containerd",
    clock,
    hasContainers: true,
    folder: containerd.scratch,
    open: () => openCriRuntime({ endpoint: containerd.endpoint, clock }),
    images: (story) => containerdImages(story, registry, declared),
    async close() {
      await containerd.stop();
      await registry.close();
    },
  };
}

interface DeclaredImage {
  readonly pullTime: Millis;
  /** So many pulls fail. */
  readonly failures: number;
  pulls: number;
}

function containerdImages(story: number, registry: TestRegistry, declared: Map<string, DeclaredImage>): MachineImages {
  const present = new Map<string, string>();
  const isId = (image: string): boolean => image.startsWith("sha256:");
  const repositoryOf = (image: string): readonly [repository: string, tag: string] => {
    const [, name = image, tag = "latest"] = /^(.*?)(?::([^:/]+))?$/.exec(image) ?? [];
    return [`story-${story}/${name}`, tag];
  };
  const reference = (image: string): string => {
    if (isId(image)) return image;
    const [repository, tag] = repositoryOf(image);
    return `${registry.host}/${repository}:${tag}`;
  };
  return {
    declare(image, { present: isPresent, pullTime, pullFails, user }) {
      if (user !== undefined && user !== 0 && user !== 1000) throw new NotToldError("no image has that user");
      const [repository, tag] = repositoryOf(image);
      registry.add(repository, tag, {
        layer: layer(),
        command: ["sh"],
        ...(user === 1000 && { user: "1000" }),
      });
      declared.set(`${repository}:${tag}`, {
        pullTime: pullTime ?? millis(0),
        failures: pullFails === undefined ? 0 : (pullFails.times ?? Number.POSITIVE_INFINITY),
        pulls: 0,
      });
      if (isPresent === true) present.set(image, user === 1000 ? testImages.busyboxUser : testImages.busybox);
      else present.delete(image);
    },
    presentReference: (image) => present.get(image) ?? reference(image),
    pullReference(image) {
      // From now on the one that was pulled is the one that is there.
      present.delete(image);
      return reference(image);
    },
  };
}

let layerOnce: ReturnType<typeof busyboxLayer> | undefined;
function layer(): ReturnType<typeof busyboxLayer> {
  layerOnce ??= busyboxLayer();
  return layerOnce;
}
