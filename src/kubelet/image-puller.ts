// Gets a container's image onto the node: policy, one pull after the other, and back-off after failures (pod-lifecycle 4.5, 5.3).

import type { Pod, Secret } from "../api/generated/core-v1.ts";
import { elapsed, type Instant, millis } from "../base/time.ts";
import type { ImageStatus, PodSandboxConfig } from "../runtimes/runtime-service.ts";
import { type BackOffEntry, backOffUntil, formatDuration, pullBackOffKey, raisedBackOff } from "./back-off.ts";
import { fromBase64 } from "./environment.ts";
import { decideImage, imageReference } from "./image-policy.ts";
import { errorText, type KubeletParts } from "./kubelet-parts.ts";
import { pullCredentials, type RegistryAuths } from "./pull-credentials.ts";
import type { PodContainer } from "./pod-containers.ts";
import { containerEvent } from "./pod-events.ts";
import { abandonable } from "./repeat.ts";
import { StartFailure } from "./start-failure.ts";

export interface PresentImage {
  /** What to create containers from. */
  readonly ref: string;
  readonly status: ImageStatus | undefined;
}

interface FailedPull extends BackOffEntry {
  readonly error: string;
}

export class ImagePuller {
  readonly #parts: KubeletParts;
  readonly #failed = new Map<string, FailedPull>();
  /** The end of the queue of pulls. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: KubeletParts) {
    this.#parts = parts;
  }

  /** @throws StartFailure with the waiting reason */
  async ensureImage(
    pod: Pod,
    container: PodContainer,
    secrets: readonly Secret[],
    sandbox: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<PresentImage> {
    const { runtime, recorder } = this.#parts;
    const { image, imagePullPolicy } = container.spec;
    const event = (type: "Normal" | "Warning", reason: string, message: string): void =>
      containerEvent(recorder, pod, container, type, reason, message);
    if (!runtime.runtime.capabilities.images) {
      event("Normal", "Pulled", `Container image "${image}" already present on machine`);
      return { ref: image, status: await runtime.images.imageStatus({ image }) };
    }

    const reference = imageReference(image);
    if (reference.kind === "invalid") {
      const message = `Failed to apply default image tag "${image}": ${reference.why}`;
      event("Warning", "InspectFailed", message);
      throw new StartFailure("InvalidImageName", message);
    }
    const present = await this.#inspect(reference.name, image, event);
    const decision = decideImage(imagePullPolicy, present !== undefined);
    switch (decision.kind) {
      case "usePresent":
        event("Normal", "Pulled", `Container image "${image}" already present on machine`);
        return { ref: (present as ImageStatus).id, status: present };
      case "neverPull": {
        const message = `Container image "${image}" is not present with pull policy of Never`;
        event("Warning", "ErrImageNeverPull", message);
        throw new StartFailure("ErrImageNeverPull", message);
      }
      case "pull":
        return this.#pull(pod, image, reference.name, secrets, sandbox, event, signal);
    }
  }

  async #inspect(
    name: string,
    image: string,
    event: (type: "Warning", reason: string, message: string) => void,
  ): Promise<ImageStatus | undefined> {
    try {
      return await this.#parts.runtime.images.imageStatus({ image: name });
    } catch (error) {
      const message = `Failed to inspect image "${image}": ${errorText(error)}`;
      event("Warning", "InspectFailed", message);
      throw new StartFailure("ImageInspectError", message);
    }
  }

  async #pull(
    pod: Pod,
    image: string,
    name: string,
    secrets: readonly Secret[],
    sandbox: PodSandboxConfig,
    event: (type: "Normal" | "Warning", reason: string, message: string) => void,
    signal: AbortSignal,
  ): Promise<PresentImage> {
    const { clock, runtime } = this.#parts;
    const key = pullBackOffKey(pod, image);
    const entry = this.#failed.get(key);
    const until = entry === undefined ? undefined : backOffUntil(entry, entry.lastUpdate, clock.now());
    if (entry !== undefined && until !== undefined) {
      const message = `Back-off pulling image "${image}"`;
      event("Normal", "BackOff", message);
      throw new StartFailure("ImagePullBackOff", `${message}: ErrImagePull: ${entry.error}`, { retryAt: until });
    }

    event("Normal", "Pulling", `Pulling image "${image}"`);
    const queuedAt = clock.now();
    let begunAt: Instant = queuedAt;
    try {
      const pulling = this.#enqueue(() => {
        begunAt = clock.now();
        signal.throwIfAborted();
        return runtime.images.pullImage({ image: name }, pullCredentials(name, secrets.map(dockerConfig)), sandbox);
      });
      const ref = await abandonable(pulling, signal);
      this.#failed.delete(key);
      const status = await runtime.images.imageStatus({ image: name });
      const took = formatDuration(millis(Math.round(elapsed(begunAt, clock.now()))));
      const inAll = formatDuration(millis(Math.round(elapsed(queuedAt, clock.now()))));
      const size = status?.sizeBytes ?? 0;
      event(
        "Normal",
        "Pulled",
        `Successfully pulled image "${image}" in ${took} (${inAll} including waiting). Image size: ${size} bytes.`,
      );
      return { ref, status };
    } catch (error) {
      signal.throwIfAborted();
      const now = clock.now();
      this.#failed.set(key, { ...raisedBackOff(entry, now, now), error: errorText(error) });
      event("Warning", "Failed", `Failed to pull image "${image}": ${errorText(error)}`);
      // The failure is shown first; the next look finds the back-off.
      throw new StartFailure("ErrImagePull", errorText(error), { retryAt: now });
    }
  }

  /** One pull at a time. */
  #enqueue<T>(pull: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(pull);
    this.#last = turn.catch(() => undefined); // its own caller hears of it
    return turn;
  }

  forgetPod(uid: string): void {
    for (const key of this.#failed.keys()) if (key.startsWith(`${uid}_`)) this.#failed.delete(key);
  }
}

function dockerConfig(secret: Secret): RegistryAuths {
  const decoder = new TextDecoder();
  const modern = secret.data?.[".dockerconfigjson"];
  const legacy = secret.data?.[".dockercfg"];
  if (modern !== undefined)
    return (JSON.parse(decoder.decode(fromBase64(modern))) as { auths?: RegistryAuths }).auths ?? {};
  return legacy === undefined ? {} : (JSON.parse(decoder.decode(fromBase64(legacy))) as RegistryAuths);
}
