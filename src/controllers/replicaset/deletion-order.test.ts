import { expect, it } from "vitest";
import { testPod } from "../../../test/fakes/objects.ts";
import type { ContainerStatus, Pod } from "../../api/index.ts";
import { type Instant, formatTime, hours, minutes, seconds } from "../../base/time.ts";
import { podsToDelete } from "./deletion-order.ts";

const now = Date.UTC(2025, 0, 1) as Instant;
const ago = (age: number): string => formatTime((now - age) as Instant);

interface Traits {
  readonly node?: string;
  readonly phase?: Pod["status"]["phase"];
  /** For how long it has been ready; not ready if absent. */
  readonly ready?: number;
  readonly cost?: string;
  readonly restarts?: number;
  readonly sidecarRestarts?: number;
  readonly age?: number;
  readonly uid?: string;
}

function podWith(name: string, traits: Traits): Pod {
  const { node = "a", phase = "Running", ready, cost, restarts, sidecarRestarts, age = hours(1), uid = name } = traits;
  const container = (of: string, restartCount: number) => ({ name: of, restartCount }) as ContainerStatus;
  const pod = testPod(name, {
    uid,
    spec: {
      ...(node !== "" && { nodeName: node }),
      initContainers: [{ name: "proxy", restartPolicy: "Always" }] as unknown as Pod["spec"]["containers"],
    },
    status: {
      phase,
      ...(ready !== undefined && { conditions: [{ type: "Ready", status: "True", lastTransitionTime: ago(ready) }] }),
      ...(restarts !== undefined && { containerStatuses: [container("main", restarts)] }),
      ...(sidecarRestarts !== undefined && { initContainerStatuses: [container("proxy", sidecarRestarts)] }),
    },
  });
  const annotations = cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } };
  return { ...pod, metadata: { ...pod.metadata, creationTimestamp: ago(age), ...annotations } };
}

/** Everything that counts for less than the criterion in question speaks for the other Pod. */
it.each<[string, Traits, Traits]>([
  ["is nowhere", { node: "", phase: "Pending", cost: "5" }, { phase: "Pending", cost: "-5" }],
  ["is Pending before one that is Unknown", { phase: "Pending", ready: 1, cost: "5" }, { phase: "Unknown" }],
  ["is Unknown before one that is Running", { phase: "Unknown", ready: 1, cost: "5" }, { phase: "Running" }],
  ["is not ready", { cost: "5" }, { ready: hours(1), cost: "-5" }],
  ["is cheaper", { ready: hours(9), cost: "-5" }, { ready: seconds(1) }],
  ["is cheaper than one that costs something", { ready: hours(9) }, { ready: seconds(1), cost: "1" }],
  ["has been ready for a shorter time", { ready: minutes(1), age: hours(9) }, { ready: hours(2), restarts: 9 }],
  [
    "was restarted more often",
    { ready: hours(1), restarts: 2, age: hours(9) },
    { ready: hours(1), restarts: 1, sidecarRestarts: 9 },
  ],
  [
    "has a sidecar that was restarted more often",
    { ready: hours(1), sidecarRestarts: 2, age: hours(9) },
    { ready: hours(1), sidecarRestarts: 1 },
  ],
  ["is younger", { age: minutes(1), uid: "z" }, { age: hours(2), uid: "a" }],
  ["is of about the same age and has the smaller uid", { age: minutes(59), uid: "a" }, { age: minutes(51), uid: "b" }],
])("a Pod that %s goes first", (_what, first, second) => {
  const [a, b] = [podWith("first", first), podWith("second", second)];
  for (const pods of [
    [a, b],
    [b, a],
  ]) {
    expect(podsToDelete(pods, pods, 1, now).map(({ metadata }) => metadata.name)).toEqual(["first"]);
  }
});

it("a Pod on the fuller node goes first, counting the Pods of all ReplicaSets of its owner that are alive", () => {
  const [a, b] = [podWith("a", { ready: hours(1) }), podWith("b", { node: "b", ready: seconds(1) })];
  const names = (related: readonly Pod[]): readonly string[] =>
    podsToDelete([a, b], [a, b, ...related], 1, now).map(({ metadata }) => metadata.name);
  expect(names([])).toEqual(["b"]);
  expect(names([podWith("c", {})])).toEqual(["a"]);
  expect(names([podWith("c", { phase: "Failed" })])).toEqual(["b"]);
});

it("when all go nobody is preferred", () => {
  const pods = [podWith("a", { ready: 1 }), podWith("b", {})];
  expect(podsToDelete(pods, pods, 2, now)).toBe(pods);
  expect(podsToDelete(pods, pods, 0, now)).toEqual([]);
});
