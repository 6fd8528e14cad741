// Annotations that mean something to the API server (pod-lifecycle 15.1, 15.5).

import type { Pod } from "../../generated/core-v1.ts";
import { type FieldError, forbidden, invalid, key } from "../../meta/field-errors.ts";

/** Marks a Pod that shows what a kubelet runs by itself. */
export const mirrorPodAnnotation = "kubernetes.io/config.mirror";
/** How dear a Pod is to whoever scales its ReplicaSet down: a 32-bit integer, 0 unless said. */
export const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
const path = "metadata.annotations";

/** @param at where the annotations are: a template has them elsewhere */
export function validatePodAnnotations(
  pod: { readonly metadata?: Pick<Pod["metadata"], "annotations">; readonly spec: Pod["spec"] },
  at = path,
): FieldError[] {
  const annotations = pod.metadata?.annotations ?? {};
  const errors: FieldError[] = [];
  const mirror = annotations[mirrorPodAnnotation];
  if (mirror !== undefined && (pod.spec.nodeName ?? "") === "") {
    const text = "must set spec.nodeName if mirror pod annotation is set";
    errors.push(invalid(key(at, mirrorPodAnnotation), mirror, text));
  }
  const cost = annotations[deletionCostAnnotation];
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(invalid(key(at, deletionCostAnnotation), cost, "must be a 32bit integer"));
  }
  return errors;
}

/** What an update may not do to them. */
export function validatePodAnnotationsUpdate(next: Pod, old: Pod): FieldError[] {
  const before = old.metadata.annotations ?? {};
  const after = next.metadata.annotations ?? {};
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(before)) {
    if (after[name] === value) continue;
    if (name.startsWith(appArmorPrefix)) {
      errors.push(forbidden(key(path, name), "may not remove or update AppArmor annotations"));
    }
    if (name === mirrorPodAnnotation) {
      errors.push(forbidden(key(path, name), "may not remove or update mirror pod annotation"));
    }
  }
  for (const name of Object.keys(after)) {
    if (Object.hasOwn(before, name)) continue;
    if (name.startsWith(appArmorPrefix)) errors.push(forbidden(key(path, name), "may not add AppArmor annotations"));
    if (name === mirrorPodAnnotation) errors.push(forbidden(key(path, name), "may not add mirror pod annotation"));
  }
  return [...errors, ...validatePodAnnotations(next)];
}

/** Without a plus sign or leading zeros, as upstream insists. */
function isInt32(text: string): boolean {
  if (!/^(?:0|-?[1-9]\d{0,9})$/.test(text)) return false;
  const value = Number(text);
  return value >= -(2 ** 31) && value < 2 ** 31;
}
