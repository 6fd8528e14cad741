import { expect, it } from "vitest";
import type { ContainerStatus, Event, Pod, PodStatus } from "../api/index.ts";
import type { Instant } from "../base/time.ts";
import { eventEntry, podEntries } from "./pod-life.ts";

const at = 1_000 as Instant;

function pod(status: Partial<PodStatus>, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "u1",
      resourceVersion: "1",
      creationTimestamp: "2025-01-01T00:00:00Z",
      ...metadata,
    },
    spec: {} as Pod["spec"],
    status: { phase: "Pending", ...status } as PodStatus,
  };
}

const container = (status: Partial<ContainerStatus>): ContainerStatus => ({
  name: "app",
  image: "app:1",
  imageID: "",
  ready: false,
  restartCount: 0,
  ...status,
});

const text = (before: Pod | undefined, after: Pod | undefined): string[] =>
  podEntries(before, after, at).map((e) =>
    [e.container, e.what, e.detail].filter((part) => part !== undefined && part !== "").join(" | "),
  );

const running = container({ containerID: "r://1", state: { running: { startedAt: "2025-01-01T00:00:00Z" } } });
const crashed = container({
  containerID: "r://1",
  state: {
    terminated: {
      exitCode: 1,
      reason: "Error",
      containerID: "r://1",
      startedAt: "2025-01-01T00:00:00Z",
      finishedAt: "2025-01-01T00:00:02Z",
    },
  },
});

it.each<[rule: string, before: Pod | undefined, after: Pod | undefined, want: string[]]>([
  ["a new Pod shows its phase", undefined, pod({}), ["Pending"]],
  ["the same sighting again says nothing", pod({}), pod({}), []],
  [
    "waiting to be created is not worth a line",
    pod({}),
    pod({ containerStatuses: [container({ state: { waiting: { reason: "ContainerCreating" } } })] }),
    [],
  ],
  [
    "a started container, then the phase",
    pod({}),
    pod({ phase: "Running", containerStatuses: [running] }),
    ["app | Running", "Running"],
  ],
  [
    "a crash shows its code and how long it ran",
    pod({ phase: "Running", containerStatuses: [running] }),
    pod({ phase: "Running", containerStatuses: [crashed] }),
    ["app | Exited | code 1, after 2s"],
  ],
  [
    "back-off shows the reason and the upstream message, and not the crash again",
    pod({ phase: "Running", containerStatuses: [crashed] }),
    pod({
      phase: "Running",
      containerStatuses: [
        {
          ...crashed,
          state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
          lastState: crashed.state!,
        },
      ],
    }),
    ["app | CrashLoopBackOff | back-off 10s"],
  ],
  [
    "an end is told once, also when back-off gives way to deletion",
    pod({
      phase: "Running",
      containerStatuses: [
        { ...crashed, state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: crashed.state! },
      ],
    }),
    pod({ phase: "Running", containerStatuses: [crashed] }),
    [],
  ],
  [
    "an end that was never seen is told from lastState",
    pod({ phase: "Running", containerStatuses: [running] }),
    pod({
      phase: "Running",
      containerStatuses: [
        container({ containerID: "r://2", restartCount: 1, state: { running: {} }, lastState: crashed.state! }),
      ],
    }),
    ["app | Exited | code 1, after 2s", "app | Running | restart 1"],
  ],
  [
    "readiness",
    pod({ phase: "Running" }),
    pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }),
    ["Ready"],
  ],
  [
    "readiness lost says why",
    pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }),
    pod({
      phase: "Running",
      conditions: [{ type: "Ready", status: "False", message: "containers with unready status: [app]" }],
    }),
    ["NotReady | containers with unready status: [app]"],
  ],
  [
    "a Pod whose work is done is not told to have become unready",
    pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }),
    pod({ phase: "Running", conditions: [{ type: "Ready", status: "False", reason: "PodCompleted" }] }),
    [],
  ],
  [
    "deletion shows the grace, and no loss of readiness",
    pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] }),
    pod(
      { phase: "Running", conditions: [{ type: "Ready", status: "False" }] },
      { deletionTimestamp: "2025-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 },
    ),
    ["Terminating | 30s of grace"],
  ],
  [
    "a Failed Pod says why",
    pod({}),
    pod({ phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." }),
    ["Failed | Evicted: The node was low on resource: memory."],
  ],
  ["a removed Pod", pod({}), undefined, ["Gone | removed from the API"]],
])("%s", (_rule, before, after, want) => {
  expect(text(before, after)).toEqual(want);
});

const event = (reason: string, type: string, fieldPath?: string): Event =>
  ({
    reason,
    type,
    message: "text",
    count: 3,
    involvedObject: {
      kind: "Pod",
      namespace: "default",
      name: "web",
      uid: "u1",
      ...(fieldPath !== undefined && { fieldPath }),
    },
  }) as unknown as Event;

it("tells a warning as bad, with the container it is about and how often", () => {
  expect(eventEntry(event("Unhealthy", "Warning", "spec.containers{app}"), at)).toMatchObject({
    container: "app",
    what: "Unhealthy",
    detail: "text (3 times)",
    tone: "bad",
  });
});

it("leaves out events that the status tells better", () => {
  for (const reason of ["Created", "Started", "BackOff", "Failed"])
    expect(eventEntry(event(reason, "Normal"), at)).toBeUndefined();
});
