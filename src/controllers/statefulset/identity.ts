// What makes a StatefulSet's Pod the one that it is: its name with the ordinal, and what follows from it (pod-lifecycle 13.4.1).

import type { Pod, PodTemplateSpec, StatefulSet, Volume } from "../../api/index.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import { podFromTemplate } from "../pod-control.ts";
import { claimName } from "./claims.ts";

export const podNameLabel = "statefulset.kubernetes.io/pod-name";
export const podIndexLabel = "apps.kubernetes.io/pod-index";
export const revisionLabel = "controller-revision-hash";

type Named = Pick<StatefulSet, "metadata">;

export const podName = ({ metadata }: Named, ordinal: number): string => `${metadata.name}-${ordinal}`;

/** The ordinal in a Pod's name; undefined if it is no name that this StatefulSet gives. */
export function ordinalOf({ metadata }: Named, pod: Pod): number | undefined {
  const prefix = `${metadata.name}-`;
  if (!pod.metadata.name.startsWith(prefix)) return undefined;
  const text = pod.metadata.name.slice(prefix.length);
  return /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : undefined;
}

export const firstOrdinal = ({ spec }: Pick<StatefulSet, "spec">): number => spec.ordinals?.start ?? 0;

/** Whether a Pod of this ordinal is wanted at the present size. */
export function isWanted(set: StatefulSet, ordinal: number): boolean {
  const first = firstOrdinal(set);
  return ordinal >= first && ordinal < first + set.spec.replicas;
}

export const revisionNameOf = ({ metadata }: Pod): string => metadata.labels?.[revisionLabel] ?? "";

/** The Pod of an ordinal as it is created. */
export function newPod(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): JsonObject {
  const owner = { ...set, requirements: undefined };
  const { metadata, ...rest } = podFromTemplate(owner, template) as { metadata: JsonObject };
  const { generateName: _prefix, labels, ...others } = metadata;
  const name = podName(set, ordinal);
  const { serviceName = "" } = set.spec;
  return {
    ...rest,
    metadata: {
      ...others,
      name,
      labels: { ...(labels as JsonObject | undefined), ...identityLabels(name, ordinal), [revisionLabel]: revision },
    },
    spec: {
      ...template.spec,
      hostname: name,
      ...(serviceName !== "" && { subdomain: serviceName }),
      ...withClaims(set, template.spec.volumes, ordinal),
    },
  };
}

/** The labels that a Pod should carry and does not; empty if it has its identity. */
export function missingLabels({ metadata }: Pod, ordinal: number): Readonly<Record<string, string>> {
  const wanted = Object.entries(identityLabels(metadata.name, ordinal));
  return Object.fromEntries(wanted.filter(([name, value]) => metadata.labels?.[name] !== value));
}

const identityLabels = (name: string, ordinal: number): Readonly<Record<string, string>> => ({
  [podNameLabel]: name,
  [podIndexLabel]: String(ordinal),
});

/** A claim takes the place of a volume of its name. */
function withClaims(set: StatefulSet, volumes: readonly Volume[] = [], ordinal: number): { volumes?: Volume[] } {
  const claims = (set.spec.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata.name,
    persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) },
  }));
  const names = new Set(claims.map(({ name }) => name));
  const all = [...claims, ...volumes.filter(({ name }) => !names.has(name))];
  return all.length === 0 ? {} : { volumes: all };
}
