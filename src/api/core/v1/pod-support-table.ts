// Which fields of a Pod lifepod acts on. A field that it does not act on is never just ignored: whoever sets it gets a warning, or, where ignoring it
// would change what they mean, a refusal. This is data: the API server reads it on every creation, and the documentation is made from it.

/** What happens to a field that is set. */
export type Support =
  /** It does what it does upstream. The note says where the limits are. */
  | { readonly kind: "actedOn"; readonly note?: string }
  /** Accepted and stored; the client is told that nothing follows from it. */
  | { readonly kind: "warned"; readonly why: string }
  /** The request is refused. */
  | { readonly kind: "refused"; readonly why: string };

/** How a field is treated, always or under a condition. Without a rule whose condition holds a field is acted on. */
export type SupportRule = Support & {
  /** Only for these values of the field itself. */
  readonly values?: readonly (string | number | boolean)[];
  /** Only for these keys of a map. */
  readonly keys?: readonly string[];
  /** Only if another field of the same message (for lists: of the element) has one of these values; `undefined` stands for not set. */
  readonly when?: { readonly field: string; readonly values: readonly (string | undefined)[] };
};

/** By message (`core/v1 PodSpec`) and field. */
export type SupportTable = Readonly<Record<string, Readonly<Record<string, readonly SupportRule[]>>>>;

const yes: readonly SupportRule[] = [{ kind: "actedOn" }];
const noted = (note: string): readonly SupportRule[] => [{ kind: "actedOn", note }];
const warned = (why: string, condition: Partial<SupportRule> = {}): readonly SupportRule[] => [
  { ...condition, kind: "warned", why } as SupportRule,
];
const refused = (why: string, condition: Partial<SupportRule> = {}): readonly SupportRule[] => [
  { ...condition, kind: "refused", why } as SupportRule,
];
/** All fields of a message, acted on. */
const all = (...fields: readonly string[]): Readonly<Record<string, readonly SupportRule[]>> =>
  Object.fromEntries(fields.map((field) => [field, yes]));

const gateOff = (gate: string): string => `the feature gate ${gate} is off`;
const noVolume = (what: string): readonly SupportRule[] => refused(`${what} volumes are not served`);
const removedVolume = (what: string): readonly SupportRule[] => refused(`${what} volumes were removed from Kubernetes`);
const csiVolume = (what: string): readonly SupportRule[] =>
  refused(`${what} volumes need a CSI driver, and CSI volumes are not served`);
const noSeLinux = "containers keep the SELinux label that the runtime gives them";
const noAppArmor = "containers keep the AppArmor profile that the runtime gives them";
const noWindows = "there are no Windows nodes";

const containerFields: SupportTable[string] = {
  ...all(
    "args",
    "command",
    "env",
    "envFrom",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "startupProbe",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeMounts",
    "workingDir",
  ),
  resizePolicy: warned("the resources of a running Pod cannot be changed: pods/resize is not served"),
  restartPolicy: noted("Always on init containers, which makes them sidecars; anything else is refused by validation"),
  restartPolicyRules: refused(gateOff("ContainerRestartRules")),
  volumeDevices: refused("raw block volumes are not served"),
};

const affinityTimes = all(
  "preferredDuringSchedulingIgnoredDuringExecution",
  "requiredDuringSchedulingIgnoredDuringExecution",
);

export const podSupport: SupportTable = {
  "core/v1 PodSpec": {
    ...all(
      "activeDeadlineSeconds",
      "affinity",
      "containers",
      "dnsConfig",
      "dnsPolicy",
      "enableServiceLinks",
      "hostAliases",
      "hostIPC",
      "hostNetwork",
      "hostPID",
      "hostname",
      "imagePullSecrets",
      "initContainers",
      "nodeName",
      "nodeSelector",
      "os",
      "priority",
      "readinessGates",
      "restartPolicy",
      "schedulerName",
      "schedulingGates",
      "securityContext",
      "serviceAccount",
      "serviceAccountName",
      "setHostnameAsFQDN",
      "shareProcessNamespace",
      "subdomain",
      "terminationGracePeriodSeconds",
      "tolerations",
      "topologySpreadConstraints",
      "volumes",
    ),
    automountServiceAccountToken: warned("no service account tokens are issued, so none is mounted", {
      values: [true],
    }),
    ephemeralContainers: noted("added by pods/ephemeralcontainers; refused by validation on creation, as upstream"),
    hostUsers: warned("containers use the users of their node", { values: [false] }),
    hostnameOverride: warned(gateOff("HostnameOverride")),
    overhead: refused("Pod Overhead set without corresponding RuntimeClass defined Overhead"),
    preemptionPolicy: noted("set by admission; see priorityClassName"),
    priorityClassName: noted("resolved by admission on creation"),
    resourceClaims: refused("ResourceClaims are not served"),
    resources: noted("counts for scheduling and the QoS class"),
    runtimeClassName: refused("RuntimeClasses are not served"),
  },
  "core/v1 Affinity": all("nodeAffinity", "podAffinity", "podAntiAffinity"),
  "core/v1 NodeAffinity": affinityTimes,
  "core/v1 PreferredSchedulingTerm": all("preference", "weight"),
  "core/v1 NodeSelector": all("nodeSelectorTerms"),
  "core/v1 NodeSelectorTerm": all("matchExpressions", "matchFields"),
  "core/v1 NodeSelectorRequirement": all("key", "operator", "values"),
  "core/v1 PodAffinity": affinityTimes,
  "core/v1 PodAntiAffinity": affinityTimes,
  "core/v1 PodAffinityTerm": all(
    "labelSelector",
    "matchLabelKeys",
    "mismatchLabelKeys",
    "namespaceSelector",
    "namespaces",
    "topologyKey",
  ),
  "core/v1 WeightedPodAffinityTerm": all("podAffinityTerm", "weight"),
  "core/v1 TopologySpreadConstraint": all(
    "labelSelector",
    "matchLabelKeys",
    "maxSkew",
    "minDomains",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
    "topologyKey",
    "whenUnsatisfiable",
  ),
  "meta/v1 LabelSelector": all("matchExpressions", "matchLabels"),
  "meta/v1 LabelSelectorRequirement": all("key", "operator", "values"),
  "core/v1 PodDNSConfig": all("nameservers", "options", "searches"),
  "core/v1 PodDNSConfigOption": all("name", "value"),
  "core/v1 HostAlias": all("hostnames", "ip"),
  "core/v1 LocalObjectReference": all("name"),
  "core/v1 PodOS": { name: refused(noWindows, { values: ["windows"] }) },
  "core/v1 PodReadinessGate": all("conditionType"),
  "core/v1 PodSchedulingGate": all("name"),
  "core/v1 Toleration": all("effect", "key", "operator", "tolerationSeconds", "value"),

  "core/v1 Container": containerFields,
  "core/v1 EphemeralContainer": { ...containerFields, targetContainerName: yes },
  "core/v1 ContainerPort": all("containerPort", "hostIP", "hostPort", "name", "protocol"),
  "core/v1 EnvVar": all("name", "value", "valueFrom"),
  "core/v1 EnvVarSource": {
    ...all("configMapKeyRef", "fieldRef", "resourceFieldRef", "secretKeyRef"),
    fileKeyRef: refused(gateOff("EnvFiles")),
  },
  "core/v1 EnvFromSource": all("configMapRef", "prefix", "secretRef"),
  "core/v1 ConfigMapEnvSource": all("name", "optional"),
  "core/v1 SecretEnvSource": all("name", "optional"),
  "core/v1 ConfigMapKeySelector": all("key", "name", "optional"),
  "core/v1 SecretKeySelector": all("key", "name", "optional"),
  "core/v1 ObjectFieldSelector": all("apiVersion", "fieldPath"),
  "core/v1 ResourceFieldSelector": all("containerName", "divisor", "resource"),
  "core/v1 ResourceRequirements": {
    claims: refused("ResourceClaims are not served"),
    limits: warned("local storage is counted for scheduling, but a container that uses more is not evicted", {
      keys: ["ephemeral-storage"],
    }),
    requests: yes,
  },
  "core/v1 Lifecycle": { ...all("postStart", "preStop"), stopSignal: warned(gateOff("ContainerStopSignals")) },
  "core/v1 LifecycleHandler": all("exec", "httpGet", "sleep", "tcpSocket"),
  "core/v1 Probe": all(
    "exec",
    "failureThreshold",
    "grpc",
    "httpGet",
    "initialDelaySeconds",
    "periodSeconds",
    "successThreshold",
    "tcpSocket",
    "terminationGracePeriodSeconds",
    "timeoutSeconds",
  ),
  "core/v1 ExecAction": all("command"),
  "core/v1 GRPCAction": all("port", "service"),
  "core/v1 HTTPGetAction": all("host", "httpHeaders", "path", "port", "scheme"),
  "core/v1 HTTPHeader": all("name", "value"),
  "core/v1 SleepAction": all("seconds"),
  "core/v1 TCPSocketAction": all("host", "port"),

  "core/v1 SecurityContext": {
    ...all(
      "allowPrivilegeEscalation",
      "capabilities",
      "privileged",
      "procMount",
      "readOnlyRootFilesystem",
      "runAsGroup",
      "runAsNonRoot",
      "runAsUser",
      "seccompProfile",
    ),
    appArmorProfile: warned(noAppArmor),
    seLinuxOptions: warned(noSeLinux),
    windowsOptions: warned(noWindows),
  },
  "core/v1 PodSecurityContext": {
    ...all("fsGroup", "runAsGroup", "runAsNonRoot", "runAsUser", "seccompProfile", "supplementalGroups", "sysctls"),
    appArmorProfile: warned(noAppArmor),
    fsGroupChangePolicy: warned("the group of a volume's files is set every time", { values: ["OnRootMismatch"] }),
    seLinuxChangePolicy: warned(noSeLinux),
    seLinuxOptions: warned(noSeLinux),
    supplementalGroupsPolicy: refused("the groups that an image names are always merged in", { values: ["Strict"] }),
    windowsOptions: warned(noWindows),
  },
  "core/v1 Capabilities": all("add", "drop"),
  "core/v1 SeccompProfile": all("localhostProfile", "type"),
  "core/v1 Sysctl": all("name", "value"),

  "core/v1 Volume": {
    ...all(
      "configMap",
      "downwardAPI",
      "emptyDir",
      "ephemeral",
      "hostPath",
      "name",
      "persistentVolumeClaim",
      "projected",
      "secret",
    ),
    awsElasticBlockStore: csiVolume("AWS Elastic Block Store"),
    azureDisk: csiVolume("Azure disk"),
    azureFile: csiVolume("Azure file"),
    cephfs: removedVolume("CephFS"),
    cinder: csiVolume("Cinder"),
    csi: noVolume("CSI"),
    fc: noVolume("Fibre Channel"),
    flexVolume: noVolume("Flex"),
    flocker: removedVolume("Flocker"),
    gcePersistentDisk: csiVolume("GCE persistent disk"),
    gitRepo: refused("gitRepo volumes are disabled: clone in an init container into an emptyDir instead"),
    glusterfs: removedVolume("Gluster"),
    image: refused(gateOff("ImageVolume")),
    iscsi: noVolume("iSCSI"),
    nfs: noVolume("NFS"),
    photonPersistentDisk: removedVolume("Photon persistent disk"),
    portworxVolume: csiVolume("Portworx"),
    quobyte: removedVolume("Quobyte"),
    rbd: removedVolume("RBD"),
    scaleIO: removedVolume("ScaleIO"),
    storageos: removedVolume("StorageOS"),
    vsphereVolume: csiVolume("vSphere"),
  },
  "core/v1 PersistentVolumeClaimVolumeSource": all("claimName", "readOnly"),
  "core/v1 EphemeralVolumeSource": all("volumeClaimTemplate"),
  "core/v1 PersistentVolumeClaimTemplate": all("metadata", "spec"),
  // Only that of a claim's template: the claim is the Pod's, its name and the rest are not to be chosen.
  "meta/v1 ObjectMeta": {
    ...all("annotations", "labels"),
    ...Object.fromEntries(
      [
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
      ].map((field) => [field, refused("cannot be set for an ephemeral volume")]),
    ),
  },
  "core/v1 PersistentVolumeClaimSpec": {
    ...all("accessModes", "resources", "selector", "storageClassName", "volumeMode", "volumeName"),
    dataSource: refused("volumes cannot be filled from snapshots or other claims"),
    dataSourceRef: refused("volumes cannot be filled from snapshots or other claims"),
    volumeAttributesClassName: refused("VolumeAttributesClasses are not served"),
  },
  "core/v1 VolumeResourceRequirements": all("limits", "requests"),
  "core/v1 ConfigMapVolumeSource": all("defaultMode", "items", "name", "optional"),
  "core/v1 SecretVolumeSource": all("defaultMode", "items", "optional", "secretName"),
  "core/v1 DownwardAPIVolumeSource": all("defaultMode", "items"),
  "core/v1 DownwardAPIVolumeFile": all("fieldRef", "mode", "path", "resourceFieldRef"),
  "core/v1 EmptyDirVolumeSource": {
    medium: refused("huge pages cannot be mounted", { values: ["HugePages", "HugePages-2Mi", "HugePages-1Gi"] }),
    sizeLimit: warned("only volumes in memory are limited; a Pod that writes more to disk is not evicted", {
      when: { field: "medium", values: [undefined, ""] },
    }),
  },
  "core/v1 HostPathVolumeSource": all("path", "type"),
  "core/v1 KeyToPath": all("key", "mode", "path"),
  "core/v1 ProjectedVolumeSource": all("defaultMode", "sources"),
  "core/v1 VolumeProjection": {
    ...all("configMap", "downwardAPI", "secret"),
    clusterTrustBundle: refused("ClusterTrustBundles are not served"),
    podCertificate: refused(gateOff("PodCertificateRequest")),
    serviceAccountToken: refused("no service account tokens are issued"),
  },
  "core/v1 ConfigMapProjection": all("items", "name", "optional"),
  "core/v1 DownwardAPIProjection": all("items"),
  "core/v1 SecretProjection": all("items", "name", "optional"),
  "core/v1 VolumeMount": {
    ...all("mountPath", "mountPropagation", "name", "readOnly", "subPath", "subPathExpr"),
    recursiveReadOnly: refused("mounts below a read-only mount stay as they are", { values: ["Enabled"] }),
  },
};
