// The tables of what is measured: metrics.k8s.io.

import type { NodeMetrics, PodMetrics } from "../../api/generated/metrics-v1beta1.ts";
import { addQuantities, formatQuantity, parseQuantity, zeroQuantity } from "../../api/meta/quantity.ts";
import type { Column, Printed } from "./table-printer.ts";
import { nameColumn, printerOf } from "./table-printer.ts";

type Amounts = Readonly<Record<string, string | undefined>>;

function usageColumns<T extends { readonly window?: string | undefined }>(
  usagesOf: (object: T) => readonly (Amounts | undefined)[],
): readonly Column<T>[] {
  const total = (object: T, resource: string): string =>
    formatQuantity(
      usagesOf(object)
        .map((usage) => parseQuantity(usage?.[resource] ?? "0"))
        .reduce(addQuantities, zeroQuantity),
    );
  return [
    { name: "Cpu", description: "Cores in use, on average over the window", cell: (object) => total(object, "cpu") },
    { name: "Memory", description: "Memory in use", cell: (object) => total(object, "memory") },
    { name: "Window", description: "How long was measured", cell: ({ window }) => window ?? "" },
  ];
}

export const nodeMetricsPrinter = printerOf<NodeMetrics>([
  nameColumn,
  ...usageColumns<Printed<NodeMetrics>>(({ usage }) => [usage as Amounts | undefined]),
]);

export const podMetricsPrinter = printerOf<PodMetrics>([
  nameColumn,
  ...usageColumns<Printed<PodMetrics>>(({ containers }) =>
    (containers ?? []).map((container) => container?.usage as Amounts | undefined),
  ),
]);
