import { describe, expect, it } from "vitest";
import { formatQuantity } from "../../meta/quantity.ts";
import {
  podLimits,
  podRequests,
  type ResourceAmounts,
  type ResourceContainer,
  type ResourcePod,
} from "./pod-requests.ts";

const shown = (amounts: ResourceAmounts): Record<string, string> =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatQuantity(amount)]));
const cpu = (amount: string): ResourceContainer => ({
  resources: { requests: { cpu: amount }, limits: { cpu: amount } },
});
const sidecar = (amount: string): ResourceContainer => ({ ...cpu(amount), restartPolicy: "Always" });

describe("what a Pod asks for", () => {
  it.each<[string, ResourcePod["spec"], Record<string, string>]>([
    ["nothing", { containers: [{ resources: {} }] }, {}],
    ["regular containers add up", { containers: [cpu("100m"), cpu("200m")] }, { cpu: "300m" }],
    [
      "the largest init container counts if it needs more",
      { containers: [cpu("1")], initContainers: [cpu("2"), cpu("500m")] },
      { cpu: "2" },
    ],
    ["a small init container counts nothing", { containers: [cpu("1")], initContainers: [cpu("500m")] }, { cpu: "1" }],
    [
      "sidecars add to the regular ones",
      { containers: [cpu("1")], initContainers: [sidecar("500m")] },
      { cpu: "1500m" },
    ],
    [
      "an init container adds to the sidecars before it",
      { containers: [cpu("1")], initContainers: [sidecar("500m"), cpu("2")] },
      { cpu: "2500m" },
    ],
    [
      "and not to those after it",
      { containers: [cpu("1")], initContainers: [cpu("2"), sidecar("500m")] },
      { cpu: "2" },
    ],
    [
      "sidecars alone can need most",
      { containers: [cpu("0")], initContainers: [sidecar("1"), sidecar("2")] },
      { cpu: "3" },
    ],
    [
      "overhead comes on top",
      { containers: [cpu("1")], overhead: { cpu: "10m", memory: "5Mi" } },
      { cpu: "1010m", memory: "5Mi" },
    ],
    [
      "the Pod's own requests replace the sum",
      { containers: [cpu("1")], resources: { requests: { cpu: "3", memory: "1Gi" } } },
      { cpu: "3", memory: "1Gi" },
    ],
    [
      "the Pod's own requests count only for cpu, memory and hugepages",
      {
        containers: [{ resources: { requests: { "example.com/gpu": "1" } } }],
        resources: { requests: { "example.com/gpu": "9", "hugepages-2Mi": "2Mi" } },
      },
      { "example.com/gpu": "1", "hugepages-2Mi": "2Mi" },
    ],
    [
      "different resources stand side by side",
      { containers: [{ resources: { requests: { memory: "1Gi" } } }, cpu("1")] },
      { memory: "1Gi", cpu: "1" },
    ],
  ])("%s", (_rule, spec, requests) => {
    expect(shown(podRequests({ spec }))).toEqual(requests);
  });

  it("has limits, to which overhead is added only where there is one", () => {
    const spec: ResourcePod["spec"] = { containers: [cpu("1"), cpu("2")], overhead: { cpu: "10m", memory: "5Mi" } };
    expect(shown(podLimits({ spec }))).toEqual({ cpu: "3010m" });
    expect(shown(podLimits({ spec: { ...spec, resources: { limits: { cpu: "5" } } } }))).toEqual({ cpu: "5010m" });
  });
});
