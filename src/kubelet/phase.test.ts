import { describe, expect, it } from "vitest";
import { aPod, sidecar } from "../../test/fakes/kubelet-pods.ts";
import type { ContainerState, ContainerStatus, RestartPolicy } from "../api/generated/core-v1.ts";
import { computePhase } from "./phase.ts";

const status = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  image: "image:1",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const running: ContainerState = { running: {} };
const waiting: ContainerState = { waiting: { reason: "ContainerCreating" } };
const ended = (exitCode: number): ContainerState => ({ terminated: { exitCode } });
const started = { started: true };

const phaseOf = (
  restartPolicy: RestartPolicy,
  regular: readonly ContainerState[],
  more: {
    init?: readonly ContainerStatus[];
    sidecars?: readonly string[];
    initNames?: readonly string[];
    terminal?: boolean;
    initialized?: boolean;
    last?: readonly (ContainerState | undefined)[];
  } = {},
): string => {
  const names = regular.map((_, i) => `c${i}`);
  const pod = aPod({
    restartPolicy,
    containers: names,
    initContainers: [...(more.initNames ?? []), ...(more.sidecars ?? []).map((name) => sidecar(name))],
  });
  return computePhase(pod, {
    containerStatuses: regular.map((state, i) => {
      const lastState = more.last?.[i];
      return status(names[i] as string, state, lastState === undefined ? {} : { lastState });
    }),
    initContainerStatuses: more.init ?? [],
    podIsTerminal: more.terminal ?? false,
    podHasInitialized: more.initialized ?? true,
  });
};

describe("phase by regular containers", () => {
  it.each<[string, readonly ContainerState[], string, string, string]>([
    ["one has never started", [waiting, running], "Pending", "Pending", "Pending"],
    ["one runs, one has exited", [running, ended(1)], "Running", "Running", "Running"],
    ["all have exited with 0", [ended(0), ended(0)], "Running", "Succeeded", "Succeeded"],
    ["all have exited, one with 1", [ended(0), ended(1)], "Running", "Running", "Failed"],
    ["a state is empty", [{}, running], "Pending", "Pending", "Pending"],
  ])("when %s", (_rule, states, always, onFailure, never) => {
    expect([phaseOf("Always", states), phaseOf("OnFailure", states), phaseOf("Never", states)]).toEqual([
      always,
      onFailure,
      never,
    ]);
  });

  it.each<[string, readonly ContainerState[], string]>([
    ["succeeds when all exited with 0", [ended(0), ended(0)], "Succeeded"],
    ["fails when one did not", [ended(0), ended(143)], "Failed"],
  ])("of a Pod that is ended for good %s, whatever the policy", (_rule, states, want) => {
    for (const policy of ["Always", "OnFailure", "Never"] as const)
      expect(phaseOf(policy, states, { terminal: true })).toBe(want);
  });

  it("counts a container that waits for its restart as stopped, and not as succeeded", () => {
    expect(phaseOf("OnFailure", [waiting], { last: [ended(0)] })).toBe("Running");
    expect(phaseOf("Never", [waiting], { last: [ended(0)] })).toBe("Failed");
  });
});

describe("phase by init containers", () => {
  it.each<[string, RestartPolicy, readonly ContainerStatus[], string]>([
    ["is Pending while one runs", "Always", [status("i", running)], "Pending"],
    ["is Pending when one has no status", "Always", [], "Pending"],
    ["is Pending after a failure that will be tried again", "Always", [status("i", ended(1))], "Pending"],
    ["is Failed after a failure under Never", "Never", [status("i", ended(1))], "Failed"],
    [
      "is Failed under Never also while waiting with a failure behind it",
      "Never",
      [status("i", waiting, { lastState: ended(1) })],
      "Failed",
    ],
    [
      "is Pending under OnFailure with a failure behind it",
      "OnFailure",
      [status("i", waiting, { lastState: ended(1) })],
      "Pending",
    ],
  ])("%s", (_rule, restartPolicy, init, want) => {
    expect(phaseOf(restartPolicy, [waiting], { initNames: ["i"], init })).toBe(want);
  });

  it("is no longer their business once they are done", () => {
    expect(phaseOf("Always", [running], { initNames: ["i"], init: [status("i", ended(0))] })).toBe("Running");
  });
});

describe("phase by sidecars", () => {
  it.each<[string, readonly ContainerState[], readonly ContainerStatus[], boolean, string]>([
    ["is Pending until the sidecar has started", [waiting], [status("s", running)], false, "Pending"],
    ["is Running with a sidecar that has started", [running], [status("s", running, started)], true, "Running"],
    ["is Running while a sidecar outlives the others", [ended(0)], [status("s", running, started)], true, "Running"],
    ["does not count a sidecar that has ended", [ended(0)], [status("s", ended(1))], true, "Succeeded"],
    [
      "does not count a sidecar that waits for its restart",
      [running],
      [status("s", waiting, { lastState: ended(1) })],
      true,
      "Running",
    ],
    [
      "is Pending before the app's turn while a sidecar has not started",
      [running],
      [status("s", running)],
      false,
      "Pending",
    ],
    ["is Running while a sidecar starts up again beside the app", [running], [status("s", running)], true, "Running"],
    ["is Pending while a sidecar has never started", [running], [status("s", waiting)], true, "Pending"],
    ["is Pending while a sidecar has no status", [running], [], true, "Pending"],
  ])("%s", (_rule, regular, init, initialized, want) => {
    expect(phaseOf("OnFailure", regular, { sidecars: ["s"], init, initialized })).toBe(want);
  });
});
