// Ends containers: event, preStop, the wait for its turn, stop signal (pod-lifecycle 7.3, 8.3, 8.4).

import type { Pod } from "../api/generated/core-v1.ts";
import { elapsed, seconds } from "../base/time.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { recordedContainer } from "./container-labels.ts";
import { HookError, runHook } from "./hooks.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import { mayBeRunning, type ObservedContainer, type ObservedPod } from "./observed-pod.ts";
import type { KillCause } from "./pod-action.ts";
import { recordedPodContainer, containerNamed, type PodContainer } from "./pod-containers.ts";
import { containerEvent } from "./pod-events.ts";
import { abandonable } from "./repeat.ts";
import { containerGraceSeconds, endsAfter, remainingGraceSeconds, stopTimeout } from "./termination.ts";

export interface KillRequest {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly id: ContainerId;
  /** The text of the Killing event; without one `Stopping container <name>`. */
  readonly message?: string;
  readonly cause?: KillCause;
  /** The grace that the whole Pod is being stopped with. */
  readonly podGraceSeconds?: number;
  readonly podIp: string;
  /** Resolves when those have ended whose end this one waits for. */
  readonly turn?: Promise<unknown>;
}

export interface KillPodRequest {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  /** Without it, each container's own. */
  readonly graceSeconds?: number;
  readonly podIp: string;
}

export class ContainerKiller {
  readonly #parts: KubeletParts;

  constructor(parts: KubeletParts) {
    this.#parts = parts;
  }

  /** All containers at once, sidecars when their turn comes; then the sandboxes. @throws Error if something could not be stopped */
  async killPod({ pod, observed, graceSeconds, podIp }: KillPodRequest, signal: AbortSignal): Promise<void> {
    const alive = observed.containers.filter(mayBeRunning);
    const running = new Set(alive.map((container) => container.metadata.name));
    const ends = new Map<string, Promise<unknown>>();
    const begun = new Map<string, () => void>();
    for (const name of running) ends.set(name, new Promise<void>((resolve) => begun.set(name, resolve)));
    const kills = alive.map((instance) => {
      const { name } = instance.metadata;
      const before = endsAfter(pod, name, running).flatMap((other) => ends.get(other) ?? []);
      return this.killContainer(
        {
          pod,
          container:
            containerNamed(pod, name) ?? recordedPodContainer(instance.metadata.name, recordedContainer(instance)),
          id: instance.id,
          podIp,
          ...(graceSeconds === undefined ? {} : { podGraceSeconds: graceSeconds }),
          ...(before.length === 0 ? {} : { turn: Promise.all(before) }),
        },
        signal,
      ).finally(() => begun.get(name)?.());
    });
    throwFirst(await Promise.allSettled(kills));
    const { runtime } = this.#parts.runtime;
    const sandboxes = observed.sandboxes.filter((sandbox) => sandbox.state === "ready");
    throwFirst(
      await Promise.allSettled(sandboxes.map((sandbox) => abandonable(runtime.stopPodSandbox(sandbox.id), signal))),
    );
  }

  /** Resolves when the container has ended. */
  async killContainer(request: KillRequest, signal: AbortSignal): Promise<void> {
    const { pod, container, id } = request;
    const { clock, recorder, runtime } = this.#parts;
    let grace = containerGraceSeconds(pod, container, request.cause, request.podGraceSeconds);
    const message = request.message ?? `Stopping container ${container.spec.name}`;
    containerEvent(recorder, pod, container, "Normal", "Killing", message, id);

    if (container.spec.lifecycle?.preStop !== undefined && grace > 0) {
      const begun = clock.now();
      await this.#runPreStop(request, grace, signal);
      grace = remainingGraceSeconds(grace, elapsed(begun, clock.now()));
    }
    if (request.turn !== undefined && grace > 0) {
      const begun = clock.now();
      await this.#within(request.turn, grace, signal);
      grace = remainingGraceSeconds(grace, elapsed(begun, clock.now()));
    }
    await abandonable(runtime.runtime.stopContainer(id, stopTimeout(grace)), signal);
  }

  /** Its failure is told and changes nothing; after the grace period it is left alone. */
  async #runPreStop(
    { pod, container, id, podIp }: KillRequest,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const handler = container.spec.lifecycle?.preStop;
    if (handler === undefined) return;
    const hook = runHook(this.#parts, pod, container, id, handler, podIp, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      if (!(error instanceof HookError)) this.#parts.log(`preStop of ${container.spec.name}: ${errorText(error)}`);
      containerEvent(this.#parts.recorder, pod, container, "Warning", "FailedPreStopHook", "PreStopHook failed");
    });
    await this.#within(hook, graceSeconds, signal);
  }

  /** Waits for the promise, at most so long. */
  async #within(promise: Promise<unknown>, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      const timer = clock.setTimer(seconds(graceSeconds), resolve, "grace period");
      const onAbort = (): void => {
        timer.cancel();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      promise
        .catch(() => undefined) // how the others ended is their own kill's business
        .finally(() => {
          timer.cancel();
          signal.removeEventListener("abort", onAbort);
          resolve();
        });
    });
    signal.throwIfAborted();
  }
}

/** The instances of a Pod that may still run. */
export function aliveContainers(observed: ObservedPod): readonly ObservedContainer[] {
  return observed.containers.filter(mayBeRunning);
}

function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
