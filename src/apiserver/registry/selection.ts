// Which objects of a resource a list or a watch is about: a namespace, labels, fields (api-machinery 3.8, 3.9).

import {
  exactFieldValue,
  type FieldTerm,
  matchesFields,
  parseFieldSelector,
  selectableFields,
} from "../../api/meta/field-selector.ts";
import { type LabelRequirement, matchesRequirements, parseLabelSelector } from "../../api/meta/label-selector.ts";
import { badRequest } from "../../api/wire/status-error.ts";
import type { Trigger } from "../storage/resource-cache.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import type { ApiObject } from "./api-object.ts";
import { keyFor, prefixFor, type ResourceDefinition } from "./resource-definition.ts";

export interface SelectionRequest {
  /** Empty: all namespaces. */
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

export class Selection {
  /** All selected keys begin with this; it is one whole key when the selection names one object. */
  readonly prefix: string;
  readonly #definition: ResourceDefinition;
  readonly #labels: readonly LabelRequirement[];
  readonly #fields: readonly FieldTerm[];

  /** @throws StatusError BadRequest for a selector that cannot be read */
  constructor(definition: ResourceDefinition, { namespace, labelSelector, fieldSelector }: SelectionRequest) {
    const labels = parseLabelSelector(labelSelector);
    if (labels.kind === "wrong") throw badRequest(labels.problem);
    const fields = parseFieldSelector(fieldSelector, definition);
    if (fields.kind === "wrong") throw badRequest(fields.problem);
    this.#definition = definition;
    this.#labels = labels.requirements;
    this.#fields = fields.terms;
    this.prefix = prefixFor(definition, definition.namespaced ? namespace : undefined);
  }

  get resource(): ResourceDefinition {
    return this.#definition;
  }

  /** The key of the only object that can be selected, if the selection names it fully. */
  singleKey(namespace: string): string | undefined {
    const name = exactFieldValue(this.#fields, "metadata.name");
    if (name === undefined || name === "" || name.includes("/")) return undefined;
    if (!this.#definition.namespaced) return keyFor(this.#definition, "", name);
    const home = namespace === "" ? exactFieldValue(this.#fields, "metadata.namespace") : namespace;
    return home === undefined || home === "" ? undefined : keyFor(this.#definition, home, name);
  }

  /** The field by whose value a change can be told to concern this selection, without looking at the rest of it. */
  get trigger(): Trigger | undefined {
    const term = this.#fields.find(({ operator }) => operator === "=");
    const read = term === undefined ? undefined : selectableFields(this.#definition).get(term.field);
    if (term === undefined || read === undefined) return undefined;
    const { group, version, conversion } = this.#definition;
    return {
      index: `${group}/${version} ${term.field}`,
      value: term.value,
      valueOf: (stored) => read(stored.in(conversion).object),
    };
  }

  /** Whether it takes everything below its prefix. */
  get isWhole(): boolean {
    return this.#labels.length === 0 && this.#fields.length === 0;
  }

  has(stored: StoredObject): boolean {
    if (!stored.key.startsWith(this.prefix)) return false;
    if (this.isWhole) return true;
    const object = stored.in(this.#definition.conversion).object as ApiObject;
    if (!matchesRequirements(this.#labels, object.metadata.labels)) return false;
    return matchesFields(this.#fields, object, this.#definition);
  }
}
