// Labels, selectors and containers as one cell.

import type { LabelSelector } from "../../api/generated/meta-v1.ts";
import type { PodTemplateSpec } from "../../api/generated/core-v1.ts";
import { formatLabelSelector, requirementsOf } from "../../api/meta/label-selector.ts";
import { compareCodePoints } from "../../base/ordered-keys.ts";
import type { Column, Printed } from "./table-printer.ts";
import { orElse } from "./table-printer.ts";

/** `a=1,b=2`, sorted by key; `<none>` if empty. */
export function labelsText(labels: Readonly<Record<string, string | undefined>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).toSorted(([a], [b]) => compareCodePoints(a, b));
  return orElse(pairs.map(([key, value]) => `${key}=${value ?? ""}`).join(","), "<none>");
}

/** `a=1,b in (x,y)`; `<none>` if it selects nothing or everything. */
export function selectorText(selector: Printed<LabelSelector> | undefined): string {
  const requirements = requirementsOf(selector as LabelSelector | undefined) ?? [];
  return orElse(formatLabelSelector(requirements), "<none>");
}

/** The wide columns of everything that makes Pods: names and images of the template's containers. */
export function templateColumns<T>(templateOf: (object: T) => Printed<PodTemplateSpec> | undefined): Column<T>[] {
  return [
    {
      name: "Containers",
      wide: true,
      description: "Names of the containers in the template",
      cell: (object) => (templateOf(object)?.spec?.containers ?? []).map(({ name }) => name ?? "").join(","),
    },
    {
      name: "Images",
      wide: true,
      description: "Images of the containers in the template",
      cell: (object) => (templateOf(object)?.spec?.containers ?? []).map(({ image }) => image ?? "").join(","),
    },
  ];
}

/** The wide column of a label selector. */
export function selectorColumn<T>(selectorOf: (object: T) => Printed<LabelSelector> | undefined): Column<T> {
  return {
    name: "Selector",
    wide: true,
    description: "Which Pods are its own",
    cell: (object) => selectorText(selectorOf(object)),
  };
}
