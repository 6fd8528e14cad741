// The variables that tell a container where Services are (pod-lifecycle 4.6.6).

import type { Service } from "../api/generated/core-v1.ts";

/** Variables of the Services that a Pod of `namespace` sees, by name. */
export function serviceEnvironment(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
): ReadonlyMap<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name } = service.metadata;
    const clusterIP = service.spec.clusterIP ?? "";
    if (clusterIP === "" || clusterIP === "None") continue;
    const isMaster = service.metadata.namespace === "default" && name === "kubernetes";
    if (service.metadata.namespace === namespace && (enableServiceLinks || isMaster)) chosen.set(name, service);
    else if (isMaster && !chosen.has(name)) chosen.set(name, service);
  }
  const variables = new Map<string, string>();
  for (const [, service] of [...chosen].sort(([a], [b]) => (a < b ? -1 : 1))) addVariables(service, variables);
  return variables;
}

function addVariables(service: Service, variables: Map<string, string>): void {
  const prefix = variableName(service.metadata.name);
  const host = service.spec.clusterIP ?? "";
  const ports = service.spec.ports ?? [];
  const first = ports[0];
  if (first === undefined) return;
  variables.set(`${prefix}_SERVICE_HOST`, host);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const port of ports) {
    if (port.name !== undefined && port.name !== "") {
      variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
    }
  }
  const address = host.includes(":") ? `[${host}]` : host;
  variables.set(`${prefix}_PORT`, `${first.protocol.toLowerCase()}://${address}:${first.port}`);
  for (const port of ports) {
    const own = `${prefix}_PORT_${port.port}_${port.protocol.toUpperCase()}`;
    variables.set(own, `${port.protocol.toLowerCase()}://${address}:${port.port}`);
    variables.set(`${own}_PROTO`, port.protocol.toLowerCase());
    variables.set(`${own}_PORT`, String(port.port));
    variables.set(`${own}_ADDR`, host);
  }
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
