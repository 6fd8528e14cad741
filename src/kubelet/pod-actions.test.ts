import { describe, expect, it } from "vitest";
import {
  aContainer,
  aPod,
  aSandbox,
  at,
  created,
  exited,
  type PodParts,
  running,
  seen,
  seenPod,
  sidecar,
  sighting,
  unknown,
} from "../../test/fakes/kubelet-pods.ts";
import type { RestartPolicy } from "../api/generated/core-v1.ts";
import { millis, seconds } from "../base/time.ts";
import type { ContainerRuntimeState } from "../runtimes/runtime-service.ts";
import { crashBackOffKey } from "./back-off.ts";
import { observedPod, type ObservedPod, type ProbeResults } from "./observed-pod.ts";
import type { PodAction } from "./pod-action.ts";
import { computePodActions } from "./pod-actions.ts";

/** One line for each action: `start c`, `kill c: message`. */
function told(actions: readonly PodAction[]): readonly string[] {
  return actions.map((action) => {
    switch (action.kind) {
      case "createSandbox":
        return `create sandbox ${action.attempt}${action.replaces ? " instead" : ""}`;
      case "killPod":
        return "kill pod";
      case "killContainer":
        return `kill ${action.container.spec.name}: ${action.message}`;
      case "startContainer":
        return `start ${action.container.spec.name}`;
      case "backOff":
        return `back off ${action.container.spec.name} ${action.delay / 1000}s`;
      case "waitForSandbox":
        return `wait until ${(action.until - at(0)) / 1000}s`;
    }
  });
}

function actionsOf(
  parts: PodParts,
  observed: ObservedPod,
  probes: Readonly<Record<string, ProbeResults>> = {},
  now = 100,
): readonly string[] {
  return told(computePodActions(aPod(parts), seenPod(observed, { probes }), at(now)));
}

describe("one regular container", () => {
  const cases: [string, RestartPolicy, ContainerRuntimeState, readonly string[]][] = [
    ["leaves a running container alone", "Always", running(), []],
    ["starts a container that was created only", "Never", created, ["start c"]],
    ["restarts a clean exit when the policy is Always", "Always", exited(0), ["start c"]],
    ["restarts a crash when the policy is Always", "Always", exited(1), ["start c"]],
    ["ends the Pod after a clean exit when the policy is OnFailure", "OnFailure", exited(0), ["kill pod"]],
    ["restarts a crash when the policy is OnFailure", "OnFailure", exited(1), ["start c"]],
    ["ends the Pod after a clean exit when the policy is Never", "Never", exited(0), ["kill pod"]],
    ["ends the Pod after a crash when the policy is Never", "Never", exited(1), ["kill pod"]],
    [
      "kills what it cannot judge before it starts it again",
      "Always",
      unknown,
      [`kill c: Container is in "unknown" state, try killing it before restart`, "start c"],
    ],
  ];
  it.each(cases)("%s", (_rule, restartPolicy, state, want) => {
    expect(actionsOf({ restartPolicy }, sighting(seen("c", state)))).toEqual(want);
  });

  it("starts a container that is not there", () => {
    expect(actionsOf({}, sighting())).toEqual(["start c"]);
  });

  it("starts nothing in a Pod that is being deleted", () => {
    const metadata = { deletionTimestamp: "2025-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 };
    expect(actionsOf({ metadata }, sighting(seen("c", exited(1))))).toEqual(["kill pod"]);
  });

  it("restarts a container whose image changed, whatever the policy", () => {
    const madeFrom = aContainer({ name: "c", image: "image:0" });
    const want = ["kill c: Container c definition changed, will be restarted", "start c"];
    expect(actionsOf({ restartPolicy: "Never" }, sighting(seen("c", running(), { madeFrom })))).toEqual(want);
  });
});

describe("probe results", () => {
  const probe = { periodSeconds: 10, failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1 };
  const container = { name: "c", livenessProbe: probe, startupProbe: probe };
  const cases: [string, RestartPolicy, ProbeResults, readonly string[]][] = [
    ["lets a container live whose probes have no result yet", "Always", {}, []],
    ["lets a container live whose probes succeed", "Always", { liveness: "success", startup: "success" }, []],
    ["lets a container live that is not ready", "Always", { readiness: "failure" }, []],
    [
      "restarts a container that failed its liveness probe",
      "OnFailure",
      { liveness: "failure" },
      ["kill c: Container c failed liveness probe, will be restarted", "start c"],
    ],
    [
      "restarts a container that failed its startup probe",
      "Always",
      { startup: "failure" },
      ["kill c: Container c failed startup probe, will be restarted", "start c"],
    ],
    [
      "kills the whole Pod when the policy is Never and nothing else runs",
      "Never",
      { liveness: "failure" },
      ["kill pod"],
    ],
  ];
  it.each(cases)("%s", (_rule, restartPolicy, probes, want) => {
    expect(
      actionsOf({ restartPolicy, containers: [container] }, sighting(seen("c", running())), { "c-0": probes }),
    ).toEqual(want);
  });

  it("kills only the failed container when the policy is Never and another one runs", () => {
    const parts: PodParts = { restartPolicy: "Never", containers: [container, "d"] };
    const observed = sighting(seen("c", running()), seen("d", running()));
    expect(actionsOf(parts, observed, { "c-0": { liveness: "failure" } })).toEqual([
      "kill c: Container c failed liveness probe",
    ]);
  });
});

describe("several regular containers", () => {
  it("starts them in the order of the spec", () => {
    expect(actionsOf({ containers: ["b", "a"] }, sighting())).toEqual(["start b", "start a"]);
  });

  it("keeps the Pod while one runs and another is done", () => {
    const observed = sighting(seen("a", exited(0)), seen("b", running()));
    expect(actionsOf({ restartPolicy: "Never", containers: ["a", "b"] }, observed)).toEqual([]);
  });

  it("ends the Pod when all are done, though sidecars still run", () => {
    const parts: PodParts = { restartPolicy: "OnFailure", initContainers: [sidecar("s")] };
    const observed = sighting(seen("s", running()), seen("c", exited(0)));
    expect(actionsOf(parts, observed)).toEqual(["start c"].slice(1).concat("kill pod"));
  });
});

describe("the sandbox", () => {
  const gone = { state: "notReady" } as const;
  const cases: [string, PodParts, ObservedPod, readonly string[]][] = [
    ["is made first", {}, observedPod([], []), ["create sandbox 0", "start c"]],
    [
      "is followed by the first init container only",
      { initContainers: ["i", "j"] },
      observedPod([], []),
      ["create sandbox 0", "start i"],
    ],
    [
      "is replaced when it is no longer ready, and initialization starts over",
      { initContainers: ["i"] },
      observedPod([aSandbox(gone)], [seen("i", exited(0)), seen("c", exited(137))]),
      ["create sandbox 1 instead", "start i"],
    ],
    [
      "is replaced when two are ready",
      {},
      observedPod([aSandbox(), aSandbox({ attempt: 1 })], []),
      ["create sandbox 2 instead", "start c"],
    ],
    [
      "is replaced when it has no address",
      {},
      observedPod([aSandbox({ ips: [] })], []),
      ["create sandbox 1 instead", "start c"],
    ],
    [
      "needs no address on the node's network",
      { spec: { hostNetwork: true } },
      observedPod([aSandbox({ ips: [], network: "NODE" })], []),
      ["start c"],
    ],
    [
      "is replaced when the network is the wrong one",
      { spec: { hostNetwork: true } },
      observedPod([aSandbox()], []),
      ["create sandbox 1 instead", "start c"],
    ],
    [
      "stays away when the policy is Never and containers have been made",
      { restartPolicy: "Never" },
      observedPod([aSandbox(gone)], [seen("c", exited(1))]),
      [],
    ],
    [
      "is made again when the policy is Never but no container was ever made",
      { restartPolicy: "Never" },
      observedPod([aSandbox(gone)], []),
      ["create sandbox 1 instead", "start c"],
    ],
    [
      "stays away when the policy is OnFailure and everything has succeeded",
      { restartPolicy: "OnFailure" },
      observedPod([aSandbox(gone)], [seen("c", exited(0))]),
      [],
    ],
    [
      "is made again for what has not succeeded yet",
      { restartPolicy: "OnFailure", containers: ["a", "b"] },
      observedPod([aSandbox(gone)], [seen("a", exited(0)), seen("b", exited(1))]),
      ["create sandbox 1 instead", "start b"],
    ],
  ];
  it.each(cases)("%s", (_rule, parts, observed, want) => {
    expect(actionsOf(parts, observed)).toEqual(want);
  });

  it("may share the node's address where the runtime gives none", () => {
    const observed = observedPod([aSandbox({ ips: [] })], []);
    expect(told(computePodActions(aPod(), seenPod(observed, { podAddresses: false }), at(1)))).toEqual(["start c"]);
  });
});

describe("a sandbox that may be about to go", () => {
  const killed = exited(137, 10);
  const cases: [string, PodParts, ObservedPod, number, readonly string[]][] = [
    ["gets no container for a second after one was killed", {}, sighting(seen("c", killed)), 10.4, ["wait until 11s"]],
    ["is good again after that", {}, sighting(seen("c", killed)), 11, ["start c"]],
    ["is not suspected because of an exit", {}, sighting(seen("c", exited(1, 10))), 10.4, ["start c"]],
    [
      "is not suspected because the kernel ran out of memory",
      {},
      sighting(seen("c", exited(137, 10, "OOMKilled"))),
      10.4,
      ["start c"],
    ],
    [
      "gets no other container either",
      { containers: ["a", "b"] },
      sighting(seen("a", exited(1, 10)), seen("b", killed)),
      10.4,
      ["wait until 11s"],
    ],
    ["gets no init container", { initContainers: ["i"] }, sighting(seen("i", killed)), 10.4, ["wait until 11s"]],
    ["does not keep a Pod from ending", { restartPolicy: "Never" }, sighting(seen("c", killed)), 10.4, ["kill pod"]],
    ["is not waited for if the clock was set back", {}, sighting(seen("c", exited(137, 50))), 10.4, ["start c"]],
    [
      "is replaced at once when it has gone",
      {},
      observedPod([aSandbox({ state: "notReady" })], [seen("c", killed)]),
      10.4,
      ["create sandbox 1 instead", "start c"],
    ],
  ];
  it.each(cases)("%s", (_rule, parts, observed, now, want) => {
    expect(actionsOf(parts, observed, {}, now)).toEqual(want);
  });

  it("is not suspected because of a container that the kubelet itself has killed", () => {
    const view = seenPod(sighting(seen("c", killed)), { endedHere: ["c-0"] });
    expect(told(computePodActions(aPod(), view, at(10.4)))).toEqual(["start c"]);
  });
});

describe("init containers", () => {
  const three: PodParts = { initContainers: ["i", "j", "k"] };
  const never: PodParts = { ...three, restartPolicy: "Never" };
  const cases: [string, PodParts, ObservedPod, readonly string[]][] = [
    ["begin with the first", three, sighting(), ["start i"]],
    ["are waited for while one runs", three, sighting(seen("i", running())), []],
    ["are followed by the next one", three, sighting(seen("i", exited(0))), ["start j"]],
    [
      "count from the last one that is known, though earlier records are gone",
      three,
      sighting(seen("j", exited(0))),
      ["start k"],
    ],
    ["are followed by the regular containers", three, sighting(seen("k", exited(0))), ["start c"]],
    ["are restarted when they fail", three, sighting(seen("i", exited(0)), seen("j", exited(1))), ["start j"]],
    [
      "are restarted when memory ran out, whatever the exit code",
      three,
      sighting(seen("i", exited(0, 1, "OOMKilled"))),
      ["start i"],
    ],
    ["are started again when they were created only", three, sighting(seen("i", created)), ["start i"]],
    ["end the Pod when they fail and the policy is Never", never, sighting(seen("i", exited(1))), ["kill pod"]],
    ["end the Pod when they are lost and the policy is Never", never, sighting(seen("i", unknown)), ["kill pod"]],
    [
      "are killed before a restart when they are lost",
      three,
      sighting(seen("i", unknown)),
      [`kill i: Init container is in "unknown" state, try killing it before restart`, "start i"],
    ],
    ["do not matter once a regular container runs", three, sighting(seen("c", running())), []],
    [
      "hold the regular containers back when all of those have exited and an init record says so",
      three,
      sighting(seen("i", running()), seen("c", exited(1))),
      [],
    ],
  ];
  it.each(cases)("%s", (_rule, parts, observed, want) => {
    expect(actionsOf(parts, observed)).toEqual(want);
  });
});

describe("sidecars", () => {
  const probe = { periodSeconds: 10, failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1 };
  const pair: PodParts = { initContainers: [sidecar("s"), "i"] };
  const probed: PodParts = { initContainers: [sidecar("s", { startupProbe: probe, livenessProbe: probe }), "i"] };
  const cases: [string, PodParts, ObservedPod, Readonly<Record<string, ProbeResults>>, readonly string[]][] = [
    ["let the next one start as soon as they run", pair, sighting(seen("s", running())), {}, ["start i"]],
    ["hold up the next one until the startup probe succeeds", probed, sighting(seen("s", running())), {}, []],
    [
      "let the next one start after the startup probe",
      probed,
      sighting(seen("s", running())),
      { "s-0": { startup: "success" } },
      ["start i"],
    ],
    [
      "are restarted when the startup probe fails, also under Never",
      { ...probed, restartPolicy: "Never" },
      sighting(seen("s", running())),
      { "s-0": { startup: "failure" } },
      ["kill s: Init container s failed startup probe", "start s"],
    ],
    [
      "do not hold up the next one by a failed liveness probe",
      probed,
      sighting(seen("s", running())),
      { "s-0": { startup: "success", liveness: "failure" } },
      ["kill s: Init container s failed liveness probe", "start s", "start i"],
    ],
    [
      "are restarted while a later init container runs",
      pair,
      sighting(seen("s", exited(0)), seen("i", running())),
      {},
      ["start s"],
    ],
    ["are restarted after initialization", pair, sighting(seen("s", exited(1)), seen("c", running())), {}, ["start s"]],
    [
      "are restarted under Never",
      { ...pair, restartPolicy: "Never" },
      sighting(seen("s", exited(0)), seen("c", running())),
      {},
      ["start s"],
    ],
    ["are started when their record is missing", pair, sighting(seen("c", running())), {}, ["start s"]],
    [
      "let the regular containers start when they are the last",
      { initContainers: [sidecar("s")] },
      sighting(seen("s", running())),
      {},
      ["start c"],
    ],
    [
      "are restarted when their image changed",
      pair,
      sighting(seen("s", running(), { madeFrom: aContainer({ name: "s", image: "image:0" }) }), seen("c", running())),
      {},
      ["kill s: Init container s definition changed", "start s"],
    ],
  ];
  it.each(cases)("%s", (_rule, parts, observed, probes, want) => {
    expect(actionsOf(parts, observed, probes)).toEqual(want);
  });
});

describe("ephemeral containers", () => {
  const ephemeral = { ...aContainer("debug"), targetContainerName: "c" };
  const parts: PodParts = { initContainers: ["i"], spec: { ephemeralContainers: [ephemeral] } };

  it("are started before initialization is complete", () => {
    expect(actionsOf(parts, sighting(seen("i", running())))).toEqual(["start debug"]);
  });

  it("are never restarted", () => {
    expect(actionsOf(parts, sighting(seen("i", running()), seen("debug", exited(1))))).toEqual([]);
  });
});

describe("restart back-off", () => {
  const pod = aPod();
  const key = crashBackOffKey(pod, aContainer("c"));
  const withEntry = (delay: number, lastUpdate: number) =>
    new Map([[key, { delay: seconds(delay), lastUpdate: at(lastUpdate) }]]);
  const cases: [string, number, number, readonly string[]][] = [
    ["waits while the step since the exit is not over", 40, 1, ["back off c 40s"]],
    ["starts exactly at its end", 41, 1, ["start c"]],
    ["forgets the past after ten quiet minutes", 702, 700, ["start c"]],
  ];
  it.each(cases)("%s", (_rule, now, finished, want) => {
    const seenNow = seenPod(sighting(seen("c", exited(1, finished))), { backOffs: withEntry(40, 0) });
    expect(told(computePodActions(pod, seenNow, at(now)))).toEqual(want);
  });

  it("says until when it waits", () => {
    const seenNow = seenPod(sighting(seen("c", exited(1, 5))), { backOffs: withEntry(20, 4) });
    const [action] = computePodActions(pod, seenNow, at(6));
    expect(action).toMatchObject({ kind: "backOff", until: at(25), delay: millis(20_000) });
  });

  it("starts the other containers meanwhile", () => {
    const two = aPod({ containers: ["c", "d"] });
    const seenNow = seenPod(sighting(seen("c", exited(1, 5))), { backOffs: withEntry(20, 4) });
    expect(told(computePodActions(two, seenNow, at(6)))).toEqual(["back off c 20s", "start d"]);
  });
});
