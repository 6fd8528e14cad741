// The tables of what restrains: disruption budgets, roles' bindings, certificates, admission, flow control; and of a Status.

import type {
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from "../../api/generated/admissionregistration-v1.ts";
import type { CertificateSigningRequest } from "../../api/generated/certificates-v1.ts";
import type { ObjectMeta } from "../../api/generated/meta-v1.ts";
import type { PodDisruptionBudget } from "../../api/generated/policy-v1.ts";
import type { ClusterRoleBinding, RoleBinding } from "../../api/generated/rbac-v1.ts";
import { durationText } from "../../base/duration-text.ts";
import { seconds } from "../../base/time.ts";
import { selectorText } from "./selector-text.ts";
import type { Printed } from "./table-printer.ts";
import { ageColumn, nameColumn, orElse, printerOf } from "./table-printer.ts";

export const podDisruptionBudgetPrinter = printerOf<PodDisruptionBudget>([
  nameColumn,
  {
    name: "Min Available",
    description: "Pods that must stay available",
    cell: ({ spec }) => String(spec?.minAvailable ?? "N/A"),
  },
  {
    name: "Max Unavailable",
    description: "Pods that may be unavailable",
    cell: ({ spec }) => String(spec?.maxUnavailable ?? "N/A"),
  },
  {
    name: "Allowed Disruptions",
    type: "integer",
    description: "Pods that may be evicted now",
    cell: ({ status }) => status?.disruptionsAllowed ?? 0,
  },
  ageColumn,
]);

/** Of RoleBindings and ClusterRoleBindings. */
export const roleBindingPrinter = printerOf<RoleBinding | ClusterRoleBinding>([
  nameColumn,
  {
    name: "Role",
    description: "Kind and name of the role that is given",
    cell: ({ roleRef }) => `${roleRef?.kind ?? ""}/${roleRef?.name ?? ""}`,
  },
  ageColumn,
  { name: "Users", wide: true, description: "Users who get it", cell: (binding) => subjectsText(binding, "User") },
  { name: "Groups", wide: true, description: "Groups that get it", cell: (binding) => subjectsText(binding, "Group") },
  {
    name: "ServiceAccounts",
    wide: true,
    description: "Service accounts that get it",
    cell: (binding) => subjectsText(binding, "ServiceAccount"),
  },
]);

function subjectsText({ subjects }: Printed<RoleBinding> | Printed<ClusterRoleBinding>, kind: string): string {
  return (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name = "", namespace = "" }) => (kind === "ServiceAccount" ? `${namespace}/${name}` : name))
    .join(", ");
}

export const certificateSigningRequestPrinter = printerOf<CertificateSigningRequest>([
  nameColumn,
  ageColumn,
  { name: "SignerName", description: "Who is asked to sign", cell: ({ spec }) => orElse(spec?.signerName, "<none>") },
  { name: "Requestor", description: "Who asked", cell: ({ spec }) => spec?.username ?? "" },
  {
    name: "RequestedDuration",
    description: "How long the certificate should be good for",
    cell: ({ spec }) =>
      spec?.expirationSeconds === undefined ? "<none>" : durationText(seconds(spec.expirationSeconds)),
  },
  { name: "Condition", description: "What became of the request", cell: requestConditionText },
]);

function requestConditionText({ status }: Printed<CertificateSigningRequest>): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((condition) => condition.type === type);
  const decision = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  const issued = orElse(status?.certificate, "") !== "";
  return `${decision}${has("Failed") ? ",Failed" : ""}${issued ? ",Issued" : ""}`;
}

/** Of both kinds of webhook configurations. */
export const webhookConfigurationPrinter = printerOf<MutatingWebhookConfiguration | ValidatingWebhookConfiguration>([
  nameColumn,
  {
    name: "Webhooks",
    type: "integer",
    description: "Number of webhooks",
    cell: ({ webhooks }) => (webhooks ?? []).length,
  },
  ageColumn,
]);

export const validatingAdmissionPolicyPrinter = printerOf<ValidatingAdmissionPolicy>([
  nameColumn,
  {
    name: "Validations",
    type: "integer",
    description: "Number of rules",
    cell: ({ spec }) => (spec?.validations ?? []).length,
  },
  {
    name: "ParamKind",
    description: "Kind of the objects that hold the parameters",
    cell: ({ spec }) =>
      spec?.paramKind === undefined ? "<unset>" : `${spec.paramKind.apiVersion ?? ""}/${spec.paramKind.kind ?? ""}`,
  },
  ageColumn,
]);

export const validatingAdmissionPolicyBindingPrinter = printerOf<ValidatingAdmissionPolicyBinding>([
  nameColumn,
  { name: "PolicyName", description: "The policy", cell: ({ spec }) => spec?.policyName ?? "" },
  {
    name: "ParamRef",
    description: "The objects that hold the parameters",
    cell: ({ spec }) => {
      const { paramRef } = spec ?? {};
      if (paramRef === undefined) return "<unset>";
      const { name = "", namespace = "" } = paramRef;
      if (name === "") return selectorText(paramRef.selector);
      return namespace === "" ? name : `${namespace}/${name}`;
    },
  },
  ageColumn,
]);

/** What the table needs of a FlowSchema of flowcontrol.apiserver.k8s.io. */
interface FlowSchema {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly priorityLevelConfiguration: { readonly name: string };
    readonly matchingPrecedence: number;
    readonly distinguisherMethod?: { readonly type: string };
  };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export const flowSchemaPrinter = printerOf<FlowSchema>([
  nameColumn,
  {
    name: "PriorityLevel",
    description: "Level that its requests are served at",
    cell: ({ spec }) => spec?.priorityLevelConfiguration?.name ?? "",
  },
  {
    name: "MatchingPrecedence",
    type: "integer",
    description: "Lower ones are asked first",
    cell: ({ spec }) => spec?.matchingPrecedence ?? 0,
  },
  {
    name: "DistinguisherMethod",
    description: "What tells one flow from another",
    cell: ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>",
  },
  ageColumn,
  {
    name: "MissingPL",
    description: "Whether its level does not exist",
    cell: ({ status }) => (status?.conditions ?? []).find(({ type }) => type === "Dangling")?.status ?? "?",
  },
]);

/** What the table needs of a PriorityLevelConfiguration of flowcontrol.apiserver.k8s.io. */
interface PriorityLevelConfiguration {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly type: string;
    readonly limited?: {
      readonly nominalConcurrencyShares?: number;
      readonly limitResponse?: {
        readonly queuing?: { readonly queues?: number; readonly handSize?: number; readonly queueLengthLimit?: number };
      };
    };
  };
}

export const priorityLevelConfigurationPrinter = printerOf<PriorityLevelConfiguration>([
  nameColumn,
  { name: "Type", description: "Whether the level is limited", cell: ({ spec }) => spec?.type ?? "" },
  {
    name: "NominalConcurrencyShares",
    description: "Its share of the server",
    cell: ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? "<none>",
  },
  {
    name: "Queues",
    description: "Number of queues",
    cell: ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? "<none>",
  },
  {
    name: "HandSize",
    description: "Queues that one flow may use",
    cell: ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? "<none>",
  },
  {
    name: "QueueLengthLimit",
    description: "Requests that may wait in one queue",
    cell: ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? "<none>",
  },
  ageColumn,
]);

/** What the table needs of a Status. */
interface Status {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

export const statusPrinter = printerOf<Status>([
  { name: "Status", description: "Success or Failure", cell: ({ status }) => status ?? "" },
  { name: "Reason", description: "Why, in one word", cell: ({ reason }) => reason ?? "" },
  { name: "Message", description: "What happened", cell: ({ message }) => message ?? "" },
]);
