// Starts one container: image, configuration, create, start, postStart (pod-lifecycle 4.4).

import type { ContainerStatus, Pod } from "../api/generated/core-v1.ts";
import type { ContainerId, Mount, PodSandboxConfig, SandboxId } from "../runtimes/runtime-service.ts";
import { RuntimeUnsupportedError } from "../runtimes/runtime-service.ts";
import type { ApiObjects } from "./api-objects.ts";
import { containerConfig } from "./container-config.ts";
import type { ContainerKiller } from "./container-killer.ts";
import { bytes, unenforcedLimits } from "./container-resources.ts";
import { containerEnvironment, environmentObjects, type Variable } from "./environment.ts";
import { HookError, runHook } from "./hooks.ts";
import type { ImagePuller, PresentImage } from "./image-puller.ts";
import { allocatableOf, errorText, type KubeletParts, nodeIps } from "./kubelet-parts.ts";
import { mountsOver, planVolumeMounts, type VolumePaths } from "./mounts.ts";
import { newestInstance, type ObservedPod } from "./observed-pod.ts";
import { namespaceOf, type PodContainer } from "./pod-containers.ts";
import { containerEvent } from "./pod-events.ts";
import type { PodFiles } from "./pod-files.ts";
import { abandonable } from "./repeat.ts";
import { verifyRunsAsNonRoot } from "./security-context.ts";
import { StartFailure } from "./start-failure.ts";
import type { Secret } from "../api/generated/core-v1.ts";

export interface StartRequest {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly observed: ObservedPod;
  readonly sandboxId: SandboxId;
  readonly sandboxConfig: PodSandboxConfig;
  readonly podIPs: readonly string[];
  readonly volumes: VolumePaths;
  readonly pullSecrets: readonly Secret[];
}

export class ContainerStarter {
  readonly #parts: KubeletParts;
  readonly #objects: ApiObjects;
  readonly #puller: ImagePuller;
  readonly #killer: ContainerKiller;
  readonly #files: PodFiles;

  constructor(parts: KubeletParts, objects: ApiObjects, puller: ImagePuller, killer: ContainerKiller, files: PodFiles) {
    this.#parts = parts;
    this.#objects = objects;
    this.#puller = puller;
    this.#killer = killer;
    this.#files = files;
  }

  /** Resolves when the container runs and its postStart hook is through. @throws StartFailure */
  async start(request: StartRequest, signal: AbortSignal): Promise<ContainerId> {
    const { pod, container } = request;
    try {
      const image = await this.#puller.ensureImage(pod, container, request.pullSecrets, request.sandboxConfig, signal);
      const id = await this.#create(request, image, signal);
      await this.#run(request, id, signal);
      return id;
    } catch (error) {
      signal.throwIfAborted();
      const failure =
        error instanceof StartFailure ? error : new StartFailure("CreateContainerError", errorText(error));
      if (failure.reason !== "PostStartHookError") {
        const text = failuresToldByReason.has(failure.reason) ? failure.reason : failure.message;
        containerEvent(this.#parts.recorder, pod, container, "Warning", "Failed", `Error: ${text}`);
      }
      throw failure;
    }
  }

  async #create(request: StartRequest, image: PresentImage, signal: AbortSignal): Promise<ContainerId> {
    const { pod, container, observed } = request;
    const { spec } = container;
    const { runtime } = this.#parts.runtime;
    const restartCount = await this.#restartCount(pod, container, observed);
    let config: ReturnType<typeof containerConfig>;
    try {
      verifyRunsAsNonRoot(pod, spec, image.status);
      const variables = await this.#variables(request);
      const target = this.#target(request);
      config = containerConfig(pod, spec, {
        restartCount,
        imageRef: image.ref,
        image: image.status,
        variables,
        mounts: await this.#mounts(request, variables, restartCount),
        nodeMemoryBytes: bytes(allocatableOf(this.#parts.node)["memory"]),
        ...(target === undefined ? {} : { target }),
      });
    } catch (error) {
      throw new StartFailure("CreateContainerConfigError", errorText(error));
    }
    signal.throwIfAborted();
    const labelled = { ...config, labels: { ...config.labels, ...this.#parts.ownLabel } };
    try {
      const abandoned = newestInstance(observed, spec.name);
      // The runtime refuses while somebody's start of it is still under way, and two must not run.
      if (abandoned?.state.kind === "created") await runtime.removeContainer(abandoned.id);
      const id = await runtime.createContainer(request.sandboxId, labelled, request.sandboxConfig);
      const message = `Created container: ${spec.name}`;
      containerEvent(this.#parts.recorder, pod, container, "Normal", "Created", message, id);
      if (restartCount === 0 && !runtime.capabilities.limits) {
        const unenforced = unenforcedLimits(spec, this.#parts.runtimeName);
        if (unenforced !== undefined)
          containerEvent(this.#parts.recorder, pod, container, "Warning", "LimitsNotEnforced", unenforced);
      }
      return id;
    } catch (error) {
      const reason = error instanceof RuntimeUnsupportedError ? "CreateContainerConfigError" : "CreateContainerError";
      throw new StartFailure(reason, errorText(error));
    }
  }

  async #run(request: StartRequest, id: ContainerId, signal: AbortSignal): Promise<void> {
    const { pod, container } = request;
    const { clock, recorder, runtime } = this.#parts;
    signal.throwIfAborted();
    try {
      await runtime.runtime.startContainer(id);
    } catch (error) {
      const message = errorText(error).replaceAll(id, container.spec.name);
      throw new StartFailure("RunContainerError", message, { retryAt: clock.now(), instance: id });
    }
    containerEvent(recorder, pod, container, "Normal", "Started", `Started container ${container.spec.name}`, id);

    const hook = container.spec.lifecycle?.postStart;
    if (hook === undefined) return;
    try {
      const podIp = request.podIPs[0] ?? "";
      await abandonable(runHook(this.#parts, pod, container, id, hook, podIp, signal), signal);
    } catch (error) {
      if (!(error instanceof HookError)) throw error;
      containerEvent(recorder, pod, container, "Warning", "FailedPostStartHook", "PostStartHook failed");
      await this.#killer.killContainer(
        { pod, container, id, message: "FailedPostStartHook", podIp: request.podIPs[0] ?? "" },
        signal,
      );
      throw new StartFailure("PostStartHookError", error.message, { retryAt: clock.now(), instance: id });
    }
  }

  async #variables(request: StartRequest): Promise<readonly Variable[]> {
    const { pod, container } = request;
    const { recorder, node } = this.#parts;
    const wanted = environmentObjects(container.spec);
    const [configMaps, secrets] = await Promise.all([
      this.#objects.configMaps(namespaceOf(pod), wanted.configMaps),
      this.#objects.secrets(namespaceOf(pod), wanted.secrets),
    ]);
    const environment = containerEnvironment(pod, container.spec, {
      configMaps,
      secrets,
      services: this.#objects.serviceVariables(pod),
      addresses: { hostIPs: nodeIps(node), podIPs: request.podIPs },
      allocatable: allocatableOf(node),
    });
    for (const message of environment.invalidNames) {
      recorder.record(pod, { type: "Warning", reason: "InvalidEnvironmentVariableNames", message });
    }
    return environment.variables;
  }

  /** Volumes, then what the kubelet itself puts into every container. */
  async #mounts(
    request: StartRequest,
    variables: readonly Variable[],
    restartCount: number,
  ): Promise<readonly Mount[]> {
    const { pod, container } = request;
    const { filesystem, paths, runtime } = this.#parts;
    const mounts: Mount[] = [];
    for (const plan of planVolumeMounts(container.spec, request.volumes, variables)) {
      // Another container of the Pod may have put links there, to what is not the Pod's.
      if (plan.subPath !== "" && (await filesystem.leadsOutside(plan.volume.hostPath, plan.subPath))) {
        throw new Error(
          `failed to prepare subPath for volumeMount "${plan.mount.containerPath}" of container "${container.spec.name}"`,
        );
      }
      if (plan.subPath !== "" && (await filesystem.kindOf(plan.mount.hostPath)) === undefined) {
        if (!plan.volume.makesSubPaths) {
          throw new Error(
            `failed to prepare subPath for volumeMount "${plan.mount.containerPath}" of container "${container.spec.name}"`,
          );
        }
        await filesystem.makeDirectory(plan.mount.hostPath, 0o750);
      }
      mounts.push(plan.mount);
    }
    if (!runtime.runtime.capabilities.mounts) return mounts;

    if (!mountsOver(container.spec, "/etc/hosts")) {
      const hostPath = await this.#files.writeHosts(pod, request.podIPs);
      mounts.push({ containerPath: "/etc/hosts", hostPath, readonly: false, propagation: "None" });
    }
    const { terminationMessagePath } = container.spec;
    if (terminationMessagePath !== "") {
      const hostPath = paths.terminationMessage(pod.metadata.uid, container.spec.name, restartCount);
      await filesystem.makeDirectory(hostPath.slice(0, hostPath.lastIndexOf("/")), 0o750);
      await filesystem.writeFile(hostPath, new Uint8Array(), 0o666);
      mounts.push({ containerPath: terminationMessagePath, hostPath, readonly: false, propagation: "None" });
    }
    return mounts;
  }

  #target(request: StartRequest): ContainerId | undefined {
    const name =
      "targetContainerName" in request.container.spec ? request.container.spec.targetContainerName : undefined;
    if (name === undefined || name === "") return undefined;
    const target = newestInstance(request.observed, name);
    if (target === undefined) throw new Error(`unable to find target container ${name}`);
    return target.id;
  }

  /**
   * One more than the newest instance that was started; if the runtime has forgotten all, one more than the newest log and than what was told
   * of it.
   */
  async #restartCount(pod: Pod, container: PodContainer, observed: ObservedPod): Promise<number> {
    const newest = newestInstance(observed, container.spec.name);
    // One that was only made is replaced, and nothing was restarted.
    if (newest !== undefined) return newest.metadata.attempt + (newest.state.kind === "created" ? 0 : 1);
    const { filesystem, paths } = this.#parts;
    const logs = await filesystem.list(`${paths.podLogs(pod)}/${container.spec.name}`);
    const counts = logs.flatMap((name) => {
      const match = /^(\d+)\.log/.exec(name);
      return match === null ? [] : [Number(match[1])];
    });
    const told = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].find(
      ({ name, containerID = "" }) => name === container.spec.name && containerID !== "",
    );
    return Math.max(
      told === undefined ? 0 : told.restartCount + (hasBegun(told) ? 1 : 0),
      ...counts.map((count) => count + 1),
    );
  }
}

/** Whether the instance that a status names was ever started; one that was only made waits, and nothing is known of its end. */
function hasBegun({ containerID, state, lastState }: ContainerStatus): boolean {
  return state?.waiting === undefined || lastState?.terminated?.containerID === containerID;
}

/** Image failures have told their story in an event of their own; here only the reason follows. */
const failuresToldByReason = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
]);
