// Probes and hooks (pod-lifecycle 6.1, 7.2).

import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from "../../generated/core-v1.ts";
import { checkName, checkNotNegative, checkOneOf } from "../../meta/field-checks.ts";
import { child, type FieldError, forbidden, invalid, required } from "../../meta/field-errors.ts";
import { httpHeaderNameProblems, portNameProblems, portNumberProblems } from "../../meta/names.ts";

/** The probes and hooks of a container. */
export interface ContainerHandlers {
  readonly lifecycle?: Lifecycle;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

/** Checks the probes and hooks of a container that may have them. `gracePeriodSeconds` is the Pod's. */
export function validateHandlers(container: ContainerHandlers, gracePeriodSeconds: number, path: string): FieldError[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  const errors: FieldError[] = [];
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = lifecycle?.[hook];
    if (handler !== undefined) {
      errors.push(...validateHandler(handler, gracePeriodSeconds, child(path, "lifecycle", hook)));
    }
  }
  errors.push(...validateProbe(livenessProbe, "livenessProbe", path));
  errors.push(...validateProbe(readinessProbe, "readinessProbe", path));
  errors.push(...validateProbe(startupProbe, "startupProbe", path));
  return errors;
}

/** Init containers that run to completion have neither probes nor hooks. */
export function forbidHandlers(container: ContainerHandlers, path: string): FieldError[] {
  return (["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const)
    .filter((field) => container[field] !== undefined)
    .map((field) => forbidden(child(path, field), "may not be set for init containers without restartPolicy=Always"));
}

type ProbeKind = "livenessProbe" | "readinessProbe" | "startupProbe";

function validateProbe(probe: Probe | undefined, kind: ProbeKind, containerPath: string): FieldError[] {
  if (probe === undefined) return [];
  const path = child(containerPath, kind);
  const errors = validateHandler(probe, undefined, path);
  for (const field of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    errors.push(...checkNotNegative(child(path, field), probe[field]));
  }
  const grace = probe.terminationGracePeriodSeconds;
  const gracePath = child(path, "terminationGracePeriodSeconds");
  if (grace !== undefined && grace <= 0) errors.push(invalid(gracePath, grace, "must be greater than 0"));
  if (kind === "readinessProbe") {
    if (grace !== undefined) errors.push(invalid(gracePath, grace, "must not be set for readinessProbes"));
  } else if (probe.successThreshold !== 1) {
    errors.push(invalid(child(path, "successThreshold"), probe.successThreshold, "must be 1"));
  }
  return errors;
}

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> & Pick<LifecycleHandler, "sleep">;

/** Exactly one way to act. The first is checked; every further one is too many. */
function validateHandler(handler: Handler, gracePeriodSeconds: number | undefined, path: string): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const given: [field: string, errors: FieldError[]][] = [];
  if (exec !== undefined) {
    given.push(["exec", (exec.command ?? []).length === 0 ? [required(child(path, "exec", "command"))] : []]);
  }
  if (httpGet !== undefined) given.push(["httpGet", validateHttpGet(httpGet, child(path, "httpGet"))]);
  if (tcpSocket !== undefined)
    given.push(["tcpSocket", validatePort(tcpSocket.port, child(path, "tcpSocket", "port"))]);
  if (grpc !== undefined) given.push(["grpc", validatePort(grpc.port, child(path, "grpc", "port"))]);
  if (sleep !== undefined)
    given.push(["sleep", validateSleep(sleep.seconds, gracePeriodSeconds, child(path, "sleep"))]);
  if (given.length === 0) return [required(path, "must specify a handler type")];
  const [first, ...others] = given;
  return [
    ...(first?.[1] ?? []),
    ...others.map(([field]) => forbidden(child(path, field), "may not specify more than 1 handler type")),
  ];
}

function validateHttpGet({ path: httpPath, port, scheme, httpHeaders }: HTTPGetAction, path: string): FieldError[] {
  return [
    ...(httpPath === "" ? [required(child(path, "path"))] : []),
    ...validatePort(port, child(path, "port")),
    ...checkOneOf(child(path, "scheme"), scheme, ["HTTP", "HTTPS"]),
    ...(httpHeaders ?? []).flatMap(({ name }) => checkName(child(path, "httpHeaders"), name, httpHeaderNameProblems)),
  ];
}

/** A number, or the name of one of the container's ports. */
function validatePort(port: number | string, path: string): FieldError[] {
  const problems = typeof port === "number" ? portNumberProblems(port) : portNameProblems(port);
  return problems.map((problem) => invalid(path, port, problem));
}

function validateSleep(seconds: number, gracePeriodSeconds: number | undefined, path: string): FieldError[] {
  if (gracePeriodSeconds === undefined || (seconds >= 0 && seconds <= gracePeriodSeconds)) return [];
  const text = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriodSeconds})`;
  return [invalid(path, seconds, text)];
}
