// The acting half of one sync: volumes, then the actions that were decided, in order (pod-lifecycle 4.2).

import type { Pod, Secret } from "../api/generated/core-v1.ts";
import { type Instant, seconds } from "../base/time.ts";
import {
  type ContainerId,
  type PodSandboxConfig,
  RuntimeNotFoundError,
  type SandboxId,
} from "../runtimes/runtime-service.ts";
import {
  type BackOffEntry,
  crashBackOffKey,
  earliest,
  formatDuration,
  raisedBackOff,
  restoredBackOff,
} from "./back-off.ts";
import { sandboxConfig } from "./container-config.ts";
import type { StartError } from "./container-statuses.ts";
import { errorText, nodeIps } from "./kubelet-parts.ts";
import type { VolumePaths } from "./mounts.ts";
import type { NodeWork } from "./node-work.ts";
import { instancesOf, newestExited, type ObservedPod, type ProbeResultsByContainer } from "./observed-pod.ts";
import type { PodAction } from "./pod-action.ts";
import { computePodActions } from "./pod-actions.ts";
import {
  containersOf,
  initContainersOf,
  isHostNetwork,
  namespaceOf,
  type PodContainer,
  podDescription,
} from "./pod-containers.ts";
import { containerEvent, podEvent } from "./pod-events.ts";
import { StartFailure } from "./start-failure.ts";

/** What a Pod's worker remembers from sync to sync; all of it can be done without after a restart. */
export interface SyncMemory {
  /** Why the last start of a container failed, by name. */
  readonly startErrors: Map<string, StartError>;
  /** Crash back-off by key. */
  readonly backOffs: Map<string, BackOffEntry>;
  /** Not before then: by container name, or `""` for the Pod as a whole. */
  readonly retryAt: Map<string, Instant>;
}

export interface SyncResult {
  /** Something was done or learned: its outcome is to be looked at now. */
  readonly lookAgain: boolean;
  readonly syncAgainAt: Instant | undefined;
}

/** The sandbox that containers are started in. */
interface Sandbox {
  readonly id: SandboxId;
  readonly config: PodSandboxConfig;
  readonly podIPs: readonly string[];
}

const wholePod = "";
/** Looks in a row that may decide the same: failed pulls and their back-off need two. */
const turnLimit = 5;
/** What comes later than this after the last turn is no circle. */
const circlePause = seconds(1);

export class PodSync {
  readonly #node: NodeWork;
  readonly #memory: SyncMemory;
  #volumes: VolumePaths | undefined;
  #resyncAt: Instant | undefined;
  /** The instance of each container whose back-off has been told. */
  readonly #toldBackOffs = new Map<string, string>();
  /** Instances that were ended here. */
  readonly #endedHere = new Set<ContainerId>();
  /** What was decided last, and how often in a row. */
  #turns = { picture: "", inARow: 0, endedAt: 0 };

  constructor(node: NodeWork, memory: SyncMemory) {
    this.#node = node;
    this.#memory = memory;
  }

  async perform(
    pod: Pod,
    observed: ObservedPod,
    probes: ProbeResultsByContainer,
    signal: AbortSignal,
  ): Promise<SyncResult> {
    const { clock, runtime } = this.#node.parts;
    const now = clock.now();
    const held = this.#memory.retryAt.get(wholePod);
    if (held !== undefined && held > now) return { lookAgain: false, syncAgainAt: held };
    this.#memory.retryAt.delete(wholePod);

    const present = new Set(observed.containers.map((container) => container.id));
    for (const id of this.#endedHere) if (!present.has(id)) this.#endedHere.delete(id);
    const seen = {
      observed,
      probes,
      backOffs: this.#memory.backOffs,
      podAddresses: runtime.runtime.capabilities.podAddresses,
      endedHere: this.#endedHere,
    };
    const actions = computePodActions(pod, seen, now);
    if (actions.some(startsSomething) && this.#networkMissing(pod)) {
      return { lookAgain: false, syncAgainAt: this.#node.networkRetryTime() };
    }
    if (this.#goesInCircles(actions)) {
      this.#node.parts.log(`${podDescription(pod)}: ${turnLimit} times in a row the same was done`);
      const retryAt = this.#node.retryTime();
      this.#memory.retryAt.set(wholePod, retryAt);
      return { lookAgain: false, syncAgainAt: retryAt };
    }
    try {
      await this.#prepareVolumes(pod, actions, signal);
      const acted = await this.#carryOut(pod, observed, actions, signal);
      this.#turns.endedAt = clock.now();
      if (!acted.acted) await this.#removeOld(pod, observed);
      return { lookAgain: acted.acted, syncAgainAt: earliest(acted.syncAgainAt, this.#resyncAt) };
    } catch (error) {
      signal.throwIfAborted();
      this.#node.parts.log(`${podDescription(pod)}: ${errorText(error)}`);
      const retryAt = this.#node.retryTime();
      this.#memory.retryAt.set(wholePod, retryAt);
      // What was done before the failure is worth a look; the hold keeps that look from trying again.
      return { lookAgain: true, syncAgainAt: retryAt };
    }
  }

  /** The same actions again and again without a pause: a runtime that says yes and does nothing must not keep the node busy. */
  #goesInCircles(actions: readonly PodAction[]): boolean {
    const done = actions
      .filter(({ kind }) => kind !== "backOff" && kind !== "waitForSandbox")
      .map((action) => `${action.kind} ${subjectOf(action)}`);
    if (done.length === 0) {
      this.#turns = { ...this.#turns, picture: "", inARow: 0 };
      return false;
    }
    const picture = done.join("\n");
    const atOnce = this.#node.parts.clock.now() - this.#turns.endedAt < circlePause;
    const inARow = atOnce && this.#turns.picture === picture ? this.#turns.inARow + 1 : 1;
    this.#turns = { ...this.#turns, picture, inARow: inARow > turnLimit ? 0 : inARow };
    return inARow > turnLimit;
  }

  #networkMissing(pod: Pod): boolean {
    const { networkFault, parts } = this.#node;
    if (networkFault === "" || isHostNetwork(pod)) return false;
    podEvent(parts.recorder, pod, "Warning", "NetworkNotReady", `network is not ready: ${networkFault}`);
    return true;
  }

  /** Before the first start, and again when contents are due to be brought up to date. */
  async #prepareVolumes(pod: Pod, actions: readonly PodAction[], signal: AbortSignal): Promise<void> {
    const { clock, recorder } = this.#node.parts;
    const { files, mounter } = this.#node;
    const due = this.#resyncAt !== undefined && this.#resyncAt <= clock.now();
    const first = this.#volumes === undefined && (actions.some(startsSomething) || mounter.hasChangingContents(pod));
    if (!first && !due) return;
    if (this.#volumes === undefined) {
      await files.makeDirectories(pod).catch((error: unknown) => {
        podEvent(recorder, pod, "Warning", "Failed", `error making pod data directories: ${errorText(error)}`);
        throw error;
      });
    }
    this.#volumes = await mounter.mountAll(pod, signal);
    this.#resyncAt = mounter.hasChangingContents(pod) ? this.#node.resyncTime() : undefined;
  }

  async #carryOut(
    pod: Pod,
    observed: ObservedPod,
    actions: readonly PodAction[],
    signal: AbortSignal,
  ): Promise<{ readonly acted: boolean; readonly syncAgainAt: Instant | undefined }> {
    const { killer } = this.#node;
    let acted = false;
    let syncAgainAt: Instant | undefined;
    let sandbox: Sandbox | undefined;
    const pullSecrets = actions.some((action) => action.kind === "startContainer") ? await this.#pullSecrets(pod) : [];
    for (const action of actions) {
      signal.throwIfAborted();
      switch (action.kind) {
        case "createSandbox":
          sandbox = await this.#createSandbox(pod, observed, action, signal);
          acted = true;
          break;
        case "killPod":
          await killer.killPod({ pod, observed, podIp: pod.status.podIP ?? "" }, signal);
          acted = true;
          break;
        case "killContainer": {
          const { container, id, cause, message } = action;
          this.#endedHere.add(id);
          await killer.killContainer({ pod, container, id, cause, message, podIp: pod.status.podIP ?? "" }, signal);
          acted = true;
          break;
        }
        case "waitForSandbox":
          syncAgainAt = earliest(syncAgainAt, action.until);
          break;
        case "backOff": {
          if (this.#tellBackOff(pod, observed, action)) acted = true;
          syncAgainAt = earliest(syncAgainAt, action.until);
          if (action.failureAborts) return { acted, syncAgainAt };
          break;
        }
        case "startContainer": {
          const { name } = action.container.spec;
          const retryAt = this.#memory.retryAt.get(name);
          if (retryAt !== undefined && retryAt > this.#node.parts.clock.now()) {
            syncAgainAt = earliest(syncAgainAt, retryAt);
            if (action.failureAborts) return { acted, syncAgainAt };
            break;
          }
          sandbox ??= await this.#adoptSandbox(pod, observed);
          acted = true;
          const started = await this.#start(pod, observed, action, sandbox, pullSecrets, signal);
          if (!started && action.failureAborts) return { acted, syncAgainAt };
          break;
        }
      }
    }
    return { acted, syncAgainAt };
  }

  /** Whether the container was started; if not, memory says why and when to try again. */
  async #start(
    pod: Pod,
    observed: ObservedPod,
    action: PodAction & { kind: "startContainer" },
    sandbox: Sandbox,
    pullSecrets: readonly Secret[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { container } = action;
    const { name } = container.spec;
    const { startErrors, retryAt } = this.#memory;
    try {
      await this.#node.starter.start(
        {
          pod,
          container,
          observed,
          sandboxId: sandbox.id,
          sandboxConfig: sandbox.config,
          podIPs: sandbox.podIPs,
          volumes: this.#volumes ?? new Map(),
          pullSecrets,
        },
        signal,
      );
      startErrors.delete(name);
      retryAt.delete(name);
      this.#raiseBackOff(pod, observed, container);
      return true;
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      if (error.reason === "PostStartHookError" && error.instance !== undefined) this.#endedHere.add(error.instance);
      if (await this.#hasGone(sandbox)) return false; // no fault of the container: what it was started in went away under it
      if (error.instance !== undefined) this.#raiseBackOff(pod, observed, container);
      startErrors.set(name, { reason: error.reason, message: error.message });
      retryAt.set(name, error.retryAt ?? this.#node.retryTime());
      return false;
    }
  }

  async #hasGone({ id }: Sandbox): Promise<boolean> {
    try {
      return (await this.#node.parts.runtime.runtime.podSandboxStatus(id)).state !== "ready";
    } catch (error) {
      if (error instanceof RuntimeNotFoundError) return true;
      throw error;
    }
  }

  /** A restart was made: the next one waits longer. */
  #raiseBackOff(pod: Pod, observed: ObservedPod, container: PodContainer): void {
    const exited = newestExited(observed, container.spec.name);
    if (exited?.state.kind !== "exited") return;
    const { backOffs } = this.#memory;
    const key = crashBackOffKey(pod, container.spec);
    backOffs.set(key, raisedBackOff(backOffs.get(key), exited.state.finishedAt, this.#node.parts.clock.now()));
  }

  /** Tells it once for each instance; answers whether it was news. */
  #tellBackOff(pod: Pod, observed: ObservedPod, action: PodAction & { kind: "backOff" }): boolean {
    const { container, delay } = action;
    const { name } = container.spec;
    const id = newestExited(observed, name)?.id ?? name;
    const described = podDescription(pod);
    if (this.#toldBackOffs.get(name) !== id) {
      this.#toldBackOffs.set(name, id);
      const message = `Back-off restarting failed container ${name} in pod ${described}`;
      containerEvent(this.#node.parts.recorder, pod, container, "Warning", "BackOff", message);
    }
    const message = `back-off ${formatDuration(delay)} restarting failed container=${name} pod=${described}`;
    if (this.#memory.startErrors.get(name)?.message === message) return false;
    this.#memory.startErrors.set(name, { reason: "CrashLoopBackOff", message });
    return true;
  }

  async #createSandbox(
    pod: Pod,
    observed: ObservedPod,
    action: PodAction & { kind: "createSandbox" },
    signal: AbortSignal,
  ): Promise<Sandbox> {
    const { parts, killer } = this.#node;
    const { runtime } = parts.runtime;
    if (action.replaces) {
      podEvent(
        parts.recorder,
        pod,
        "Normal",
        "SandboxChanged",
        "Pod sandbox changed, it will be killed and re-created.",
      );
      await killer.killPod({ pod, observed, podIp: pod.status.podIP ?? "" }, signal);
      const init = initContainersOf(pod).flatMap((container) => instancesOf(observed, container.spec.name));
      await Promise.all(init.map((instance) => runtime.removeContainer(instance.id)));
    }
    const failed =
      (reason: string, message: string) =>
      (error: unknown): never => {
        podEvent(parts.recorder, pod, "Warning", reason, `${message}: ${errorText(error)}`);
        throw error;
      };
    await parts.filesystem.makeDirectory(parts.paths.podLogs(pod), 0o755);
    const onFailure = failed("FailedCreatePodSandBox", "Failed to create pod sandbox");
    const config = await this.#sandboxConfig(pod, action.attempt, true).catch(onFailure);
    const id = await runtime.runPodSandbox(config).catch(onFailure);
    const status = await runtime
      .podSandboxStatus(id)
      .catch(failed("FailedPodSandBoxStatus", "Unable to get pod sandbox status"));
    // Whatever kept containers from starting in the old one says nothing about this one.
    this.#memory.retryAt.clear();
    this.#memory.startErrors.clear();
    return { id, config, podIPs: this.#podIPs(pod, status.ips) };
  }

  async #adoptSandbox(pod: Pod, observed: ObservedPod): Promise<Sandbox> {
    const sandbox = observed.sandboxes[0];
    if (sandbox === undefined) throw new Error("there is no sandbox to start containers in");
    const config = await this.#sandboxConfig(pod, sandbox.metadata.attempt, false);
    return { id: sandbox.id, config, podIPs: this.#podIPs(pod, sandbox.ips) };
  }

  async #sandboxConfig(pod: Pod, attempt: number, tellsWarnings: boolean): Promise<PodSandboxConfig> {
    const { parts, files } = this.#node;
    const dns = await files.dns(pod);
    if (tellsWarnings) {
      for (const { reason, message } of dns.warnings) {
        if (reason !== "MissingClusterDNS") podEvent(parts.recorder, pod, "Warning", reason, message);
        else this.#node.tellMissingClusterDns(message);
      }
    }
    const hostname = files.hostname(pod);
    const config = sandboxConfig(pod, { attempt, hostname, logDirectory: parts.paths.podLogs(pod), dns });
    return { ...config, labels: { ...config.labels, ...parts.ownLabel } };
  }

  #podIPs(pod: Pod, ips: readonly string[]): readonly string[] {
    const { parts } = this.#node;
    return isHostNetwork(pod) || !parts.runtime.runtime.capabilities.podAddresses ? nodeIps(parts.node) : ips;
  }

  /** Missing ones are told, and do not stop the pull (pod-lifecycle 4.5.8). */
  async #pullSecrets(pod: Pod): Promise<readonly Secret[]> {
    const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) =>
      name === undefined || name === "" ? [] : [name],
    );
    if (names.length === 0) return [];
    const found = await this.#node.objects.secrets(namespaceOf(pod), names);
    const missing = names.filter((name) => found.get(name) === undefined);
    if (missing.length > 0) {
      const message = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
      podEvent(this.#node.parts.recorder, pod, "Warning", "FailedToRetrieveImagePullSecret", message);
    }
    return names.flatMap((name) => found.get(name) ?? []);
  }

  /** Keeps one dead instance of each container, and no sandbox that nothing is in (pod-lifecycle 0.2). */
  async #removeOld(pod: Pod, observed: ObservedPod): Promise<void> {
    const { runtime } = this.#node.parts.runtime;
    for (const container of containersOf(pod)) {
      const instances = instancesOf(observed, container.spec.name);
      const dead = instances.filter((instance) => instance.state.kind === "exited");
      // Made by a kubelet that died before it could start them; another took their place.
      const abandoned = instances.slice(1).filter((instance) => instance.state.kind === "created");
      for (const instance of [...dead.slice(1), ...abandoned]) {
        await runtime.removeContainer(instance.id);
        await runtime.removeLogs(instance.logPath);
      }
    }
    for (const sandbox of observed.sandboxes.slice(1)) {
      const isUsed = observed.containers.some((container) => container.sandboxId === sandbox.id);
      if (sandbox.state === "notReady" && !isUsed) await runtime.removePodSandbox(sandbox.id);
    }
  }
}

/** What a kubelet that has just started assumes of earlier crashes. */
export function restoreBackOffs(pod: Pod, observed: ObservedPod, backOffs: Map<string, BackOffEntry>): void {
  for (const container of containersOf(pod)) {
    const entry = restoredBackOff(instancesOf(observed, container.spec.name));
    if (entry !== undefined) backOffs.set(crashBackOffKey(pod, container.spec), entry);
  }
}

function subjectOf(action: PodAction): string {
  switch (action.kind) {
    case "createSandbox":
    case "killPod":
    case "waitForSandbox":
      return "";
    case "killContainer":
    case "startContainer":
    case "backOff":
      return action.container.spec.name;
  }
}

function startsSomething(action: PodAction): boolean {
  return action.kind === "createSandbox" || action.kind === "startContainer";
}
