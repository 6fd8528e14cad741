import { describe, expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Pod } from "../../generated/core-v1.ts";
import { fieldErrorText } from "../../meta/field-errors.ts";
import type { JsonObject } from "../../wire/request.ts";
import { defaultPod } from "./default-pod.ts";
import { validatePod } from "./validate-pod.ts";

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const ipRule = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/** The complaints about a Pod with one good container and these fields in its spec. */
function complaints(spec: JsonObject, metadata: JsonObject = {}): string[] {
  const pod = {
    metadata: { name: "web", ...metadata },
    spec: { containers: [{ name: "web", image: "web:1" }], ...spec },
  } as unknown as Draft<Pod>;
  return validatePod(defaultPod(pod)).map(fieldErrorText);
}

describe("a Pod's spec", () => {
  it.each<[string, JsonObject]>([
    ["nothing but a container", {}],
    ["a deadline of a second", { activeDeadlineSeconds: 1 }],
    ["a negative grace period", { terminationGracePeriodSeconds: -5 }],
    ["a name for the host", { hostname: "web-0", subdomain: "web" }],
    [
      "DNS settings",
      {
        dnsPolicy: "None",
        dnsConfig: {
          nameservers: ["10.0.0.10", "fd00::1"],
          searches: ["svc.cluster.local.", "_tcp.example.com", "."],
          options: [{ name: "ndots", value: "2" }],
        },
      },
    ],
    ["host aliases", { hostAliases: [{ ip: "127.0.0.1", hostnames: ["foo.local"] }] }],
    ["a node and a service account", { nodeName: "node-a", serviceAccountName: "robot" }],
    ["linux", { os: { name: "linux" } }],
    ["a resource claim", { resourceClaims: [{ name: "gpu", resourceClaimName: "shared-gpu" }] }],
    ["resources of its own", { resources: { requests: { cpu: "1" }, limits: { cpu: "2" } } }],
  ])("may have %s", (_what, spec) => {
    expect(complaints(spec)).toEqual([]);
  });

  it.each<[string, JsonObject, string[]]>([
    ["no container", { containers: [] }, ["spec.containers: Required value"]],
    [
      "an unknown restart policy",
      { restartPolicy: "x" },
      ['spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      "an unknown DNS policy",
      { dnsPolicy: "x" },
      [
        'spec.dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      ],
    ],
    [
      "an unknown preemption policy",
      { preemptionPolicy: "x" },
      ['spec.preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"'],
    ],
    [
      "a deadline of zero",
      { activeDeadlineSeconds: 0 },
      ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ],
    [
      "a deadline beyond 32 bits",
      { activeDeadlineSeconds: 2147483648 },
      ["spec.activeDeadlineSeconds: Invalid value: 2147483648: must be between 1 and 2147483647, inclusive"],
    ],
    [
      "a bad node selector",
      { nodeSelector: { a: "b c" } },
      [
        `spec.nodeSelector: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      ],
    ],
    ["a bad node name", { nodeName: "Node" }, [`spec.nodeName: Invalid value: "Node": ${subdomainRule}`]],
    [
      "a bad service account",
      { serviceAccountName: "A" },
      [`spec.serviceAccountName: Invalid value: "A": ${subdomainRule}`],
    ],
    [
      "a bad priority class",
      { priorityClassName: "A" },
      [`spec.priorityClassName: Invalid value: "A": ${subdomainRule}`],
    ],
    ["a bad runtime class", { runtimeClassName: "" }, [`spec.runtimeClassName: Invalid value: "": ${subdomainRule}`]],
    ["a bad host name", { hostname: "A_b" }, [`spec.hostname: Invalid value: "A_b": ${labelRule}`]],
    ["a subdomain with dots", { subdomain: "a.b" }, ['spec.subdomain: Invalid value: "a.b": must not contain dots']],
    [
      "no DNS settings where they are needed",
      { dnsPolicy: "None" },
      ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ],
    [
      "no name server where one is needed",
      { dnsPolicy: "None", dnsConfig: {} },
      ["spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"],
    ],
    [
      "a name server that is no address",
      { dnsConfig: { nameservers: ["dns"] } },
      [`spec.dnsConfig.nameservers[0]: Invalid value: "dns": ${ipRule}`],
    ],
    [
      "four name servers",
      { dnsConfig: { nameservers: ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"] } },
      [
        'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
      ],
    ],
    [
      "an option without a name",
      { dnsConfig: { options: [{ value: "1" }] } },
      ["spec.dnsConfig.options[0]: Required value: must not be empty"],
    ],
    [
      "an alias for no address",
      { hostAliases: [{ ip: "x", hostnames: ["a"] }] },
      [`spec.hostAliases[0].ip: Invalid value: "x": ${ipRule}`],
    ],
    [
      "a bad alias",
      { hostAliases: [{ ip: "1.1.1.1", hostnames: ["A"] }] },
      [`spec.hostAliases[0].hostnames[0]: Invalid value: "A": ${subdomainRule}`],
    ],
    [
      "ephemeral containers",
      { ephemeralContainers: [{ name: "debug", image: "busybox" }] },
      ["spec.ephemeralContainers: Forbidden: cannot be set on create"],
    ],
    [
      "a node and gates",
      { nodeName: "a", schedulingGates: [{ name: "g" }] },
      ["spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
    ],
    [
      "an unknown operating system",
      { os: { name: "plan9" } },
      ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
    ],
    ["an empty operating system", { os: { name: "" } }, ["spec.os.name: Required value: cannot be empty"]],
    [
      "windows options on linux",
      { os: { name: "linux" }, securityContext: { windowsOptions: {} } },
      ["spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"],
    ],
    [
      "linux fields on windows",
      { os: { name: "windows" }, hostPID: true, securityContext: { runAsUser: 1 } },
      [
        "spec.hostPID: Forbidden: cannot be set for a windows pod",
        "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod",
      ],
    ],
    [
      "claims without a source",
      { resourceClaims: [{ name: "gpu" }] },
      [
        'spec.resourceClaims[0]: Invalid value: {"name":"gpu"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
      ],
    ],
    [
      "claims of the same name",
      {
        resourceClaims: [
          { name: "gpu", resourceClaimName: "a" },
          { name: "gpu", resourceClaimName: "a" },
        ],
      },
      ['spec.resourceClaims[1].name: Duplicate value: "gpu"'],
    ],
    [
      "smaller requests than its containers",
      {
        resources: { requests: { cpu: "1" } },
        containers: [{ name: "a", image: "a", resources: { requests: { cpu: "2" } } }],
      },
      [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
      ],
    ],
    [
      "smaller limits than a container",
      {
        resources: { requests: { cpu: "1" }, limits: { cpu: "1" } },
        containers: [{ name: "a", image: "a", resources: { requests: { cpu: "1" }, limits: { cpu: "2" } } }],
      },
      ['spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1'],
    ],
    [
      "resources that only containers have",
      { resources: { requests: { "ephemeral-storage": "1" } } },
      [
        'spec.resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
      ],
    ],
    [
      "resources called like what every object inherits",
      { resources: { limits: { constructor: "1" } } },
      [
        'spec.resources.limits[constructor]: Invalid value: "constructor": must be a standard resource type or fully qualified',
      ],
    ],
    [
      "negative overhead",
      { overhead: { cpu: "-1" } },
      ['spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ],
    [
      "users of its own and the node's network",
      { hostUsers: false, hostNetwork: true, hostPID: true, hostIPC: true },
      [
        "spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false",
        "spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false",
        "spec.HostIPC: Forbidden: when `pod.Spec.HostUsers` is false",
      ],
    ],
    [
      "two process namespaces",
      { hostPID: true, shareProcessNamespace: true },
      [
        "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
      ],
    ],
    [
      "a negative user",
      { securityContext: { runAsUser: -1 } },
      ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive"],
    ],
    [
      "a negative group",
      { securityContext: { fsGroup: -1, runAsGroup: -2, supplementalGroups: [-3] } },
      [
        "spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 4294967295, inclusive",
        "spec.securityContext.runAsGroup: Invalid value: -2: must be between 0 and 4294967295, inclusive",
        "spec.securityContext.supplementalGroups[0]: Invalid value: -3: must be between 0 and 4294967295, inclusive",
      ],
    ],
    [
      "an unknown group change policy",
      { securityContext: { fsGroupChangePolicy: "x" } },
      [
        'spec.securityContext.fsGroupChangePolicy: Unsupported value: "x": supported values: "Always", "OnRootMismatch"',
      ],
    ],
    [
      "a bad kernel setting",
      { securityContext: { sysctls: [{ name: "Net", value: "1" }] } },
      [
        'spec.securityContext.sysctls[0].name: Invalid value: "Net": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      ],
    ],
    [
      "a kernel setting twice",
      {
        securityContext: {
          sysctls: [
            { name: "net.core.somaxconn", value: "1" },
            { name: "net.core.somaxconn", value: "2" },
          ],
        },
      },
      ['spec.securityContext.sysctls[1].name: Duplicate value: "net.core.somaxconn"'],
    ],
    [
      "a kernel setting of the node's network",
      { hostNetwork: true, securityContext: { sysctls: [{ name: "net.core.somaxconn", value: "1" }] } },
      [
        `spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when 'hostNetwork' is true`,
      ],
    ],
    [
      "a seccomp profile without a file",
      { securityContext: { seccompProfile: { type: "Localhost" } } },
      [
        "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
      ],
    ],
    [
      "a seccomp profile elsewhere",
      { securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "/../x" } } },
      [
        'spec.securityContext.seccompProfile.localhostProfile: Invalid value: "/../x": must be a relative path',
        `spec.securityContext.seccompProfile.localhostProfile: Invalid value: "/../x": must not contain '..'`,
      ],
    ],
    [
      "an unknown seccomp profile",
      { securityContext: { seccompProfile: { type: "x" } } },
      [
        'spec.securityContext.seccompProfile.type: Unsupported value: "x": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
      ],
    ],
    [
      "an AppArmor profile without a name",
      { securityContext: { appArmorProfile: { type: "Localhost" } } },
      [
        "spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost",
      ],
    ],
    [
      "an AppArmor name too many",
      { securityContext: { appArmorProfile: { type: "Unconfined", localhostProfile: "x" } } },
      [
        'spec.securityContext.appArmorProfile.localhostProfile: Invalid value: "x": can only be set when AppArmor type is Localhost',
      ],
    ],
    [
      "a token without an account",
      { volumes: [{ name: "t", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }] },
      [
        "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set",
      ],
    ],
  ])("may not have %s", (_what, spec, errors) => {
    expect(complaints(spec)).toEqual(errors);
  });

  it.each<[string, JsonObject, string[]]>([
    [
      "a deletion cost that is no number",
      { "controller.kubernetes.io/pod-deletion-cost": "+1" },
      [
        'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer',
      ],
    ],
    ["a deletion cost", { "controller.kubernetes.io/pod-deletion-cost": "-10" }, []],
    [
      "the mark of a mirror without a node",
      { "kubernetes.io/config.mirror": "x" },
      [
        'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
      ],
    ],
  ])("with %s in its annotations", (_what, annotations, errors) => {
    expect(complaints({}, { annotations })).toEqual(errors);
  });

  it("is told everything at once", () => {
    expect(complaints({ containers: [{ name: "", image: "" }], restartPolicy: "x" })).toEqual([
      "spec.containers[0].name: Required value",
      "spec.containers[0].image: Required value",
      'spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"',
    ]);
  });
});

describe("a container", () => {
  const errors = (container: JsonObject, spec: JsonObject = {}): string[] =>
    complaints({ ...spec, containers: [{ name: "web", image: "web:1", ...container }] });
  const at = (rest: string): string => `spec.containers[0].${rest}`;

  it.each<[string, JsonObject, string[]]>([
    ["a bad name", { name: "Web" }, [at(`name: Invalid value: "Web": ${labelRule}`)]],
    [
      "blanks around its image",
      { image: " web:1" },
      [at('image: Invalid value: " web:1": must not have leading or trailing whitespace')],
    ],
    [
      "an unknown pull policy",
      { imagePullPolicy: "x" },
      [at('imagePullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"')],
    ],
    [
      "an unknown message policy",
      { terminationMessagePolicy: "x" },
      [at('terminationMessagePolicy: Unsupported value: "x": supported values: "File", "FallbackToLogsOnError"')],
    ],
    [
      "a restart policy",
      { restartPolicy: "Always" },
      [at("restartPolicy: Forbidden: may not be set for non-init containers")],
    ],
    [
      "a port beyond all ports",
      { ports: [{ containerPort: 70000 }] },
      [at("ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive")],
    ],
    ["a port without a number", { ports: [{ containerPort: 0 }] }, [at("ports[0].containerPort: Required value")]],
    [
      "a host port beyond all ports",
      { ports: [{ containerPort: 1, hostPort: -1 }] },
      [at("ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive")],
    ],
    [
      "an unknown protocol",
      { ports: [{ containerPort: 1, protocol: "X" }] },
      [at('ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"')],
    ],
    [
      "a port name twice",
      {
        ports: [
          { containerPort: 1, name: "a" },
          { containerPort: 2, name: "a" },
        ],
      },
      [at('ports[1].name: Duplicate value: "a"')],
    ],
    [
      "a long port name",
      { ports: [{ containerPort: 1, name: "abcdefghijklmnop" }] },
      [at('ports[0].name: Invalid value: "abcdefghijklmnop": must be no more than 15 characters')],
    ],
    [
      "a host port twice",
      {
        ports: [
          { containerPort: 1, hostPort: 80 },
          { containerPort: 2, hostPort: 80 },
        ],
      },
      [at('ports[1].hostPort: Duplicate value: "TCP//80"')],
    ],
    ["a variable without a name", { env: [{ name: "" }] }, [at("env[0].name: Required value")]],
    [
      "a variable with =",
      { env: [{ name: "a=b" }] },
      [
        at(
          `env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
        ),
      ],
    ],
    [
      "a variable from nowhere",
      { env: [{ name: "a", valueFrom: {} }] },
      [
        at(
          'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
        ),
      ],
    ],
    [
      "a variable with two values",
      { env: [{ name: "a", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
      [at('env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty')],
    ],
    [
      "a variable with two sources",
      {
        env: [
          {
            name: "a",
            valueFrom: { fieldRef: { fieldPath: "metadata.name" }, configMapKeyRef: { name: "c", key: "k" } },
          },
        ],
      },
      [at('env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time')],
    ],
    [
      "a field that no variable shows",
      { env: [{ name: "a", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } }] },
      [
        at(
          'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
        ),
      ],
    ],
    [
      "a field that does not exist",
      { env: [{ name: "a", valueFrom: { fieldRef: { fieldPath: "metadata.foo" } } }] },
      [
        at(
          'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.foo": error converting fieldPath: field label not supported: metadata.foo',
        ),
      ],
    ],
    [
      "a field of another version",
      { env: [{ name: "a", valueFrom: { fieldRef: { apiVersion: "v2", fieldPath: "metadata.name" } } }] },
      [
        at(
          'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2',
        ),
      ],
    ],
    [
      "one of several names",
      { env: [{ name: "a", valueFrom: { fieldRef: { fieldPath: "metadata.name['a']" } } }] },
      [
        at(
          `env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.name['a']": error converting fieldPath: field label does not support subscript: metadata.name['a']`,
        ),
      ],
    ],
    [
      "no field",
      { env: [{ name: "a", valueFrom: { fieldRef: { fieldPath: "" } } }] },
      [at("env[0].valueFrom.fieldRef.fieldPath: Required value")],
    ],
    [
      "an unknown resource field",
      { env: [{ name: "a", valueFrom: { resourceFieldRef: { resource: "x" } } }] },
      [
        at(
          'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "x": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
        ),
      ],
    ],
    [
      "an odd divisor",
      { env: [{ name: "a", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "2" } } }] },
      [
        at(
          `env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
        ),
      ],
    ],
    [
      "a key reference without a key",
      { env: [{ name: "a", valueFrom: { secretKeyRef: { name: "s", key: "" } } }] },
      [at("env[0].valueFrom.secretKeyRef.key: Required value")],
    ],
    [
      "variables from nowhere",
      { envFrom: [{}] },
      [at('envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`')],
    ],
    [
      "variables from a nameless map",
      { envFrom: [{ configMapRef: { name: "" } }] },
      [at("envFrom[0].configMapRef.name: Required value")],
    ],
    [
      "a probe without a handler",
      { livenessProbe: {} },
      [at("livenessProbe: Required value: must specify a handler type")],
    ],
    [
      "a probe with two handlers",
      { livenessProbe: { exec: { command: ["true"] }, tcpSocket: { port: 1 } } },
      [at("livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type")],
    ],
    ["a probe of no command", { livenessProbe: { exec: {} } }, [at("livenessProbe.exec.command: Required value")]],
    [
      "a probe of port 0",
      { readinessProbe: { httpGet: { port: 0 } } },
      [at("readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive")],
    ],
    [
      "a probe of a bad port name",
      { readinessProbe: { tcpSocket: { port: "80" } } },
      [at('readinessProbe.tcpSocket.port: Invalid value: "80": must contain at least one letter (a-z)')],
    ],
    [
      "a probe of gRPC port 0",
      { readinessProbe: { grpc: { port: 0 } } },
      [at("readinessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive")],
    ],
    [
      "a probe of an unknown scheme",
      { readinessProbe: { httpGet: { port: 1, scheme: "ftp" } } },
      [at('readinessProbe.httpGet.scheme: Unsupported value: "ftp": supported values: "HTTP", "HTTPS"')],
    ],
    [
      "a probe with a bad header",
      { readinessProbe: { httpGet: { port: 1, httpHeaders: [{ name: "a b", value: "" }] } } },
      [
        at(
          `readinessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
        ),
      ],
    ],
    [
      "negative timing",
      {
        readinessProbe: {
          tcpSocket: { port: 1 },
          initialDelaySeconds: -1,
          timeoutSeconds: -2,
          periodSeconds: -3,
          successThreshold: -4,
          failureThreshold: -5,
        },
      },
      [
        "initialDelaySeconds: Invalid value: -1",
        "timeoutSeconds: Invalid value: -2",
        "periodSeconds: Invalid value: -3",
        "successThreshold: Invalid value: -4",
        "failureThreshold: Invalid value: -5",
      ].map((text) => at(`readinessProbe.${text}: must be greater than or equal to 0`)),
    ],
    [
      "a liveness probe that needs two successes",
      { livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } },
      [at("livenessProbe.successThreshold: Invalid value: 2: must be 1")],
    ],
    [
      "a startup probe that needs two successes",
      { startupProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } },
      [at("startupProbe.successThreshold: Invalid value: 2: must be 1")],
    ],
    [
      "a probe without grace",
      { livenessProbe: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 0 } },
      [at("livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0")],
    ],
    [
      "a readiness probe with grace",
      { readinessProbe: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 1 } },
      [at("readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes")],
    ],
    [
      "a hook without a handler",
      { lifecycle: { preStop: {} } },
      [at("lifecycle.preStop: Required value: must specify a handler type")],
    ],
    [
      "a hook that sleeps too long",
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      [
        at(
          "lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
      ],
    ],
    [
      "a hook that sleeps backwards",
      { lifecycle: { postStart: { sleep: { seconds: -1 } } } },
      [
        at(
          "lifecycle.postStart.sleep: Invalid value: -1: must be non-negative and less than terminationGracePeriodSeconds (30)",
        ),
      ],
    ],
    [
      "a request above its limit",
      { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
      [at('resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1')],
    ],
    [
      "a negative request",
      { resources: { requests: { cpu: "-1" } } },
      [at('resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0')],
    ],
    [
      "an unknown resource",
      { resources: { requests: { disk: "1" } } },
      [
        at('resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully qualified'),
        at('resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers'),
      ],
    ],
    [
      "a resource of no container",
      { resources: { requests: { pods: "1" } } },
      [at('resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers')],
    ],
    [
      "half a device",
      { resources: { limits: { "example.com/gpu": "0.5" } } },
      [
        at('resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer'),
        at('resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer'),
      ],
    ],
    [
      "a device without a limit",
      { resources: { requests: { "example.com/gpu": "1" } } },
      [at("resources.limits: Required value: Limit must be set for non overcommitable resources")],
    ],
    [
      "fewer devices than its limit",
      { resources: { requests: { "example.com/gpu": "1" }, limits: { "example.com/gpu": "2" } } },
      [at('resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2')],
    ],
    [
      "huge pages alone",
      { resources: { limits: { "hugepages-2Mi": "2Mi" } } },
      [at("resources: Forbidden: HugePages require cpu or memory")],
    ],
    [
      "half a huge page",
      { resources: { limits: { "hugepages-2Mi": "1Mi", cpu: "1" } } },
      [
        at(
          'resources.limits[hugepages-2Mi]: Invalid value: "1Mi": 1Mi is not positive integer multiple of hugepages-2Mi',
        ),
        at(
          'resources.requests[hugepages-2Mi]: Invalid value: "1Mi": 1Mi is not positive integer multiple of hugepages-2Mi',
        ),
      ],
    ],
    [
      "a claim that the Pod does not make",
      { resources: { claims: [{ name: "gpu" }] } },
      [at('resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty')],
    ],
    [
      "an unknown resize policy",
      { resizePolicy: [{ resourceName: "disk", restartPolicy: "x" }] },
      [
        at('resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"'),
        at('resizePolicy: Unsupported value: "x": supported values: "NotRequired", "RestartContainer"'),
      ],
    ],
    [
      "a bad user",
      { securityContext: { runAsUser: -1 } },
      [at("securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive")],
    ],
    [
      "privileges it must not gain",
      { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
      [
        at(
          'securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      ],
    ],
    [
      "the power over the system without escalation",
      { securityContext: { allowPrivilegeEscalation: false, capabilities: { add: ["CAP_SYS_ADMIN"] } } },
      [
        at(
          'securityContext: Invalid value: {"allowPrivilegeEscalation":false,"capabilities":{"add":["CAP_SYS_ADMIN"]}}: cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      ],
    ],
    [
      "an unmasked /proc with the node's users",
      { securityContext: { procMount: "Unmasked" } },
      [at('securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`')],
    ],
  ])("may not have %s", (_what, container, expected) => {
    expect(errors(container)).toEqual(expected);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["a hook that sleeps as long as there is grace", { lifecycle: { preStop: { sleep: { seconds: 30 } } } }, {}],
    [
      "labels and annotations in variables",
      {
        env: [
          { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
          { name: "B", valueFrom: { fieldRef: { fieldPath: "metadata.annotations['Example.com/Note']" } } },
        ],
      },
      {},
    ],
    [
      "huge pages in a variable",
      { env: [{ name: "A", valueFrom: { resourceFieldRef: { resource: "limits.hugepages-2Mi", divisor: "1Mi" } } }] },
      {},
    ],
    [
      "the same host port for two protocols",
      {
        ports: [
          { containerPort: 53, hostPort: 53 },
          { containerPort: 53, hostPort: 53, protocol: "UDP" },
        ],
      },
      {},
    ],
    [
      "a claim that the Pod makes",
      { resources: { claims: [{ name: "gpu" }] } },
      { resourceClaims: [{ name: "gpu", resourceClaimName: "g" }] },
    ],
    ["devices", { resources: { limits: { "example.com/gpu": "1" } } }, {}],
  ])("may have %s", (_what, container, spec) => {
    expect(errors(container, spec)).toEqual([]);
  });

  it("on the node's network has the node's ports", () => {
    expect(errors({ ports: [{ containerPort: 80, hostPort: 81 }] }, { hostNetwork: true })).toEqual([
      at("ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"),
    ]);
  });

  it("may not ask for a restart on resize in a Pod that never restarts", () => {
    expect(
      errors(
        { resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] },
        { restartPolicy: "Never" },
      ),
    ).toEqual([
      at(`resizePolicy: Invalid value: "RestartContainer": must be 'NotRequired' when \`restartPolicy\` is 'Never'`),
    ]);
  });

  it("has a name of its own", () => {
    const named = (name: string): JsonObject => ({ name, image: "a" });
    expect(complaints({ containers: [named("c"), named("c")] })).toEqual([
      'spec.containers[1].name: Duplicate value: "c"',
    ]);
    expect(complaints({ initContainers: [named("web")] })).toEqual([
      'spec.initContainers[0].name: Duplicate value: "web"',
    ]);
  });
});

describe("an init container", () => {
  const errors = (container: JsonObject): string[] =>
    complaints({ initContainers: [{ name: "init", image: "init", ...container }] });
  const forbidden = "Forbidden: may not be set for init containers without restartPolicy=Always";
  const handlers = {
    lifecycle: { postStart: { exec: { command: ["true"] } } },
    livenessProbe: { tcpSocket: { port: 1 } },
    readinessProbe: { tcpSocket: { port: 1 } },
    startupProbe: { tcpSocket: { port: 1 } },
  };

  it("that runs to completion has neither hooks nor probes", () => {
    expect(errors(handlers)).toEqual(
      Object.keys(handlers).map((field) => `spec.initContainers[0].${field}: ${forbidden}`),
    );
  });

  it("that keeps running has them all", () => {
    expect(errors({ ...handlers, restartPolicy: "Always" })).toEqual([]);
    expect(errors({ restartPolicy: "Always", livenessProbe: {} })).toEqual([
      "spec.initContainers[0].livenessProbe: Required value: must specify a handler type",
    ]);
  });

  it.each(["OnFailure", "Never"])("does not restart %s", (restartPolicy) => {
    expect(errors({ restartPolicy })).toEqual([
      `spec.initContainers[0].restartPolicy: Unsupported value: "${restartPolicy}": supported values: "Always"`,
    ]);
  });

  it("has no blanks around its image", () => {
    expect(errors({ image: "init " })).toEqual([
      'spec.initContainers[0].image: Invalid value: "init ": must not have leading or trailing whitespace',
    ]);
  });
});

describe("a volume", () => {
  const errors = (volume: JsonObject): string[] => complaints({ volumes: [{ name: "v", ...volume }] });
  const at = (rest: string): string => `spec.volumes[0].${rest}`;
  const mode = "must be a number between 0 and 0777 (octal), both inclusive";

  it.each<[string, JsonObject, string[]]>([
    ["no name", { name: "" }, [at("name: Required value")]],
    ["a bad name", { name: "V" }, [at(`name: Invalid value: "V": ${labelRule}`)]],
    [
      "two sources",
      { emptyDir: {}, configMap: { name: "c" } },
      [at("configMap: Forbidden: may not specify more than 1 volume type")],
    ],
    [
      "a negative size",
      { emptyDir: { sizeLimit: "-1" } },
      [at("emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity")],
    ],
    ["no path on the host", { hostPath: { path: "" } }, [at("hostPath.path: Required value")]],
    [
      "a climbing path on the host",
      { hostPath: { path: "/a/../b" } },
      [at(`hostPath.path: Invalid value: "/a/../b": must not contain '..'`)],
    ],
    [
      "an unknown kind of path",
      { hostPath: { path: "/a", type: "x" } },
      [
        at(
          'hostPath.type: Unsupported value: "x": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
        ),
      ],
    ],
    ["a nameless secret", { secret: {} }, [at("secret.secretName: Required value")]],
    ["a nameless config map", { configMap: {} }, [at("configMap.name: Required value")]],
    [
      "a bad mode",
      { secret: { secretName: "s", defaultMode: 512 } },
      [at(`secret.defaultMode: Invalid value: 512: ${mode}`)],
    ],
    [
      "items without key and path",
      { configMap: { name: "c", items: [{ key: "", path: "" }] } },
      [at("configMap.items[0].key: Required value"), at("configMap.items[0].path: Required value")],
    ],
    [
      "an item above the volume",
      {
        configMap: {
          name: "c",
          items: [
            { key: "k", path: "/a" },
            { key: "k", path: "../a" },
            { key: "k", path: "..a" },
          ],
        },
      },
      [
        at('configMap.items[0].path: Invalid value: "/a": must be a relative path'),
        at(`configMap.items[1].path: Invalid value: "../a": must not contain '..'`),
        at(`configMap.items[2].path: Invalid value: "..a": must not start with '..'`),
      ],
    ],
    [
      "an item with a bad mode",
      { configMap: { name: "c", items: [{ key: "k", path: "a", mode: -1 }] } },
      [at(`configMap.items[0].mode: Invalid value: -1: ${mode}`)],
    ],
    [
      "a file from nowhere",
      { downwardAPI: { items: [{ path: "a" }] } },
      [at("downwardAPI: Required value: one of fieldRef and resourceFieldRef is required")],
    ],
    [
      "a file with two contents",
      {
        downwardAPI: {
          items: [
            {
              path: "a",
              fieldRef: { fieldPath: "metadata.name" },
              resourceFieldRef: { containerName: "web", resource: "limits.cpu" },
            },
          ],
        },
      },
      [at('downwardAPI: Invalid value: "resource": fieldRef and resourceFieldRef can not be specified simultaneously')],
    ],
    [
      "a field that no volume shows",
      { downwardAPI: { items: [{ path: "a", fieldRef: { fieldPath: "status.podIP" } }] } },
      [
        at(
          'downwardAPI.fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
        ),
      ],
    ],
    [
      "resources of no container",
      { downwardAPI: { items: [{ path: "a", resourceFieldRef: { resource: "limits.cpu" } }] } },
      [at("downwardAPI.resourceFieldRef.containerName: Required value")],
    ],
    [
      "a path twice",
      {
        projected: {
          sources: [
            { secret: { name: "s", items: [{ key: "k", path: "a" }] } },
            { configMap: { name: "c", items: [{ key: "k", path: "a" }] } },
          ],
        },
      },
      [at('projected: Invalid value: "c": conflicting duplicate paths')],
    ],
    [
      "two sources in one",
      { projected: { sources: [{ secret: { name: "s" }, configMap: { name: "c" } }] } },
      [at("projected.sources[0]: Forbidden: may not specify more than 1 volume type per source")],
    ],
    [
      "a nameless source",
      { projected: { sources: [{ secret: {} }] } },
      [at("projected.sources[0].secret.name: Required value")],
    ],
    [
      "a nameless claim",
      { persistentVolumeClaim: { claimName: "" } },
      [at("persistentVolumeClaim.claimName: Required value")],
    ],
  ])("may not have %s", (_what, volume, expected) => {
    expect(errors(volume)).toEqual(expected);
  });

  it("has a name of its own", () => {
    expect(complaints({ volumes: [{ name: "v" }, { name: "v" }] })).toEqual([
      'spec.volumes[1].name: Duplicate value: "v"',
    ]);
  });

  it("of a token lives between ten minutes and many years", () => {
    const token = (expirationSeconds: number): string[] =>
      complaints({
        serviceAccountName: "a",
        volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds } }] } }],
      });
    const path = "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds";
    expect(token(599)).toEqual([`${path}: Invalid value: 599: may not specify a duration less than 10 minutes`]);
    expect(token(600)).toEqual([]);
    expect(token(4294967297)).toEqual([
      `${path}: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds`,
    ]);
  });

  const mounts = (volumeMounts: JsonObject[], container: JsonObject = {}): string[] =>
    complaints({ volumes: [{ name: "v" }], containers: [{ name: "web", image: "web:1", volumeMounts, ...container }] });
  const mountAt = (rest: string): string => `spec.containers[0].volumeMounts${rest}`;

  it.each<[string, JsonObject[], string[]]>([
    [
      "of nothing",
      [{ name: "", mountPath: "" }],
      [
        mountAt("[0].name: Required value"),
        mountAt('[0].name: Not found: ""'),
        mountAt("[0].mountPath: Required value"),
      ],
    ],
    ["of an unknown volume", [{ name: "x", mountPath: "/a" }], [mountAt('[0].name: Not found: "x"')]],
    [
      "in one place twice",
      [
        { name: "v", mountPath: "/a" },
        { name: "v", mountPath: "/a" },
      ],
      [mountAt('[1].mountPath: Invalid value: "/a": must be unique')],
    ],
    [
      "of an absolute part",
      [{ name: "v", mountPath: "/a", subPath: "/b" }],
      [mountAt('.subPath: Invalid value: "/b": must be a relative path')],
    ],
    [
      "of a climbing part",
      [{ name: "v", mountPath: "/a", subPath: "../b" }],
      [mountAt(`.subPath: Invalid value: "../b": must not contain '..'`)],
    ],
    [
      "of two parts",
      [{ name: "v", mountPath: "/a", subPath: "b", subPathExpr: "$(C)" }],
      [mountAt('[0].subPathExpr: Invalid value: "$(C)": subPathExpr and subPath are mutually exclusive')],
    ],
    [
      "with an unknown propagation",
      [{ name: "v", mountPath: "/a", mountPropagation: "x" }],
      [
        mountAt(
          '.mountPropagation: Unsupported value: "x": supported values: "Bidirectional", "HostToContainer", "None"',
        ),
      ],
    ],
    [
      "to the host without privileges",
      [{ name: "v", mountPath: "/a", mountPropagation: "Bidirectional" }],
      [
        mountAt(
          ".mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
        ),
      ],
    ],
    [
      "read-only to the depth only",
      [{ name: "v", mountPath: "/a", recursiveReadOnly: "Enabled" }],
      [mountAt(".recursiveReadOnly: Forbidden: may only be specified when readOnly is true")],
    ],
    [
      "read-only to the depth with propagation",
      [
        {
          name: "v",
          mountPath: "/a",
          readOnly: true,
          recursiveReadOnly: "Enabled",
          mountPropagation: "HostToContainer",
        },
      ],
      [mountAt(".recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified")],
    ],
    [
      "that is good",
      [
        { name: "v", mountPath: "/a", subPath: "b/c" },
        { name: "v", mountPath: "/b", subPathExpr: "$(C)" },
      ],
      [],
    ],
  ])("has a mount %s", (_what, volumeMounts, expected) => {
    expect(mounts(volumeMounts)).toEqual(expected);
  });

  it("may be shared back with the host by a privileged container", () => {
    const mount = { name: "v", mountPath: "/a", mountPropagation: "Bidirectional" };
    expect(mounts([mount], { securityContext: { privileged: true } })).toEqual([]);
  });

  it("is a raw device only if it is a claim", () => {
    expect(mounts([], { volumeDevices: [{ name: "v", devicePath: "/dev/a" }] })).toEqual([
      'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
    ]);
  });
});

describe("scheduling", () => {
  const required = (term: JsonObject): JsonObject => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  });
  const requiredPath = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const expression = (operator: string, ...values: string[]): JsonObject =>
    required({ matchExpressions: [{ key: "k", operator, values }] });
  const field = (key: string, operator: string, ...values: string[]): JsonObject =>
    required({ matchFields: [{ key, operator, values }] });
  const spread = (constraint: JsonObject): JsonObject => ({
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", ...constraint }],
  });

  it.each<[string, JsonObject, string[]]>([
    [
      "an empty selector",
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      [`${requiredPath}: Required value: must have at least one node selector term`],
    ],
    [
      "In nothing",
      expression("In"),
      [
        `${requiredPath}[0].matchExpressions[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
      ],
    ],
    [
      "Exists with a value",
      expression("Exists", "a"),
      [
        `${requiredPath}[0].matchExpressions[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
      ],
    ],
    [
      "Gt two values",
      expression("Gt", "1", "2"),
      [
        `${requiredPath}[0].matchExpressions[0].values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
      ],
    ],
    [
      "an unknown operator",
      expression("Like", "a"),
      [`${requiredPath}[0].matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator`],
    ],
    [
      "a field with Exists",
      field("metadata.name", "Exists"),
      [`${requiredPath}[0].matchFields[0].operator: Invalid value: "Exists": not a valid selector operator`],
    ],
    [
      "a field with two values",
      field("metadata.name", "In", "a", "b"),
      [
        `${requiredPath}[0].matchFields[0].values: Required value: must be only one value when \`operator\` is 'In' or 'NotIn' for node field selector`,
      ],
    ],
    [
      "an unknown field",
      field("spec.x", "In", "a"),
      [`${requiredPath}[0].matchFields[0].key: Invalid value: "spec.x": not a valid field selector key`],
    ],
    [
      "a weight of zero",
      {
        affinity: {
          nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }] },
        },
      },
      [
        "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100",
      ],
    ],
    [
      "an affinity to nowhere",
      {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone", matchLabelKeys: ["app"] }],
          },
        },
      },
      [
        "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
      ],
    ],
    [
      "a toleration of everything but with a value",
      { tolerations: [{ operator: "Exists", value: "x" }] },
      [`spec.tolerations[0].operator: Invalid value: "x": value must be empty when \`operator\` is 'Exists'`],
    ],
    [
      "a toleration without a key",
      { tolerations: [{ value: "x" }] },
      [
        'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      "a limited toleration of NoSchedule",
      { tolerations: [{ key: "k", operator: "Exists", effect: "NoSchedule", tolerationSeconds: 1 }] },
      [
        `spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
      ],
    ],
    [
      "an unknown toleration",
      { tolerations: [{ key: "k", operator: "Like" }] },
      ['spec.tolerations[0].operator: Unsupported value: "Like": supported values: "Equal", "Exists"'],
    ],
    [
      "an unknown effect",
      { tolerations: [{ key: "k", operator: "Exists", effect: "x" }] },
      [
        'spec.tolerations[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      "a gate twice",
      { schedulingGates: [{ name: "a" }, { name: "a" }] },
      ['spec.schedulingGates[1]: Duplicate value: "a"'],
    ],
    [
      "a nameless gate",
      { readinessGates: [{ conditionType: "/x" }] },
      ['spec.readinessGates[0].conditionType: Invalid value: "/x": prefix part must be non-empty'],
    ],
    [
      "a skew of zero",
      spread({ maxSkew: 0 }),
      ["spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"],
    ],
    [
      "no topology",
      spread({ topologyKey: "" }),
      ["spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty"],
    ],
    [
      "an unknown action",
      spread({ whenUnsatisfiable: "x" }),
      [
        'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "x": supported values: "DoNotSchedule", "ScheduleAnyway"',
      ],
    ],
    [
      "minimum domains of a wish",
      spread({ whenUnsatisfiable: "ScheduleAnyway", minDomains: 1 }),
      [
        "spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
      ],
    ],
    [
      "an unknown policy",
      spread({ nodeTaintsPolicy: "x" }),
      [
        'spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: "x": supported values: "Honor", "Ignore"',
      ],
    ],
    [
      "keys without a selector",
      spread({ matchLabelKeys: ["app"] }),
      [
        "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
      ],
    ],
    [
      "keys that are selected anyway",
      spread({ matchLabelKeys: ["app"], labelSelector: { matchLabels: { app: "web" } } }),
      [
        'spec.topologySpreadConstraints[0].matchLabelKeys[0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector',
      ],
    ],
    [
      "one constraint twice",
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" },
          { maxSkew: 2, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" },
        ],
      },
      ['spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"'],
    ],
  ])("may not ask for %s", (_what, spec, expected) => {
    expect(complaints(spec)).toEqual(expected);
  });

  it.each<[string, JsonObject]>([
    ["a node by name", field("metadata.name", "In", "node-a")],
    [
      "an odd value as a wish",
      {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, preference: { matchExpressions: [{ key: "k", operator: "In", values: ["a b"] }] } },
            ],
          },
        },
      },
    ],
    ["every taint", { tolerations: [{ operator: "Exists" }] }],
    [
      "five minutes on a lost node",
      {
        tolerations: [
          { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
        ],
      },
    ],
  ])("may ask for %s", (_what, spec) => {
    expect(complaints(spec)).toEqual([]);
  });
});
