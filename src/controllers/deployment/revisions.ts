// Which ReplicaSet is a Deployment's newest, what it is called, and which revision it is (pod-lifecycle 13.3.3).

import type { Deployment, PodTemplateSpec, ReplicaSet } from "../../api/index.ts";
import { sameJson } from "../../api/meta/json-object.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { controllerReference } from "../ownership.ts";
import { templateHash as hashOf } from "../template-hash.ts";
import { byAge } from "./by-age.ts";
import { maxSurgeOf } from "./rolling-update.ts";

export const hashLabel = "pod-template-hash";
export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

/** The longest list of former revisions that an annotation keeps. */
const historyLimitCharacters = 2000;
const nameLimit = 253;

/** Stay with the Deployment: they say something about it and not about its Pods. */
const ownAnnotations: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  "deprecated.deployment.rollback.to",
]);

export interface Revisions {
  /** The ReplicaSet of the Deployment's template; undefined if it has to be made. */
  readonly newest: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

/** Of several with the same template the oldest counts, for ever. */
export function revisionsOf(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Revisions {
  const sorted = [...replicaSets].sort(byAge);
  const newest = sorted.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  return { newest, old: sorted.filter((replicaSet) => replicaSet !== newest) };
}

export function revisionOf({ metadata }: ReplicaSet): number {
  return wholeNumber(metadata.annotations?.[revisionAnnotation]) ?? 0;
}

/** The same Pods come of both, but for the hash that marks whose they are. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return sameJson(withoutHash(a), withoutHash(b));
}

function withoutHash({ metadata = {}, ...rest }: PodTemplateSpec): JsonObject {
  const { labels = {}, annotations = {}, ...others } = metadata;
  const { [hashLabel]: _hash, ...ownLabels } = labels;
  return { ...rest, metadata: { ...others, labels: ownLabels, annotations } };
}

/**
 * The ReplicaSet that a Deployment without one for its template creates.
 * @param old all its others
 * @param replicas with which it starts
 */
export function newReplicaSet(deployment: Deployment, old: readonly ReplicaSet[], replicas: number): ReplicaSet {
  const { metadata, spec, status } = deployment;
  const { template, selector, minReadySeconds } = spec;
  const hash = templateHash(template, status.collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const annotations = {
    ...annotationsFor(deployment, {}, nextRevision(old)),
    ...sizeAnnotations(deployment),
  };
  const draft = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${metadata.name.slice(0, nameLimit - hash.length - 1)}-${hash}`,
      namespace: metadata.namespace,
      labels,
      annotations,
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    status: { replicas: 0 },
  };
  return draft as unknown as ReplicaSet;
}

/** Changes with the template, and with the number of times that two templates met in one name. */
export function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  return hashOf(withoutHash(template), collisionCount);
}

/** The revision that the newest ReplicaSet must have: one more than any other. */
export function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

/** The newest ReplicaSet as the Deployment wants it to be, its size aside; the same object if it is so already. */
export function syncedNewest(deployment: Deployment, newest: ReplicaSet, old: readonly ReplicaSet[]): ReplicaSet {
  const { minReadySeconds = 0 } = deployment.spec;
  const present = newest.metadata.annotations ?? {};
  const annotations = annotationsFor(deployment, present, nextRevision(old));
  if (sameJson(annotations, present) && (newest.spec.minReadySeconds ?? 0) === minReadySeconds) return newest;
  return {
    ...newest,
    metadata: { ...newest.metadata, annotations },
    spec: { ...newest.spec, minReadySeconds },
  };
}

/** What says for which size of the Deployment a ReplicaSet has its own: when the two differ, the Deployment was scaled. */
export function sizeAnnotations(deployment: Deployment): Readonly<Record<string, string>> {
  const { replicas } = deployment.spec;
  return {
    [desiredReplicasAnnotation]: String(replicas),
    [maxReplicasAnnotation]: String(replicas + maxSurgeOf(deployment)),
  };
}

export function annotatedNumber({ metadata }: ReplicaSet, annotation: string): number | undefined {
  return wholeNumber(metadata.annotations?.[annotation]);
}

/** The Deployment's annotations and the revision. A ReplicaSet that becomes the newest again remembers which revisions it was. */
function annotationsFor(
  deployment: Deployment,
  present: Readonly<Record<string, string>>,
  revision: number,
): Readonly<Record<string, string>> {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name));
  const annotations: Record<string, string> = { ...present, ...Object.fromEntries(copied) };
  const text = present[revisionAnnotation];
  const before = text === undefined ? 0 : wholeNumber(text);
  if (before === undefined || before >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  if (text !== undefined) {
    const history = withFormer(present[revisionHistoryAnnotation] ?? "", text);
    if (history !== undefined) annotations[revisionHistoryAnnotation] = history;
  }
  return annotations;
}

/** The oldest give way when the list grows too long. */
function withFormer(history: string, former: string): string | undefined {
  const revisions = [...(history === "" ? [] : history.split(",")), former];
  while (revisions.join(",").length > historyLimitCharacters) revisions.shift();
  return revisions.length === 0 ? undefined : revisions.join(",");
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}
