import { describe, expect, it } from "vitest";
import type { ContainerState, ContainerStatus, Pod, PodCondition } from "../../api/generated/core-v1.ts";
import type { Instant } from "../../base/time.ts";
import { podPrinter, summarizePod } from "./pod-table.ts";
import type { Printed } from "./table-printer.ts";

type Loose = Printed<Pod>;
type Status = Printed<ContainerStatus>;
type State = Printed<ContainerState>;

const now = Date.parse("2025-01-01T01:00:00Z") as Instant;
const running: State = { running: { startedAt: "2025-01-01T00:00:00Z" } };
const waiting = (reason?: string): State => ({ waiting: { reason } });
const exited = (exitCode: number, more: { reason?: string; signal?: number } = {}): State => ({
  terminated: { exitCode, ...more },
});
const is = (type: string, status: string, reason?: string): Printed<PodCondition> => ({
  type,
  status: status as "True",
  reason,
});

function container(name: string, state: State, more: Omit<Status, "state" | "name"> = {}): Status {
  return { name, state, ready: false, restartCount: 0, ...more };
}
const up = (name = "c", more: Omit<Status, "state" | "name"> = {}): Status =>
  container(name, running, { ready: true, ...more });

interface Given {
  readonly phase?: string;
  readonly reason?: string;
  readonly init?: readonly Status[];
  readonly sidecars?: readonly string[];
  readonly main?: readonly Status[];
  readonly conditions?: readonly Printed<PodCondition>[];
  readonly deleted?: boolean;
}

function pod({
  phase = "Running",
  reason,
  init = [],
  sidecars = [],
  main = [],
  conditions = [],
  deleted,
}: Given): Loose {
  return {
    metadata: {
      name: "web",
      creationTimestamp: "2025-01-01T00:00:00Z",
      ...(deleted === true && { deletionTimestamp: "2025-01-01T00:59:00Z" }),
    },
    spec: {
      containers: main.map(({ name }) => ({ name })),
      initContainers: init.map(({ name = "" }) =>
        sidecars.includes(name) ? { name, restartPolicy: "Always" as const } : { name },
      ),
    },
    status: {
      phase: phase as "Running",
      reason,
      conditions,
      initContainerStatuses: init,
      containerStatuses: main,
    },
  };
}

/** Ready, status and restarts, as the table shows them. */
function shown(given: Given): string {
  const cells = podPrinter.cells(pod(given), now);
  return cells.slice(1, 4).join(" ");
}

describe("the status of a Pod (pod-lifecycle 1.5)", () => {
  const initialized = is("Initialized", "True");
  it.each<[string, Given, string]>([
    ["rule 1: the phase", { phase: "Pending" }, "0/0 Pending 0"],
    ["rule 1: the reason, if there is one", { phase: "Failed", reason: "Evicted" }, "0/0 Evicted 0"],
    [
      "rule 2: waiting for its scheduling gates",
      { phase: "Pending", conditions: [is("PodScheduled", "False", "SchedulingGated")] },
      "0/0 SchedulingGated 0",
    ],
    [
      "rule 2: another reason of the same condition says nothing",
      { phase: "Pending", conditions: [is("PodScheduled", "False", "Unschedulable")] },
      "0/0 Pending 0",
    ],
    [
      "rule 2: the gates outshine the reason",
      { phase: "Pending", reason: "Odd", conditions: [is("PodScheduled", "False", "SchedulingGated")] },
      "0/0 SchedulingGated 0",
    ],
    [
      "rule 3: sidecars count among the containers, other init containers do not",
      {
        init: [container("setup", exited(0)), up("proxy", { started: true })],
        sidecars: ["proxy"],
        main: [up("a"), up("b")],
      },
      "3/3 Running 0",
    ],
    [
      "rule 4: a sidecar that started and is not ready",
      { init: [container("proxy", running, { started: true })], sidecars: ["proxy"], main: [up()] },
      "1/2 Running 0",
    ],
    [
      "rule 4: a sidecar that has not started yet holds the others up",
      {
        phase: "Pending",
        init: [container("proxy", running, { started: false })],
        sidecars: ["proxy"],
        main: [container("c", waiting("PodInitializing"))],
      },
      "0/2 Init:0/1 0",
    ],
    [
      "rule 4: an init container that failed, with a reason",
      {
        phase: "Pending",
        init: [container("a", exited(1, { reason: "Error" }))],
        main: [container("c", waiting("PodInitializing"))],
      },
      "0/1 Init:Error 0",
    ],
    [
      "rule 4: an init container that a signal ended",
      { phase: "Pending", init: [container("a", exited(137, { signal: 9 }))], main: [container("c", waiting())] },
      "0/1 Init:Signal:9 0",
    ],
    [
      "rule 4: an init container with an exit code",
      { phase: "Pending", init: [container("a", exited(7))], main: [container("c", waiting())] },
      "0/1 Init:ExitCode:7 0",
    ],
    [
      "rule 4: an init container that waits for a reason",
      {
        phase: "Pending",
        init: [container("a", waiting("CrashLoopBackOff"), { restartCount: 4 })],
        main: [container("c", waiting("PodInitializing"))],
      },
      "0/1 Init:CrashLoopBackOff 4",
    ],
    [
      "rule 4: an init container that waits for the Pod only counts",
      {
        phase: "Pending",
        init: [container("a", waiting("PodInitializing")), container("b", waiting("PodInitializing"))],
        main: [container("c", waiting("PodInitializing"))],
      },
      "0/1 Init:0/2 0",
    ],
    [
      "rule 4: an init container that runs, after one that is done",
      {
        phase: "Pending",
        init: [
          container("a", exited(0), { restartCount: 1 }),
          container("b", running, { restartCount: 2 }),
          container("z", waiting(), { restartCount: 9 }),
        ],
        main: [container("c", waiting("PodInitializing"))],
      },
      "0/1 Init:1/3 3",
    ],
    [
      "rule 5: restarts of init containers are forgotten when the containers have their turn",
      { init: [container("a", exited(0), { restartCount: 5 })], main: [up("c", { restartCount: 2 })] },
      "1/1 Running 2",
    ],
    [
      "rule 5: restarts of sidecars are not",
      {
        init: [up("proxy", { started: true, restartCount: 3 })],
        sidecars: ["proxy"],
        main: [up("c", { restartCount: 2 })],
      },
      "2/2 Running 5",
    ],
    [
      "rule 5: a Pod that was initialized shows its containers, whatever its init containers do now",
      {
        init: [container("proxy", waiting("CrashLoopBackOff"), { restartCount: 2 })],
        sidecars: ["proxy"],
        main: [container("c", exited(1, { reason: "Error" }))],
        conditions: [initialized],
      },
      "0/2 Error 2",
    ],
    [
      "rule 5: and what the init container shows where they have nothing to tell",
      {
        init: [container("proxy", waiting("CrashLoopBackOff"), { restartCount: 2 })],
        sidecars: ["proxy"],
        main: [up()],
        conditions: [initialized],
      },
      "1/2 Init:CrashLoopBackOff 2",
    ],
    [
      "rule 5: a container that waits for a reason",
      { phase: "Pending", main: [container("c", waiting("ContainerCreating"))] },
      "0/1 ContainerCreating 0",
    ],
    [
      "rule 5: a container that waits without one",
      { phase: "Pending", main: [container("c", waiting())] },
      "0/1 Pending 0",
    ],
    [
      "rule 5: a container that ended for a reason",
      { main: [container("c", exited(137, { reason: "OOMKilled", signal: 9 }))] },
      "0/1 OOMKilled 0",
    ],
    [
      "rule 5: a container that a signal ended",
      { main: [container("c", exited(143, { signal: 15 }))] },
      "0/1 Signal:15 0",
    ],
    ["rule 5: a container that ended with a code", { main: [container("c", exited(0))] }, "0/1 ExitCode:0 0"],
    ["rule 5: a container that runs and is not ready", { main: [container("c", running)] }, "0/1 Running 0"],
    [
      "rule 5: a container that is called ready and does not run",
      { main: [container("c", {}, { ready: true })] },
      "0/1 Running 0",
    ],
    [
      "rule 5: of several with something to tell the first is heard",
      { main: [container("a", waiting("ImagePullBackOff")), container("b", exited(1, { reason: "Error" })), up("c")] },
      "1/3 ImagePullBackOff 0",
    ],
    [
      "rule 6: one is done and another runs in a Pod that is ready",
      { main: [container("a", exited(0, { reason: "Completed" })), up("b")], conditions: [is("Ready", "True")] },
      "1/2 Running 0",
    ],
    [
      "rule 6: one is done and another runs in a Pod that is not",
      { main: [container("a", exited(0, { reason: "Completed" })), up("b")], conditions: [is("Ready", "False")] },
      "1/2 NotReady 0",
    ],
    [
      "rule 6: all are done",
      { phase: "Succeeded", main: [container("a", exited(0, { reason: "Completed" }))] },
      "0/1 Completed 0",
    ],
    ["rule 7: a deleted Pod", { main: [up()], deleted: true }, "1/1 Terminating 0"],
    ["rule 7: a deleted Pod whose node is lost", { reason: "NodeLost", main: [up()], deleted: true }, "1/1 Unknown 0"],
    ["rule 7: a lost node alone", { reason: "NodeLost", main: [up()] }, "1/1 NodeLost 0"],
    [
      "rule 7: a Pod that succeeded and is kept by a finalizer",
      { phase: "Succeeded", main: [container("a", exited(0, { reason: "Completed" }))], deleted: true },
      "0/1 Completed 0",
    ],
    [
      "rule 7: a Pod that failed and is kept",
      { phase: "Failed", main: [container("a", exited(1, { reason: "Error" }))], deleted: true },
      "0/1 Error 0",
    ],
  ])("%s", (_rule, given, want) => {
    expect(shown(given)).toBe(want);
  });
});

describe("the restarts of a Pod (pod-lifecycle 1.5, rule 8)", () => {
  const ended = (finishedAt: string): Status => ({ lastState: { terminated: { exitCode: 1, finishedAt } } });
  it.each<[string, Given, string]>([
    ["only a number when nobody knows when", { main: [up("c", { restartCount: 3 })] }, "3"],
    ["when the last one was", { main: [up("c", { restartCount: 3, ...ended("2025-01-01T00:55:00Z") })] }, "3 (5m ago)"],
    ["nothing to tell without a restart", { main: [up("c", ended("2025-01-01T00:55:00Z"))] }, "0"],
    [
      "the newest of several",
      {
        main: [
          up("a", { restartCount: 1, ...ended("2025-01-01T00:10:00Z") }),
          up("b", { restartCount: 1, ...ended("2025-01-01T00:59:50Z") }),
          up("c", { restartCount: 1, ...ended("2025-01-01T00:20:00Z") }),
        ],
      },
      "3 (10s ago)",
    ],
    [
      "of init containers while they have their turn",
      {
        phase: "Pending",
        init: [container("a", waiting("CrashLoopBackOff"), { restartCount: 2, ...ended("2025-01-01T00:58:00Z") })],
      },
      "2 (2m ago)",
    ],
    [
      "not of init containers afterwards",
      {
        init: [container("a", exited(0), { restartCount: 2, ...ended("2025-01-01T00:58:00Z") })],
        main: [up("c", { restartCount: 1 })],
      },
      "1",
    ],
    [
      "of sidecars always",
      {
        init: [up("p", { started: true, restartCount: 2, ...ended("2025-01-01T00:58:00Z") })],
        sidecars: ["p"],
        main: [up("c", { restartCount: 1, ...ended("2025-01-01T00:57:00Z") })],
      },
      "3 (2m ago)",
    ],
  ])("%s", (_case, given, want) => {
    expect(podPrinter.cells(pod(given), now)[3]).toBe(want);
  });
});

describe("the row of a Pod", () => {
  it("has the wide columns, too", () => {
    const wide: Loose = {
      metadata: { name: "web", creationTimestamp: "2025-01-01T00:00:00Z" },
      spec: {
        containers: [],
        nodeName: "node-a",
        readinessGates: [{ conditionType: "lb" }, { conditionType: "dns" }, { conditionType: "none" }],
      },
      status: {
        phase: "Running",
        podIPs: [{ ip: "10.0.0.7" }, { ip: "fd00::7" }],
        podIP: "10.0.0.7",
        nominatedNodeName: "node-b",
        conditions: [is("lb", "True"), is("dns", "False")],
      },
    };
    expect(podPrinter.cells(wide, now)).toEqual([
      "web",
      "0/0",
      "Running",
      "0",
      "60m",
      "10.0.0.7",
      "node-a",
      "node-b",
      "1/3",
    ]);
  });

  it("says <none> and <unknown> where nothing is known", () => {
    expect(podPrinter.cells({}, now)).toEqual([
      "",
      "0/0",
      "",
      "0",
      "<unknown>",
      "<none>",
      "<none>",
      "<none>",
      "<none>",
    ]);
  });

  it.each([
    [
      "Succeeded",
      [{ type: "Completed", status: "True", reason: "Succeeded", message: "The pod has completed successfully." }],
    ],
    ["Failed", [{ type: "Completed", status: "True", reason: "Failed", message: "The pod failed." }]],
    ["Running", []],
  ])("of phase %s is marked as it should be", (phase, want) => {
    expect(podPrinter.conditions(pod({ phase }))).toEqual(want);
  });

  it("counts ready containers from all that must be", () => {
    const { readyContainers, totalContainers } = summarizePod(
      pod({ main: [up("a"), container("b", running), up("c")] }),
    );
    expect([readyContainers, totalContainers]).toEqual([2, 3]);
  });
});
