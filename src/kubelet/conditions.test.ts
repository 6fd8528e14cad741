import { describe, expect, it } from "vitest";
import { aPod, aSandbox, at, type PodParts, sidecar } from "../../test/fakes/kubelet-pods.ts";
import type { ContainerState, ContainerStatus, PodCondition, PodPhase } from "../api/generated/core-v1.ts";
import { computeConditions, timedCondition } from "./conditions.ts";
import { observedPod, type ObservedPod } from "./observed-pod.ts";

const status = (
  name: string,
  ready: boolean,
  state: ContainerState = { running: {} },
  started = true,
): ContainerStatus => ({
  name,
  image: "image:1",
  imageID: "",
  ready,
  started,
  restartCount: 0,
  state,
});
const ended: ContainerState = { terminated: { exitCode: 0 } };
const waiting: ContainerState = { waiting: {} };

function conditionOf(
  type: string,
  parts: PodParts,
  input: {
    phase?: PodPhase;
    regular?: readonly ContainerStatus[];
    init?: readonly ContainerStatus[];
    observed?: ObservedPod;
    current?: readonly PodCondition[];
    podAddresses?: boolean;
  },
): string {
  const found = computeConditions(aPod(parts), {
    phase: input.phase ?? "Running",
    observed: input.observed ?? observedPod([aSandbox()], []),
    podAddresses: input.podAddresses ?? true,
    containerStatuses: input.regular ?? [],
    initContainerStatuses: input.init ?? [],
    current: input.current ?? [],
  }).find((condition) => condition.type === type);
  return [found?.status, found?.reason, found?.message].filter((part) => part !== undefined).join(" | ");
}

describe("Initialized", () => {
  const init: PodParts = { initContainers: ["a", "b"] };
  it.each<[string, PodParts, Parameters<typeof conditionOf>[2], string]>([
    ["is True without init containers", {}, {}, "True"],
    [
      "is False while init containers have no status",
      init,
      {},
      "False | ContainersNotInitialized | containers with unknown status: [a b]",
    ],
    [
      "is False while init containers are not complete",
      init,
      { init: [status("a", true, ended), status("b", false)] },
      "False | ContainersNotInitialized | containers with incomplete status: [b]",
    ],
    ["is True when all are complete", init, { init: [status("a", true, ended), status("b", true, ended)] }, "True"],
    [
      "is False while a sidecar has not started",
      { initContainers: [sidecar("s")] },
      { init: [status("s", false, { running: {} }, false)] },
      "False | ContainersNotInitialized | containers with incomplete status: [s]",
    ],
    [
      "is True with a started sidecar that is not ready",
      { initContainers: [sidecar("s")] },
      { init: [status("s", false)] },
      "True",
    ],
    ["is True as soon as a regular container runs", init, { regular: [status("c", false)] }, "True"],
    [
      "is not made True by a container that only waits",
      init,
      { regular: [status("c", false, waiting)], init: [status("a", false), status("b", false)] },
      "False | ContainersNotInitialized | containers with incomplete status: [a b]",
    ],
    [
      "is True for a Pod that has succeeded",
      init,
      { phase: "Succeeded", init: [status("a", true, ended), status("b", true, ended)] },
      "True | PodCompleted",
    ],
    [
      "is True and completed also for a Pod without init containers that has succeeded",
      {},
      { phase: "Succeeded", regular: [status("c", false, ended)] },
      "True | PodCompleted",
    ],
  ])("%s", (_rule, parts, input, want) => {
    expect(conditionOf("Initialized", parts, input)).toBe(want);
  });
});

describe("ContainersReady", () => {
  const parts: PodParts = { containers: ["c", "d"], initContainers: [sidecar("s")] };
  it.each<[string, Parameters<typeof conditionOf>[2], string]>([
    [
      "is False while there are no statuses",
      {},
      "False | ContainersNotReady | containers with unknown status: [s c d]",
    ],
    [
      "names who is unknown and who is unready, sidecars first",
      { regular: [status("c", false)], init: [status("s", false)] },
      "False | ContainersNotReady | containers with unknown status: [d], containers with unready status: [s c]",
    ],
    [
      "is True when all are ready, sidecars too",
      { regular: [status("c", true), status("d", true)], init: [status("s", true)] },
      "True",
    ],
    [
      "is False for a Pod that has succeeded",
      {
        phase: "Succeeded",
        regular: [status("c", false, ended), status("d", false, ended)],
        init: [status("s", false, ended)],
      },
      "False | PodCompleted",
    ],
    ["is False for a Pod that has failed", { phase: "Failed" }, "False | PodFailed"],
  ])("%s", (_rule, input, want) => {
    expect(conditionOf("ContainersReady", parts, input)).toBe(want);
  });
});

describe("Ready", () => {
  const gated: PodParts = {
    spec: { readinessGates: [{ conditionType: "example.com/a" }, { conditionType: "example.com/b" }] },
  };
  const ready = [status("c", true)];
  const gate = (type: string, value: "True" | "False"): PodCondition => ({
    type: `example.com/${type}`,
    status: value,
  });
  it.each<[string, PodParts, Parameters<typeof conditionOf>[2], string]>([
    [
      "says what ContainersReady says while that is not True",
      {},
      { regular: [status("c", false)] },
      "False | ContainersNotReady | containers with unready status: [c]",
    ],
    ["is True without gates", {}, { regular: ready }, "True"],
    [
      "is False while gates are missing or not True",
      gated,
      { regular: ready, current: [gate("b", "False")] },
      'False | ReadinessGatesNotReady | corresponding condition of pod readiness gate "example.com/a" does not exist., the status of pod readiness gate "example.com/b" is not "True", but False',
    ],
    ["is True when all gates are", gated, { regular: ready, current: [gate("a", "True"), gate("b", "True")] }, "True"],
  ])("%s", (_rule, parts, input, want) => {
    expect(conditionOf("Ready", parts, input)).toBe(want);
  });
});

describe("PodReadyToStartContainers", () => {
  it.each<[string, PodParts, ObservedPod, boolean, string]>([
    ["is True with a ready sandbox that has an address", {}, observedPod([aSandbox()], []), true, "True"],
    ["is False without a sandbox", {}, observedPod([], []), true, "False"],
    ["is False when the newest is not ready", {}, observedPod([aSandbox({ state: "notReady" })], []), true, "False"],
    ["is False without an address", {}, observedPod([aSandbox({ ips: [] })], []), true, "False"],
    ["needs no address where the runtime gives none", {}, observedPod([aSandbox({ ips: [] })], []), false, "True"],
    [
      "is False when two sandboxes are ready",
      {},
      observedPod([aSandbox(), aSandbox({ attempt: 1 })], []),
      true,
      "False",
    ],
    [
      "needs no address on the node's network",
      { spec: { hostNetwork: true } },
      observedPod([aSandbox({ ips: [], network: "NODE" })], []),
      true,
      "True",
    ],
  ])("%s", (_rule, parts, observed, podAddresses, want) => {
    expect(conditionOf("PodReadyToStartContainers", parts, { observed, podAddresses })).toBe(want);
  });
});

describe("the time of a condition", () => {
  const old: PodCondition = { type: "Ready", status: "False", reason: "A", lastTransitionTime: "2025-01-01T00:00:00Z" };

  it("moves with the status", () => {
    expect(timedCondition({ type: "Ready", status: "True" }, [old], 2, at(9))).toEqual({
      type: "Ready",
      status: "True",
      lastTransitionTime: "2025-01-01T00:00:09Z",
      observedGeneration: 2,
    });
  });

  it("stays when only the reason changes", () => {
    const next = timedCondition({ type: "Ready", status: "False", reason: "B" }, [old], 2, at(9));
    expect(next).toMatchObject({ reason: "B", lastTransitionTime: "2025-01-01T00:00:00Z" });
  });
});

it("writes the conditions in upstream's order", () => {
  const input = {
    phase: "Pending",
    observed: observedPod([], []),
    podAddresses: true,
    containerStatuses: [],
    initContainerStatuses: [],
    current: [],
  } as const;
  expect(computeConditions(aPod(), input).map(({ type }) => type)).toEqual([
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
  ]);
});
