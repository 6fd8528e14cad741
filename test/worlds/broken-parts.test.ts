// Proof that each invariant of random worlds can fail: in a world with a
// part that is broken on purpose exactly the invariant that forbids it is reported.

import { describe, expect, it } from "vitest";
import type { ApiRequest, JsonObject } from "../../src/api/wire/request.ts";
import type { Instant } from "../../src/base/time.ts";
import { hours } from "../../src/base/time.ts";
import type { Transport } from "../../src/client/client.ts";
import { settle } from "../../src/host/settle.ts";
import type { ContainerRuntime, ContainerStatus } from "../../src/runtimes/runtime-service.ts";
import { deployments } from "../../src/simulation/worlds/inhabitants/deployments.ts";
import { nodes } from "../../src/simulation/worlds/inhabitants/nodes.ts";
import { pods } from "../../src/simulation/worlds/inhabitants/pods.ts";
import { replicaSets } from "../../src/simulation/worlds/inhabitants/replica-sets.ts";
import type { Inhabitant, Invariant } from "../../src/simulation/worlds/inhabitant.ts";
import { objectsKeepTheirIdentity, revisionsGrow } from "../../src/simulation/worlds/invariants/everywhere.ts";
import { podsAreBoundOnce } from "../../src/simulation/worlds/invariants/pod-status-is-consistent.ts";
import { type BrokenParts, runWorld } from "../../src/simulation/worlds/world.ts";
import { type ObjectChange, WorldView } from "../../src/simulation/worlds/world-view.ts";
import { resultOf } from "./world-result.ts";

/** A third of a world's hour; `npm run worlds` lives through all of it, a thousand times. */
const rounds = 1;

type Runtime = ContainerRuntime["runtime"];

/** A runtime of which some calls do something else. */
const runtimeWith =
  (change: (direct: Runtime) => Partial<Runtime>): NonNullable<BrokenParts["runtimeFor"]> =>
  (direct) => {
    const { runtime } = direct;
    const changed = change(runtime);
    const broken = new Proxy(runtime, {
      get(target, name: keyof Runtime) {
        const value: unknown = changed[name] ?? target[name];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    return { ...direct, runtime: broken };
  };

/** A way to the API server on which some requests of some parts become something else. */
const transportWith =
  (part: string, change: (request: ApiRequest, direct: Transport) => ReturnType<Transport>) =>
  (name: string, direct: Transport): Transport =>
    name.startsWith(part) ? (request) => change(request, direct) : direct;

const bodyOf = ({ body }: ApiRequest): JsonObject => (body?.kind === "object" ? (body.object as JsonObject) : {});

const withStatus = (request: ApiRequest, change: (status: Record<string, unknown>) => JsonObject): ApiRequest => {
  const body = bodyOf(request) as { status?: Record<string, unknown> };
  if (!request.path.includes("/pods/") || body.status === undefined) return request;
  return { ...request, body: { kind: "object", object: { ...body, status: change(body.status) } } };
};

/** Containers that tell what the change makes of them. */
const telling = (change: (status: ContainerStatus) => ContainerStatus): NonNullable<BrokenParts["runtimeFor"]> =>
  runtimeWith((direct) => ({
    listContainers: async (filter) => (await direct.listContainers(filter)).map(change),
    containerStatus: async (id) => change(await direct.containerStatus(id)),
  }));

/** Status paths that were written over once: a kubelet that insists would never let time pass. */
const contradicted = new Set<string>();

const onlyPods: readonly Inhabitant[] = [pods];
/** Pods of which nothing but a deletion stops the containers. */
const plainPods: Inhabitant = {
  ...pods,
  moves: [
    ...withMoves(pods, "delete").moves,
    {
      name: "create",
      weight: 10,
      async act({ client, newName }) {
        const name = newName("plain");
        await client.pods.create(
          { metadata: { name }, spec: { containers: [{ name: "app", image: "server:1" }] } },
          "default",
        );
        return `create pod ${name}`;
      },
    },
  ],
};
const withOwners: readonly Inhabitant[] = [pods, replicaSets];

describe("a world with a broken part says so", () => {
  it.each<[broken: string, invariant: string, inhabitants: readonly Inhabitant[], parts: BrokenParts]>([
    [
      "a runtime that makes every sandbox twice",
      "one sandbox a Pod",
      onlyPods,
      {
        runtimeFor: runtimeWith((direct) => ({
          runPodSandbox: async (config) => {
            await direct.runPodSandbox(config);
            return direct.runPodSandbox(config);
          },
        })),
      },
    ],
    [
      "a kubelet for which every crash lies an hour back",
      "no restart sooner than its back-off",
      onlyPods,
      {
        runtimeFor: telling((status) =>
          status.state.kind === "exited"
            ? { ...status, state: { ...status.state, finishedAt: (status.state.finishedAt - hours(1)) as Instant } }
            : status,
        ),
      },
    ],
    [
      "a runtime that takes running init containers for done",
      "containers run when the init containers are done",
      onlyPods,
      {
        runtimeFor: telling((status) =>
          status.metadata.name.startsWith("init-") && status.state.kind === "running"
            ? {
                ...status,
                state: {
                  ...status.state,
                  kind: "exited",
                  finishedAt: status.state.startedAt,
                  exitCode: 0,
                  reason: "Completed",
                  message: "",
                },
              }
            : status,
        ),
      },
    ],
    [
      "a kubelet that starts every container as the first",
      "restart counts never fall",
      onlyPods,
      {
        transportFor: transportWith("kubelet", (request, direct) =>
          direct(
            withStatus(request, (status) => {
              const all = status["containerStatuses"] as readonly { restartCount?: number }[] | undefined;
              return all === undefined
                ? status
                : {
                    ...status,
                    containerStatuses: all.map((one) => ({
                      ...one,
                      restartCount: (one.restartCount ?? 0) > 1 ? 0 : (one.restartCount ?? 0),
                    })),
                  };
            }),
          ),
        ),
      },
    ],
    [
      "a kubelet that never removes a Pod",
      "a deleted Pod ends",
      onlyPods,
      {
        transportFor: transportWith("kubelet", async (request, direct) => {
          if (request.method === "DELETE") throw new Error("connect ECONNREFUSED");
          return direct(request);
        }),
      },
    ],
    [
      "a kubelet that tells the first status of a Pod only",
      "status is true in the end",
      [withMoves(pods, "create")],
      {
        transportFor: transportWith("kubelet", async (request, direct) => {
          if (request.path.endsWith("/status") && JSON.stringify(bodyOf(request)).includes('"running"')) {
            throw new Error("connect ECONNREFUSED");
          }
          return direct(request);
        }),
      },
    ],
    [
      "a kubelet that ends Pods and says Running afterwards",
      "no phase leaves a terminal state",
      onlyPods,
      {
        transportFor: transportWith("kubelet", async (request, direct) => {
          const answer = await direct(request);
          const { phase } = (bodyOf(request)["status"] ?? {}) as { phase?: string };
          if ((phase === "Succeeded" || phase === "Failed") && !contradicted.has(request.path)) {
            contradicted.add(request.path);
            await direct({ ...request, body: { kind: "object", object: { status: { phase: "Running" } } } });
          }
          return answer;
        }),
      },
    ],
    [
      "a kubelet that says Ready too soon",
      "what is ready runs",
      onlyPods,
      {
        transportFor: transportWith("kubelet", (request, direct) =>
          direct(
            withStatus(request, (status) => {
              const all = status["containerStatuses"] as readonly object[] | undefined;
              return all === undefined
                ? status
                : { ...status, containerStatuses: all.map((one) => ({ ...one, ready: true })) };
            }),
          ),
        ),
      },
    ],
    [
      "controllers that make two Pods for one",
      "never more Pods than replicas",
      withOwners,
      {
        transportFor: transportWith("controllers", async (request, direct) => {
          if (request.method === "POST" && request.path.endsWith("/pods")) await direct(request);
          return direct(request);
        }),
      },
    ],
    [
      "controllers that want more than they should of each ReplicaSet",
      "a rollout keeps its limits",
      [deployments],
      {
        transportFor: transportWith("controllers", (request, direct) => {
          const body = bodyOf(request) as { spec?: { replicas?: number } };
          if (!request.path.includes("/replicasets") || body.spec?.replicas === undefined || body.spec.replicas === 0)
            return direct(request);
          const spec = { ...body.spec, replicas: body.spec.replicas + 20 };
          return direct({ ...request, body: { kind: "object", object: { ...body, spec } } });
        }),
      },
    ],
    [
      "controllers that scale every ReplicaSet down to nothing",
      "a rollout keeps its limits",
      [withMoves(deployments, "create", "restart")],
      {
        transportFor: transportWith("controllers", (request, direct) => {
          const body = bodyOf(request) as { spec?: { replicas?: number } };
          if (request.method !== "PUT" || !request.path.includes("/replicasets/")) return direct(request);
          return direct({
            ...request,
            body: { kind: "object", object: { ...body, spec: { ...body.spec, replicas: 0 } } },
          });
        }),
      },
    ],
    [
      "controllers that count one Pod too many of each Deployment",
      "a Deployment is true in the end",
      [deployments],
      {
        transportFor: transportWith("controllers", (request, direct) => {
          const body = bodyOf(request) as { status?: { replicas?: number } };
          if (!/\/deployments\/[^/]+\/status$/.test(request.path)) return direct(request);
          const status = { ...body.status, replicas: (body.status?.replicas ?? 0) + 1 };
          return direct({ ...request, body: { kind: "object", object: { ...body, status } } });
        }),
      },
    ],
    [
      "controllers that collect no garbage",
      "owner gone means owned gone",
      [withMoves(replicaSets, "create", "delete")],
      {
        transportFor: transportWith("controllers", async (request, direct) => {
          if (request.method === "DELETE") throw new Error("connect ECONNREFUSED");
          return direct(request);
        }),
      },
    ],
    [
      "a runtime that says of containers that they have stopped, and lets them run",
      "no container outlives its Pod",
      [plainPods],
      { runtimeFor: unstoppable },
    ],
    [
      "a runtime that keeps the logs of all Pods",
      "nothing is left behind",
      onlyPods,
      { runtimeFor: runtimeWith(() => ({ removeLogs: async () => undefined })) },
    ],
    [
      "kubelets that have more Pods than their nodes tell to have room for",
      "no node is overcommitted",
      [pods, nodes],
      {
        transportFor: transportWith("kubelet", (request, direct) => {
          const body = bodyOf(request) as { status?: { allocatable?: object } };
          if (!request.path.startsWith("/api/v1/nodes") || body.status?.allocatable === undefined)
            return direct(request);
          const allocatable = { ...body.status.allocatable, cpu: "50m", memory: "1Mi" };
          return direct({
            ...request,
            body: { kind: "object", object: { ...body, status: { ...body.status, allocatable } } },
          });
        }),
      },
    ],
    [
      "kubelets that do not tell that they are alive",
      "nodes come back",
      [pods, nodes],
      {
        transportFor: transportWith("kubelet", async (request, direct) => {
          const isHeartbeat = request.method !== "POST" && /\/leases\/|\/nodes\/[^/]+\/status$/.test(request.path);
          if (isHeartbeat && request.method !== "GET") throw new Error("connect ECONNREFUSED");
          return direct(request);
        }),
      },
    ],
    [
      "a runtime for which no container succeeds",
      "the restart policy is kept",
      onlyPods,
      {
        runtimeFor: telling((status) =>
          status.state.kind === "exited" && status.state.exitCode === 0 && status.metadata.name.startsWith("app-")
            ? { ...status, state: { ...status.state, exitCode: 1, reason: "Error" } }
            : status,
        ),
      },
    ],
  ])("%s: %s", { timeout: 120_000 }, async (_broken, invariant, inhabitants, broken) => {
    const report = await runWorld({ seed: 7, settle, inhabitants, faults: [], rounds, broken });
    expect(resultOf(report)).toMatchObject({ invariant });
  });
});

/** An inhabitant that makes only these moves. */
function withMoves(inhabitant: Inhabitant, ...names: readonly string[]): Inhabitant {
  return { ...inhabitant, moves: inhabitant.moves.filter(({ name }) => names.includes(name)) };
}

/** Stops nothing, and says that it has. */
function unstoppable(direct: ContainerRuntime, node: string): ContainerRuntime {
  const stopped = new Set<string>();
  const told = (status: ContainerStatus): ContainerStatus =>
    stopped.has(status.id) && status.state.kind === "running"
      ? {
          ...status,
          state: {
            ...status.state,
            kind: "exited",
            finishedAt: status.state.startedAt,
            exitCode: 0,
            reason: "Completed",
            message: "",
          },
        }
      : status;
  const make = runtimeWith((runtime) => ({
    listContainers: async (filter) => (await runtime.listContainers(filter)).map(told),
    containerStatus: async (id) => told(await runtime.containerStatus(id)),
    stopContainer: async (id) => void stopped.add(id),
    stopPodSandbox: async () => undefined,
    removeContainer: async (id) => (stopped.has(id) ? undefined : runtime.removeContainer(id)),
    removePodSandbox: async () => undefined,
  }));
  return make(direct, node);
}

describe("what no broken part can bring about is found all the same", () => {
  const at = 0 as Instant;
  const view = new WorldView(() => at);
  const metadata = {
    name: "a",
    namespace: "default",
    uid: "1",
    generation: 2,
    creationTimestamp: "2025-01-01T00:00:00Z",
  };
  const change = { at, resource: "core/pods", key: "/registry/core/pods/default/a", revision: 5 };
  const object = (more: object, spec = {}): NonNullable<ObjectChange["after"]> =>
    ({ kind: "Pod", metadata: { ...metadata, ...more }, spec, status: { phase: "Running" } }) as NonNullable<
      ObjectChange["after"]
    >;

  it.each<[what: string, invariant: Invariant, changes: readonly ObjectChange[]]>([
    ["a revision that falls", revisionsGrow(), [change, { ...change, revision: 4 }]],
    ["another uid", objectsKeepTheirIdentity(), [{ ...change, before: object({}), after: object({ uid: "2" }) }]],
    [
      "a generation that falls",
      objectsKeepTheirIdentity(),
      [{ ...change, before: object({}), after: object({ generation: 1 }) }],
    ],
    [
      "a deletion that is taken back",
      objectsKeepTheirIdentity(),
      [{ ...change, before: object({ deletionTimestamp: "2025-01-01T00:00:00Z" }), after: object({}) }],
    ],
    [
      "a second binding",
      podsAreBoundOnce(),
      [{ ...change, before: object({}, { nodeName: "node-a" }), after: object({}, { nodeName: "node-b" }) }],
    ],
  ])("%s", (_what, invariant, changes) => {
    const findings = changes.flatMap((each) => [...(invariant.onChange?.(each, view) ?? [])]);
    expect(findings).toHaveLength(1);
  });
});
