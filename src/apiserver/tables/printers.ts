// Which kind is printed how.

import {
  configMapPrinter,
  leasePrinter,
  namespacePrinter,
  nodePrinter,
  priorityClassPrinter,
  resourceQuotaPrinter,
  runtimeClassPrinter,
  secretPrinter,
  serviceAccountPrinter,
} from "./core-tables.ts";
import { coreEventPrinter, eventsPrinter } from "./event-table.ts";
import { nodeMetricsPrinter, podMetricsPrinter } from "./metrics-tables.ts";
import {
  endpointSlicePrinter,
  endpointsPrinter,
  ingressClassPrinter,
  ingressPrinter,
  networkPolicyPrinter,
  servicePrinter,
} from "./network-tables.ts";
import { podPrinter } from "./pod-table.ts";
import {
  certificateSigningRequestPrinter,
  flowSchemaPrinter,
  podDisruptionBudgetPrinter,
  priorityLevelConfigurationPrinter,
  roleBindingPrinter,
  statusPrinter,
  validatingAdmissionPolicyBindingPrinter,
  validatingAdmissionPolicyPrinter,
  webhookConfigurationPrinter,
} from "./policy-tables.ts";
import {
  csiDriverPrinter,
  csiNodePrinter,
  persistentVolumeClaimPrinter,
  persistentVolumePrinter,
  storageClassPrinter,
  volumeAttachmentPrinter,
} from "./storage-tables.ts";
import type { Named, TablePrinter } from "./table-printer.ts";
import { nameColumn, printerOf } from "./table-printer.ts";
import {
  autoscalerPrinter,
  autoscalerV1Printer,
  controllerRevisionPrinter,
  cronJobPrinter,
  daemonSetPrinter,
  deploymentPrinter,
  jobPrinter,
  podTemplatePrinter,
  replicaSetPrinter,
  replicationControllerPrinter,
  scalePrinter,
  statefulSetPrinter,
} from "./workload-tables.ts";

/**
 * The printer of a kind; name and time of creation for kinds without one of their own.
 * @param group empty for core.
 */
export function printerFor(group: string, kind: string, version = ""): TablePrinter {
  return printers[`${group}/${version}/${kind}`] ?? printers[`${group}/${kind}`] ?? defaultPrinter;
}

const defaultPrinter = printerOf<Named>([
  nameColumn,
  {
    name: "Created At",
    type: "date",
    description: "When the object was created",
    cell: ({ metadata }) => metadata?.creationTimestamp ?? null,
  },
]);

const printers: Readonly<Record<string, TablePrinter>> = {
  "/ConfigMap": configMapPrinter,
  "/Endpoints": endpointsPrinter,
  "/Event": coreEventPrinter,
  "/Namespace": namespacePrinter,
  "/Node": nodePrinter,
  "/PersistentVolume": persistentVolumePrinter,
  "/PersistentVolumeClaim": persistentVolumeClaimPrinter,
  "/Pod": podPrinter,
  "/PodTemplate": podTemplatePrinter,
  "/ReplicationController": replicationControllerPrinter,
  "/ResourceQuota": resourceQuotaPrinter,
  "/Secret": secretPrinter,
  "/Service": servicePrinter,
  "/ServiceAccount": serviceAccountPrinter,
  "/Status": statusPrinter,
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": webhookConfigurationPrinter,
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy": validatingAdmissionPolicyPrinter,
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": validatingAdmissionPolicyBindingPrinter,
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": webhookConfigurationPrinter,
  "apps/ControllerRevision": controllerRevisionPrinter,
  "apps/DaemonSet": daemonSetPrinter,
  "apps/Deployment": deploymentPrinter,
  "apps/ReplicaSet": replicaSetPrinter,
  "apps/StatefulSet": statefulSetPrinter,
  "autoscaling/HorizontalPodAutoscaler": autoscalerPrinter,
  "autoscaling/v1/HorizontalPodAutoscaler": autoscalerV1Printer,
  "autoscaling/Scale": scalePrinter,
  "batch/CronJob": cronJobPrinter,
  "batch/Job": jobPrinter,
  "certificates.k8s.io/CertificateSigningRequest": certificateSigningRequestPrinter,
  "coordination.k8s.io/Lease": leasePrinter,
  "discovery.k8s.io/EndpointSlice": endpointSlicePrinter,
  "events.k8s.io/Event": eventsPrinter,
  "flowcontrol.apiserver.k8s.io/FlowSchema": flowSchemaPrinter,
  "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": priorityLevelConfigurationPrinter,
  "metrics.k8s.io/NodeMetrics": nodeMetricsPrinter,
  "metrics.k8s.io/PodMetrics": podMetricsPrinter,
  "networking.k8s.io/Ingress": ingressPrinter,
  "networking.k8s.io/IngressClass": ingressClassPrinter,
  "networking.k8s.io/NetworkPolicy": networkPolicyPrinter,
  "node.k8s.io/RuntimeClass": runtimeClassPrinter,
  "policy/PodDisruptionBudget": podDisruptionBudgetPrinter,
  "rbac.authorization.k8s.io/ClusterRoleBinding": roleBindingPrinter,
  "rbac.authorization.k8s.io/RoleBinding": roleBindingPrinter,
  "scheduling.k8s.io/PriorityClass": priorityClassPrinter,
  "storage.k8s.io/CSIDriver": csiDriverPrinter,
  "storage.k8s.io/CSINode": csiNodePrinter,
  "storage.k8s.io/StorageClass": storageClassPrinter,
  "storage.k8s.io/VolumeAttachment": volumeAttachmentPrinter,
};
