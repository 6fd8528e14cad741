import { describe, expect, it } from "vitest";
import { aContainer, aPod, at, type PodParts, sidecar } from "../../test/fakes/kubelet-pods.ts";
import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from "../api/generated/core-v1.ts";
import { millis } from "../base/time.ts";
import { chooseLogSource } from "./log-source.ts";
import { forbiddenResurrection, mergePodStatus, terminalPodStatus } from "./status-merge.ts";
import { statusPatch } from "./status-patch.ts";
import { containerGraceSeconds, endsAfter, remainingGraceSeconds, stopTimeout } from "./termination.ts";
import { fallsBackToLog, logTail, messageLimitOf, terminationMessage } from "./termination-message.ts";

const status = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const running: ContainerState = { running: {} };
const waiting: ContainerState = { waiting: {} };
const ended = (exitCode: number, id = "a"): ContainerState => ({
  terminated: { exitCode, containerID: `simulated://${id}` },
});

describe("the grace of a container", () => {
  const probe = {
    periodSeconds: 1,
    failureThreshold: 1,
    successThreshold: 1,
    timeoutSeconds: 1,
    terminationGracePeriodSeconds: 90,
  };
  const container = { role: "regular", spec: aContainer({ name: "c", livenessProbe: probe }) } as const;
  it.each<[string, PodParts, Parameters<typeof containerGraceSeconds>[2], number | undefined, number]>([
    ["is the Pod's own by default", {}, undefined, undefined, 30],
    ["is the probe's after a failed liveness probe, even a longer one", {}, "livenessProbe", undefined, 90],
    ["is the Pod's when that probe has none", {}, "startupProbe", undefined, 30],
    ["is the deletion's", { metadata: { deletionGracePeriodSeconds: 5 } }, "livenessProbe", undefined, 5],
    [
      "is what the whole Pod is being stopped with",
      { metadata: { deletionGracePeriodSeconds: 5 } },
      "livenessProbe",
      3,
      3,
    ],
  ])("%s", (_rule, parts, cause, ofPod, want) =>
    expect(containerGraceSeconds(aPod(parts), container, cause, ofPod)).toBe(want),
  );

  it("loses the whole seconds that were used, and leaves 2 for the runtime", () => {
    expect(remainingGraceSeconds(10, millis(3999))).toBe(7);
    expect([stopTimeout(7), stopTimeout(1), stopTimeout(-3)]).toEqual([7000, 2000, 2000]);
  });
});

describe("the order of ends", () => {
  const pod = aPod({ containers: ["a", "b"], initContainers: [sidecar("s"), "init", sidecar("t")] });
  const all = new Set(["a", "b", "s", "t", "init"]);
  it.each<[string, string, ReadonlySet<string>, readonly string[]]>([
    ["a regular container waits for nobody", "a", all, []],
    ["an init container waits for nobody", "init", all, []],
    ["the last sidecar waits for the regular ones", "t", all, ["a", "b"]],
    ["an earlier sidecar also waits for the later ones", "s", all, ["a", "b", "t"]],
    ["who has ended is not waited for", "s", new Set(["b", "s"]), ["b"]],
  ])("%s", (_rule, name, alive, want) => expect(endsAfter(pod, name, alive)).toEqual(want));
});

describe("last words", () => {
  it.each<[string, Parameters<typeof terminationMessage>[0], number, string]>([
    ["are what the file says", { runtimeMessage: "", file: "bye", log: undefined }, 100, "bye"],
    ["begin with the runtime's", { runtimeMessage: "oom", file: "bye", log: undefined }, 100, "oom: bye"],
    ["are the log's if the file is empty", { runtimeMessage: "", file: "", log: "tail" }, 100, "tail"],
    ["are cut", { runtimeMessage: "", file: "abcdef", log: undefined }, 3, "abc"],
    ["are not cut inside a character", { runtimeMessage: "", file: "aé", log: undefined }, 2, "a"],
  ])("%s", (_rule, words, limit, want) => expect(terminationMessage(words, limit)).toBe(want));

  it.each<[string, string, number, string, string | undefined, boolean]>([
    ["the file is missing after a failure", "FallbackToLogsOnError", 1, "Error", undefined, true],
    ["the file is empty after a failure", "FallbackToLogsOnError", 1, "Error", "", true],
    ["the file says something", "FallbackToLogsOnError", 1, "Error", "x", false],
    ["it succeeded", "FallbackToLogsOnError", 0, "Completed", undefined, false],
    ["it could not run", "FallbackToLogsOnError", 1, "ContainerCannotRun", undefined, false],
    ["only the file is wanted", "File", 1, "Error", undefined, false],
  ])("come from the log when %s: %s", (_rule, policy, exitCode, reason, file, want) => {
    expect(fallsBackToLog(policy, exitCode, reason, file)).toBe(want);
  });

  it("are shared among the containers, and the log gives 80 lines and 2048 bytes", () => {
    expect(messageLimitOf(3)).toBe(4096);
    expect(logTail(Array.from({ length: 100 }, (_, i) => `${i}\n`)).split("\n")[0]).toBe("20");
    expect(logTail(["x".repeat(3000)])).toHaveLength(2048);
  });
});

describe("whose log answers", () => {
  const podWith = (one: ContainerStatus): Pod => aPod({ status: { containerStatuses: [one] } });
  const withLast = { lastState: ended(1, "last") };
  const now = { containerID: "simulated://now" };
  it.each<[string, ContainerStatus, boolean, string]>([
    ["the running one", status("c", running, { ...now, ...withLast }), false, "now"],
    ["the one before", status("c", running, { ...now, ...withLast }), true, "last"],
    ["the one that has ended", status("c", ended(1, "now"), withLast), false, "now"],
    ["the last one while a container waits", status("c", waiting, withLast), false, "last"],
  ])("%s", (_rule, one, previous, id) =>
    expect(chooseLogSource(podWith(one), "c", previous)).toEqual({ kind: "instance", id }),
  );

  it.each<[string, ContainerStatus, string, boolean, string]>([
    [
      "no instance before",
      status("c", running, now),
      "c",
      true,
      'previous terminated container "c" in pod "web" not found',
    ],
    [
      "nothing yet",
      status("c", { waiting: { reason: "ContainerCreating" } }),
      "c",
      false,
      'container "c" in pod "web" is waiting to start: ContainerCreating',
    ],
    [
      "no image",
      status("c", { waiting: { reason: "ErrImagePull" } }),
      "c",
      false,
      `container "c" in pod "web" is waiting to start: image can't be pulled`,
    ],
    [
      "still no image",
      status("c", { waiting: { reason: "ImagePullBackOff" } }),
      "c",
      false,
      'container "c" in pod "web" is waiting to start: trying and failing to pull image',
    ],
    ["no such container", status("c", running, now), "d", false, 'container "d" in pod "web" is not available'],
  ])("nobody's: %s", (_rule, one, name, previous, message) =>
    expect(chooseLogSource(podWith(one), name, previous)).toEqual({ kind: "refused", message }),
  );
});

describe("the status that is written", () => {
  const condition = (type: string, value: "True" | "False", more: Partial<PodCondition> = {}): PodCondition => ({
    type,
    status: value,
    lastTransitionTime: "2025-01-01T00:00:00Z",
    ...more,
  });
  const api: PodStatus = {
    phase: "Running",
    conditions: [condition("example.com/a", "True"), condition("Ready", "True")],
  };

  it("holds a terminal phase back while containers may run", () => {
    const computed: PodStatus = {
      phase: "Failed",
      reason: "Evicted",
      message: "low",
      conditions: [condition("Ready", "True")],
    };
    expect(mergePodStatus(api, computed, true, at(5))).toMatchObject({ phase: "Running" });
    expect(mergePodStatus(api, computed, true, at(5)).reason).toBeUndefined();
    expect(mergePodStatus(api, computed, false, at(5))).toMatchObject({
      phase: "Failed",
      reason: "Evicted",
      message: "low",
    });
  });

  it("keeps others' conditions and takes readiness from a Pod that has ended", () => {
    const merged = mergePodStatus(api, { phase: "Succeeded", conditions: [condition("Ready", "True")] }, false, at(5));
    expect(merged.conditions).toEqual([
      condition("example.com/a", "True"),
      { type: "Ready", status: "False", reason: "PodCompleted", lastTransitionTime: "2025-01-01T00:00:05Z" },
    ]);
  });

  it("sends the kubelet's DisruptionTarget only together with the terminal phase", () => {
    const target = condition("DisruptionTarget", "True", { reason: "TerminationByKubelet" });
    const computed: PodStatus = { phase: "Failed", conditions: [target] };
    const types = (mayRun: boolean) => mergePodStatus(api, computed, mayRun, at(5)).conditions?.map(({ type }) => type);
    expect([types(true), types(false)]).toEqual([["example.com/a"], ["example.com/a", "DisruptionTarget"]]);
  });

  it.each<[string, PodParts, PodStatus, readonly unknown[]]>([
    ["fails what never ended", {}, { phase: "Running", containerStatuses: [status("c", running)] }, ["Failed", 137]],
    ["keeps what ended", {}, { phase: "Succeeded", containerStatuses: [status("c", ended(0))] }, ["Succeeded", 0]],
    [
      "leaves alone what was never reached",
      { initContainers: ["i"] },
      { phase: "Pending", initContainerStatuses: [status("i", waiting)], containerStatuses: [status("c", waiting)] },
      ["Failed", undefined, 137],
    ],
  ])("for good %s", (_rule, parts, before, want) => {
    const final = terminalPodStatus(aPod(parts), before);
    const codes = [...(final.containerStatuses ?? []), ...(final.initContainerStatuses ?? [])].map(
      ({ state }) => state?.terminated?.exitCode,
    );
    expect([final.phase, ...codes]).toEqual(want);
  });

  it.each<[string, PodParts, string | undefined]>([
    ["under Never", { restartPolicy: "Never" }, "c"],
    ["after a failure under OnFailure", { restartPolicy: "OnFailure" }, undefined],
    ["under Always", { restartPolicy: "Always" }, undefined],
  ])("does not bring an ended container back %s", (_rule, parts, want) => {
    const pod = aPod({ ...parts, status: { containerStatuses: [status("c", ended(1))] } });
    expect(forbiddenResurrection(pod, { phase: "Running", containerStatuses: [status("c", running)] })).toBe(want);
  });
});

describe("the patch of a status", () => {
  it("is nothing when nothing changed", () => {
    expect(
      statusPatch({ phase: "Running", podIPs: [{ ip: "1" }] }, { phase: "Running", podIPs: [{ ip: "1" }] }),
    ).toBeUndefined();
  });

  it("names what changed, removes what is gone, and leaves other conditions alone", () => {
    const before: PodStatus = {
      phase: "Pending",
      reason: "Old",
      conditions: [
        { type: "Ready", status: "False", reason: "ContainersNotReady", message: "m" },
        { type: "Initialized", status: "True" },
        { type: "PodResizePending", status: "True" },
      ],
      podIPs: [{ ip: "1" }],
    };
    const after: PodStatus = {
      phase: "Running",
      conditions: [
        { type: "Ready", status: "True" },
        { type: "Initialized", status: "True" },
      ],
      podIPs: [{ ip: "2" }],
    };
    expect(statusPatch(before, after)).toEqual({
      phase: "Running",
      reason: null,
      "$setElementOrder/conditions": [{ type: "Ready" }, { type: "Initialized" }],
      conditions: [
        { type: "Ready", status: "True", reason: null, message: null },
        { type: "PodResizePending", $patch: "delete" },
      ],
      podIPs: [{ ip: "2" }, { $patch: "replace" }],
    });
  });
});
