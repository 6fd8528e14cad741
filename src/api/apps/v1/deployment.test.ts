import { describe, expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Deployment, DeploymentStatus } from "../../generated/apps-v1.ts";
import { fieldErrorText } from "../../meta/field-errors.ts";
import {
  defaultDeployment,
  validateDeployment,
  validateDeploymentStatusUpdate,
  validateDeploymentUpdate,
} from "./deployment.ts";

type Spec = Draft<Deployment["spec"]>;

const labels = { app: "web" };
const containers = [{ name: "web", image: "web:1" }];

const deployment = (spec: Spec = {}): Deployment =>
  defaultDeployment({
    metadata: { name: "web" },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } }, ...spec },
  } as Draft<Deployment>);

const podTemplate = (spec: object, metadata: object = { labels }): Spec =>
  ({ template: { metadata, spec: { containers, ...spec } } }) as Spec;

it("defaults are filled in once", () => {
  const complete = deployment();
  expect(defaultDeployment(complete)).toEqual(complete);
});

describe("a Deployment", () => {
  it.each<[string, Spec, readonly string[]]>([
    ["that is in order", {}, []],
    ["of a negative size", { replicas: -1 }, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]],
    [
      "whose selector selects nothing in particular",
      { selector: {} },
      ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    ],
    [
      "whose selector is no selector",
      { selector: { matchLabels: { "-": "web" } } },
      [
        `spec.selector.matchLabels: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
        'spec.selector: Invalid value: {"matchLabels":{"-":"web"}}: invalid label selector',
      ],
    ],
    [
      "whose selector does not match",
      podTemplate({}, { labels: { app: "other" } }),
      ['spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`'],
    ],
    [
      "whose Pods would end",
      podTemplate({ restartPolicy: "Never" }),
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      "whose Pods would have a deadline",
      podTemplate({ activeDeadlineSeconds: 5 }),
      ["spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"],
    ],
    [
      "with ephemeral containers",
      podTemplate({ ephemeralContainers: [{ name: "debug", image: "x", terminationMessagePolicy: "File" }] }),
      ["spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"],
    ],
    ["without containers", podTemplate({ containers: [] }), ["spec.template.spec.containers: Required value"]],
    [
      "whose template has labels that are none",
      podTemplate({}, { labels: { ...labels, x: "a b" } }),
      [
        `spec.template.labels: Invalid value: "a b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      ],
    ],
    [
      "that neither adds nor takes away",
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ],
    [
      "that takes away more than all",
      { strategy: { rollingUpdate: { maxUnavailable: "101%" } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      "with a surge that is no amount",
      { strategy: { rollingUpdate: { maxSurge: "some", maxUnavailable: -1 } } },
      [
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: -1: must be greater than or equal to 0",
        `spec.strategy.rollingUpdate.maxSurge: Invalid value: "some": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
      ],
    ],
    [
      "that recreates by rolling",
      { strategy: { type: "Recreate", rollingUpdate: {} } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      "with an unknown strategy",
      { strategy: { type: "Shuffle" as "Recreate" } },
      [
        `spec.strategy: Unsupported value: {"Type":"Shuffle","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"`,
      ],
    ],
    [
      "whose deadline is over before it can be met",
      { minReadySeconds: 20, progressDeadlineSeconds: 20 },
      ["spec.progressDeadlineSeconds: Invalid value: 20: must be greater than minReadySeconds"],
    ],
    [
      "of negative times",
      { minReadySeconds: -5, progressDeadlineSeconds: -1, revisionHistoryLimit: -2 },
      [
        "spec.minReadySeconds: Invalid value: -5: must be greater than or equal to 0",
        "spec.revisionHistoryLimit: Invalid value: -2: must be greater than or equal to 0",
        "spec.progressDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
      ],
    ],
  ])("%s", (_what, spec, want) => {
    expect(validateDeployment(deployment(spec)).map(fieldErrorText)).toEqual(want);
  });

  it("without a selector selects nothing", () => {
    const { selector: _selector, ...spec } = deployment().spec;
    const found = validateDeployment({ ...deployment(), spec: spec as Deployment["spec"] }).map(fieldErrorText);
    expect(found).toEqual([
      "spec.selector: Required value",
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ]);
  });

  it("keeps its selector for ever", () => {
    const next = deployment({ ...podTemplate({}, { labels: { app: "b" } }), selector: { matchLabels: { app: "b" } } });
    expect(validateDeploymentUpdate(next, deployment()).map(fieldErrorText)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
    ]);
  });
});

it.each<[string, DeploymentStatus, readonly string[]]>([
  [
    "that is in order",
    { replicas: 3, updatedReplicas: 3, readyReplicas: 2, availableReplicas: 2, collisionCount: 2 },
    [],
  ],
  [
    "with more ready than there are",
    { replicas: 1, readyReplicas: 2, collisionCount: 2 },
    ["status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"],
  ],
  [
    "with more available than ready",
    { replicas: 3, readyReplicas: 1, availableReplicas: 2, collisionCount: 2 },
    ["status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas"],
  ],
  [
    "of negative counts",
    { unavailableReplicas: -1, collisionCount: 2 },
    ["status.unavailableReplicas: Invalid value: -1: must be greater than or equal to 0"],
  ],
  ["that forgets collisions", { replicas: 1 }, ["status.collisionCount: Invalid value: 0: cannot be decremented"]],
])("a status %s", (_what, status, want) => {
  const old = { ...deployment(), status: { collisionCount: 1 } };
  expect(validateDeploymentStatusUpdate({ ...deployment(), status }, old).map(fieldErrorText)).toEqual(want);
});
