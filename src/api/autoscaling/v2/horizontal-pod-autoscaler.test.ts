import { describe, expect, it } from "vitest";
import type { HorizontalPodAutoscaler } from "../../generated/autoscaling-v2.ts";
import { fieldErrorText } from "../../meta/field-errors.ts";
import { fromAutoscalerV1, toAutoscalerV1 } from "../v1/horizontal-pod-autoscaler.ts";
import { defaultHorizontalPodAutoscaler, validateHorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";

const autoscaler = (spec: object): HorizontalPodAutoscaler =>
  defaultHorizontalPodAutoscaler({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web" },
    spec: { scaleTargetRef: { kind: "Deployment", name: "web" }, maxReplicas: 5, ...spec },
  } as unknown as HorizontalPodAutoscaler);

const cpu = (target: object) => [{ type: "Resource", resource: { name: "cpu", target } }];

describe("an autoscaler", () => {
  it("has at least one replica and goes by 80 % of the cpu unless it is said", () => {
    expect(autoscaler({}).spec).toMatchObject({
      minReplicas: 1,
      metrics: cpu({ type: "Utilization", averageUtilization: 80 }),
    });
    const { behavior } = autoscaler({ behavior: { scaleDown: { stabilizationWindowSeconds: 5 } } }).spec;
    expect(behavior?.scaleUp?.stabilizationWindowSeconds).toBe(0);
    expect(behavior?.scaleDown).toMatchObject({ stabilizationWindowSeconds: 5, selectPolicy: "Max" });
  });

  it.each([
    ["is right", {}, undefined],
    [
      "cannot have fewer at most than at least",
      { minReplicas: 6 },
      "spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`",
    ],
    [
      "needs an aim",
      { metrics: cpu({ type: "Utilization" }) },
      "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
    ],
    [
      "knows five sources",
      { metrics: [{ type: "Moon" }] },
      'spec.metrics[0].type: Unsupported value: "Moon": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
    ],
    [
      "has windows of an hour at most",
      { behavior: { scaleUp: { stabilizationWindowSeconds: 3601 } } },
      "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
    ],
  ])("%s", (_what, spec, error) => {
    expect(validateHorizontalPodAutoscaler(autoscaler(spec)).map(fieldErrorText)).toEqual(
      error === undefined ? [] : [error],
    );
  });

  it("comes back the same through version 1", () => {
    const memory = {
      type: "Resource",
      resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } },
    };
    const whole = {
      ...autoscaler({
        metrics: [memory, ...cpu({ type: "Utilization", averageUtilization: 60 })],
        behavior: { scaleDown: { stabilizationWindowSeconds: 5 } },
      }),
      status: { currentReplicas: 1, desiredReplicas: 2 },
    };
    const first = toAutoscalerV1(whole);
    expect(first.spec.targetCPUUtilizationPercentage).toBe(60);
    expect(first.metadata.annotations).toMatchObject({
      "autoscaling.alpha.kubernetes.io/metrics":
        '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]',
    });
    expect(fromAutoscalerV1(first)).toEqual(whole);
  });
});
