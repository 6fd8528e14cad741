// Pod fields that are acted on, held against the rules.

import { podSupport, type SupportRule } from "../../src/api/core/v1/pod-support-table.ts";

/** The fields of a message (`core/v1 Probe`) that lifepod acts on, as rules name them: `Probe.periodSeconds`. */
export function fieldsOf(message: string): readonly string[] {
  return Object.entries(podSupport[message] ?? {})
    .filter(([, rules]) => rules.some(isActedOn))
    .map(([field]) => `${message.replace(/^.* /, "")}.${field}`);
}

/** What is refused or warned of only under a condition is acted on otherwise. */
const isActedOn = ({ kind, values, keys, when }: SupportRule): boolean =>
  kind === "actedOn" || values !== undefined || keys !== undefined || when !== undefined;

/** Fields that need no rule, with what they are: by field, or by message for all its fields. */
export const plainFields: Readonly<Record<string, string>> = {
  "Container.stdin": "whether `kubectl attach` and `kubectl run -i` find an input to write to",
  "Container.stdinOnce": "whether that input ends with its first client",
  "Container.tty": "whether the container has a terminal; processes have none and refuse it by name",
  "PodSpec.automountServiceAccountToken":
    "no tokens are issued; `true` is answered with a warning, `false` says what is the case anyway",
  "PodSpec.hostUsers": "containers use the users of their node; `false` is answered with a warning",
  "PodOS.name": "there are Linux nodes only; `windows` is refused",
  "PodSecurityContext.fsGroupChangePolicy": "the group is set every time; `OnRootMismatch` is answered with a warning",
  "PodSecurityContext.supplementalGroupsPolicy": "the groups that an image names are merged in; `Strict` is refused",
  "VolumeMount.recursiveReadOnly": "mounts below a read-only mount stay as they are; `Enabled` is refused",
  "PodSpec.preemptionPolicy": "set from the priority class",
};
