// The defaults of containers, their ports, probes and hooks (pod-lifecycle 15.3, 6.1).

import type { Draft } from "../../draft.ts";
import type {
  Container,
  ContainerPort,
  EnvVar,
  EphemeralContainer,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  Probe,
  PullPolicy,
} from "../../generated/core-v1.ts";
import { defaultContainerResources, roundedResources } from "./default-resources.ts";
import { defaultFieldRef } from "./default-volume.ts";

/** A regular or init container with every default. With the host's network its ports are the host's; a template leaves what it requests to its Pods. */
export function defaultContainer(
  container: Draft<Container>,
  { isPod, hostNetwork }: { readonly isPod: boolean; readonly hostNetwork: boolean },
): Container {
  const resources = isPod ? defaultContainerResources : roundedResources;
  return {
    ...withCommonDefaults(container, hostNetwork),
    resources: resources(container.resources ?? {}),
  } as Container;
}

/** An ephemeral container with every default. It has no ports or resources of its own to complete. */
export function defaultEphemeralContainer(container: Draft<EphemeralContainer>): EphemeralContainer {
  return { ...withCommonDefaults(container, false), resources: container.resources ?? {} } as EphemeralContainer;
}

/** Always for the tag `latest` and where neither tag nor digest is given, because what those name can change. */
export function defaultPullPolicy(image: string): PullPolicy {
  const [name = "", digest] = image.split("@");
  const last = name.slice(name.lastIndexOf("/") + 1);
  const colon = last.indexOf(":");
  const tag = colon < 0 ? undefined : last.slice(colon + 1);
  if (last === "") return "IfNotPresent";
  return tag === "latest" || (tag === undefined && digest === undefined) ? "Always" : "IfNotPresent";
}

function withCommonDefaults(container: Draft<EphemeralContainer>, hostNetwork: boolean): object {
  const { ports, env, livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  return {
    ...container,
    image: container.image ?? "",
    imagePullPolicy: container.imagePullPolicy || defaultPullPolicy(container.image ?? ""),
    terminationMessagePath: container.terminationMessagePath || "/dev/termination-log",
    terminationMessagePolicy: container.terminationMessagePolicy || "File",
    ...(ports === undefined ? {} : { ports: ports.map((port) => defaultPort(port, hostNetwork)) }),
    ...(env === undefined ? {} : { env: env.map(defaultEnvVar) }),
    ...(livenessProbe === undefined ? {} : { livenessProbe: defaultProbe(livenessProbe) }),
    ...(readinessProbe === undefined ? {} : { readinessProbe: defaultProbe(readinessProbe) }),
    ...(startupProbe === undefined ? {} : { startupProbe: defaultProbe(startupProbe) }),
    ...(lifecycle === undefined ? {} : { lifecycle: defaultLifecycle(lifecycle) }),
  };
}

function defaultPort(port: Draft<ContainerPort>, hostNetwork: boolean): Draft<ContainerPort> {
  const { containerPort, hostPort } = port;
  const onHost = hostNetwork && !hostPort && containerPort !== undefined && containerPort !== 0;
  return { ...port, protocol: port.protocol || "TCP", ...(onHost ? { hostPort: containerPort } : {}) };
}

function defaultEnvVar(variable: Draft<EnvVar>): Draft<EnvVar> {
  const fieldRef = variable.valueFrom?.fieldRef;
  if (fieldRef === undefined) return variable;
  return { ...variable, valueFrom: { ...variable.valueFrom, fieldRef: defaultFieldRef(fieldRef) } };
}

/** A probe with its timing. Zero means the default, as it does upstream. */
export function defaultProbe(probe: Draft<Probe>): Draft<Probe> {
  return {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
    ...(probe.httpGet === undefined ? {} : { httpGet: defaultHttpGet(probe.httpGet) }),
    ...(probe.grpc === undefined ? {} : { grpc: { ...probe.grpc, service: probe.grpc.service ?? "" } }),
  };
}

function defaultLifecycle(lifecycle: Draft<Lifecycle>): Draft<Lifecycle> {
  const { postStart, preStop } = lifecycle;
  return {
    ...lifecycle,
    ...(postStart === undefined ? {} : { postStart: defaultHandler(postStart) }),
    ...(preStop === undefined ? {} : { preStop: defaultHandler(preStop) }),
  };
}

function defaultHandler(handler: Draft<LifecycleHandler>): Draft<LifecycleHandler> {
  return handler.httpGet === undefined ? handler : { ...handler, httpGet: defaultHttpGet(handler.httpGet) };
}

function defaultHttpGet(action: Draft<HTTPGetAction>): Draft<HTTPGetAction> {
  return { ...action, path: action.path || "/", scheme: action.scheme || "HTTP" };
}
