import { describe, expect, it } from "vitest";
import type { PodQOSClass } from "../../generated/core-v1.ts";
import type { ResourceContainer, ResourcePod } from "./pod-requests.ts";
import { computeQosClass } from "./qos.ts";

type List = Readonly<Record<string, string>>;
const container = (requests?: List, limits?: List): ResourceContainer => ({
  resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
});
const both = { cpu: "100m", memory: "1Gi" };
const guaranteed = container(both, both);

describe("the QoS class", () => {
  it.each<[string, ResourcePod["spec"], PodQOSClass]>([
    ["is BestEffort without any requests and limits", { containers: [container()] }, "BestEffort"],
    ["does not count other resources", { containers: [container({ "ephemeral-storage": "1Gi" })] }, "BestEffort"],
    ["does not count zero", { containers: [container({ cpu: "0" }, { memory: "0" })] }, "BestEffort"],
    ["is Guaranteed when all limits are asked for", { containers: [guaranteed, guaranteed] }, "Guaranteed"],
    ["compares amounts, not texts", { containers: [container({ cpu: "0.1", memory: "1024Mi" }, both)] }, "Guaranteed"],
    ["is Burstable when one container limits nothing", { containers: [guaranteed, container()] }, "Burstable"],
    ["is Burstable with requests alone", { containers: [container(both)] }, "Burstable"],
    [
      "is Burstable with limits alone, which defaulting prevents",
      { containers: [container(undefined, both)] },
      "Burstable",
    ],
    [
      "is Burstable when less is asked than allowed",
      { containers: [container({ cpu: "50m", memory: "1Gi" }, both)] },
      "Burstable",
    ],
    ["is Burstable with cpu alone", { containers: [container({ cpu: "1" }, { cpu: "1" })] }, "Burstable"],
    ["counts init containers", { containers: [guaranteed], initContainers: [container()] }, "Burstable"],
    [
      "counts sidecars",
      { containers: [guaranteed], initContainers: [{ ...guaranteed, restartPolicy: "Always" }] },
      "Guaranteed",
    ],
    [
      "follows the Pod's own resources alone",
      { containers: [container()], resources: { requests: both, limits: both } },
      "Guaranteed",
    ],
    [
      "is Burstable with the Pod's own requests alone",
      { containers: [guaranteed], resources: { requests: both } },
      "Burstable",
    ],
    ["ignores empty resources of the Pod", { containers: [guaranteed], resources: {} }, "Guaranteed"],
  ])("%s", (_rule, spec, qos) => {
    expect(computeQosClass({ spec })).toBe(qos);
  });
});
