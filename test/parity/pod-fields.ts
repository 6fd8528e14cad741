// The table of supported fields, told by what the fields are for.

import { podSupport, type SupportRule } from "../../src/api/core/v1/pod-support-table.ts";
import { type Row, table } from "./markdown.ts";

/** Which messages a heading tells about; in each the fields are named as its author writes them. */
const sections: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "The Pod itself": {
    "core/v1 PodSpec": "spec",
    "core/v1 PodOS": "spec.os",
    "core/v1 PodDNSConfig": "spec.dnsConfig",
    "core/v1 PodDNSConfigOption": "spec.dnsConfig.options[]",
    "core/v1 HostAlias": "spec.hostAliases[]",
    "core/v1 LocalObjectReference": "spec.imagePullSecrets[]",
    "core/v1 PodReadinessGate": "spec.readinessGates[]",
    "core/v1 PodSchedulingGate": "spec.schedulingGates[]",
  },
  "Where it runs": {
    "core/v1 Affinity": "spec.affinity",
    "core/v1 NodeAffinity": "spec.affinity.nodeAffinity",
    "core/v1 PreferredSchedulingTerm": "… preferredDuringSchedulingIgnoredDuringExecution[]",
    "core/v1 NodeSelector": "… requiredDuringSchedulingIgnoredDuringExecution",
    "core/v1 NodeSelectorTerm": "… nodeSelectorTerms[]",
    "core/v1 NodeSelectorRequirement": "… matchExpressions[]",
    "core/v1 PodAffinity": "spec.affinity.podAffinity",
    "core/v1 PodAntiAffinity": "spec.affinity.podAntiAffinity",
    "core/v1 WeightedPodAffinityTerm": "… preferredDuringSchedulingIgnoredDuringExecution[]",
    "core/v1 PodAffinityTerm": "… requiredDuringSchedulingIgnoredDuringExecution[]",
    "core/v1 TopologySpreadConstraint": "spec.topologySpreadConstraints[]",
    "meta/v1 LabelSelector": "… labelSelector",
    "meta/v1 LabelSelectorRequirement": "… matchExpressions[]",
    "core/v1 Toleration": "spec.tolerations[]",
  },
  Containers: {
    "core/v1 Container": "containers[], initContainers[]",
    "core/v1 ContainerPort": "ports[]",
    "core/v1 EnvVar": "env[]",
    "core/v1 EnvVarSource": "env[].valueFrom",
    "core/v1 EnvFromSource": "envFrom[]",
    "core/v1 ConfigMapEnvSource": "envFrom[].configMapRef",
    "core/v1 SecretEnvSource": "envFrom[].secretRef",
    "core/v1 ConfigMapKeySelector": "… configMapKeyRef",
    "core/v1 SecretKeySelector": "… secretKeyRef",
    "core/v1 ObjectFieldSelector": "… fieldRef",
    "core/v1 ResourceFieldSelector": "… resourceFieldRef",
    "core/v1 ResourceRequirements": "resources",
    "core/v1 EphemeralContainer": "ephemeralContainers[]",
  },
  "Probes and hooks": {
    "core/v1 Probe": "livenessProbe, readinessProbe, startupProbe",
    "core/v1 Lifecycle": "lifecycle",
    "core/v1 LifecycleHandler": "lifecycle.postStart, lifecycle.preStop",
    "core/v1 ExecAction": "… exec",
    "core/v1 GRPCAction": "… grpc",
    "core/v1 HTTPGetAction": "… httpGet",
    "core/v1 HTTPHeader": "… httpHeaders[]",
    "core/v1 SleepAction": "… sleep",
    "core/v1 TCPSocketAction": "… tcpSocket",
  },
  Rights: {
    "core/v1 PodSecurityContext": "spec.securityContext",
    "core/v1 SecurityContext": "containers[].securityContext",
    "core/v1 Capabilities": "… capabilities",
    "core/v1 SeccompProfile": "… seccompProfile",
    "core/v1 Sysctl": "… sysctls[]",
  },
  Volumes: {
    "core/v1 Volume": "spec.volumes[]",
    "core/v1 ConfigMapVolumeSource": "… configMap",
    "core/v1 SecretVolumeSource": "… secret",
    "core/v1 DownwardAPIVolumeSource": "… downwardAPI",
    "core/v1 DownwardAPIVolumeFile": "… downwardAPI.items[]",
    "core/v1 EmptyDirVolumeSource": "… emptyDir",
    "core/v1 HostPathVolumeSource": "… hostPath",
    "core/v1 PersistentVolumeClaimVolumeSource": "… persistentVolumeClaim",
    "core/v1 EphemeralVolumeSource": "… ephemeral",
    "core/v1 PersistentVolumeClaimTemplate": "… ephemeral.volumeClaimTemplate",
    "meta/v1 ObjectMeta": "… ephemeral.volumeClaimTemplate.metadata",
    "core/v1 PersistentVolumeClaimSpec": "… ephemeral.volumeClaimTemplate.spec",
    "core/v1 VolumeResourceRequirements": "… ephemeral.volumeClaimTemplate.spec.resources",
    "core/v1 KeyToPath": "… items[]",
    "core/v1 ProjectedVolumeSource": "… projected",
    "core/v1 VolumeProjection": "… projected.sources[]",
    "core/v1 ConfigMapProjection": "… sources[].configMap",
    "core/v1 DownwardAPIProjection": "… sources[].downwardAPI",
    "core/v1 SecretProjection": "… sources[].secret",
    "core/v1 VolumeMount": "volumeMounts[]",
  },
};

/** @throws Error if a message of the table is under no heading, or under one that does not exist any more */
export function podFields(): readonly string[] {
  const told = new Set(Object.values(sections).flatMap((messages) => Object.keys(messages)));
  const missing = Object.keys(podSupport).filter((name) => !told.has(name));
  const gone = [...told].filter((name) => podSupport[name] === undefined);
  if (missing.length + gone.length > 0)
    throw new Error(`no heading: ${missing.join()}; no such message: ${gone.join()}`);
  return Object.entries(sections).flatMap(([title, messages]) => [`### ${title}`, ...section(messages)]);
}

/** An ephemeral container has the fields of a container, and is refused as a whole: it is told by its row in `spec`. */
const toldElsewhere = "core/v1 EphemeralContainer";

function section(messages: Readonly<Record<string, string>>): readonly string[] {
  const told = Object.entries(messages).filter(([name]) => name !== toldElsewhere);
  const isWhole = (name: string): boolean => Object.values(podSupport[name] ?? {}).every(isPlain);
  // What lies below another message is told with it.
  const whole = told.filter(([name, path]) => isWhole(name) && !path.startsWith("…")).map(([, path]) => `\`${path}\``);
  const parts = told.flatMap(([name, path]) => {
    const fields = Object.entries(podSupport[name] ?? {}).filter(([, rules]) => isPlain(rules));
    if (isWhole(name) || fields.length === 0) return [];
    return [`- Of \`${path}\`: ${fields.map(([field]) => field).join(", ")}.`];
  });
  const rows = told.flatMap(([name, path]) => limits(name, path));
  return [
    [
      ...(whole.length === 0 ? [] : [`- All of ${whole.join(", ")}, with everything below that no table names.`]),
      ...parts,
    ].join("\n"),
    ...(rows.length === 0 ? [] : [table(["field", "what happens", "why"], rows)]),
  ];
}

/** Fields with the same fate share a row. */
function limits(name: string, path: string): readonly Row[] {
  const fates = new Map<string, { fate: string; why: string; fields: string[] }>();
  for (const [field, rules] of Object.entries(podSupport[name] ?? {})) {
    for (const rule of rules) {
      if (isPlain([rule])) continue;
      const [fate, why] = [fateOf(rule), reasonOf(rule)];
      const known = fates.get(`${fate} ${why}`);
      const text = `${field}${conditionOf(rule)}`;
      if (known === undefined) fates.set(`${fate} ${why}`, { fate, why, fields: [text] });
      else known.fields.push(text);
    }
  }
  return [...fates.values()].map(({ fate, why, fields }): Row => [`\`${path}\`: ${fields.join(", ")}`, fate, why]);
}

const isPlain = (rules: readonly SupportRule[]): boolean =>
  rules.every((rule) => rule.kind === "actedOn" && rule.note === undefined);

function fateOf({ kind }: SupportRule): string {
  switch (kind) {
    case "actedOn":
      return "acted on";
    case "warned":
      return "warned of";
    case "refused":
      return "**refused**";
  }
}

function reasonOf(rule: SupportRule): string {
  if (rule.kind === "actedOn") return rule.note ?? "";
  // The kinds of volumes are named by their fields.
  return rule.why.replace(/^.+? volumes (need|were|are not)/, "such volumes $1");
}

function conditionOf({ values, keys, when }: SupportRule): string {
  if (values !== undefined) return ` [${values.join(", ")}]`;
  if (keys !== undefined) return ` [${keys.join(", ")}]`;
  if (when === undefined) return "";
  const among = [...new Set(when.values.map((value) => (value === undefined || value === "" ? "not set" : value)))];
  return ` [${when.field} ${among.join(" or ")}]`;
}
