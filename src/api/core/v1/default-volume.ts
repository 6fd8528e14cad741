// The defaults of volumes (pod-lifecycle 15.3).

import type { Draft } from "../../draft.ts";
import type {
  DownwardAPIVolumeFile,
  ObjectFieldSelector,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from "../../generated/core-v1.ts";
import { defaultClaimSpec } from "./volume-claim-spec.ts";

/** 0644 */
const defaultMode = 0o644;
const tokenLifetimeSeconds = 3600;

/** A volume with every default; one without any source is an empty directory. */
export function defaultVolume(volume: Draft<Volume>): Volume {
  const { secret, configMap, downwardAPI, projected, hostPath, ephemeral } = volume;
  const template = ephemeral?.volumeClaimTemplate;
  const hasSource = Object.entries(volume).some(([field, value]) => field !== "name" && value !== undefined);
  return {
    ...volume,
    ...(hasSource ? {} : { emptyDir: {} }),
    ...(secret === undefined ? {} : { secret: withMode(secret) }),
    ...(configMap === undefined ? {} : { configMap: withMode(configMap) }),
    ...(downwardAPI === undefined ? {} : { downwardAPI: withMode(withFieldRefs(downwardAPI)) }),
    ...(projected === undefined ? {} : { projected: defaultProjected(projected) }),
    ...(template === undefined
      ? {}
      : { ephemeral: { volumeClaimTemplate: { ...template, spec: defaultClaimSpec(template.spec ?? {}) } } }),
    ...(hostPath === undefined ? {} : { hostPath: { ...hostPath, type: hostPath.type ?? "" } }),
  } as Volume;
}

/** A reference to a field of the Pod; the version of the Pod is v1 unless said otherwise. */
export function defaultFieldRef(fieldRef: Draft<ObjectFieldSelector>): Draft<ObjectFieldSelector> {
  return { ...fieldRef, apiVersion: fieldRef.apiVersion || "v1" };
}

function defaultProjected(projected: Draft<ProjectedVolumeSource>): Draft<ProjectedVolumeSource> {
  const { sources } = projected;
  return withMode(sources === undefined ? projected : { ...projected, sources: sources.map(defaultProjection) });
}

function defaultProjection(source: Draft<VolumeProjection>): Draft<VolumeProjection> {
  const { downwardAPI, serviceAccountToken: token } = source;
  return {
    ...source,
    ...(downwardAPI === undefined ? {} : { downwardAPI: withFieldRefs(downwardAPI) }),
    ...(token === undefined
      ? {}
      : { serviceAccountToken: { ...token, expirationSeconds: token.expirationSeconds ?? tokenLifetimeSeconds } }),
  };
}

function withMode<T extends { readonly defaultMode?: number }>(source: T): T {
  return { ...source, defaultMode: source.defaultMode ?? defaultMode };
}

function withFieldRefs<T extends { readonly items?: readonly Draft<DownwardAPIVolumeFile>[] }>(source: T): T {
  if (source.items === undefined) return source;
  const items = source.items.map((item) =>
    item.fieldRef === undefined ? item : { ...item, fieldRef: defaultFieldRef(item.fieldRef) },
  );
  return { ...source, items };
}
