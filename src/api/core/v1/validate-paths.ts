// Paths inside volumes: relative, and never climbing out (pod-lifecycle 15.2).

import { type FieldError, invalid } from "../../meta/field-errors.ts";

/** Relative and without `..`. */
export function validateDescendingPath(path: string, field: string): FieldError[] {
  return [
    ...(path.startsWith("/") ? [invalid(field, path, "must be a relative path")] : []),
    ...validateNoBacksteps(path, field),
  ];
}

/** Without `..` as one of its parts. */
export function validateNoBacksteps(path: string, field: string): FieldError[] {
  return path.split("/").includes("..") ? [invalid(field, path, "must not contain '..'")] : [];
}

/** Relative, without `..`, and not beginning with two dots, which are the volume's own. */
export function validateNonReservedPath(path: string, field: string): FieldError[] {
  const reserved = path.startsWith("..") && path !== ".." && !path.startsWith("../");
  return [
    ...validateDescendingPath(path, field),
    ...(path === ".." || reserved ? [invalid(field, path, "must not start with '..'")] : []),
  ];
}
