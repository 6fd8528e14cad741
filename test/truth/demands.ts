// What a manifest asks of its containers: the ports and commands of their probes and hooks.

import type { Container, LifecycleHandler, Pod, PodSpec, Probe } from "../../src/api/index.ts";
import type { JsonObject } from "../../src/api/wire/request.ts";
import type { Demands } from "./behaviour-program.ts";
import { NotToldError } from "./not-told.ts";

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> | LifecycleHandler;

/** Demands by container name, gathered from every manifest of a story. */
export class StoryDemands {
  readonly #byContainer = new Map<string, Demands>();

  /** @throws NotToldError if no program of ours answers to what is asked */
  add(object: JsonObject): void {
    for (const container of containersOf(object)) {
      const known = this.of(container.name);
      const own = demandsOf(container);
      const ports = new Map([...known.ports, ...own.ports].map((one) => [`${one.port}/${one.protocol}`, one]));
      this.#byContainer.set(container.name, {
        ports: [...ports.values()],
        commands: [...known.commands, ...own.commands],
      });
    }
  }

  of(container: string): Demands {
    return this.#byContainer.get(container) ?? { ports: [], commands: [] };
  }
}

function containersOf(object: JsonObject): readonly Container[] {
  const { spec } = object as unknown as Partial<Pod>;
  const template = (spec as { readonly template?: { readonly spec?: PodSpec } } | undefined)?.template?.spec;
  const found = template ?? spec;
  return [...(found?.initContainers ?? []), ...(found?.containers ?? [])];
}

function demandsOf(container: Container): Demands {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  const handlers = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].filter(
    (handler): handler is Handler => handler !== undefined,
  );
  const numberOf = (port: number | string): number => {
    if (typeof port === "number") return port;
    const named = container.ports?.find(({ name }) => name === port);
    if (named === undefined) throw new NotToldError(`it asks for a port ${port} that it does not have`);
    return named.containerPort;
  };
  const ports = handlers.flatMap((handler): Demands["ports"] => {
    if ("grpc" in handler && handler.grpc !== undefined) throw new NotToldError("busybox has no gRPC server");
    const { httpGet, tcpSocket } = handler;
    if (httpGet?.scheme === "HTTPS") throw new NotToldError("busybox has no HTTPS server");
    if (httpGet !== undefined) return [{ port: numberOf(httpGet.port), protocol: "http" }];
    return tcpSocket === undefined ? [] : [{ port: numberOf(tcpSocket.port), protocol: "tcp" }];
  });
  const commands = handlers.flatMap((handler) => (handler.exec?.command === undefined ? [] : [handler.exec.command]));
  return { ports, commands };
}
