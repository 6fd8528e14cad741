// Whether an image is pulled, and by which name (pod-lifecycle 4.5).

import type { PullPolicy } from "../api/generated/core-v1.ts";

export type ImageDecision =
  | { readonly kind: "usePresent" }
  | { readonly kind: "pull" }
  /** The policy forbids pulling, and the image is not there. */
  | { readonly kind: "neverPull" };

export function decideImage(policy: PullPolicy, present: boolean): ImageDecision {
  switch (policy) {
    case "Always":
      return { kind: "pull" };
    case "IfNotPresent":
      return present ? { kind: "usePresent" } : { kind: "pull" };
    case "Never":
      return present ? { kind: "usePresent" } : { kind: "neverPull" };
  }
}

export type ImageReference =
  | { readonly kind: "reference"; readonly name: string }
  /** `why` is the text after `Failed to apply default image tag "<image>": `. */
  | { readonly kind: "invalid"; readonly why: string };

/** The name to ask the runtime for: without tag and digest, `:latest` is meant. */
export function imageReference(image: string): ImageReference {
  const couldNotParse = (why: string): ImageReference => ({
    kind: "invalid",
    why: `couldn't parse image name "${image}": ${why}`,
  });
  const match = referencePattern.exec(image);
  if (match === null) {
    if (image === "") return couldNotParse("repository name must have at least one component");
    if (referencePattern.test(image.toLowerCase())) return couldNotParse("repository name must be lowercase");
    return couldNotParse("invalid reference format");
  }
  const [, name = "", tag, digest] = match;
  if (/^[0-9a-f]{64}$/.test(image)) {
    return couldNotParse(`invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`);
  }
  if (name.length > longestName)
    return couldNotParse(`repository name must not be more than ${longestName} characters`);
  return { kind: "reference", name: tag === undefined && digest === undefined ? `${image}:latest` : image };
}

const longestName = 255;
const domain =
  "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*";
const component = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const referencePattern = new RegExp(
  `^((?:(?:${domain}|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?/)?${component}(?:/${component})*)` +
    "(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$",
);
