// Static Pods: what a manifest in the node's own folder becomes, and the mirror that shows it in the API (pod-lifecycle 15.5).

import { defaultPod } from "../api/core/v1/default-pod.ts";
import { podWarnings, refusedPodFields } from "../api/core/v1/pod-support.ts";
import { validatePod } from "../api/core/v1/validate-pod.ts";
import { mirrorPodAnnotation } from "../api/core/v1/validate-pod-annotations.ts";
import type { Container, EphemeralContainer, Node, Pod, Toleration, Volume } from "../api/generated/core-v1.ts";
import type { Draft } from "../api/draft.ts";
import { dns1123SubdomainProblems } from "../api/meta/names.ts";
import { validateObjectMeta } from "../api/meta/object-meta.ts";
import { decodeObject } from "../api/schema/decode-object.ts";
import { schemaFor } from "../api/schema/schemas.ts";
import type { JsonObject } from "../api/wire/request.ts";
import { parseYaml } from "../api/wire/yaml-text.ts";
import { contentHash } from "../base/content-hash.ts";
import { formatTime, type Instant } from "../base/time.ts";

const hashAnnotation = "kubernetes.io/config.hash";
const seenAnnotation = "kubernetes.io/config.seen";
const sourceAnnotation = "kubernetes.io/config.source";
const fileSource = "file";

export interface ManifestOrigin {
  readonly path: string;
  readonly nodeName: string;
  readonly seenAt: Instant;
}

export interface StaticPodReading {
  readonly pod: Pod;
  /** What its author should know: fields that nothing follows from, fields that nobody knows. */
  readonly warnings: readonly string[];
}

/**
 * The Pod that a manifest asks for, complete: named after its node, tolerating what would drive it away, with a uid that is the same for the same
 * content at the same place.
 * @throws Error fit for people: no YAML, no Pod, not valid, or with references to objects of the API
 */
export function readStaticPod(text: string, origin: ManifestOrigin): StaticPodReading {
  const { value } = parseYaml(text);
  const { apiVersion, kind } = (value ?? {}) as JsonObject;
  if (apiVersion !== "v1" || kind !== "Pod") throw new Error("couldn't parse as pod: expected apiVersion v1, kind Pod");
  const { object, unknownFields } = decodeObject(value, schemaFor("core/v1 Pod"));
  const pod = completedPod(object, origin);
  const naming = { namespaced: true, nameProblems: dns1123SubdomainProblems };
  const faults = [...validateObjectMeta(pod.metadata, naming), ...validatePod(pod), ...refusedPodFields(pod)];
  if (faults.length > 0) {
    throw new Error(`invalid pod: ${faults.map(({ field, body }) => `${field}: ${body}`).join(", ")}`);
  }
  const resource = referencedResource(pod);
  if (resource !== undefined) throw new Error(`static pods may not reference ${resource}`);
  return { pod, warnings: [...unknownFields.map((field) => `unknown field "${field}"`), ...podWarnings(pod)] };
}

export function isStaticPod({ metadata }: Pod): boolean {
  return metadata.annotations?.[sourceAnnotation] === fileSource && !isMirrorPod({ metadata });
}

export function isMirrorPod({ metadata }: Pick<Pod, "metadata">): boolean {
  return metadata.annotations?.[mirrorPodAnnotation] !== undefined;
}

/** Whether the mirror shows this very Pod, not one that had its name before. */
export function isMirrorOf(mirror: Pod, pod: Pod): boolean {
  return mirror.metadata.annotations?.[mirrorPodAnnotation] === pod.metadata.uid;
}

/** What is created in the API to show the Pod. It belongs to the Node, and goes with it. */
export function mirrorPodFor(pod: Pod, node: Node): JsonObject {
  const { name, namespace, labels, annotations, uid } = pod.metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [mirrorPodAnnotation]: uid },
      ownerReferences: [
        { apiVersion: "v1", kind: "Node", name: node.metadata.name, uid: node.metadata.uid, controller: true },
      ],
    },
    spec: pod.spec,
  };
}

function completedPod(object: JsonObject, { path, nodeName, seenAt }: ManifestOrigin): Pod {
  const draft = object as unknown as Draft<Pod> & {
    readonly metadata?: Partial<Pod["metadata"]>;
    readonly spec?: Partial<Pod["spec"]>;
  };
  const uid = contentHash(JSON.stringify([nodeName, path, object])).toLowerCase();
  const { name = "", namespace, labels, annotations } = draft.metadata ?? {};
  if (name === "") throw new Error("invalid pod: name is needed for the pod");
  const seen = formatTime(seenAt);
  return defaultPod({
    ...draft,
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-${nodeName.toLowerCase()}`,
      namespace: namespace === undefined || namespace === "" ? "default" : namespace,
      uid,
      resourceVersion: "",
      creationTimestamp: seen,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [hashAnnotation]: uid, [seenAnnotation]: seen, [sourceAnnotation]: fileSource },
    },
    spec: { ...draft.spec, nodeName, tolerations: withNoExecuteTolerated(draft.spec?.tolerations ?? []) },
    status: { phase: "Pending" },
  } as Draft<Pod>);
}

const toleratesNoExecute: Toleration = { operator: "Exists", effect: "NoExecute" };

function withNoExecuteTolerated(tolerations: readonly Toleration[]): readonly Toleration[] {
  const others = tolerations.filter(({ key = "", effect }) => !(key === "" && effect === toleratesNoExecute.effect));
  return [...others, toleratesNoExecute];
}

/** The first kind of API object that the Pod refers to: the node must be able to run it while there is no API. */
function referencedResource({ spec }: Pod): string | undefined {
  const { serviceAccountName = "", volumes = [], imagePullSecrets = [], resourceClaims = [] } = spec;
  const containers: readonly (Container | EphemeralContainer)[] = [...(spec.initContainers ?? []), ...spec.containers];
  const env = containers.flatMap((container) => container.env ?? []);
  const envFrom = containers.flatMap((container) => container.envFrom ?? []);
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  if (serviceAccountName !== "") return "serviceaccounts";
  if (
    imagePullSecrets.length > 0 ||
    env.some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined) ||
    envFrom.some(({ secretRef }) => secretRef !== undefined) ||
    projected.some(({ secret }) => secret !== undefined) ||
    volumes.some(({ secret }) => secret !== undefined)
  ) {
    return "secrets";
  }
  if (
    env.some(({ valueFrom }) => valueFrom?.configMapKeyRef !== undefined) ||
    envFrom.some(({ configMapRef }) => configMapRef !== undefined) ||
    projected.some(({ configMap }) => configMap !== undefined) ||
    volumes.some(({ configMap }) => configMap !== undefined)
  ) {
    return "configmaps";
  }
  if (resourceClaims.length > 0) return "resourceclaims";
  if (volumes.some(isClaim)) return "persistentvolumeclaims";
  if (projected.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)) return "serviceaccounts";
  if (projected.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined)) return "clustertrustbundles";
  return undefined;
}

const isClaim = ({ persistentVolumeClaim, ephemeral }: Volume): boolean =>
  persistentVolumeClaim !== undefined || ephemeral !== undefined;
