// The Pod of a DaemonSet on one node: what is added to the template, and what can be read from the Pod again (pod-lifecycle 13.7.2).

import { templateGenerationAnnotation } from "../../api/apps/v1/daemon-set.ts";
import { requiredNodeNames } from "../../api/core/v1/node-affinity.ts";
import type { Affinity, DaemonSet, NodeSelector, Pod, PodTemplateSpec, Toleration } from "../../api/index.ts";

export const revisionLabel = "controller-revision-hash";
const templateGenerationLabel = "pod-template-generation";

/** The template of the Pod on a node. The scheduler binds it, and to no other node. */
export function daemonPodTemplate(daemonSet: DaemonSet, hash: string, node: string): PodTemplateSpec {
  const { metadata, spec } = daemonSet.spec.template;
  const generation = daemonSet.metadata.annotations?.[templateGenerationAnnotation];
  return {
    metadata: {
      ...metadata,
      labels: {
        ...metadata?.labels,
        ...(generation !== undefined && { [templateGenerationLabel]: generation }),
        [revisionLabel]: hash,
      },
    },
    spec: { ...spec, affinity: onlyOn(node, spec.affinity), tolerations: daemonTolerations(spec) },
  };
}

/** The template's tolerations and those that let daemons stay where others are kept out or driven away. */
export function daemonTolerations(spec: Pick<PodTemplateSpec["spec"], "hostNetwork" | "tolerations">): Toleration[] {
  const added = spec.hostNetwork === true ? [...everywhere, ofHostNetwork] : everywhere;
  const own = (spec.tolerations ?? []).map((each) => added.find((one) => isSame(each, one)) ?? each);
  return [...own, ...added.filter((one) => !own.includes(one))];
}

/** The time limit does not count: daemons stay for ever. */
const isSame = (a: Toleration, b: Toleration): boolean =>
  a.key === b.key && a.effect === b.effect && a.operator === b.operator && (a.value ?? "") === (b.value ?? "");

function toleration(condition: string, effect: "NoExecute" | "NoSchedule"): Toleration {
  return { key: `node.kubernetes.io/${condition}`, operator: "Exists", effect };
}

const everywhere: readonly Toleration[] = [
  toleration("not-ready", "NoExecute"),
  toleration("unreachable", "NoExecute"),
  toleration("disk-pressure", "NoSchedule"),
  toleration("memory-pressure", "NoSchedule"),
  toleration("pid-pressure", "NoSchedule"),
  toleration("unschedulable", "NoSchedule"),
];

const ofHostNetwork = toleration("network-unavailable", "NoSchedule");

/** What the template asked of nodes has been asked already, so the node takes the place of it. */
function onlyOn(node: string, affinity: Affinity | undefined): Affinity {
  const required: NodeSelector = {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }],
  };
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
  };
}

/** The node that a Pod is on or is meant for; undefined if it is meant for none in particular. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== "") return pod.spec.nodeName;
  const [name, ...others] = requiredNodeNames(pod) ?? [];
  return others.length === 0 ? name : undefined;
}

/** Made from the present template, as its hash or, for Pods of old, its number says. */
export function isUpdated({ metadata }: Pod, { metadata: owner }: DaemonSet, hash: string): boolean {
  const { labels = {} } = metadata;
  const generation = owner.annotations?.[templateGenerationAnnotation];
  const isOfGeneration = generation !== undefined && labels[templateGenerationLabel] === generation;
  return isOfGeneration || (hash !== "" && labels[revisionLabel] === hash);
}
