import { describe, expect, it } from "vitest";
import { testPod } from "../../../test/fakes/objects.ts";
import type { OwnerReference, PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet } from "../../api/index.ts";
import { type Instant, formatTime } from "../../base/time.ts";
import { planStatefulSet, type StatefulSetAction } from "./plan.ts";
import { computeStatus } from "./status.ts";

const now = Date.UTC(2025, 0, 1) as Instant;
const template = { metadata: { labels: { app: "db" } }, spec: { containers: [] } } as unknown as PodTemplateSpec;

function setOf(spec: Partial<StatefulSet["spec"]> = {}, metadata: Partial<StatefulSet["metadata"]> = {}): StatefulSet {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: {
      name: "db",
      namespace: "default",
      uid: "the-set",
      resourceVersion: "1",
      creationTimestamp: formatTime(now),
      generation: 3,
      ...metadata,
    },
    spec: {
      replicas: 3,
      serviceName: "dbs",
      selector: { matchLabels: { app: "db" } },
      template,
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      ...spec,
    },
    status: { replicas: 0 },
  };
}

/**
 * A Pod in short: `2` is ready and new, and letters change that: `o` old, `u` not ready, `p` Pending, `x` on its way out, `f` Failed,
 * `s` Succeeded, `n` without its labels, `y` ready only just now.
 */
function podOf(text: string): Pod {
  const ordinal = text.replace(/\D/g, "");
  const is = (letter: string): boolean => text.includes(letter);
  const name = `db-${ordinal}`;
  const phase = is("p") ? "Pending" : is("f") ? "Failed" : is("s") ? "Succeeded" : "Running";
  const since = formatTime((is("y") ? now - 1000 : now - 3_600_000) as Instant);
  return testPod(name, {
    labels: {
      "controller-revision-hash": is("o") ? "old" : "new",
      ...(!is("n") && {
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": ordinal,
      }),
    },
    ...(is("x") && { deletionTimestamp: formatTime(now) }),
    status: {
      phase,
      conditions: [{ type: "Ready", status: is("u") || is("p") ? "False" : "True", lastTransitionTime: since }],
    },
  });
}

const podsOf = (text: string): readonly Pod[] => text.split(" ").filter(Boolean).map(podOf);

const observed = (set: StatefulSet, pods: readonly Pod[], claims: readonly PersistentVolumeClaim[] = []) => ({
  set,
  pods,
  current: { name: "old", template },
  update: { name: "new", template },
  claims: new Map(claims.map((claim) => [claim.metadata.name, claim])),
  now,
});

function told(action: StatefulSetAction): string {
  switch (action.kind) {
    case "create": {
      const { labels } = action.pod["metadata"] as { readonly labels: Readonly<Record<string, string>> };
      return `create ${action.name.slice(3)} ${labels["controller-revision-hash"]}`;
    }
    case "claim":
      return `claim for ${action.pod.metadata.name}`;
    case "label":
      return `label ${action.pod.metadata.name}`;
    case "own":
      return `own ${action.claim.metadata.name}: ${(action.claim.metadata.ownerReferences ?? []).map(({ kind }) => kind).join()}`;
    case "delete":
      return `delete ${action.pod.metadata.name.slice(3)} ${action.why}`;
  }
}

const plan = (set: StatefulSet, pods: string): string =>
  planStatefulSet(observed(set, podsOf(pods)))
    .phases.flat()
    .map(told)
    .join(", ");

describe("in order", () => {
  it.each<[string, string, string]>([
    ["makes the first of none", "", "create 0 new"],
    ["waits for the first", "0p", ""],
    ["waits for one that runs and is not ready", "0u", ""],
    ["goes on when it is ready", "0", "create 1 new"],
    ["fills a gap before anything else", "0 2", "create 1 new"],
    ["waits for who is on the way out, and does not replace it", "0 1x 2", ""],
    ["deletes who has failed", "0 1f 2", "delete 1 finished"],
    ["deletes who has succeeded", "0s", "delete 0 finished"],
    ["leaves who has failed and is going", "0fx", ""],
    ["ends the highest beyond its size", "0 1 2 3 4", "delete 4 condemned"],
    ["one after the other", "0 1 2 3 4x", ""],
    ["not while one of its own is not ready", "0 1u 2 3", ""],
    ["not the highest while a lower one beyond the size is not ready", "0 1 2 3u 4u", ""],
    ["the highest that is ready although a lower one is not", "0 1 2 3u 4", "delete 4 condemned"],
    ["one that is not ready when it is the only such", "0 1 2 3u", "delete 3 condemned"],
    ["updates the highest that is outdated", "0o 1o 2o", "delete 2 outdated"],
    ["the next when the one above is ready", "0o 1o 2", "delete 1 outdated"],
    ["none while the one above is not", "0o 1o 2u", ""],
    ["none before the size is right", "0o 1o 2o 3", "delete 3 condemned"],
    ["leaves a broken one alone, for a person to delete", "0 1 2ou", ""],
    ["gives back the labels of an identity", "0n 1 2", "label db-0"],
    ["has nothing to do when all is well", "0 1 2", ""],
  ])("%s", (_rule, pods, want) => {
    expect(plan(setOf(), pods)).toBe(want);
  });
});

describe("in parallel", () => {
  const parallel = setOf({ podManagementPolicy: "Parallel" });
  it.each<[string, string, string]>([
    ["makes all at once", "1", "create 0 new, create 2 new"],
    ["ends all beyond its size at once, the highest first", "0 1 2 3 4u 5x", "delete 4 condemned, delete 3 condemned"],
    ["replaces a broken one by itself", "0 1 2ou", "delete 2 outdated"],
    ["updates one by one all the same", "0o 1o 2u", ""],
    ["deletes who has failed once, outdated or not", "0 1 2of", "delete 2 finished"],
  ])("%s", (_rule, pods, want) => {
    expect(plan(parallel, pods)).toBe(want);
  });
});

const partitioned = (partition: number) => ({
  updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition } } as const,
});

it.each<[string, StatefulSet, string, string]>([
  ["below the partition nothing is updated", setOf(partitioned(2)), "0o 1o 2o", "delete 2 outdated"],
  ["below the partition nothing more is updated", setOf(partitioned(2)), "0o 1o 2", ""],
  ["below the partition a Pod comes back as it was", setOf(partitioned(2)), "0o 2", "create 1 old"],
  ["from the partition on it comes back new", setOf(partitioned(2)), "0o 1o", "create 2 new"],
  [
    "the partition counts from the first ordinal",
    setOf({ ...partitioned(1), ordinals: { start: 5 } }),
    "5o 6",
    "create 7 new",
  ],
  ["ordinals before the first go", setOf({ replicas: 2, ordinals: { start: 1 } }), "0 1 2", "delete 0 condemned"],
  ["with OnDelete nobody is updated", setOf({ updateStrategy: { type: "OnDelete" } }), "0o 1o 2o", ""],
  ["with OnDelete who comes back is new", setOf({ updateStrategy: { type: "OnDelete" } }), "0o 1o", "create 2 new"],
  ["who became ready only now holds up the next", setOf({ minReadySeconds: 30 }), "0 1y", ""],
  ["a set that is going does nothing", setOf({}, { deletionTimestamp: formatTime(now) }), "0 5", ""],
])("%s", (_rule, set, pods, want) => {
  expect(plan(set, pods)).toBe(want);
});

describe("claims", () => {
  const claimTemplate = {
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"] },
  } as unknown as PersistentVolumeClaim;
  const withClaims = (whenDeleted = "Retain", whenScaled = "Retain") =>
    setOf({
      replicas: 1,
      volumeClaimTemplates: [claimTemplate],
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
    });
  const claim = (ordinal: number, ...owners: readonly (readonly [kind: string, uid: string, name?: string])[]) =>
    ({
      metadata: {
        name: `data-db-${ordinal}`,
        ...(owners.length > 0 && {
          ownerReferences: owners.map(([kind, uid, name = "x"]) => ({ kind, uid, name }) as OwnerReference),
        }),
      },
    }) as unknown as PersistentVolumeClaim;
  const uidOf = (ordinal: number): string => `uid-of-default-db-${ordinal}`;

  it("are made with the Pod, which mounts them under the name of the template", () => {
    const [action] = planStatefulSet(observed(withClaims("Delete"), [])).phases.flat();
    if (action?.kind !== "create") throw new Error("nothing is created");
    expect(action.pod["spec"]).toMatchObject({
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data-db-0" } }],
    });
    expect(action.claims[0]?.draft).toMatchObject({
      metadata: {
        name: "data-db-0",
        labels: { app: "db" },
        ownerReferences: [{ kind: "StatefulSet", uid: "the-set" }],
      },
      spec: { accessModes: ["ReadWriteOnce"] },
    });
  });

  it.each<[string, StatefulSet, string, readonly PersistentVolumeClaim[], string]>([
    ["that are missing are made for a Pod that waits", withClaims(), "0p", [], "claim for db-0"],
    ["belong to nobody unless said", withClaims(), "0", [claim(0)], ""],
    ["go with the set if it says so", withClaims("Delete"), "0", [claim(0)], "own data-db-0: StatefulSet"],
    ["stay with the set once they are its own", withClaims("Delete"), "0", [claim(0, ["StatefulSet", "the-set"])], ""],
    [
      "are let go when the set no longer says so",
      withClaims(),
      "0",
      [claim(0, ["StatefulSet", "the-set"])],
      "own data-db-0: ",
    ],
    [
      "of a Pod beyond the size go with it if the set says so",
      withClaims("Delete", "Delete"),
      "0 1",
      [claim(0, ["StatefulSet", "the-set"]), claim(1, ["StatefulSet", "the-set"])],
      "own data-db-1: Pod, delete 1 condemned",
    ],
    [
      "of a Pod that stays no longer go with it",
      withClaims("Retain", "Delete"),
      "0",
      [claim(0, ["Pod", uidOf(0)])],
      "own data-db-0: ",
    ],
    [
      "that still go with a former Pod hold up the next",
      withClaims("Retain", "Delete"),
      "",
      [claim(0, ["Pod", "former", "db-0"])],
      "",
    ],
    [
      "keep owners of others",
      withClaims("Delete"),
      "0",
      [claim(0, ["Backup", "b"])],
      "own data-db-0: Backup,StatefulSet",
    ],
  ])("%s", (_rule, set, pods, claims, want) => {
    const { phases } = planStatefulSet(observed(set, podsOf(pods), claims));
    expect(phases.flat().map(told).join(", ")).toBe(want);
  });
});

describe("the status", () => {
  const report = (set: StatefulSet, pods: string, current = "old") => {
    const seen = observed(set, podsOf(pods));
    return computeStatus(set, { current, update: "new", collisionCount: 2 }, seen.pods, planStatefulSet(seen), now);
  };

  it("counts by revision, and not as current who has just been told to go", () => {
    expect(report(setOf(), "0o 1o 2")).toEqual({
      observedGeneration: 3,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 1,
      updatedReplicas: 1,
      currentRevision: "old",
      updateRevision: "new",
      collisionCount: 2,
    });
  });

  it("takes the newest revision for the current one when all are of it and ready", () => {
    expect(report(setOf(), "0 1 2")).toMatchObject({ currentRevision: "new", currentReplicas: 3, updatedReplicas: 3 });
    expect(report(setOf(), "0 1 2u")).toMatchObject({ currentRevision: "old", updatedReplicas: 3, readyReplicas: 2 });
    expect(report(setOf(partitioned(1)), "0o 1 2")).toMatchObject({ currentRevision: "old", currentReplicas: 1 });
  });

  it("leaves out counts of zero, but for how many there are and are available", () => {
    expect(report(setOf(), "0p")).toMatchObject({ replicas: 1, availableReplicas: 0 });
    expect(report(setOf(), "0p").readyReplicas).toBeUndefined();
  });
});
