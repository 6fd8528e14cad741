// Finds out whether something that speaks CRI v1 listens on a socket.

import { type Clock, type Millis, seconds } from "../../base/time.ts";
import type { RuntimeCondition, RuntimeVersion } from "../runtime-service.ts";
import { defaultCriEndpoints, socketPathOf } from "./cri-endpoint.ts";
import { RuntimeService } from "./gen/cri.ts";
import { GrpcConnection } from "./grpc-connection.ts";
import { conditionsOf } from "./runtime-mapping.ts";

export type CriProbe =
  | {
      readonly kind: "answers";
      readonly endpoint: string;
      readonly version: RuntimeVersion;
      /** RuntimeReady and NetworkReady; without the second no Pod gets an address yet. */
      readonly conditions: readonly RuntimeCondition[];
    }
  | { readonly kind: "absent"; readonly endpoint: string; readonly reason: string };

export interface ProbeOptions {
  readonly clock: Clock;
  /** How long it may take to answer. One second if absent. */
  readonly timeout?: Millis;
}

/** Asks for version and status. Never rejects: what is wrong is the `reason`. */
export async function probeCriEndpoint(endpoint: string, options: ProbeOptions): Promise<CriProbe> {
  const connection = new GrpcConnection(socketPathOf(endpoint), options.clock);
  const timeout = options.timeout ?? seconds(1);
  try {
    const [version, status] = await Promise.all([
      connection.unary(RuntimeService.method.version, {}, { timeout }),
      connection.unary(RuntimeService.method.status, {}, { timeout }),
    ]);
    return {
      kind: "answers",
      endpoint,
      version: { runtimeName: version.runtimeName, runtimeVersion: version.runtimeVersion },
      conditions: conditionsOf(status),
    };
  } catch (error) {
    return { kind: "absent", endpoint, reason: (error as Error).message };
  } finally {
    connection.close();
  }
}

/** The first of the usual sockets that answers; if none does, why not, by socket. */
export async function findCriEndpoint(
  options: ProbeOptions,
  endpoints: readonly string[] = defaultCriEndpoints,
): Promise<
  | (CriProbe & { readonly kind: "answers" })
  | { readonly kind: "none"; readonly absent: readonly (CriProbe & { readonly kind: "absent" })[] }
> {
  const probes = await Promise.all(endpoints.map((endpoint) => probeCriEndpoint(endpoint, options)));
  const first = probes.find((probe) => probe.kind === "answers");
  return first ?? { kind: "none", absent: probes.filter((probe) => probe.kind === "absent") };
}
