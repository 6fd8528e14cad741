// The tables of what makes Pods: apps, batch, and the replication controller of core.

import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from "../../api/generated/apps-v1.ts";
import type {
  HorizontalPodAutoscaler as HorizontalPodAutoscalerV1,
  Scale,
} from "../../api/generated/autoscaling-v1.ts";
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from "../../api/generated/autoscaling-v2.ts";
import type { CronJob, Job } from "../../api/generated/batch-v1.ts";
import type { PodTemplate, ReplicationController } from "../../api/generated/core-v1.ts";
import { durationText } from "../../base/duration-text.ts";
import type { Instant } from "../../base/time.ts";
import { millis, parseTime } from "../../base/time.ts";
import { labelsText, selectorColumn, templateColumns } from "./selector-text.ts";
import type { Column, Printed } from "./table-printer.ts";
import { ageColumn, atMost, nameColumn, orElse, printerOf, timeSince } from "./table-printer.ts";

export const deploymentPrinter = printerOf<Deployment>([
  nameColumn,
  {
    name: "Ready",
    description: "Pods that are ready, of how many are wanted",
    cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
  },
  {
    name: "Up-to-date",
    description: "Pods that are made from the present template",
    cell: ({ status }) => status?.updatedReplicas ?? 0,
  },
  {
    name: "Available",
    description: "Pods that have been ready for long enough",
    cell: ({ status }) => status?.availableReplicas ?? 0,
  },
  ageColumn,
  ...templateColumns<Printed<Deployment>>(({ spec }) => spec?.template),
  selectorColumn<Printed<Deployment>>(({ spec }) => spec?.selector),
]);

/** Desired, Current and Ready, which ReplicaSets and ReplicationControllers share. */
const replicaColumns: readonly Column<Printed<ReplicaSet> | Printed<ReplicationController>>[] = [
  nameColumn,
  { name: "Desired", type: "integer", description: "Pods that are wanted", cell: ({ spec }) => spec?.replicas ?? 0 },
  { name: "Current", type: "integer", description: "Pods that exist", cell: ({ status }) => status?.replicas ?? 0 },
  {
    name: "Ready",
    type: "integer",
    description: "Pods that are ready",
    cell: ({ status }) => status?.readyReplicas ?? 0,
  },
  ageColumn,
];

export const replicaSetPrinter = printerOf<ReplicaSet>([
  ...replicaColumns,
  ...templateColumns<Printed<ReplicaSet>>(({ spec }) => spec?.template),
  selectorColumn<Printed<ReplicaSet>>(({ spec }) => spec?.selector),
]);

export const replicationControllerPrinter = printerOf<ReplicationController>([
  ...replicaColumns,
  ...templateColumns<Printed<ReplicationController>>(({ spec }) => spec?.template),
  {
    name: "Selector",
    wide: true,
    description: "Which Pods are its own",
    cell: ({ spec }) => labelsText(spec?.selector),
  },
]);

export const statefulSetPrinter = printerOf<StatefulSet>([
  nameColumn,
  {
    name: "Ready",
    description: "Pods that are ready, of how many are wanted",
    cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
  },
  ageColumn,
  ...templateColumns<Printed<StatefulSet>>(({ spec }) => spec?.template),
]);

export const daemonSetPrinter = printerOf<DaemonSet>([
  nameColumn,
  {
    name: "Desired",
    type: "integer",
    description: "Nodes that should run the Pod",
    cell: ({ status }) => status?.desiredNumberScheduled ?? 0,
  },
  {
    name: "Current",
    type: "integer",
    description: "Nodes that run the Pod and should",
    cell: ({ status }) => status?.currentNumberScheduled ?? 0,
  },
  {
    name: "Ready",
    type: "integer",
    description: "Nodes whose Pod is ready",
    cell: ({ status }) => status?.numberReady ?? 0,
  },
  {
    name: "Up-to-date",
    type: "integer",
    description: "Nodes whose Pod is made from the present template",
    cell: ({ status }) => status?.updatedNumberScheduled ?? 0,
  },
  {
    name: "Available",
    type: "integer",
    description: "Nodes whose Pod has been ready for long enough",
    cell: ({ status }) => status?.numberAvailable ?? 0,
  },
  {
    name: "Node Selector",
    description: "Labels of the nodes that should run the Pod",
    cell: ({ spec }) => labelsText(spec?.template?.spec?.nodeSelector),
  },
  ageColumn,
  ...templateColumns<Printed<DaemonSet>>(({ spec }) => spec?.template),
  selectorColumn<Printed<DaemonSet>>(({ spec }) => spec?.selector),
]);

export const jobPrinter = printerOf<Job>([
  nameColumn,
  { name: "Status", description: "How far the Job is", cell: jobStatusText },
  { name: "Completions", description: "Pods that succeeded, of how many must", cell: completionsText },
  { name: "Duration", description: "Time from the start to the end, or until now", cell: jobDurationText },
  ageColumn,
  ...templateColumns<Printed<Job>>(({ spec }) => spec?.template),
  selectorColumn<Printed<Job>>(({ spec }) => spec?.selector),
]);

function jobStatusText({ metadata, status }: Printed<Job>): string {
  const holds = (type: string): boolean =>
    (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
  if (holds("Complete")) return "Complete";
  if (holds("Failed")) return "Failed";
  if (metadata?.deletionTimestamp !== undefined) return "Terminating";
  if (holds("Suspended")) return "Suspended";
  return holds("FailureTarget") ? "FailureTarget" : "Running";
}

function completionsText({ spec, status }: Printed<Job>): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDurationText({ status }: Printed<Job>, now: Instant): string {
  const from = status?.startTime === undefined ? undefined : parseTime(status.startTime);
  if (from === undefined) return "";
  const to = status?.completionTime === undefined ? undefined : parseTime(status.completionTime);
  return durationText(millis((to ?? now) - from));
}

export const cronJobPrinter = printerOf<CronJob>([
  nameColumn,
  { name: "Schedule", description: "When Jobs are made, in cron's form", cell: ({ spec }) => spec?.schedule ?? "" },
  {
    name: "Timezone",
    description: "Time zone of the schedule",
    cell: ({ spec }) => orElse(spec?.timeZone, "<none>"),
  },
  {
    name: "Suspend",
    type: "boolean",
    description: "Whether no new Jobs are made",
    cell: ({ spec }) => (spec?.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False"),
  },
  {
    name: "Active",
    type: "integer",
    description: "Jobs that are running",
    cell: ({ status }) => status?.active?.length ?? 0,
  },
  {
    name: "Last Schedule",
    description: "Time since the last Job was made",
    cell: ({ status }, now) =>
      status?.lastScheduleTime === undefined ? "<none>" : timeSince(status.lastScheduleTime, now),
  },
  ageColumn,
  ...templateColumns<Printed<CronJob>>(({ spec }) => spec?.jobTemplate?.spec?.template),
  selectorColumn<Printed<CronJob>>(({ spec }) => spec?.jobTemplate?.spec?.selector),
]);

export const podTemplatePrinter = printerOf<PodTemplate>([
  nameColumn,
  ...templateColumns<Printed<PodTemplate>>(({ template }) => template).map((column) => ({ ...column, wide: false })),
  {
    name: "Pod Labels",
    description: "Labels that Pods made from the template carry",
    cell: ({ template }) => labelsText(template?.metadata?.labels),
  },
]);

export const controllerRevisionPrinter = printerOf<ControllerRevision>([
  nameColumn,
  {
    name: "Controller",
    description: "What the revision belongs to",
    cell: ({ metadata }) => {
      const owner = (metadata?.ownerReferences ?? []).find(({ controller }) => controller === true);
      if (owner === undefined) return "<none>";
      const [version = "", group] = (owner.apiVersion ?? "").split("/").toReversed();
      const kind = (owner.kind ?? "").toLowerCase();
      return `${group === undefined || version === "" ? kind : `${kind}.${group}`}/${owner.name ?? ""}`;
    },
  },
  { name: "Revision", description: "Number of the revision", cell: ({ revision }) => revision ?? 0 },
  ageColumn,
]);

export const scalePrinter = printerOf<Scale>([
  nameColumn,
  { name: "Desired", type: "integer", description: "Pods that are wanted", cell: ({ spec }) => spec?.replicas ?? 0 },
  { name: "Available", type: "integer", description: "Pods that exist", cell: ({ status }) => status?.replicas ?? 0 },
  ageColumn,
]);

/** What both versions of the autoscaler print alike. */
function autoscalerColumns<T extends Printed<HorizontalPodAutoscaler> | Printed<HorizontalPodAutoscalerV1>>(
  targets: (object: T) => string,
): readonly Column<T>[] {
  return [
    nameColumn,
    {
      name: "Reference",
      description: "What is scaled",
      cell: ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ""}/${spec?.scaleTargetRef?.name ?? ""}`,
    },
    { name: "Targets", description: "Measured values beside the wanted ones", cell: targets },
    {
      name: "MinPods",
      description: "Fewest Pods that may be wanted",
      cell: ({ spec }) => (spec?.minReplicas === undefined ? "<unset>" : String(spec.minReplicas)),
    },
    { name: "MaxPods", description: "Most Pods that may be wanted", cell: ({ spec }) => spec?.maxReplicas ?? 0 },
    { name: "Replicas", description: "Pods that exist", cell: ({ status }) => status?.currentReplicas ?? 0 },
    ageColumn,
  ];
}

export const autoscalerPrinter = printerOf<HorizontalPodAutoscaler>(
  autoscalerColumns<Printed<HorizontalPodAutoscaler>>(({ spec, status }) => {
    const texts = (spec?.metrics ?? []).map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
    return orElse(atMost(2, texts, ", "), "<none>");
  }),
);

export const autoscalerV1Printer = printerOf<HorizontalPodAutoscalerV1>(
  autoscalerColumns<Printed<HorizontalPodAutoscalerV1>>(({ spec, status }) => {
    if (spec?.targetCPUUtilizationPercentage === undefined) return "<none>";
    const current = percent(status?.currentCPUUtilizationPercentage, "<unknown>");
    return `cpu: ${current}/${percent(spec.targetCPUUtilizationPercentage, "<auto>")}`;
  }),
);

function metricText(metric: Printed<MetricSpec>, status: Printed<MetricStatus> | undefined): string {
  switch (metric.type) {
    case "External":
      return valueText(metric.external?.target, status?.external?.current);
    case "Object":
      return valueText(metric.object?.target, status?.object?.current);
    case "Pods":
      return `${status?.pods?.current?.averageValue ?? "<unknown>"}/${metric.pods?.target?.averageValue ?? ""}`;
    case "Resource":
      return resourceText(metric.resource, status?.resource?.current);
    case "ContainerResource":
      return resourceText(metric.containerResource, status?.containerResource?.current);
    case undefined:
    default: // the API's type is open: a version to come may know more
      return "<unknown type>";
  }
}

interface MetricValues {
  readonly averageUtilization?: number | undefined;
  readonly averageValue?: string | undefined;
  readonly value?: string | undefined;
}

function valueText(target: MetricValues | undefined, current: MetricValues | undefined): string {
  return target?.averageValue === undefined
    ? `${current?.value ?? "<unknown>"}/${target?.value ?? ""}`
    : `${current?.averageValue ?? "<unknown>"}/${target.averageValue} (avg)`;
}

function resourceText(
  resource: { readonly name?: string | undefined; readonly target?: MetricValues | undefined } | undefined,
  current: MetricValues | undefined,
): string {
  const { name = "", target } = resource ?? {};
  if (target?.averageValue !== undefined)
    return `${name}: ${current?.averageValue ?? "<unknown>"}/${target.averageValue}`;
  return `${name}: ${percent(current?.averageUtilization, "<unknown>")}/${percent(target?.averageUtilization, "<auto>")}`;
}

const percent = (value: number | undefined, otherwise: string): string =>
  value === undefined ? otherwise : `${value}%`;
