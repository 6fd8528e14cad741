import { describe, expect, it } from "vitest";
import { testPod } from "../../../test/fakes/objects.ts";
import type { Pod, PodDisruptionBudget } from "../../api/index.ts";
import { formatTime, type Instant, minutes, seconds } from "../../base/time.ts";
import type { ControllerScale } from "./controller-scale.ts";
import { type BudgetPlan, planBudget } from "./plan.ts";
import { takenBack, untilStale } from "./stale-condition.ts";

const now = Date.UTC(2025, 0, 1) as Instant;
const ago = (wait: number): string => formatTime((now - wait) as Instant);

function budgetOf(
  spec: Omit<PodDisruptionBudget["spec"], "selector">,
  status: Partial<PodDisruptionBudget["status"]> = {},
): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "b",
      resourceVersion: "1",
      creationTimestamp: ago(0),
      generation: 3,
    },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    status: { expectedPods: 0, desiredHealthy: 0, currentHealthy: 0, disruptionsAllowed: 0, ...status },
  };
}

const readyPod = (
  name: string,
  parts: { readonly status?: "True" | "False"; readonly deletionTimestamp?: string } = {},
): Pod =>
  testPod(name, {
    labels: { app: "web" },
    ...(parts.deletionTimestamp !== undefined && { deletionTimestamp: parts.deletionTimestamp }),
    status: { phase: "Running", conditions: [{ type: "Ready", status: parts.status ?? "True" }] },
  });

const readyPods = (count: number): readonly Pod[] => Array.from({ length: count }, (_, index) => readyPod(`p${index}`));

const wants = (replicas: number) => (): ControllerScale => ({ kind: "scaled", uid: "rs", replicas });

function plan(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleBehind: (pod: Pod) => ControllerScale,
): BudgetPlan {
  return planBudget({ budget, pods, scaleBehind, now });
}

const counts = ({ status }: BudgetPlan): string =>
  `${status.currentHealthy} of ${status.expectedPods}, ${status.desiredHealthy} needed, ${status.disruptionsAllowed} may go`;

it.each<[string, Omit<PodDisruptionBudget["spec"], "selector">, number, number, string]>([
  ["a number that must stay counts the Pods that are there", { minAvailable: 2 }, 3, 9, "3 of 3, 2 needed, 1 may go"],
  [
    "a share that must stay is of what the controllers want, rounded up",
    { minAvailable: "50%" },
    3,
    5,
    "3 of 5, 3 needed, 0 may go",
  ],
  ["all must stay", { minAvailable: "100%" }, 4, 4, "4 of 4, 4 needed, 0 may go"],
  ["none must stay", { minAvailable: "0%" }, 4, 4, "4 of 4, 0 needed, 4 may go"],
  ["a number that may go is of what the controllers want", { maxUnavailable: 1 }, 3, 3, "3 of 3, 2 needed, 1 may go"],
  ["a share that may go is rounded up", { maxUnavailable: "30%" }, 4, 4, "4 of 4, 2 needed, 2 may go"],
  ["more may go than there are", { maxUnavailable: 7 }, 2, 2, "2 of 2, 0 needed, 2 may go"],
  ["more must stay than there are", { minAvailable: 5 }, 2, 2, "2 of 2, 5 needed, 0 may go"],
  ["without Pods none may go", { minAvailable: 0 }, 0, 0, "0 of 0, 0 needed, 0 may go"],
  ["a budget that says nothing lets none go", {}, 3, 3, "3 of 0, 0 needed, 0 may go"],
  ["more are healthy than are wanted", { maxUnavailable: 0 }, 4, 3, "4 of 3, 3 needed, 1 may go"],
])("%s", (_rule, spec, ready, replicas, want) => {
  expect(counts(plan(budgetOf(spec), readyPods(ready), wants(replicas)))).toBe(want);
});

describe("which Pods are healthy", () => {
  const spec = { minAvailable: 1 };
  it.each<[string, Pod, Readonly<Record<string, string>>, number]>([
    ["one that is ready", readyPod("x"), {}, 1],
    ["not one that is not ready", readyPod("x", { status: "False" }), {}, 0],
    ["not one that is on its way out", readyPod("x", { deletionTimestamp: ago(0) }), {}, 0],
    ["not one whose eviction was granted", readyPod("x"), { x: ago(seconds(30)) }, 0],
    ["one whose eviction was granted more than two minutes ago", readyPod("x"), { x: ago(minutes(2) + 1000) }, 1],
    ["one whose eviction was granted under another name", readyPod("x"), { y: ago(seconds(1)) }, 1],
  ])("%s", (_rule, pod, disruptedPods, want) => {
    expect(plan(budgetOf(spec, { disruptedPods }), [pod], wants(1)).status.currentHealthy).toBe(want);
  });
});

describe("granted evictions", () => {
  const granted = { a: ago(seconds(30)), b: ago(seconds(90)), gone: ago(seconds(1)), leaving: ago(seconds(1)) };
  const pods = [readyPod("a"), readyPod("b"), readyPod("leaving", { deletionTimestamp: ago(0) })];

  it("stay booked as long as the Pod is neither gone nor on its way out", () => {
    const { status, wait } = plan(budgetOf({ minAvailable: 1 }, { disruptedPods: granted }), pods, wants(3));
    expect(status.disruptedPods).toEqual({ a: ago(seconds(30)), b: ago(seconds(90)) });
    expect(wait).toBe(seconds(30) + 1);
  });

  it("are struck off, with a warning at the Pod, when nobody has deleted it in two minutes", () => {
    const disruptedPods = { a: ago(minutes(3)) };
    const { status, events } = plan(budgetOf({ minAvailable: 1 }, { disruptedPods }), [readyPod("a")], wants(1));
    expect(status.disruptedPods).toBeUndefined();
    expect(events.map(({ about, note }) => `${about.metadata.name} ${note.reason}: ${note.message}`)).toEqual([
      "a NotDeleted: Pod was expected by PDB default/web to be deleted but it wasn't",
    ]);
  });
});

describe("what it says", () => {
  const conditionOf = ({ status }: BudgetPlan) =>
    status.conditions?.map(({ lastTransitionTime: _time, ...rest }) => rest);

  it("tells in a condition whether some may go", () => {
    const some = plan(budgetOf({ minAvailable: 1 }), readyPods(2), wants(2));
    expect(conditionOf(some)).toEqual([
      { type: "DisruptionAllowed", status: "True", reason: "SufficientPods", message: "", observedGeneration: 3 },
    ]);
    const none = plan({ ...budgetOf({ minAvailable: 2 }), status: some.status }, readyPods(2), wants(2));
    expect(conditionOf(none)).toEqual([
      { type: "DisruptionAllowed", status: "False", reason: "InsufficientPods", message: "", observedGeneration: 3 },
    ]);
  });

  it("writes nothing when all is said", () => {
    const first = budgetOf({ minAvailable: 1 });
    const settled = { ...first, status: plan(first, readyPods(2), wants(2)).status };
    expect(plan(settled, readyPods(2), wants(2)).status).toBe(settled.status);
  });

  it.each<[string, ControllerScale, string]>([
    [
      "is not known",
      { kind: "unknown", why: 'found no controllers for pod "p0"' },
      'found no controllers for pod "p0"',
    ],
    [
      "cannot be known",
      { kind: "unknown", why: "daemonsets.apps does not implement the scale subresource" },
      "daemonsets.apps does not implement the scale subresource",
    ],
  ])("lets none go when it %s how many there should be", (_rule, scale, why) => {
    const before = {
      expectedPods: 2,
      currentHealthy: 2,
      desiredHealthy: 1,
      disruptionsAllowed: 1,
      observedGeneration: 2,
    };
    const { status, events } = plan(budgetOf({ maxUnavailable: 1 }, before), readyPods(2), () => scale);
    const { conditions, ...rest } = status;
    expect(rest).toEqual({ ...before, disruptionsAllowed: 0 });
    expect(conditions?.[0]).toMatchObject({
      status: "False",
      reason: "SyncFailed",
      message: why,
      observedGeneration: 2,
    });
    expect(events.map(({ note }) => `${note.type} ${note.reason}: ${note.message}`)).toEqual([
      `Warning CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: ${why}`,
    ]);
  });

  it("warns of Pods that nobody keeps the number of, and leaves them out", () => {
    const scale = ({ metadata }: Pod): ControllerScale =>
      metadata.name === "p0" ? { kind: "unmanaged" } : { kind: "scaled", uid: "rs", replicas: 1 };
    const result = plan(budgetOf({ maxUnavailable: 1 }), readyPods(2), scale);
    expect(counts(result)).toBe("2 of 1, 0 needed, 2 may go");
    expect(result.events.map(({ note }) => note)).toEqual([
      {
        type: "Warning",
        reason: "UnmanagedPods",
        message:
          'Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.',
      },
    ]);
  });

  it("says that there are no Pods", () => {
    expect(plan(budgetOf({ minAvailable: 1 }), [], wants(1)).events.map(({ note }) => note)).toEqual([
      { type: "Normal", reason: "NoPods", message: "No matching pods found" },
    ]);
  });
});

describe("the mark of a Pod that was to be disrupted", () => {
  const marked = (condition: object, parts: object = {}): Pod =>
    testPod("x", {
      ...parts,
      status: { phase: "Running", conditions: [{ type: "DisruptionTarget", status: "True", ...condition } as never] },
    });
  const since = (wait: number) => ({ reason: "EvictionByEvictionAPI", lastTransitionTime: ago(wait) });

  it.each<[string, Pod, number | undefined]>([
    ["stands for two minutes", marked(since(seconds(30))), seconds(90)],
    ["is stale then", marked(since(minutes(5))), 0],
    ["stands on a Pod that is on its way out", marked(since(minutes(5)), { deletionTimestamp: ago(0) }), undefined],
    ["stands when the kubelet set it", marked({ ...since(minutes(5)), reason: "TerminationByKubelet" }), undefined],
    ["is no mark when it says False", marked({ ...since(minutes(5)), status: "False" }), undefined],
    ["is not there", testPod("x"), undefined],
  ])("%s", (_rule, pod, want) => {
    expect(untilStale(pod, now)).toBe(want);
  });

  it("is taken back by its status", () => {
    expect(takenBack(now)).toEqual({
      status: { conditions: [{ type: "DisruptionTarget", status: "False", lastTransitionTime: ago(0) }] },
    });
  });
});
