import { describe, expect, it } from "vitest";
import {
  aContainer,
  aPod,
  created,
  exited,
  type PodParts,
  running,
  seen,
  sidecar,
  sighting,
  unknown,
} from "../../test/fakes/kubelet-pods.ts";
import type { ContainerStatus } from "../api/generated/core-v1.ts";
import type { ContainerId } from "../runtimes/runtime-service.ts";
import { computeContainerStatuses, containerIdOf, type StartError } from "./container-statuses.ts";
import type { ObservedPod, ProbeResults } from "./observed-pod.ts";

function statusesOf(
  parts: PodParts,
  observed: ObservedPod,
  more: { errors?: Readonly<Record<string, StartError>>; probes?: Readonly<Record<string, ProbeResults>> } = {},
) {
  return computeContainerStatuses(aPod(parts), {
    observed,
    probes: new Map(Object.entries(more.probes ?? {}).map(([id, results]) => [id as ContainerId, results])),
    startErrors: new Map(Object.entries(more.errors ?? {})),
    runtimeName: "simulated",
  });
}
const statusOf = (...args: Parameters<typeof statusesOf>): ContainerStatus =>
  statusesOf(...args).containerStatuses[0] as ContainerStatus;
const old = (more: Partial<ContainerStatus>): PodParts => ({
  status: { containerStatuses: [{ name: "c", image: "image:1", imageID: "", ready: true, restartCount: 2, ...more }] },
});

describe("the state of a container", () => {
  it.each<[string, PodParts, ObservedPod, Partial<ContainerStatus>]>([
    [
      "waits for its creation",
      {},
      sighting(),
      { state: { waiting: { reason: "ContainerCreating" } }, restartCount: 0, imageID: "" },
    ],
    [
      "waits for the Pod's initialization",
      { initContainers: ["i"] },
      sighting(),
      { state: { waiting: { reason: "PodInitializing" } } },
    ],
    ["waits without a reason when it was created only", {}, sighting(seen("c", created)), { state: { waiting: {} } }],
    [
      "runs",
      {},
      sighting(seen("c", running(3))),
      {
        state: { running: { startedAt: "2025-01-01T00:00:03Z" } },
        containerID: "simulated://c-0",
        ready: true,
        started: true,
      },
    ],
    [
      "has ended",
      {},
      sighting(seen("c", exited(137, 9, "OOMKilled", 2))),
      {
        state: {
          terminated: {
            exitCode: 137,
            reason: "OOMKilled",
            startedAt: "2025-01-01T00:00:02Z",
            finishedAt: "2025-01-01T00:00:09Z",
            containerID: "simulated://c-0",
          },
        },
        ready: false,
        started: false,
      },
    ],
    [
      "is lost when the runtime no longer knows what ran",
      old({ state: { running: {} } }),
      sighting(seen("c", unknown)),
      {
        state: {
          terminated: {
            exitCode: 137,
            reason: "ContainerStatusUnknown",
            message: "The container could not be located when the pod was terminated",
          },
        },
        restartCount: 3,
      },
    ],
    [
      "waits when its state is unknown and it was not running",
      {},
      sighting(seen("c", unknown)),
      { state: { waiting: {} } },
    ],
    [
      "waits again when the record of a running one is gone, and says so in its last state",
      old({ state: { running: {} } }),
      sighting(),
      {
        state: { waiting: { reason: "ContainerCreating" } },
        lastState: {
          terminated: {
            exitCode: 137,
            reason: "ContainerStatusUnknown",
            message: "The container could not be located when the pod was deleted.  The container used to be Running",
          },
        },
        restartCount: 3,
      },
    ],
    [
      "does not count that as a restart when the Pod is being deleted",
      { ...old({ state: { running: {} } }), metadata: { deletionTimestamp: "2025-01-01T00:00:30Z" } },
      sighting(),
      { restartCount: 2 },
    ],
    [
      "stays ended when the record is gone",
      old({ state: { terminated: { exitCode: 3 } } }),
      sighting(),
      { state: { terminated: { exitCode: 3 } }, restartCount: 2 },
    ],
  ])("%s", (_rule, parts, observed, want) => {
    expect(statusOf(parts, observed)).toMatchObject(want);
  });

  it("shows the end of the instance before as its last state", () => {
    const status = statusOf({}, sighting(seen("c", exited(1, 4)), seen("c", running(5), { attempt: 1 })));
    expect(status).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 1, containerID: "simulated://c-0" } },
    });
  });

  it("keeps the last state while its record is gone and the same instance runs", () => {
    const parts = old({ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 7 } } });
    expect(statusOf(parts, sighting(seen("c", running(), { attempt: 1 }))).lastState).toEqual({
      terminated: { exitCode: 7 },
    });
  });
});

describe("a start that failed", () => {
  const errors = { c: { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container=c pod=web" } };
  it("is what a container waits for, with its end pushed aside", () => {
    expect(statusOf({}, sighting(seen("c", exited(1))), { errors })).toMatchObject({
      state: { waiting: { reason: "CrashLoopBackOff", message: errors.c.message } },
      lastState: { terminated: { exitCode: 1 } },
    });
  });

  it.each<[string, PodParts, ObservedPod]>([
    ["runs", {}, sighting(seen("c", running()))],
    ["will not be started again", { restartPolicy: "Never" }, sighting(seen("c", exited(1)))],
    [
      "belongs to a Pod that is being deleted",
      { metadata: { deletionTimestamp: "2025-01-01T00:00:30Z" } },
      sighting(seen("c", exited(1))),
    ],
  ])("is not shown for a container that %s", (_rule, parts, observed) => {
    expect(statusOf(parts, observed, { errors }).state?.waiting).toBeUndefined();
  });

  it.each<[string, ObservedPod, object]>([
    ["waits for what its start failed of, made or not", sighting(), { waiting: errors.c }],
    ["waits for it also when it was made and not started", sighting(seen("g", created)), { waiting: errors.c }],
    ["shows its end when it has ended", sighting(seen("g", exited(1))), { terminated: { exitCode: 1 } }],
  ])("an ephemeral container %s", (_rule, observed, state) => {
    const parts: PodParts = { spec: { ephemeralContainers: [aContainer("g")] } };
    const [guest] = statusesOf(parts, observed, { errors: { g: errors.c } }).ephemeralContainerStatuses;
    expect(guest?.state).toMatchObject(state);
  });

  it("never covers an init container that has succeeded", () => {
    const [init] = statusesOf({ initContainers: ["i"] }, sighting(seen("i", exited(0))), {
      errors: { i: errors.c },
    }).initContainerStatuses;
    expect(init).toMatchObject({ state: { terminated: { exitCode: 0 } }, ready: true });
  });
});

describe("started and ready", () => {
  const probe = { periodSeconds: 1, failureThreshold: 1, successThreshold: 1, timeoutSeconds: 1 };
  const probed: PodParts = { containers: [{ name: "c", startupProbe: probe, readinessProbe: probe }] };
  it.each<[string, ProbeResults, boolean, boolean]>([
    ["not before the startup probe's success", {}, false, false],
    [
      "not before the startup probe's success, though ready",
      { startup: "unknown", readiness: "success" },
      false,
      false,
    ],
    [
      "started, and not ready before the readiness probe's success",
      { startup: "success", readiness: "failure" },
      true,
      false,
    ],
    ["both", { startup: "success", readiness: "success" }, true, true],
  ])("%s", (_rule, results, started, ready) => {
    expect(statusOf(probed, sighting(seen("c", running())), { probes: { "c-0": results } })).toMatchObject({
      started,
      ready,
    });
  });

  it("mean for an init container that it runs, and that it has succeeded", () => {
    const [first] = statusesOf({ initContainers: ["i"] }, sighting(seen("i", running()))).initContainerStatuses;
    expect(first).toMatchObject({ started: true, ready: false });
  });

  it("mean for a sidecar the same as for a regular container", () => {
    const parts: PodParts = { initContainers: [sidecar("s", { readinessProbe: probe })] };
    const [before] = statusesOf(parts, sighting(seen("s", running()))).initContainerStatuses;
    expect(before).toMatchObject({ started: true, ready: false });
  });
});

describe("the other fields", () => {
  it("sorts regular containers by name and keeps the spec's order of init containers", () => {
    const parts: PodParts = { containers: ["z", "a"], initContainers: ["y", "b"] };
    const statuses = statusesOf(parts, sighting());
    expect(statuses.containerStatuses.map(({ name }) => name)).toEqual(["a", "z"]);
    expect(statuses.initContainerStatuses.map(({ name }) => name)).toEqual(["y", "b"]);
  });

  it("shows resources, mounts and user", () => {
    const container = {
      name: "c",
      resources: { requests: { cpu: "100m" }, limits: { cpu: "1" } },
      volumeMounts: [
        { name: "v", mountPath: "/v", readOnly: true },
        { name: "w", mountPath: "/w" },
      ],
    };
    const user = { uid: 1000, gid: 1000, supplementalGroups: [] };
    expect(statusOf({ containers: [container] }, sighting(seen("c", running(), { user })))).toMatchObject({
      resources: { requests: { cpu: "100m" }, limits: { cpu: "1" } },
      allocatedResources: { cpu: "100m" },
      volumeMounts: [
        { name: "v", mountPath: "/v", readOnly: true, recursiveReadOnly: "Disabled" },
        { name: "w", mountPath: "/w" },
      ],
      user: { linux: { uid: 1000, gid: 1000 } },
    });
  });

  it("has no status for an ephemeral container before its turn", () => {
    const parts: PodParts = { spec: { ephemeralContainers: [aContainer("debug")] } };
    expect(statusesOf(parts, sighting()).ephemeralContainerStatuses).toEqual([]);
  });

  it("reads a container id back", () => {
    expect(containerIdOf("containerd://abc")).toBe("abc");
    expect(containerIdOf(undefined)).toBeUndefined();
  });
});
