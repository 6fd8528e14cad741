// Templates of Pods: what is wrong with one wherever it stands (pod-lifecycle 13.1, 15.2).

import type { PodTemplateSpec } from "../../generated/core-v1.ts";
import { child, type FieldError, forbidden, invalid, notSupported } from "../../meta/field-errors.ts";
import { type LabelRequirement, matchesRequirements, validateLabels } from "../../meta/label-selector.ts";
import { validateAnnotations } from "../../meta/object-meta.ts";
import { refusedTemplateFields } from "./pod-support.ts";
import { validatePodAnnotations } from "./validate-pod-annotations.ts";
import { validatePodSpec } from "./validate-pod.ts";

/** Whose Pods a template makes, and how they are found again. */
export interface TemplateOwner {
  /** As messages name it: `ReplicaSet`. */
  readonly kind: string;
  /** `undefined` selects nothing. */
  readonly requirements: readonly LabelRequirement[] | undefined;
}

/** The template of an owner that keeps a number of Pods running for ever. */
export function validateReplicaTemplate(
  template: PodTemplateSpec,
  { kind, requirements }: TemplateOwner,
  path: string,
): FieldError[] {
  const { metadata, spec } = template;
  const errors: FieldError[] = [];
  const isSelected = requirements !== undefined && matchesRequirements(requirements, metadata?.labels);
  if (!isSelected) {
    const at = child(path, "metadata", "labels");
    errors.push(invalid(at, metadata?.labels ?? null, "`selector` does not match template `labels`"));
  }
  errors.push(...validatePodTemplate(template, path));
  if (spec.restartPolicy !== "Always") {
    errors.push(notSupported(child(path, "spec", "restartPolicy"), spec.restartPolicy, ["Always"]));
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    const at = child(path, "spec", "activeDeadlineSeconds");
    errors.push(forbidden(at, `activeDeadlineSeconds in ${kind} is not Supported`));
  }
  return errors;
}

/** A template whoever makes Pods of it, also as far as lifepod could not make them. */
export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const { metadata = {}, spec } = template;
  const errors = [
    ...validateLabels(metadata.labels, child(path, "labels")),
    ...validateAnnotations(metadata.annotations ?? {}, child(path, "annotations")),
    ...validatePodAnnotations(template, child(path, "annotations")),
    ...validatePodSpec(spec, child(path, "spec"), { isPod: false }),
  ];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const at = child(path, "spec", "ephemeralContainers");
    errors.push(forbidden(at, "ephemeral containers not allowed in pod template"));
  }
  return [...errors, ...refusedTemplateFields(template, path)];
}
