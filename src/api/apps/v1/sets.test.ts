import { describe, expect, it } from "vitest";
import type { DaemonSet, StatefulSet } from "../../index.ts";
import { fieldErrorText } from "../../meta/field-errors.ts";
import { defaultDaemonSet, validateDaemonSet } from "./daemon-set.ts";
import { validateControllerRevision, validateControllerRevisionUpdate } from "./controller-revision.ts";
import {
  defaultStatefulSet,
  statefulSetWarnings,
  validateStatefulSet,
  validateStatefulSetStatusUpdate,
  validateStatefulSetUpdate,
} from "./stateful-set.ts";

const common = {
  selector: { matchLabels: { app: "a" } },
  template: { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "a", image: "a:1" }] } },
};
const statefulSet = (spec: object = {}): StatefulSet => defaultStatefulSet({ spec: { ...common, ...spec } });
const daemonSet = (rollingUpdate?: object): DaemonSet =>
  defaultDaemonSet({ spec: { ...common, ...(rollingUpdate && { updateStrategy: { rollingUpdate } }) } });

it("a StatefulSet has upstream's defaults, and keeps them when they are applied again", () => {
  const set = statefulSet();
  expect(set.spec).toMatchObject({
    replicas: 1,
    podManagementPolicy: "OrderedReady",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    revisionHistoryLimit: 10,
  });
  expect(defaultStatefulSet(set)).toEqual(set);
  expect(statefulSet({ updateStrategy: { type: "OnDelete" } }).spec.updateStrategy).toEqual({ type: "OnDelete" });
});

describe("a StatefulSet", () => {
  it.each<[string, object, readonly string[]]>([
    ["that is in order", {}, []],
    [
      "without a selector that selects",
      { selector: {} },
      ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"],
    ],
    [
      "with a strategy of its own",
      { updateStrategy: { type: "Odd" } },
      [
        `spec.updateStrategy: Invalid value: {"Type":"Odd","RollingUpdate":null}: must be 'RollingUpdate' or 'OnDelete'`,
      ],
    ],
    [
      "that may miss none",
      { updateStrategy: { rollingUpdate: { maxUnavailable: 0, partition: -1 } } },
      [
        "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
      ],
    ],
  ])("%s", (_what, spec, want) => {
    expect(validateStatefulSet(statefulSet(spec)).map(fieldErrorText)).toEqual(want);
  });

  it("may change its size, template and policies, and nothing else", () => {
    const changed = statefulSet({ replicas: 5, minReadySeconds: 3, ordinals: { start: 2 }, revisionHistoryLimit: 1 });
    expect(validateStatefulSetUpdate(changed, statefulSet())).toEqual([]);
    const [error] = validateStatefulSetUpdate(statefulSet({ podManagementPolicy: "Parallel" }), statefulSet());
    expect(error && fieldErrorText(error)).toMatch(
      /^spec: Forbidden: updates to statefulset spec for fields other than /,
    );
  });

  it("remarks what it does not act on", () => {
    expect(statefulSetWarnings(statefulSet())).toEqual([]);
    const odd = statefulSet({ revisionHistoryLimit: -1, updateStrategy: { rollingUpdate: { maxUnavailable: 2 } } });
    expect(statefulSetWarnings(odd)).toHaveLength(2);
  });

  it("counts no more ready than there are, and forgets no collision", () => {
    const old = { ...statefulSet(), status: { replicas: 1, collisionCount: 1 } };
    const next = { ...old, status: { replicas: 1, readyReplicas: 2 } };
    expect(validateStatefulSetStatusUpdate(next, old).map(fieldErrorText)).toEqual([
      "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
      "status.collisionCount: Invalid value: 0: cannot be decremented",
    ]);
  });
});

it.each<[string, object | undefined, readonly string[]]>([
  ["as it is by default", undefined, []],
  ["with surge instead", { maxSurge: "30%", maxUnavailable: 0 }, []],
  [
    "with both",
    { maxSurge: 1, maxUnavailable: 1 },
    ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"],
  ],
  [
    "with neither",
    { maxUnavailable: "0%" },
    ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
  ],
  [
    "with more than all",
    { maxUnavailable: "101%" },
    ['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
  ],
])("a DaemonSet %s", (_what, rollingUpdate, want) => {
  expect(validateDaemonSet(daemonSet(rollingUpdate)).map(fieldErrorText)).toEqual(want);
});

it("a ControllerRevision has data, which never change", () => {
  const revision = { data: { a: 1 }, revision: 1 } as never;
  expect(validateControllerRevision({ revision: -1 } as never).map(fieldErrorText)).toEqual([
    "data: Required value: data is mandatory",
    "revision: Invalid value: -1: must be greater than or equal to 0",
  ]);
  expect(validateControllerRevisionUpdate({ data: { a: 1 }, revision: 2 } as never, revision)).toEqual([]);
  expect(
    validateControllerRevisionUpdate({ data: { a: 2 }, revision: 2 } as never, revision).map(fieldErrorText),
  ).toEqual(['data: Invalid value: {"a":2}: field is immutable']);
});
