import { describe, expect, it } from "vitest";
import { type NodeParts, testNode, testPod } from "../../../test/fakes/objects.ts";
import type { DaemonSet, Pod, PodTemplateSpec, Toleration } from "../../api/index.ts";
import { type Instant, type Millis, formatTime, minutes, seconds } from "../../base/time.ts";
import { daemonTolerations } from "./daemon-pod.ts";
import { eligibilityOf } from "./eligibility.ts";
import { FailedPods } from "./failed-pods.ts";
import { planDaemonSet, viewNodes } from "./plan.ts";
import { computeStatus } from "./status.ts";

const now = Date.UTC(2025, 0, 1) as Instant;

function daemonSetOf(
  rollingUpdate: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string } | "OnDelete",
  spec: Partial<PodTemplateSpec["spec"]> = {},
): DaemonSet {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: {
      name: "agent",
      namespace: "default",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "",
      generation: 2,
    },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: {
        metadata: { labels: { app: "agent" } },
        spec: { containers: [], ...spec },
      } as unknown as PodTemplateSpec,
      updateStrategy: rollingUpdate === "OnDelete" ? { type: "OnDelete" } : { type: "RollingUpdate", rollingUpdate },
      revisionHistoryLimit: 10,
    },
    status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  };
}

/**
 * A Pod in short: `a` is on node a, new and ready; after it `o` old, `u` not ready, `x` on its way out, `f` Failed, `s` Succeeded, `w` not
 * bound yet, a digit its age (the larger the younger).
 */
function podOf(text: string): Pod {
  const node = text.slice(0, 1);
  const is = (letter: string): boolean => text.slice(1).includes(letter);
  const age = text.replace(/\D/g, "") || "0";
  const required = {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In" as const, values: [node] }] }],
  };
  const pod = testPod(text, {
    labels: { "controller-revision-hash": is("o") ? "old" : "new" },
    ...(is("x") && { deletionTimestamp: formatTime(now) }),
    spec: {
      ...(!is("w") && { nodeName: node }),
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
    },
    status: {
      phase: is("f") ? "Failed" : is("s") ? "Succeeded" : is("w") ? "Pending" : "Running",
      conditions: [
        { type: "Ready", status: is("u") || is("w") ? "False" : "True", lastTransitionTime: "2024-01-01T00:00:00Z" },
      ],
    },
  });
  return { ...pod, metadata: { ...pod.metadata, creationTimestamp: `2024-01-01T00:00:0${age}Z` } };
}

const podsOf = (text: string): readonly Pod[] => text.split(" ").filter(Boolean).map(podOf);
const nodes = ["a", "b", "c"].map((name) => testNode(name));

function plan(daemonSet: DaemonSet, pods: string, failedPodWait: Millis = 0 as Millis): string {
  const seen = { daemonSet, hash: "new", nodes, pods: podsOf(pods), failedPodWait: () => failedPodWait, now };
  const { create, remove } = planDaemonSet(seen);
  return [...create.map((node) => `+${node}`), ...remove.map(({ metadata }) => `-${metadata.name}`)].join(" ");
}

it.each<[string, string, string]>([
  ["every node without a Pod gets one", "b", "+a +c"],
  ["one that is on the way out still counts", "ax b c", ""],
  ["one that has ended and is on the way out does not", "afx b c", "+a"],
  ["of several on a node the oldest stays", "a2 a1 b c", "-a2"],
  ["one that is bound stays before an older one that is not", "a5 aw1 b c", "-aw1"],
  ["who has failed goes", "af b c", "-af"],
  ["who has succeeded goes", "as b c", "-as"],
  ["who waits for a node that is gone goes", "a b c dw", "-dw"],
  ["who is bound to a node that is gone is left to others", "a b c d", ""],
  ["one node is updated at a time", "ao bo co", "-ao"],
  ["no other while one is missing", "ao bo cu", ""],
  ["no other while one is on the way out", "ao bo cx", ""],
  ["a broken old one goes at once", "ao bou c", "-bou"],
  ["what is missing comes before updates", "ao bo", "+c"],
])("%s", (_rule, pods, want) => {
  expect(plan(daemonSetOf({ maxUnavailable: 1, maxSurge: 0 }), pods)).toBe(want);
});

it("half of three are two, as the amount is rounded up", () => {
  expect(plan(daemonSetOf({ maxUnavailable: "50%", maxSurge: 0 }), "ao bo co")).toBe("-ao -bo");
});

it("who has failed stays as long as the back-off says", () => {
  expect(plan(daemonSetOf({}), "af b c", seconds(4))).toBe("");
});

it("with OnDelete nobody is updated", () => {
  expect(plan(daemonSetOf("OnDelete"), "ao bo cou")).toBe("");
});

describe("with surge", () => {
  it.each<[string, string, string]>([
    ["a new Pod joins an old one", "ao bo co", "+a"],
    ["one node at a time", "ao au1 bo co", ""],
    ["the old one goes when the new one is available", "ao a1 bo co", "-ao"],
    ["the old one goes when it is not ready", "aou au1 bo co", "-aou"],
    ["a broken old one gets a new one at once, beside the surge", "ao au1 bou co", "+b"],
    ["of more than two the oldest of each revision stay", "ao1 ao2 au3 au4 b c", "-ao2 -au4"],
  ])("%s", (_rule, pods, want) => {
    expect(plan(daemonSetOf({ maxSurge: 1, maxUnavailable: 0 }), pods)).toBe(want);
  });
});

it.each<[string, Partial<PodTemplateSpec["spec"]>, NodeParts, boolean, boolean]>([
  ["any", {}, {}, true, true],
  [
    "one that is cordoned",
    {},
    { unschedulable: true, taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] },
    true,
    true,
  ],
  ["one that is not ready", {}, { taints: [{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }] }, true, true],
  [
    "one under pressure",
    {},
    { taints: [{ key: "node.kubernetes.io/disk-pressure", effect: "NoSchedule" }] },
    true,
    true,
  ],
  [
    "one without network",
    {},
    { taints: [{ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }] },
    false,
    true,
  ],
  [
    "one without network that needs none",
    { hostNetwork: true },
    { taints: [{ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }] },
    true,
    true,
  ],
  ["one that keeps out", {}, { taints: [{ key: "k", effect: "NoSchedule" }] }, false, true],
  ["one that drives out", {}, { taints: [{ key: "k", effect: "NoExecute" }] }, false, false],
  ["one that would rather not", {}, { taints: [{ key: "k", effect: "PreferNoSchedule" }] }, true, true],
  [
    "one whose taint is tolerated",
    { tolerations: [{ key: "k", operator: "Exists" }] },
    { taints: [{ key: "k", effect: "NoExecute" }] },
    true,
    true,
  ],
  ["another than the named one", { nodeName: "other" }, {}, false, false],
  ["one that is not selected", { nodeSelector: { disk: "fast" } }, {}, false, false],
  ["one that is selected", { nodeSelector: { disk: "fast" } }, { labels: { disk: "fast" } }, true, true],
])("on a node, %s: a Pod should be there or not, and may stay or not", (_which, spec, parts, shouldRun, mayStay) => {
  expect(eligibilityOf(daemonSetOf({}, spec), testNode("a", parts))).toEqual({ shouldRun, mayStay });
});

it("daemons stay for ever where their template set a time, and tolerations are not doubled", () => {
  const own: Toleration[] = [
    { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 },
    { key: "mine", operator: "Exists" },
  ];
  const all = daemonTolerations({ tolerations: own });
  expect(all.slice(0, 2)).toEqual([
    { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
    own[1],
  ]);
  expect(all).toHaveLength(7);
});

it("the status counts nodes, and of each the oldest Pod", () => {
  const daemonSet = daemonSetOf({}, { nodeSelector: { on: "yes" } });
  const on = { labels: { on: "yes" } };
  const some = [testNode("a", on), testNode("b", on), testNode("c", on), testNode("d")];
  const view = viewNodes({ daemonSet, nodes: some, pods: podsOf("ao1 a2 bu d") });
  const status = computeStatus({ daemonSet, hash: "new", collisionCount: 0, view, hasActed: true, now });
  expect(status).toEqual({
    desiredNumberScheduled: 3,
    currentNumberScheduled: 2,
    numberMisscheduled: 1,
    numberReady: 1,
    numberAvailable: 1,
    numberUnavailable: 2,
    updatedNumberScheduled: 1,
    observedGeneration: 2,
  });
});

it("the back-off of failed Pods doubles up to a quarter of an hour, for each node by itself, and is forgotten after twice that", () => {
  let time = 0;
  const clock = {
    now: () => time as Instant,
    sleep: () => Promise.resolve(),
    setTimer: () => ({ cancel: () => undefined }),
  };
  const failed = new FailedPods(clock);
  const waits: number[] = [];
  for (let failure = 0; failure < 12; failure++) {
    failed.removed("u", "a");
    waits.push(failed.wait("u", "a") / 1000);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  expect(failed.wait("u", "b")).toBe(0);
  time += minutes(31);
  failed.removed("u", "a");
  expect(failed.wait("u", "a")).toBe(seconds(1));
  failed.forget("u");
  expect(failed.wait("u", "a")).toBe(0);
});
