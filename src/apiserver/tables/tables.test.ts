import { describe, expect, it } from "vitest";
import { kinds } from "../../api/kinds.ts";
import type { Instant } from "../../base/time.ts";
import { printerFor } from "./printers.ts";
import { tableFor } from "./table-for.ts";
import type { Cell } from "./table-printer.ts";

const now = Date.parse("2025-01-01T01:00:00Z") as Instant;
const metadata = { name: "x", namespace: "ns", creationTimestamp: "2025-01-01T00:00:00Z" };
const age = "60m";
const template = {
  metadata: { labels: { b: "2", a: "1" } },
  spec: {
    containers: [
      { name: "c1", image: "i1:1" },
      { name: "c2", image: "i2:2" },
    ],
  },
};
const matchLabels = { tier: "front", app: "web" };
const selector = { matchLabels, matchExpressions: [{ key: "zone", operator: "In", values: ["b", "a"] }] };
const selectorCell = "app=web,tier=front,zone in (a,b)";

const condition = (type: string, status = "True") => ({ type, status });
const condensed = (columns: readonly { name: string; priority: number }[]): string =>
  columns.map(({ name, priority }) => (priority === 1 ? `${name}*` : name)).join(" | ");

describe("the columns of each kind; wide ones are starred", () => {
  it.each<[string, string, string]>([
    ["", "Pod", "Name | Ready | Status | Restarts | Age | IP* | Node* | Nominated Node* | Readiness Gates*"],
    [
      "",
      "Node",
      "Name | Status | Roles | Age | Version | Internal-IP* | External-IP* | OS-Image* | Kernel-Version* | Container-Runtime*",
    ],
    ["", "Service", "Name | Type | Cluster-IP | External-IP | Port(s) | Age | Selector*"],
    ["apps", "Deployment", "Name | Ready | Up-to-date | Available | Age | Containers* | Images* | Selector*"],
    ["apps", "ReplicaSet", "Name | Desired | Current | Ready | Age | Containers* | Images* | Selector*"],
    ["", "ReplicationController", "Name | Desired | Current | Ready | Age | Containers* | Images* | Selector*"],
    ["apps", "StatefulSet", "Name | Ready | Age | Containers* | Images*"],
    [
      "apps",
      "DaemonSet",
      "Name | Desired | Current | Ready | Up-to-date | Available | Node Selector | Age | Containers* | Images* | Selector*",
    ],
    ["batch", "Job", "Name | Status | Completions | Duration | Age | Containers* | Images* | Selector*"],
    [
      "batch",
      "CronJob",
      "Name | Schedule | Timezone | Suspend | Active | Last Schedule | Age | Containers* | Images* | Selector*",
    ],
    ["", "Event", "Last Seen | Type | Reason | Object | Subobject* | Source* | Message | First Seen* | Count* | Name*"],
    [
      "events.k8s.io",
      "Event",
      "Last Seen | Type | Reason | Object | Subobject* | Source* | Message | First Seen* | Count* | Name*",
    ],
    ["", "Namespace", "Name | Status | Age"],
    ["", "ConfigMap", "Name | Data | Age"],
    ["", "Secret", "Name | Type | Data | Age"],
    ["", "ServiceAccount", "Name | Secrets | Age"],
    [
      "",
      "PersistentVolume",
      "Name | Capacity | Access Modes | Reclaim Policy | Status | Claim | StorageClass | VolumeAttributesClass | Reason | Age | VolumeMode*",
    ],
    [
      "",
      "PersistentVolumeClaim",
      "Name | Status | Volume | Capacity | Access Modes | StorageClass | VolumeAttributesClass | Age | VolumeMode*",
    ],
    ["", "Endpoints", "Name | Endpoints | Age"],
    ["discovery.k8s.io", "EndpointSlice", "Name | AddressType | Ports | Endpoints | Age"],
    ["coordination.k8s.io", "Lease", "Name | Holder | Age"],
    ["policy", "PodDisruptionBudget", "Name | Min Available | Max Unavailable | Allowed Disruptions | Age"],
    ["autoscaling", "HorizontalPodAutoscaler", "Name | Reference | Targets | MinPods | MaxPods | Replicas | Age"],
    ["scheduling.k8s.io", "PriorityClass", "Name | Value | Global-Default | Age | PreemptionPolicy"],
    [
      "storage.k8s.io",
      "StorageClass",
      "Name | Provisioner | ReclaimPolicy | VolumeBindingMode | AllowVolumeExpansion | Age",
    ],
    ["", "ResourceQuota", "Name | Request | Limit | Age"],
    ["rbac.authorization.k8s.io", "RoleBinding", "Name | Role | Age | Users* | Groups* | ServiceAccounts*"],
    ["rbac.authorization.k8s.io", "ClusterRoleBinding", "Name | Role | Age | Users* | Groups* | ServiceAccounts*"],
    ["apps", "ControllerRevision", "Name | Controller | Revision | Age"],
    ["networking.k8s.io", "Ingress", "Name | Class | Hosts | Address | Ports | Age"],
    ["networking.k8s.io", "IngressClass", "Name | Controller | Parameters | Age"],
    ["networking.k8s.io", "NetworkPolicy", "Name | Pod-Selector | Age"],
    ["", "PodTemplate", "Name | Containers | Images | Pod Labels"],
    ["node.k8s.io", "RuntimeClass", "Name | Handler | Age"],
    [
      "certificates.k8s.io",
      "CertificateSigningRequest",
      "Name | Age | SignerName | Requestor | RequestedDuration | Condition",
    ],
    ["admissionregistration.k8s.io", "MutatingWebhookConfiguration", "Name | Webhooks | Age"],
    ["admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "Name | Webhooks | Age"],
    ["admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "Name | Validations | ParamKind | Age"],
    ["admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "Name | PolicyName | ParamRef | Age"],
    ["storage.k8s.io", "VolumeAttachment", "Name | Attacher | PV | Node | Attached | Age"],
    ["storage.k8s.io", "CSINode", "Name | Drivers | Age"],
    [
      "storage.k8s.io",
      "CSIDriver",
      "Name | AttachRequired | PodInfoOnMount | StorageCapacity | TokenRequests | RequiresRepublish | Modes | Age",
    ],
    ["autoscaling", "Scale", "Name | Desired | Available | Age"],
    [
      "flowcontrol.apiserver.k8s.io",
      "FlowSchema",
      "Name | PriorityLevel | MatchingPrecedence | DistinguisherMethod | Age | MissingPL",
    ],
    [
      "flowcontrol.apiserver.k8s.io",
      "PriorityLevelConfiguration",
      "Name | Type | NominalConcurrencyShares | Queues | HandSize | QueueLengthLimit | Age",
    ],
    ["", "Status", "Status | Reason | Message"],
    ["apiextensions.k8s.io", "CustomResourceDefinition", "Name | Created At"],
    ["", "LimitRange", "Name | Created At"],
    ["rbac.authorization.k8s.io", "Role", "Name | Created At"],
    ["rbac.authorization.k8s.io", "ClusterRole", "Name | Created At"],
    ["example.com", "Anything", "Name | Created At"],
  ])("%s %s", (group, kind, want) => {
    const printer = printerFor(group, kind);
    const { columns } = printer;
    expect(condensed(columns)).toBe(want);
    // An object that nobody has filled in prints, too.
    expect(printer.cells({}, now).length).toBe(columns.length);
    expect(printer.conditions({})).toEqual([]);
    expect(columns.filter(({ description }) => description === "")).toEqual([]);
  });

  it("are of the type that kubectl expects", () => {
    const typesOf = (group: string, kind: string): string[] =>
      printerFor(group, kind).columns.map(({ type, format }) => (format === "" ? type : `${type}/${format}`));
    expect(typesOf("", "Pod")).toEqual(["string/name", ...Array.from({ length: 8 }, () => "string")]);
    expect(typesOf("apps", "ReplicaSet").slice(0, 4)).toEqual(["string/name", "integer", "integer", "integer"]);
    expect(typesOf("batch", "CronJob").slice(3, 5)).toEqual(["boolean", "integer"]);
    expect(typesOf("", "Event").at(-1)).toBe("string/name");
    expect(typesOf("", "Role")).toEqual(["string/name", "date"]);
  });
});

describe("the cells of each kind", () => {
  it.each<[string, string, string, object, readonly Cell[]]>([
    [
      "a ready node",
      "",
      "Node",
      { metadata, status: { conditions: [condition("Ready")], nodeInfo: { kubeletVersion: "v1.34.0" } } },
      ["x", "Ready", "<none>", age, "v1.34.0", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"],
    ],
    [
      "a node with everything",
      "",
      "Node",
      {
        metadata: {
          ...metadata,
          labels: {
            "node-role.kubernetes.io/worker": "",
            "node-role.kubernetes.io/control-plane": "",
            "node-role.kubernetes.io/": "",
            "kubernetes.io/role": "edge",
          },
        },
        spec: { unschedulable: true },
        status: {
          conditions: [condition("Ready", "Unknown")],
          addresses: [
            { type: "Hostname", address: "x" },
            { type: "InternalIP", address: "10.0.0.1" },
            { type: "InternalIP", address: "fd00::1" },
            { type: "ExternalIP", address: "1.2.3.4" },
          ],
          nodeInfo: {
            kubeletVersion: "v1",
            osImage: "Debian",
            kernelVersion: "6.1",
            containerRuntimeVersion: "containerd://1.7",
          },
        },
      },
      [
        "x",
        "NotReady,SchedulingDisabled",
        "control-plane,edge,worker",
        age,
        "v1",
        "10.0.0.1",
        "1.2.3.4",
        "Debian",
        "6.1",
        "containerd://1.7",
      ],
    ],
    [
      "a node that never reported",
      "",
      "Node",
      { metadata },
      ["x", "Unknown", "<none>", age, "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"],
    ],
    [
      "a deployment",
      "apps",
      "Deployment",
      { metadata, spec: { replicas: 3, template, selector }, status: { readyReplicas: 1, updatedReplicas: 2 } },
      ["x", "1/3", 2, 0, age, "c1,c2", "i1:1,i2:2", selectorCell],
    ],
    [
      "a replica set",
      "apps",
      "ReplicaSet",
      { metadata, spec: { replicas: 3, template, selector: {} }, status: { replicas: 2, readyReplicas: 1 } },
      ["x", 3, 2, 1, age, "c1,c2", "i1:1,i2:2", "<none>"],
    ],
    [
      "a replication controller",
      "",
      "ReplicationController",
      { metadata, spec: { replicas: 3, template, selector: matchLabels }, status: { replicas: 3 } },
      ["x", 3, 3, 0, age, "c1,c2", "i1:1,i2:2", "app=web,tier=front"],
    ],
    [
      "a stateful set",
      "apps",
      "StatefulSet",
      { metadata, spec: { replicas: 2, template }, status: { readyReplicas: 2 } },
      ["x", "2/2", age, "c1,c2", "i1:1,i2:2"],
    ],
    [
      "a daemon set",
      "apps",
      "DaemonSet",
      {
        metadata,
        spec: { selector, template: { ...template, spec: { ...template.spec, nodeSelector: { disk: "ssd" } } } },
        status: {
          desiredNumberScheduled: 5,
          currentNumberScheduled: 4,
          numberReady: 3,
          updatedNumberScheduled: 2,
          numberAvailable: 1,
        },
      },
      ["x", 5, 4, 3, 2, 1, "disk=ssd", age, "c1,c2", "i1:1,i2:2", selectorCell],
    ],
    [
      "a running job",
      "batch",
      "Job",
      {
        metadata,
        spec: { completions: 3, parallelism: 2, template, selector },
        status: { succeeded: 1, startTime: "2025-01-01T00:30:00Z" },
      },
      ["x", "Running", "1/3", "30m", age, "c1,c2", "i1:1,i2:2", selectorCell],
    ],
    [
      "a job that is done",
      "batch",
      "Job",
      {
        metadata,
        spec: { completions: 1 },
        status: {
          succeeded: 1,
          startTime: "2025-01-01T00:30:00Z",
          completionTime: "2025-01-01T00:30:42Z",
          conditions: [condition("SuccessCriteriaMet"), condition("Complete")],
        },
      },
      ["x", "Complete", "1/1", "42s", age, "", "", "<none>"],
    ],
    [
      "a job that failed and goes",
      "batch",
      "Job",
      {
        metadata: { ...metadata, deletionTimestamp: "2025-01-01T00:59:00Z" },
        spec: {},
        status: { conditions: [condition("Failed")] },
      },
      ["x", "Failed", "0/1", "", age, "", "", "<none>"],
    ],
    [
      "a job that goes",
      "batch",
      "Job",
      {
        metadata: { ...metadata, deletionTimestamp: "2025-01-01T00:59:00Z" },
        spec: { parallelism: 3 },
        status: { conditions: [condition("Suspended")] },
      },
      ["x", "Terminating", "0/1 of 3", "", age, "", "", "<none>"],
    ],
    [
      "a suspended job",
      "batch",
      "Job",
      {
        metadata,
        spec: { parallelism: 1 },
        status: { conditions: [condition("Complete", "False"), condition("Suspended")] },
      },
      ["x", "Suspended", "0/1", "", age, "", "", "<none>"],
    ],
    [
      "a job that will fail",
      "batch",
      "Job",
      { metadata, spec: {}, status: { conditions: [condition("FailureTarget")] } },
      ["x", "FailureTarget", "0/1", "", age, "", "", "<none>"],
    ],
    [
      "a cron job",
      "batch",
      "CronJob",
      {
        metadata,
        spec: { schedule: "*/5 * * * *", suspend: false, jobTemplate: { spec: { template } } },
        status: { active: [{}, {}], lastScheduleTime: "2025-01-01T00:56:00Z" },
      },
      ["x", "*/5 * * * *", "<none>", "False", 2, "4m", age, "c1,c2", "i1:1,i2:2", "<none>"],
    ],
    [
      "a suspended cron job",
      "batch",
      "CronJob",
      { metadata, spec: { schedule: "@daily", timeZone: "Europe/Berlin", suspend: true } },
      ["x", "@daily", "Europe/Berlin", "True", 0, "<none>", age, "", "", "<none>"],
    ],
    ["a namespace", "", "Namespace", { metadata, status: { phase: "Active" } }, ["x", "Active", age]],
    ["a config map", "", "ConfigMap", { metadata, data: { a: "1", b: "2" }, binaryData: { c: "AA==" } }, ["x", 3, age]],
    ["a secret", "", "Secret", { metadata, type: "Opaque", data: { a: "" } }, ["x", "Opaque", 1, age]],
    ["a service account", "", "ServiceAccount", { metadata, secrets: [{ name: "a" }] }, ["x", 1, age]],
    ["a lease", "coordination.k8s.io", "Lease", { metadata, spec: { holderIdentity: "node-a" } }, ["x", "node-a", age]],
    [
      "a service in the cluster",
      "",
      "Service",
      {
        metadata,
        spec: {
          type: "ClusterIP",
          clusterIP: "10.96.0.1",
          clusterIPs: ["10.96.0.1"],
          ports: [
            { port: 443, protocol: "TCP" },
            { port: 53, protocol: "UDP" },
          ],
        },
      },
      ["x", "ClusterIP", "10.96.0.1", "<none>", "443/TCP,53/UDP", age, "<none>"],
    ],
    [
      "a headless service",
      "",
      "Service",
      {
        metadata,
        spec: { type: "ClusterIP", clusterIP: "None", externalIPs: ["9.9.9.9", "8.8.8.8"], selector: matchLabels },
      },
      ["x", "ClusterIP", "None", "9.9.9.9,8.8.8.8", "<none>", age, "app=web,tier=front"],
    ],
    [
      "a service on the nodes",
      "",
      "Service",
      {
        metadata,
        spec: { type: "NodePort", clusterIP: "10.96.0.2", ports: [{ port: 80, nodePort: 30080, protocol: "TCP" }] },
      },
      ["x", "NodePort", "10.96.0.2", "<none>", "80:30080/TCP", age, "<none>"],
    ],
    [
      "a load balancer that is awaited",
      "",
      "Service",
      { metadata, spec: { type: "LoadBalancer", clusterIP: "10.96.0.3" } },
      ["x", "LoadBalancer", "10.96.0.3", "<pending>", "<none>", age, "<none>"],
    ],
    [
      "a load balancer",
      "",
      "Service",
      {
        metadata,
        spec: { type: "LoadBalancer", clusterIP: "10.96.0.3", externalIPs: ["7.7.7.7"] },
        status: { loadBalancer: { ingress: [{ ip: "2.2.2.2" }, { hostname: "a.example" }, { ip: "1.1.1.1" }] } },
      },
      ["x", "LoadBalancer", "10.96.0.3", "1.1.1.1,2.2.2.2,a.example,7.7.7.7", "<none>", age, "<none>"],
    ],
    [
      "a service elsewhere",
      "",
      "Service",
      { metadata, spec: { type: "ExternalName", externalName: "db.example" } },
      ["x", "ExternalName", "<none>", "db.example", "<none>", age, "<none>"],
    ],
    [
      "endpoints",
      "",
      "Endpoints",
      {
        metadata,
        subsets: [{ addresses: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }], ports: [{ port: 80 }, { port: 443 }] }],
      },
      ["x", "10.0.0.1:80,[fd00::1]:80,10.0.0.1:443 + 1 more...", age],
    ],
    [
      "endpoints without ports",
      "",
      "Endpoints",
      { metadata, subsets: [{ addresses: [{ ip: "10.0.0.1" }] }] },
      ["x", "10.0.0.1", age],
    ],
    ["no endpoints", "", "Endpoints", { metadata }, ["x", "<none>", age]],
    [
      "an endpoint slice",
      "discovery.k8s.io",
      "EndpointSlice",
      {
        metadata,
        addressType: "IPv4",
        ports: [{ port: 80 }, { name: "web" }, {}, { port: 1 }, { port: 2 }],
        endpoints: [{ addresses: ["10.0.0.1", "10.0.0.2"] }, { addresses: ["10.0.0.3"] }, { addresses: ["10.0.0.4"] }],
      },
      ["x", "IPv4", "80,web,* + 2 more...", "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...", age],
    ],
    [
      "an empty endpoint slice",
      "discovery.k8s.io",
      "EndpointSlice",
      { metadata, addressType: "IPv6", endpoints: [] },
      ["x", "IPv6", "<unset>", "<unset>", age],
    ],
    [
      "an ingress",
      "networking.k8s.io",
      "Ingress",
      {
        metadata,
        spec: { ingressClassName: "nginx", tls: [{}], rules: ["a", "b", "c", "d"].map((host) => ({ host })) },
        status: { loadBalancer: { ingress: [{ ip: "1.1.1.1" }] } },
      },
      ["x", "nginx", "a,b,c + 1 more...", "1.1.1.1", "80, 443", age],
    ],
    [
      "an ingress for every host",
      "networking.k8s.io",
      "Ingress",
      { metadata, spec: { rules: [{}] } },
      ["x", "<none>", "*", "", "80", age],
    ],
    [
      "an ingress class",
      "networking.k8s.io",
      "IngressClass",
      {
        metadata,
        spec: { controller: "example.com/c", parameters: { apiGroup: "k8s.example.com", kind: "Settings", name: "s" } },
      },
      ["x", "example.com/c", "Settings.k8s.example.com/s", age],
    ],
    [
      "a network policy",
      "networking.k8s.io",
      "NetworkPolicy",
      { metadata, spec: { podSelector: { matchLabels } } },
      ["x", "app=web,tier=front", age],
    ],
    [
      "a bound claim",
      "",
      "PersistentVolumeClaim",
      {
        metadata,
        spec: { volumeName: "pv-1", storageClassName: "fast", volumeMode: "Filesystem" },
        status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteMany", "ReadWriteOnce"] },
      },
      ["x", "Bound", "pv-1", "1Gi", "RWO,RWX", "fast", "<unset>", age, "Filesystem"],
    ],
    [
      "a claim that waits",
      "",
      "PersistentVolumeClaim",
      { metadata, spec: { accessModes: ["ReadWriteOnce"] }, status: { phase: "Pending" } },
      ["x", "Pending", "", "", "", "", "<unset>", age, "<unset>"],
    ],
    [
      "a volume",
      "",
      "PersistentVolume",
      {
        metadata,
        spec: {
          capacity: { storage: "5Gi" },
          accessModes: ["ReadWriteOncePod", "ReadOnlyMany"],
          persistentVolumeReclaimPolicy: "Retain",
          claimRef: { namespace: "ns", name: "c" },
          storageClassName: "slow",
          volumeMode: "Block",
        },
        status: { phase: "Bound" },
      },
      ["x", "5Gi", "ROX,RWOP", "Retain", "Bound", "ns/c", "slow", "<unset>", "", age, "Block"],
    ],
    [
      "a volume that goes",
      "",
      "PersistentVolume",
      {
        metadata: {
          ...metadata,
          deletionTimestamp: "2025-01-01T00:59:00Z",
          annotations: { "volume.beta.kubernetes.io/storage-class": "old" },
        },
        spec: {
          capacity: { storage: "5Gi" },
          persistentVolumeReclaimPolicy: "Delete",
          storageClassName: "slow",
          volumeAttributesClassName: "gold",
        },
        status: { phase: "Released", reason: "r" },
      },
      ["x", "5Gi", "", "Delete", "Terminating", "", "old", "gold", "r", age, "<unset>"],
    ],
    [
      "a default storage class",
      "storage.k8s.io",
      "StorageClass",
      {
        metadata: { ...metadata, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
        provisioner: "p",
        allowVolumeExpansion: true,
      },
      ["x (default)", "p", "Delete", "Immediate", true, age],
    ],
    [
      "a volume attachment",
      "storage.k8s.io",
      "VolumeAttachment",
      {
        metadata,
        spec: { attacher: "d", source: { persistentVolumeName: "pv" }, nodeName: "n" },
        status: { attached: true },
      },
      ["x", "d", "pv", "n", true, age],
    ],
    ["a CSI node", "storage.k8s.io", "CSINode", { metadata, spec: { drivers: [{}, {}] } }, ["x", 2, age]],
    [
      "a CSI driver",
      "storage.k8s.io",
      "CSIDriver",
      {
        metadata,
        spec: {
          attachRequired: false,
          tokenRequests: [{ audience: "a" }, { audience: "b" }],
          volumeLifecycleModes: ["Persistent", "Ephemeral"],
        },
      },
      ["x", false, false, false, "a,b", false, "Persistent,Ephemeral", age],
    ],
    [
      "a disruption budget",
      "policy",
      "PodDisruptionBudget",
      { metadata, spec: { minAvailable: "50%" }, status: { disruptionsAllowed: 2 } },
      ["x", "50%", "N/A", 2, age],
    ],
    [
      "the other kind of budget",
      "policy",
      "PodDisruptionBudget",
      { metadata, spec: { maxUnavailable: 0 } },
      ["x", "N/A", "0", 0, age],
    ],
    [
      "an autoscaler",
      "autoscaling",
      "HorizontalPodAutoscaler",
      {
        metadata,
        spec: {
          scaleTargetRef: { kind: "Deployment", name: "web" },
          minReplicas: 1,
          maxReplicas: 5,
          metrics: [
            { type: "Resource", resource: { name: "cpu", target: { averageUtilization: 50 } } },
            { type: "Resource", resource: { name: "memory", target: { averageValue: "20Mi" } } },
            { type: "Pods" },
          ],
        },
        status: {
          currentReplicas: 2,
          currentMetrics: [
            { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 12, averageValue: "6m" } } },
            { type: "Resource", resource: { name: "memory", current: { averageValue: "10Mi" } } },
          ],
        },
      },
      ["x", "Deployment/web", "cpu: 12%/50%, memory: 10Mi/20Mi + 1 more...", "1", 5, 2, age],
    ],
    [
      "an autoscaler that has measured nothing",
      "autoscaling",
      "HorizontalPodAutoscaler",
      {
        metadata,
        spec: {
          scaleTargetRef: { kind: "Deployment", name: "web" },
          maxReplicas: 5,
          metrics: [
            { type: "External", external: { target: { averageValue: "7" } } },
            { type: "Object", object: { target: { value: "3" } } },
          ],
        },
      },
      ["x", "Deployment/web", "<unknown>/7 (avg), <unknown>/3", "<unset>", 5, 0, age],
    ],
    [
      "an autoscaler by Pods",
      "autoscaling",
      "HorizontalPodAutoscaler",
      {
        metadata,
        spec: {
          scaleTargetRef: { kind: "D", name: "w" },
          maxReplicas: 5,
          metrics: [
            { type: "Pods", pods: { target: { averageValue: "10" } } },
            { type: "ContainerResource", containerResource: { name: "cpu", target: { averageUtilization: 70 } } },
          ],
        },
        status: { currentMetrics: [{ type: "Pods", pods: { current: { averageValue: "4" } } }] },
      },
      ["x", "D/w", "4/10, cpu: <unknown>/70%", "<unset>", 5, 0, age],
    ],
    [
      "a quota",
      "",
      "ResourceQuota",
      {
        metadata,
        status: {
          hard: { pods: "5", "limits.cpu": "4", "requests.cpu": "2" },
          used: { pods: "1", "limits.cpu": "500m" },
        },
      },
      ["x", "pods: 1/5, requests.cpu: 0/2", "limits.cpu: 500m/4", age],
    ],
    [
      "a role binding",
      "rbac.authorization.k8s.io",
      "RoleBinding",
      {
        metadata,
        roleRef: { kind: "ClusterRole", name: "view" },
        subjects: [
          { kind: "User", name: "a" },
          { kind: "User", name: "b" },
          { kind: "Group", name: "g" },
          { kind: "ServiceAccount", namespace: "ns", name: "sa" },
        ],
      },
      ["x", "ClusterRole/view", age, "a, b", "g", "ns/sa"],
    ],
    [
      "a revision",
      "apps",
      "ControllerRevision",
      {
        metadata: {
          ...metadata,
          ownerReferences: [
            { apiVersion: "v1", kind: "Other", name: "o" },
            { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", controller: true },
          ],
        },
        revision: 3,
      },
      ["x", "statefulset.apps/db", 3, age],
    ],
    ["a revision of nobody", "apps", "ControllerRevision", { metadata, revision: 1 }, ["x", "<none>", 1, age]],
    ["a pod template", "", "PodTemplate", { metadata, template }, ["x", "c1,c2", "i1:1,i2:2", "a=1,b=2"]],
    [
      "a priority class",
      "scheduling.k8s.io",
      "PriorityClass",
      { metadata, value: -5, globalDefault: true, preemptionPolicy: "Never" },
      ["x", -5, true, age, "Never"],
    ],
    ["a runtime class", "node.k8s.io", "RuntimeClass", { metadata, handler: "gvisor" }, ["x", "gvisor", age]],
    [
      "a request that waits",
      "certificates.k8s.io",
      "CertificateSigningRequest",
      { metadata, spec: { signerName: "s", username: "bob", expirationSeconds: 3600 } },
      ["x", age, "s", "bob", "60m", "Pending"],
    ],
    [
      "a request that was granted",
      "certificates.k8s.io",
      "CertificateSigningRequest",
      {
        metadata,
        spec: { signerName: "s", username: "bob" },
        status: { conditions: [condition("Approved")], certificate: "AA==" },
      },
      ["x", age, "s", "bob", "<none>", "Approved,Issued"],
    ],
    [
      "a request that failed",
      "certificates.k8s.io",
      "CertificateSigningRequest",
      {
        metadata,
        spec: { signerName: "s" },
        status: { conditions: [condition("Approved"), condition("Denied"), condition("Failed")] },
      },
      ["x", age, "s", "", "<none>", "Denied,Failed"],
    ],
    [
      "webhooks",
      "admissionregistration.k8s.io",
      "ValidatingWebhookConfiguration",
      { metadata, webhooks: [{}, {}] },
      ["x", 2, age],
    ],
    [
      "an admission policy",
      "admissionregistration.k8s.io",
      "ValidatingAdmissionPolicy",
      { metadata, spec: { validations: [{}], paramKind: { apiVersion: "v1", kind: "ConfigMap" } } },
      ["x", 1, "v1/ConfigMap", age],
    ],
    [
      "its binding",
      "admissionregistration.k8s.io",
      "ValidatingAdmissionPolicyBinding",
      { metadata, spec: { policyName: "p", paramRef: { namespace: "ns", name: "c" } } },
      ["x", "p", "ns/c", age],
    ],
    [
      "its binding by labels",
      "admissionregistration.k8s.io",
      "ValidatingAdmissionPolicyBinding",
      { metadata, spec: { policyName: "p", paramRef: { selector: { matchLabels } } } },
      ["x", "p", "app=web,tier=front", age],
    ],
    ["a scale", "autoscaling", "Scale", { metadata, spec: { replicas: 3 }, status: { replicas: 1 } }, ["x", 3, 1, age]],
    [
      "a flow schema",
      "flowcontrol.apiserver.k8s.io",
      "FlowSchema",
      {
        metadata,
        spec: { priorityLevelConfiguration: { name: "exempt" }, matchingPrecedence: 1 },
        status: { conditions: [condition("Dangling", "False")] },
      },
      ["x", "exempt", 1, "<none>", age, "False"],
    ],
    [
      "a priority level",
      "flowcontrol.apiserver.k8s.io",
      "PriorityLevelConfiguration",
      {
        metadata,
        spec: {
          type: "Limited",
          limited: {
            nominalConcurrencyShares: 30,
            limitResponse: { queuing: { queues: 64, handSize: 6, queueLengthLimit: 50 } },
          },
        },
      },
      ["x", "Limited", 30, 64, 6, 50, age],
    ],
    [
      "a status",
      "",
      "Status",
      { status: "Failure", reason: "NotFound", message: "gone" },
      ["Failure", "NotFound", "gone"],
    ],
    ["anything else", "", "LimitRange", { metadata }, ["x", "2025-01-01T00:00:00Z"]],
  ])("%s", (_case, group, kind, object, want) => {
    expect(printerFor(group, kind).cells(object, now)).toEqual(want);
  });

  it("of the older autoscaler come from its one measure", () => {
    const spec = {
      scaleTargetRef: { kind: "Deployment", name: "web" },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 80,
    };
    const printer = printerFor("autoscaling", "HorizontalPodAutoscaler", "v1");
    expect(printer.cells({ metadata, spec, status: { currentCPUUtilizationPercentage: 20 } }, now)[2]).toBe(
      "cpu: 20%/80%",
    );
    expect(printer.cells({ metadata, spec }, now)[2]).toBe("cpu: <unknown>/80%");
    expect(printer.cells({ metadata, spec: {} }, now)[2]).toBe("<none>");
  });
});

describe("the cells of an Event", () => {
  const involvedObject = { kind: "Pod", name: "web", fieldPath: "spec.containers{c}" };
  const base = { metadata, type: "Warning", reason: "BackOff", message: " Back-off \n", involvedObject };
  const early = "2025-01-01T00:10:00Z";
  const late = "2025-01-01T00:59:30Z";
  it.each<[string, object, readonly Cell[]]>([
    [
      "of an older writer",
      {
        ...base,
        source: { component: "kubelet", host: "node-a" },
        firstTimestamp: early,
        lastTimestamp: late,
        eventTime: null,
        count: 7,
      },
      ["30s", "Warning", "BackOff", "pod/web", "spec.containers{c}", "kubelet, node-a", "Back-off", "50m", 7, "x"],
    ],
    [
      "of a newer writer",
      {
        ...base,
        reportingComponent: "scheduler",
        reportingInstance: "s-1",
        firstTimestamp: null,
        lastTimestamp: null,
        eventTime: "2025-01-01T00:10:00.123456Z",
      },
      ["49m", "Warning", "BackOff", "pod/web", "spec.containers{c}", "scheduler, s-1", "Back-off", "49m", 1, "x"],
    ],
    [
      "of a series",
      { ...base, reportingComponent: "scheduler", eventTime: early, series: { count: 4, lastObservedTime: late } },
      ["30s", "Warning", "BackOff", "pod/web", "spec.containers{c}", "scheduler", "Back-off", "50m", 4, "x"],
    ],
    [
      "of nothing in particular",
      { metadata, involvedObject: { kind: "Node" } },
      ["<unknown>", "", "", "node", "", "", "", "<unknown>", 1, "x"],
    ],
  ])("%s", (_case, event, want) => {
    expect(printerFor("", "Event").cells(event, now)).toEqual(want);
  });

  it("are the same in the other group", () => {
    const event = {
      metadata,
      type: "Normal",
      reason: "Started",
      note: "Started container c",
      regarding: involvedObject,
      deprecatedSource: { component: "kubelet", host: "node-a" },
      deprecatedFirstTimestamp: early,
      deprecatedLastTimestamp: late,
      deprecatedCount: 2,
    };
    expect(printerFor("events.k8s.io", "Event").cells(event, now)).toEqual([
      "30s",
      "Normal",
      "Started",
      "pod/web",
      "spec.containers{c}",
      "kubelet, node-a",
      "Started container c",
      "50m",
      2,
      "x",
    ]);
  });
});

describe("a Table", () => {
  const pod = { kind: "Pod", apiVersion: "v1", metadata, spec: { containers: [] }, status: { phase: "Failed" } };
  const kind = { group: "", kind: "Pod" };

  it("carries the metadata of each object in its row, and the list's own", () => {
    const table = tableFor(kind, [pod], now, {
      metadata: { resourceVersion: "7", continue: "t", remainingItemCount: 3 },
    });
    expect(table).toMatchObject({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "7", continue: "t", remainingItemCount: 3 },
    });
    expect(table.columnDefinitions?.[0]).toEqual({
      name: "Name",
      type: "string",
      format: "name",
      description: expect.any(String),
      priority: 0,
    });
    expect(table.rows).toEqual([
      {
        cells: ["x", "0/0", "Failed", "0", age, "<none>", "<none>", "<none>", "<none>"],
        conditions: [{ type: "Completed", status: "True", reason: "Failed", message: "The pod failed." }],
        object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata },
      },
    ]);
  });

  it("carries nothing, or all of the object, where that is asked for", () => {
    expect(tableFor(kind, [pod], now, { includeObject: "None" }).rows[0]).not.toHaveProperty("object");
    expect(tableFor(kind, [pod], now, { includeObject: "Object" }).rows[0]?.object).toBe(pod);
  });

  it("speaks the older version, too", () => {
    const table = tableFor(kind, [pod], now, { version: "v1beta1" });
    expect([table.apiVersion, table.rows[0]?.object?.["apiVersion"]]).toEqual([
      "meta.k8s.io/v1beta1",
      "meta.k8s.io/v1beta1",
    ]);
  });

  it("says its columns only once in a watch", () => {
    expect(tableFor(kind, [pod], now, { withColumns: false })).toMatchObject({ columnDefinitions: null, rows: [{}] });
  });

  it("of every served kind has a cell for each column, whatever the object lacks", () => {
    for (const { group, version, kind: name } of kinds) {
      for (const object of [{}, { metadata: {}, spec: {}, status: {} }]) {
        const table = tableFor({ group, version, kind: name }, [object], now);
        expect(table.rows[0]?.cells.length, `${group}/${version} ${name}`).toBe(table.columnDefinitions?.length);
      }
    }
  });
});
