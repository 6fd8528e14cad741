// Events of a CRI runtime. containerd's own events come a moment before its CRI knows of them, so each is held back until CRI would say the
// same: whoever looks because of an event sees what happened.

import { fromBinary } from "@bufbuild/protobuf";
import { type Clock, type Millis, millis, seconds } from "../../base/time.ts";
import type { ContainerId, RuntimeEvent, SandboxId } from "../runtime-service.ts";
import { type Envelope, Events, TaskExitSchema, TaskOOMSchema, TaskStartSchema } from "./gen/containerd-events.ts";
import { ContainerEventType, RuntimeService } from "./gen/cri.ts";
import type { GrpcConnection } from "./grpc-connection.ts";
import type { GrpcError } from "./grpc-error.ts";

/** What a stream of events needs to know, and where it reports. */
export interface EventObserver {
  event(event: RuntimeEvent): void;
  lost(reason: string): void;
  /** Tells sandboxes from containers, and both from what others run in the same namespace. */
  kindOf(id: string): Promise<"sandbox" | "container" | "stranger">;
  sandboxOf(id: ContainerId): SandboxId | undefined;
  hasStarted(id: ContainerId): Promise<boolean>;
  hasExited(id: ContainerId): Promise<boolean>;
  hasStopped(id: SandboxId): Promise<boolean>;
}

/** CRI runtimes keep their containers in this namespace of containerd. */
const criNamespace = "k8s.io";

/** After this an event goes out although CRI does not agree yet; the next relist finds what it could not. */
const agreementLimit: Millis = seconds(10);
/** Between two looks. containerd's CRI takes some 30 ms to learn of an exit, and a look costs one. */
const pause: Millis = millis(4);

type TaskEvent =
  | { readonly kind: "start"; readonly id: string }
  | { readonly kind: "exit"; readonly id: string }
  | { readonly kind: "outOfMemory"; readonly id: string };

/** Listens to containerd's task events (`/tasks/start`, `/tasks/exit`, `/tasks/oom`). */
export function listenToContainerd(
  connection: GrpcConnection,
  clock: Clock,
  observer: EventObserver,
): { close(): void } {
  const topics = ["/tasks/start", "/tasks/exit", "/tasks/oom"];
  const filters = topics.map((topic) => `namespace==${criNamespace},topic=="${topic}"`);
  const closed = new AbortController();
  /** Events of one task go out in their order. */
  const tails = new Map<string, Promise<void>>();

  const end = (reason: string): void => {
    if (closed.signal.aborted) return;
    closed.abort(new Error(reason));
    observer.lost(reason);
  };
  const stream: { cancel(): void } = connection.serverStream(
    Events.method.subscribe,
    { filters },
    {
      message(envelope) {
        let event: TaskEvent | undefined;
        try {
          event = taskEventOf(envelope);
        } catch (error) {
          stream.cancel();
          end(`an event of topic ${envelope.topic} cannot be read: ${(error as Error).message}`);
          return;
        }
        if (event === undefined) return;
        const { id } = event;
        const tail = (tails.get(id) ?? Promise.resolve())
          .then(() => deliver(event, clock, observer, closed.signal))
          .catch((error: unknown) => {
            stream.cancel();
            end(`an event could not be looked into: ${(error as Error).message}`);
          })
          .finally(() => {
            if (tails.get(id) === tail) tails.delete(id);
          });
        tails.set(id, tail);
      },
      ended: (reason) => end(lossOf(reason)),
    },
  );
  return {
    close() {
      closed.abort(new Error("closed"));
      stream.cancel();
    },
  };
}

function taskEventOf({ topic, event }: Envelope): TaskEvent | undefined {
  if (event === undefined) return undefined;
  switch (topic) {
    case "/tasks/start":
      return { kind: "start", id: fromBinary(TaskStartSchema, event.value).containerId };
    case "/tasks/exit": {
      const { containerId, id } = fromBinary(TaskExitSchema, event.value);
      // A process added by exec ends on its own; the container goes on.
      return id === containerId ? { kind: "exit", id: containerId } : undefined;
    }
    case "/tasks/oom":
      return { kind: "outOfMemory", id: fromBinary(TaskOOMSchema, event.value).containerId };
    default:
      return undefined;
  }
}

async function deliver(event: TaskEvent, clock: Clock, observer: EventObserver, closed: AbortSignal): Promise<void> {
  if (closed.aborted) return;
  const runtimeEvent = await agreed(event, clock, observer, closed);
  if (runtimeEvent !== undefined && !closed.aborted) observer.event(runtimeEvent);
}

/** The event in our words, as soon as CRI's own view has it. */
async function agreed(
  event: TaskEvent,
  clock: Clock,
  observer: EventObserver,
  closed: AbortSignal,
): Promise<RuntimeEvent | undefined> {
  const kind = await observer.kindOf(event.id);
  if (kind === "stranger") return undefined;
  if (kind === "sandbox") {
    if (event.kind !== "exit") return undefined;
    const sandboxId = event.id as SandboxId;
    await until(() => observer.hasStopped(sandboxId), clock, closed);
    return { kind: "sandboxStopped", sandboxId };
  }
  const containerId = event.id as ContainerId;
  const sandboxId = observer.sandboxOf(containerId);
  const ids = sandboxId === undefined ? { containerId } : { containerId, sandboxId };
  switch (event.kind) {
    case "start":
      await until(() => observer.hasStarted(containerId), clock, closed);
      return { kind: "containerStarted", ...ids };
    case "exit":
      await until(() => observer.hasExited(containerId), clock, closed);
      return { kind: "containerExited", ...ids };
    case "outOfMemory":
      return { kind: "containerOutOfMemory", ...ids };
  }
}

async function until(reached: () => Promise<boolean>, clock: Clock, closed: AbortSignal): Promise<void> {
  const from = clock.now();
  while (!closed.aborted && !(await reached())) {
    if (clock.now() - from > agreementLimit) return;
    await clock.sleep(pause);
  }
}

/** Listens to CRI's own events (containerd 1.7, CRI-O). They carry no word about memory. */
export function listenToCri(connection: GrpcConnection, observer: EventObserver): { close(): void } {
  const stream = connection.serverStream(
    RuntimeService.method.getContainerEvents,
    {},
    {
      message({ containerId, containerEventType, podSandboxStatus }) {
        const sandboxId = podSandboxStatus?.id as SandboxId | undefined;
        const isSandbox = sandboxId === containerId;
        const type: number = containerEventType;
        if (type === ContainerEventType.CONTAINER_STOPPED_EVENT && isSandbox && sandboxId !== undefined) {
          observer.event({ kind: "sandboxStopped", sandboxId });
          return;
        }
        if (isSandbox) return;
        const ids = { containerId: containerId as ContainerId, ...(sandboxId === undefined ? {} : { sandboxId }) };
        if (type === ContainerEventType.CONTAINER_STARTED_EVENT) observer.event({ kind: "containerStarted", ...ids });
        if (type === ContainerEventType.CONTAINER_STOPPED_EVENT) observer.event({ kind: "containerExited", ...ids });
      },
      ended: (reason) => observer.lost(lossOf(reason)),
    },
  );
  return { close: () => stream.cancel() };
}

const lossOf = (reason: GrpcError | undefined): string => reason?.message ?? "the runtime ended the stream of events";
