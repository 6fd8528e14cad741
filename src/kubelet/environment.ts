// A container's environment (pod-lifecycle 4.6).

import type { ConfigMap, Container, EnvVar, EphemeralContainer, Pod, Secret } from "../api/generated/core-v1.ts";
import { expand } from "./expand.ts";
import { fieldValue, type PodAddresses, resourceFieldValue } from "./field-ref.ts";
import { namespaceOf } from "./pod-containers.ts";

export interface Variable {
  readonly key: string;
  readonly value: string;
}

/** What variables are made from. Objects are `undefined` when the API has none of that name. */
export interface EnvironmentSources {
  readonly configMaps: ReadonlyMap<string, ConfigMap | undefined>;
  readonly secrets: ReadonlyMap<string, Secret | undefined>;
  readonly services: ReadonlyMap<string, string>;
  readonly addresses: PodAddresses;
  readonly allocatable: Readonly<Record<string, string>>;
}

export interface Environment {
  readonly variables: readonly Variable[];
  /** Keys that cannot be names of variables and were left out; each text is an event's message (InvalidEnvironmentVariableNames). */
  readonly invalidNames: readonly string[];
}

/** The names of the objects that a container's environment is made from. */
export function environmentObjects(container: Container | EphemeralContainer): {
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
} {
  const configMaps = [
    ...(container.envFrom ?? []).map((source) => source.configMapRef?.name),
    ...(container.env ?? []).map((variable) => variable.valueFrom?.configMapKeyRef?.name),
  ];
  const secrets = [
    ...(container.envFrom ?? []).map((source) => source.secretRef?.name),
    ...(container.env ?? []).map((variable) => variable.valueFrom?.secretKeyRef?.name),
  ];
  return { configMaps: distinctNames(configMaps), secrets: distinctNames(secrets) };
}

/**
 * Later wins: `envFrom` in order, then `env` in order; Service variables only where nothing else is set.
 * @throws Error with the text for CreateContainerConfigError
 */
export function containerEnvironment(
  pod: Pod,
  container: Container | EphemeralContainer,
  sources: EnvironmentSources,
): Environment {
  const variables = new Map<string, string>();
  const invalidNames = addEnvFrom(pod, container, sources, variables);
  for (const variable of container.env ?? []) {
    const value = variableValue(pod, container, variable, sources, variables);
    if (value !== undefined) variables.set(variable.name, value);
  }
  for (const [name, value] of sources.services) if (!variables.has(name)) variables.set(name, value);
  return { variables: [...variables].map(([key, value]) => ({ key, value })), invalidNames };
}

/** Only what is written in the spec itself: what commands of exec probes may refer to. */
export function literalEnvironment(container: Container | EphemeralContainer): ReadonlyMap<string, string> {
  return new Map((container.env ?? []).map(({ name, value }) => [name, value ?? ""]));
}

/** Expands references to variables in a command or its arguments. */
export function expandAll(texts: readonly string[] | undefined, variables: readonly Variable[]): readonly string[] {
  const byName = new Map(variables.map(({ key, value }) => [key, value]));
  return (texts ?? []).map((text) => expand(text, (name) => byName.get(name)));
}

function addEnvFrom(
  pod: Pod,
  container: Container | EphemeralContainer,
  sources: EnvironmentSources,
  variables: Map<string, string>,
): readonly string[] {
  const complaints: string[] = [];
  for (const source of container.envFrom ?? []) {
    const reference = source.configMapRef ?? source.secretRef;
    if (reference === undefined) continue;
    const isSecret = source.configMapRef === undefined;
    const name = reference.name ?? "";
    const data = isSecret ? secretData(sources.secrets.get(name)) : configMapData(sources.configMaps.get(name));
    if (data === undefined) {
      if (reference.optional === true) continue;
      throw new Error(`${isSecret ? "secret" : "configmap"} "${name}" not found`);
    }
    const invalid: string[] = [];
    for (const [key, value] of Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const full = `${source.prefix ?? ""}${key}`;
      if (isVariableName(full)) variables.set(full, value);
      else invalid.push(full);
    }
    if (invalid.length > 0) {
      const what = isSecret ? "secret" : "configMap";
      complaints.push(
        `Keys [${invalid.join(", ")}] from the EnvFrom ${what} ${namespaceOf(pod)}/${name} were skipped since they are considered invalid environment variable names.`,
      );
    }
  }
  return complaints;
}

/** `undefined` if the variable is optional and has no value. */
function variableValue(
  pod: Pod,
  container: Container | EphemeralContainer,
  variable: EnvVar,
  sources: EnvironmentSources,
  before: ReadonlyMap<string, string>,
): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) {
    return expand(variable.value ?? "", (name) => before.get(name) ?? sources.services.get(name));
  }
  if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef.fieldPath, sources.addresses);
  if (from.resourceFieldRef !== undefined) {
    return resourceFieldValue(pod, container, from.resourceFieldRef, sources.allocatable);
  }
  const reference = from.configMapKeyRef ?? from.secretKeyRef;
  if (reference === undefined) return undefined;
  const isSecret = from.configMapKeyRef === undefined;
  const name = reference.name ?? "";
  const data = isSecret ? secretData(sources.secrets.get(name)) : configMapData(sources.configMaps.get(name));
  const value = data?.[reference.key];
  if (value !== undefined) return value;
  if (reference.optional === true) return undefined;
  if (data === undefined) throw new Error(`${isSecret ? "secret" : "configmap"} "${name}" not found`);
  throw new Error(
    `couldn't find key ${reference.key} in ${isSecret ? "Secret" : "ConfigMap"} ${namespaceOf(pod)}/${name}`,
  );
}

function configMapData(object: ConfigMap | undefined): Readonly<Record<string, string>> | undefined {
  return object === undefined ? undefined : (object.data ?? {});
}

function secretData(object: Secret | undefined): Readonly<Record<string, string>> | undefined {
  if (object === undefined) return undefined;
  const decoder = new TextDecoder();
  return Object.fromEntries(
    Object.entries(object.data ?? {}).map(([key, value]) => [key, decoder.decode(fromBase64(value))]),
  );
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Printable ASCII without `=`. */
function isVariableName(name: string): boolean {
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(name);
}

function distinctNames(names: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== undefined))];
}
