import { describe, expect, it } from "vitest";
import type { Draft } from "../../draft.ts";
import type { Pod } from "../../generated/core-v1.ts";
import { fieldErrorText } from "../../meta/field-errors.ts";
import type { JsonObject } from "../../wire/request.ts";
import { defaultPod } from "./default-pod.ts";
import {
  validateEphemeralContainersUpdate,
  validatePodStatusUpdate,
  validatePodUpdate,
} from "./validate-pod-update.ts";

const web = { name: "web", image: "web:1" };

function pod(spec: JsonObject = {}, rest: JsonObject = {}): Pod {
  const draft = {
    metadata: { name: "web" },
    status: { phase: "Pending" },
    ...rest,
    spec: { containers: [web], ...spec },
  };
  return defaultPod(draft as unknown as Draft<Pod>);
}

const texts = (errors: ReturnType<typeof validatePodUpdate>): string[] => errors.map(fieldErrorText);
/** Only what the update adds to what is wrong anyway. */
const update = (old: JsonObject, next: JsonObject): string[] => texts(validatePodUpdate(pod(next), pod(old)));

const nothingElse =
  "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

describe("an update of a Pod", () => {
  const toleration = { key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };
  const gates = { schedulingGates: [{ name: "g" }, { name: "h" }] };
  const term = (...matchExpressions: JsonObject[]): JsonObject => ({
    ...gates,
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
    },
  });
  const a = { key: "a", operator: "Exists" };
  const b = { key: "b", operator: "Exists" };

  it.each<[string, JsonObject, JsonObject]>([
    ["nothing", {}, {}],
    ["an image", {}, { containers: [{ ...web, image: "web:2" }] }],
    [
      "the image of an init container",
      { initContainers: [{ name: "i", image: "i:1" }] },
      { initContainers: [{ name: "i", image: "i:2" }] },
    ],
    ["a deadline that was not there", {}, { activeDeadlineSeconds: 10 }],
    ["a deadline to an earlier one", { activeDeadlineSeconds: 10 }, { activeDeadlineSeconds: 5 }],
    [
      "the tolerations to more of them",
      { tolerations: [toleration] },
      { tolerations: [{ key: "b", operator: "Exists" }, toleration] },
    ],
    [
      "how long it tolerates",
      { tolerations: [toleration] },
      { tolerations: [{ ...toleration, tolerationSeconds: 5 }] },
    ],
    ["a negative grace period to 1", { terminationGracePeriodSeconds: -3 }, { terminationGracePeriodSeconds: 1 }],
    ["the gates to fewer of them", gates, { schedulingGates: [{ name: "h" }] }],
    ["the gates to none", gates, {}],
    [
      "the node selector of a gated Pod to more",
      { ...gates, nodeSelector: { a: "1" } },
      { ...gates, nodeSelector: { a: "1", b: "2" } },
    ],
    ["the affinity of a gated Pod from none", gates, term(a)],
    ["a term of a gated Pod to more", term(a), term(a, b)],
    [
      "the wishes of a gated Pod",
      gates,
      {
        ...gates,
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [a] } }],
          },
        },
      },
    ],
  ])("may change %s", (_what, old, next) => {
    expect(update(old, next)).toEqual([]);
  });

  it.each<[string, JsonObject, JsonObject, string[]]>([
    [
      "an image to nothing",
      {},
      { containers: [{ ...web, image: "" }] },
      ["spec.containers[0].image: Required value", "spec.containers[0].image: Required value"],
    ],
    [
      "the number of containers",
      {},
      { containers: [web, { name: "b", image: "b" }] },
      ["spec.containers: Forbidden: pod updates may not add or remove containers"],
    ],
    [
      "the number of init containers",
      {},
      { initContainers: [{ name: "b", image: "b" }] },
      ["spec.initContainers: Forbidden: pod updates may not add or remove containers"],
    ],
    [
      "a deadline to a later one",
      { activeDeadlineSeconds: 5 },
      { activeDeadlineSeconds: 10 },
      ["spec.activeDeadlineSeconds: Invalid value: 10: must be less than or equal to previous value"],
    ],
    [
      "a deadline to none",
      { activeDeadlineSeconds: 5 },
      {},
      ["spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"],
    ],
    [
      "a toleration",
      { tolerations: [toleration] },
      { tolerations: [{ ...toleration, key: "b" }] },
      ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"],
    ],
    [
      "the gates to others",
      gates,
      { schedulingGates: [{ name: "x" }] },
      ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'x'"],
    ],
    [
      "the node selector of a gated Pod to another",
      { ...gates, nodeSelector: { a: "1" } },
      { ...gates, nodeSelector: { a: "2" } },
      [
        'spec.nodeSelector: Invalid value: {"a":"2"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
    ],
    [
      "a term of a gated Pod to another",
      term(a),
      term(b),
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]: Invalid value: {"matchExpressions":[{"key":"b","operator":"Exists"}]}: only additions are allowed (no mutations or deletions)',
      ],
    ],
    [
      "the terms of a gated Pod to none",
      term(a),
      gates,
      [
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Invalid value: []: no additions/deletions to non-empty NodeSelectorTerms list are allowed",
      ],
    ],
  ])("may not change %s", (_what, old, next, errors) => {
    expect(update(old, next)).toEqual(errors);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["a node name", {}, { nodeName: "node-a" }],
    ["the node selector of a Pod without gates", {}, { nodeSelector: { a: "1" } }],
    ["a positive grace period", { terminationGracePeriodSeconds: 30 }, { terminationGracePeriodSeconds: 1 }],
    ["a request", {}, { containers: [{ ...web, resources: { requests: { cpu: "1" } } }] }],
    ["a probe", {}, { containers: [{ ...web, livenessProbe: { tcpSocket: { port: 1 } } }] }],
    ["a volume", {}, { volumes: [{ name: "v" }] }],
    ["ephemeral containers", {}, { ephemeralContainers: [{ name: "d", image: "d" }] }],
  ])("may not change %s, and shows the difference", (_what, old, next) => {
    expect(update(old, next)).toEqual([expect.stringContaining(`${nothingElse}\n  core.PodSpec{\n`)]);
  });

  it("shows what would have changed", () => {
    expect(update({ hostname: "a" }, { hostname: "b" })[0]).toContain('\n- \tHostname: "a",\n+ \tHostname: "b",\n');
  });

  it.each<[string, JsonObject | undefined, JsonObject | undefined, string[]]>([
    [
      "gain the mark of a mirror",
      undefined,
      { "kubernetes.io/config.mirror": "x" },
      ["metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation"],
    ],
    [
      "lose the mark of a mirror",
      { "kubernetes.io/config.mirror": "x" },
      undefined,
      ["metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update mirror pod annotation"],
    ],
    [
      "gain an AppArmor profile",
      undefined,
      { "container.apparmor.security.beta.kubernetes.io/web": "unconfined" },
      [
        "metadata.annotations[container.apparmor.security.beta.kubernetes.io/web]: Forbidden: may not add AppArmor annotations",
      ],
    ],
    ["change any other annotation", { a: "1" }, { a: "2", b: "3" }, []],
  ])("lets the annotations %s or not", (_what, before, after, errors) => {
    const annotated = (annotations: JsonObject | undefined): Pod =>
      pod({ nodeName: "a" }, { metadata: { name: "web", ...(annotations === undefined ? {} : { annotations }) } });
    expect(texts(validatePodUpdate(annotated(after), annotated(before)))).toEqual(errors);
  });
});

describe("an update of the ephemeral containers", () => {
  const debug = { name: "debug", image: "busybox" };
  const ephemeral = (old: JsonObject[], next: JsonObject[], rest: JsonObject = {}): string[] =>
    texts(
      validateEphemeralContainersUpdate(
        pod({ ephemeralContainers: next }, rest),
        pod({ ephemeralContainers: old }, rest),
      ),
    );

  it("may add some", () => {
    expect(ephemeral([], [{ ...debug, targetContainerName: "web" }])).toEqual([]);
    expect(ephemeral([debug], [{ name: "two", image: "x" }, debug])).toEqual([]);
  });

  it.each<[string, JsonObject[], JsonObject[], string[]]>([
    [
      "remove one",
      [debug],
      [],
      ['spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n'],
    ],
    ["repeat a name", [], [{ ...debug, name: "web" }], ['spec.ephemeralContainers[0].name: Duplicate value: "web"']],
    [
      "aim at nothing",
      [],
      [{ ...debug, targetContainerName: "x" }],
      ['spec.ephemeralContainers[0].targetContainerName: Not found: "x"'],
    ],
    [
      "have blanks around the image",
      [],
      [{ ...debug, image: "x " }],
      ['spec.ephemeralContainers[0].image: Invalid value: "x ": must not have leading or trailing whitespace'],
    ],
    [
      "have ports",
      [],
      [{ ...debug, ports: [{ containerPort: 1 }] }],
      ["spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container"],
    ],
    [
      "have resources",
      [],
      [{ ...debug, resources: { requests: { cpu: "1" } } }],
      ["spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container"],
    ],
    [
      "have probes",
      [],
      [{ ...debug, livenessProbe: { tcpSocket: { port: 1 } } }],
      ["spec.ephemeralContainers[0].livenessProbe: Forbidden: cannot be set for an Ephemeral Container"],
    ],
    [
      "have hooks",
      [],
      [{ ...debug, lifecycle: { preStop: { sleep: { seconds: 1 } } } }],
      ["spec.ephemeralContainers[0].lifecycle: Forbidden: cannot be set for an Ephemeral Container"],
    ],
    [
      "have a restart policy",
      [],
      [{ ...debug, restartPolicy: "Always" }],
      ["spec.ephemeralContainers[0].restartPolicy: Forbidden: cannot be set for an Ephemeral Container"],
    ],
  ])("may not %s", (_what, old, next, errors) => {
    expect(ephemeral(old, next)).toEqual(errors);
  });

  it("may not change one, and shows the difference", () => {
    expect(ephemeral([debug], [{ ...debug, image: "alpine" }])).toEqual([
      expect.stringContaining(
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be changed\n  core.EphemeralContainer{',
      ),
    ]);
  });

  it("may not mount a part of a volume", () => {
    const next = pod({
      volumes: [{ name: "v" }],
      ephemeralContainers: [{ ...debug, volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a" }] }],
    });
    expect(texts(validateEphemeralContainersUpdate(next, pod({ volumes: [{ name: "v" }] })))).toEqual([
      "spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container",
    ]);
  });

  it("is not for static Pods", () => {
    const metadata = { name: "web", annotations: { "kubernetes.io/config.mirror": "x" } };
    expect(ephemeral([], [debug], { metadata })).toEqual([
      "[]: Forbidden: static pods do not support ephemeral containers",
    ]);
  });
});

describe("an update of a Pod's status", () => {
  const status = (old: JsonObject, next: JsonObject, spec: JsonObject = {}): string[] =>
    texts(
      validatePodStatusUpdate(
        pod(spec, { status: { phase: "Running", ...next } }),
        pod(spec, { status: { phase: "Running", ...old } }),
      ),
    );
  const ended = (exitCode: number): JsonObject => ({ name: "web", state: { terminated: { exitCode } } });
  const running: JsonObject = { name: "web", state: { running: {} } };
  const back = "state: Forbidden: may not be transitioned to non-terminated state";
  const sidecars = { initContainers: [{ name: "web", image: "w", restartPolicy: "Always" }], restartPolicy: "Never" };

  it.each<[string, JsonObject, JsonObject, JsonObject, string[]]>([
    [
      "lets a container run again where it always restarts",
      { containerStatuses: [ended(0)] },
      { containerStatuses: [running] },
      {},
      [],
    ],
    [
      "lets a failed container run again",
      { containerStatuses: [ended(1)] },
      { containerStatuses: [running] },
      { restartPolicy: "OnFailure" },
      [],
    ],
    [
      "keeps a finished container ended",
      { containerStatuses: [ended(0)] },
      { containerStatuses: [running] },
      { restartPolicy: "OnFailure" },
      [`status.containerStatuses[0].${back}`],
    ],
    [
      "keeps every container ended that never restarts",
      { containerStatuses: [ended(1)] },
      { containerStatuses: [running] },
      { restartPolicy: "Never" },
      [`status.containerStatuses[0].${back}`],
    ],
    ["lets a container go", { containerStatuses: [ended(1)] }, {}, { restartPolicy: "Never" }, []],
    [
      "keeps an init container ended",
      { initContainerStatuses: [ended(0)] },
      { initContainerStatuses: [running] },
      { restartPolicy: "Never" },
      [`status.initContainerStatuses[0].${back}`],
    ],
    [
      "lets a sidecar run again",
      { initContainerStatuses: [ended(0)] },
      { initContainerStatuses: [running] },
      sidecars,
      [],
    ],
    [
      "keeps an ephemeral container ended",
      { ephemeralContainerStatuses: [ended(0)] },
      { ephemeralContainerStatuses: [running] },
      {},
      [`status.ephemeralContainerStatuses[0].${back}`],
    ],
    [
      "keeps the QoS class",
      { qosClass: "Burstable" },
      { qosClass: "BestEffort" },
      {},
      ['status.qosClass: Invalid value: "BestEffort": field is immutable'],
    ],
    [
      "checks addresses",
      {},
      { podIPs: [{ ip: "x" }] },
      {},
      ['status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    ["takes one address of each family", {}, { podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] }, {}, []],
    [
      "refuses two of one family",
      {},
      { podIPs: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }] },
      {},
      [
        'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
      ],
    ],
    [
      "wants the host's first address",
      {},
      { hostIP: "10.0.0.1", hostIPs: [{ ip: "10.0.0.2" }] },
      {},
      ['status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`'],
    ],
    [
      "checks condition types",
      {},
      { conditions: [{ type: "/x", status: "True" }] },
      {},
      ['metadata.conditions[0].Type: Invalid value: "/x": prefix part must be non-empty'],
    ],
    [
      "refuses negative generations",
      {},
      { observedGeneration: -1, conditions: [{ type: "Ready", status: "True", observedGeneration: -1 }] },
      {},
      [
        "status.conditions[0].observedGeneration: Invalid value: -1: must be greater than or equal to 0",
        "status.observedGeneration: Invalid value: -1: must be greater than or equal to 0",
      ],
    ],
    [
      "checks a nominated node",
      {},
      { nominatedNodeName: ".." },
      {},
      [expect.stringMatching(/^status.nominatedNodeName: Invalid value: "..": a lowercase RFC 1123 subdomain/)],
    ],
  ])("%s", (_rule, old, next, spec, errors) => {
    expect(status(old, next, spec)).toEqual(errors);
  });
});
