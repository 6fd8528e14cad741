// Opens a container runtime that speaks CRI v1: containerd, CRI-O.

import { type Clock, type Millis, millis, seconds } from "../../base/time.ts";
import { type ContainerRuntime, RuntimeUnsupportedError } from "../runtime-service.ts";
import { socketPathOf } from "./cri-endpoint.ts";
import { CriImageService } from "./cri-image-service.ts";
import { CriRuntimeService, type EventSource } from "./cri-runtime-service.ts";
import { RuntimeService } from "./gen/cri.ts";
import { defaultTimeout, GrpcConnection } from "./grpc-connection.ts";

export interface CriRuntimeOptions {
  /** `unix:///run/containerd/containerd.sock` or the path alone. */
  readonly endpoint: string;
  readonly clock: Clock;
  /** Limit for each call, beyond the time that the call itself asks for. Two minutes if absent, as upstream's. Pulls have none. */
  readonly requestTimeout?: Millis;
}

/**
 * Connects and asks for the version. Later losses of the connection are repaired by themselves; calls meanwhile fail with a `GrpcError` of code
 * `Unavailable`, and an event subscription reports `lost`.
 * @throws GrpcError if nothing answers; RuntimeUnsupportedError if it speaks another version of CRI
 */
export async function openCriRuntime(options: CriRuntimeOptions): Promise<ContainerRuntime> {
  const socketPath = socketPathOf(options.endpoint);
  const requestTimeout = options.requestTimeout ?? defaultTimeout;
  const connection = new GrpcConnection(socketPath, options.clock);
  try {
    const timeout = seconds(10);
    const version = await connection.unary(RuntimeService.method.version, {}, { timeout });
    if (version.runtimeApiVersion !== "v1" && version.runtimeApiVersion !== "") {
      const spoken = version.runtimeApiVersion;
      throw new RuntimeUnsupportedError(
        `${version.runtimeName} at ${socketPath} speaks CRI ${spoken}; CRI v1 is needed`,
      );
    }
    const events = version.runtimeName === "containerd" ? "containerd" : await criEvents(connection, options.clock);
    const shared = { connection, clock: options.clock, requestTimeout };
    const runtime = new CriRuntimeService(shared, events);
    const images = new CriImageService(shared);
    return {
      runtime,
      images,
      close: async () => connection.close(),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A runtime without events refuses at once; one that has them stays silent until something happens. */
async function criEvents(connection: GrpcConnection, clock: Clock): Promise<EventSource> {
  let refused = false;
  const stream = connection.serverStream(
    RuntimeService.method.getContainerEvents,
    {},
    {
      message() {},
      ended(reason) {
        refused = reason?.code === "Unimplemented";
      },
    },
  );
  await clock.sleep(millis(100));
  stream.cancel();
  return refused ? "none" : "cri";
}
