// What a Pod's volumes hold, and where they are on the node. Contents that the kubelet makes (ConfigMaps, Secrets, the Pod's own fields, tokens) are
// computed here; `volume-mounter.ts` writes them.

import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  Volume,
  VolumeProjection,
} from "../api/generated/core-v1.ts";
import { ephemeralClaimName } from "../api/core/v1/pod-claims.ts";
import type { ProjectedFile } from "../runtimes/node-filesystem.ts";
import { fromBase64 } from "./environment.ts";
import { fieldValue, type PodAddresses, resourceFieldValue } from "./field-ref.ts";
import type { VolumePlugin } from "./node-paths.ts";

export type VolumeKind =
  | { readonly kind: "emptyDir"; readonly memory: boolean; readonly sizeLimit: string | undefined }
  | { readonly kind: "hostPath"; readonly path: string; readonly type: string }
  | {
      readonly kind: "projected";
      readonly plugin: VolumePlugin;
      readonly sources: readonly VolumeProjection[];
      readonly defaultMode: number;
    }
  /** The volume of a claim. */
  | { readonly kind: "claim"; readonly claimName: string; readonly isEphemeral: boolean; readonly readOnly: boolean }
  | { readonly kind: "unsupported"; readonly source: string };

/** What a volume of this Pod is; single-source volumes are read as projected ones with one source. */
export function volumeKind(volume: Volume, podName: string): VolumeKind {
  const { emptyDir, hostPath, configMap, secret, downwardAPI, projected } = volume;
  if (emptyDir !== undefined) {
    return { kind: "emptyDir", memory: emptyDir.medium === "Memory", sizeLimit: emptyDir.sizeLimit };
  }
  if (hostPath !== undefined) return { kind: "hostPath", path: hostPath.path, type: hostPath.type };
  if (configMap !== undefined) {
    const { defaultMode, ...source } = configMap;
    return { kind: "projected", plugin: "configmap", sources: [{ configMap: source }], defaultMode };
  }
  if (secret !== undefined) {
    const { defaultMode, secretName, ...rest } = secret;
    const source = { ...rest, ...(secretName === undefined ? {} : { name: secretName }) };
    return { kind: "projected", plugin: "secret", sources: [{ secret: source }], defaultMode };
  }
  if (downwardAPI !== undefined) {
    const { defaultMode, ...source } = downwardAPI;
    return { kind: "projected", plugin: "downward-api", sources: [{ downwardAPI: source }], defaultMode };
  }
  if (projected !== undefined) {
    return {
      kind: "projected",
      plugin: "projected",
      sources: projected.sources ?? [],
      defaultMode: projected.defaultMode,
    };
  }
  const { persistentVolumeClaim, ephemeral } = volume;
  if (persistentVolumeClaim !== undefined) {
    const { claimName, readOnly = false } = persistentVolumeClaim;
    return { kind: "claim", claimName, isEphemeral: false, readOnly };
  }
  if (ephemeral !== undefined) {
    return { kind: "claim", claimName: ephemeralClaimName(podName, volume.name), isEphemeral: true, readOnly: false };
  }
  const source = Object.keys(volume).find((key) => key !== "name") ?? "emptyDir";
  // A volume that names no source is an empty folder, as upstream reads it.
  if (source === "emptyDir") return { kind: "emptyDir", memory: false, sizeLimit: undefined };
  return { kind: "unsupported", source };
}

/** What projected contents are made from. Objects are `undefined` when the API has none of that name. */
export interface VolumeSources {
  readonly configMaps: ReadonlyMap<string, ConfigMap | undefined>;
  readonly secrets: ReadonlyMap<string, Secret | undefined>;
  /** Service account tokens by {@link tokenKey}. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly addresses: PodAddresses;
  readonly allocatable: Readonly<Record<string, string>>;
}

/** The names of objects that projected volumes of these sources need. */
export function volumeObjects(sources: readonly VolumeProjection[]): {
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
  readonly tokens: readonly TokenRequest[];
} {
  return {
    configMaps: sources.flatMap(({ configMap }) => (configMap?.name === undefined ? [] : [configMap.name])),
    secrets: sources.flatMap(({ secret }) => (secret?.name === undefined ? [] : [secret.name])),
    tokens: sources.flatMap(({ serviceAccountToken: token }) =>
      token === undefined ? [] : [{ audience: token.audience ?? "", expirationSeconds: token.expirationSeconds }],
    ),
  };
}

export interface TokenRequest {
  readonly audience: string;
  readonly expirationSeconds: number;
}

export function tokenKey(request: TokenRequest): string {
  return `${request.audience} ${request.expirationSeconds}`;
}

/**
 * The files of a volume. Later sources win where paths meet.
 * @throws Error with the text that goes after `MountVolume.SetUp failed for volume "…" : `
 */
export function projectVolume(
  pod: Pod,
  projections: readonly VolumeProjection[],
  defaultMode: number,
  sources: VolumeSources,
): readonly ProjectedFile[] {
  const files = new Map<string, ProjectedFile>();
  for (const projection of projections) {
    for (const file of filesOf(pod, projection, defaultMode, sources)) files.set(file.path, file);
  }
  return [...files.values()];
}

function filesOf(
  pod: Pod,
  projection: VolumeProjection,
  defaultMode: number,
  sources: VolumeSources,
): readonly ProjectedFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
  if (configMap !== undefined) {
    const name = configMap.name ?? "";
    const object = sources.configMaps.get(name);
    if (object === undefined && configMap.optional !== true) throw new Error(`configmap "${name}" not found`);
    const contents = contentsOf(object?.data, object?.binaryData);
    return keyedFiles(
      contents,
      configMap.items,
      defaultMode,
      configMap.optional === true,
      "configmap references non-existent config key",
    );
  }
  if (secret !== undefined) {
    const name = secret.name ?? "";
    const object = sources.secrets.get(name);
    if (object === undefined && secret.optional !== true) throw new Error(`secret "${name}" not found`);
    const contents = contentsOf(undefined, object?.data);
    return keyedFiles(
      contents,
      secret.items,
      defaultMode,
      secret.optional === true,
      "references non-existent secret key",
    );
  }
  if (downwardAPI !== undefined) {
    return (downwardAPI.items ?? []).map((item) => downwardFile(pod, item, defaultMode, sources));
  }
  if (serviceAccountToken !== undefined) {
    const key = tokenKey({
      audience: serviceAccountToken.audience ?? "",
      expirationSeconds: serviceAccountToken.expirationSeconds,
    });
    const content = new TextEncoder().encode(sources.tokens.get(key) ?? "");
    return [{ path: serviceAccountToken.path, content, mode: defaultMode }];
  }
  throw new Error(`a projected volume source of this kind is not supported: ${Object.keys(projection).join(", ")}`);
}

function contentsOf(
  text: Readonly<Record<string, string>> | undefined,
  base64: Readonly<Record<string, string>> | undefined,
): ReadonlyMap<string, Uint8Array> {
  const encoder = new TextEncoder();
  return new Map([
    ...Object.entries(text ?? {}).map(([key, value]) => [key, encoder.encode(value)] as const),
    ...Object.entries(base64 ?? {}).map(([key, value]) => [key, fromBase64(value)] as const),
  ]);
}

function keyedFiles(
  contents: ReadonlyMap<string, Uint8Array>,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
  optional: boolean,
  complaint: string,
): readonly ProjectedFile[] {
  if (items === undefined || items.length === 0) {
    return [...contents]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, content]) => ({ path, content, mode: defaultMode }));
  }
  return items.flatMap((item) => {
    const content = contents.get(item.key);
    if (content !== undefined) return [{ path: item.path, content, mode: item.mode ?? defaultMode }];
    if (optional) return [];
    throw new Error(`${complaint}: ${item.key}`);
  });
}

function downwardFile(
  pod: Pod,
  item: DownwardAPIVolumeFile,
  defaultMode: number,
  sources: VolumeSources,
): ProjectedFile {
  const value =
    item.fieldRef !== undefined
      ? fieldValue(pod, item.fieldRef.fieldPath, sources.addresses)
      : item.resourceFieldRef !== undefined
        ? resourceFieldValue(pod, undefined, item.resourceFieldRef, sources.allocatable)
        : "";
  return { path: item.path, content: new TextEncoder().encode(value), mode: item.mode ?? defaultMode };
}
