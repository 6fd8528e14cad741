// Strategic merge patch (api-machinery 5.4): like a merge patch, but lists may merge element by element, as the schema says, and directives
// in the patch (`$patch`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`) steer it. Directives never reach the result.

import type { Schema, SchemaField } from "../schema/schema.ts";
import type { JsonObject } from "../wire/request.ts";
import { isJsonObject, ownValue, setOwn } from "./json-object.ts";

export type StrategicMergePatchResult =
  | { readonly kind: "patched"; readonly object: JsonObject }
  /** A directive has the wrong shape: 400. */
  | { readonly kind: "malformed"; readonly problem: string }
  /** The patch contradicts itself: 422. */
  | { readonly kind: "unprocessable"; readonly problem: string }
  /** What upstream answers with an unclassified 500: an element without its merge key, an unknown `$patch`. */
  | { readonly kind: "unclassified"; readonly problem: string };

/** Finds the schema of a message by its name (`core/v1 PodSpec`). */
export type SchemaLookup = (name: string) => Schema | undefined;

/**
 * The object after the patch. Neither argument is changed. Fields that the schema does not know merge like a plain merge patch, so that the
 * decoding afterwards can name them.
 */
export function strategicMergePatch(
  original: JsonObject,
  patch: JsonObject,
  schema: Schema | undefined,
  schemaFor: SchemaLookup,
): StrategicMergePatchResult {
  try {
    const merger = new StrategicMerger(schemaFor);
    return { kind: "patched", object: merger.mergeMap(original, patch, { schema, items: undefined }) };
  } catch (error) {
    if (error instanceof PatchProblem) return { kind: error.kind, problem: error.message };
    throw error;
  }
}

class PatchProblem extends Error {
  readonly kind: "malformed" | "unprocessable" | "unclassified";

  constructor(kind: "malformed" | "unprocessable" | "unclassified", message: string) {
    super(message);
    this.kind = kind;
  }
}

/** What is known about a map: the message it is, or, for a map of any keys, what its values are. */
interface MapShape {
  readonly schema: Schema | undefined;
  readonly items: SchemaField | undefined;
}

const patchDirective = "$patch";
const retainKeysDirective = "$retainKeys";
const orderPrefix = "$setElementOrder/";
const deletePrefix = "$deleteFromPrimitiveList/";

class StrategicMerger {
  readonly #schemaFor: SchemaLookup;

  constructor(schemaFor: SchemaLookup) {
    this.#schemaFor = schemaFor;
  }

  mergeMap(original: JsonObject, patch: JsonObject, shape: MapShape): JsonObject {
    const directive = ownValue(patch, patchDirective);
    if (directive !== undefined) {
      if (directive === "replace") return this.mergeMap({}, without(patch, patchDirective), shape);
      if (directive === "delete") return {};
      if (directive !== "merge") throw unknownPatchType(directive, patch);
    }
    const merged: Record<string, unknown> = {};
    const base = retainKeys(original, patch);
    for (const [name, value] of Object.entries(base)) setOwn(merged, name, value);
    const ordered = this.#mergeOrderedLists(merged, base, patch, shape);
    for (const [name, change] of Object.entries(patch)) {
      if (name === patchDirective || name === retainKeysDirective || name.startsWith(orderPrefix)) continue;
      if (ordered.has(name)) continue;
      if (name.startsWith(deletePrefix)) {
        deleteFromPrimitiveList(merged, name.slice(deletePrefix.length), change);
      } else if (change === null) {
        delete merged[name];
      } else {
        setOwn(merged, name, this.#mergeValue(ownValue(merged, name), change, fieldOf(shape, name)));
      }
    }
    return merged;
  }

  #mergeValue(original: unknown, change: unknown, field: SchemaField | undefined): unknown {
    if (isJsonObject(change)) {
      const base = isJsonObject(original) && !hasStrategy(field, "replace") ? original : {};
      return this.mergeMap(base, change, this.#shapeOf(field));
    }
    if (Array.isArray(change)) {
      const base = Array.isArray(original) ? original : [];
      return hasStrategy(field, "merge") ? this.#mergeList(base, change, field) : this.#replaceList(change, field);
    }
    return change;
  }

  /** A list without a strategy; directives among its elements mean nothing, because it is replaced anyway. */
  #replaceList(list: readonly unknown[], field: SchemaField | undefined): unknown[] {
    return list
      .filter((element) => !(isJsonObject(element) && Object.hasOwn(element, patchDirective)))
      .map((element) => {
        if (Array.isArray(element)) return this.#replaceList(element, field?.items);
        return isJsonObject(element) ? this.mergeMap({}, element, this.#shapeOf(field?.items)) : element;
      });
  }

  #mergeList(original: readonly unknown[], patch: readonly unknown[], field: SchemaField | undefined): unknown[] {
    if (elementsAreMaps(original, patch)) {
      return this.#mergeMaps(original as readonly JsonObject[], patch as readonly JsonObject[], field);
    }
    const union = [...new Set([...original, ...patch])];
    return inOrder(union, patch, original, identity);
  }

  #mergeMaps(
    original: readonly JsonObject[],
    patch: readonly JsonObject[],
    field: SchemaField | undefined,
  ): JsonObject[] {
    const mergeKey = field?.patchMergeKey;
    if (mergeKey === undefined) throw new PatchProblem("unclassified", "cannot merge lists without merge key");
    const { kept, changes, replace } = applyElementDirectives(original, patch, mergeKey);
    const shape = this.#shapeOf(field?.items);
    const merged = replace ? [] : [...kept];
    for (const change of changes) {
      const wanted = mergeKeyOf(change, mergeKey);
      const position = merged.findIndex((element) => ownValue(element, mergeKey) === wanted);
      if (position < 0) merged.push(this.mergeMap({}, change, shape));
      else merged[position] = this.mergeMap(merged[position] ?? {}, change, shape);
    }
    return inOrder(merged, changes, original, (element) => ownValue(element, mergeKey));
  }

  /** Merges the lists that a `$setElementOrder` stands beside and puts them in that order. @returns the lists' names */
  #mergeOrderedLists(
    merged: Record<string, unknown>,
    original: JsonObject,
    patch: JsonObject,
    shape: MapShape,
  ): ReadonlySet<string> {
    const done = new Set<string>();
    for (const [directive, order] of Object.entries(patch)) {
      if (!directive.startsWith(orderPrefix)) continue;
      const name = directive.slice(orderPrefix.length);
      const field = fieldOf(shape, name);
      const change = ownValue(patch, name);
      if (!Array.isArray(order) || (change !== undefined && change !== null && !Array.isArray(change))) {
        throw new PatchProblem("malformed", "invalid patch format of setElementOrder list");
      }
      if (change === null) continue;
      const identify = elementIdentity(order, field?.patchMergeKey);
      checkOrder(change ?? [], order, identify);
      const before = ownValue(original, name);
      const live = Array.isArray(before) ? before : [];
      if (change === undefined && before === undefined) continue;
      const deletions = ownValue(patch, `${deletePrefix}${name}`);
      const list = change === undefined ? live : this.#mergeValue(live, change, field);
      setOwn(merged, name, inOrder(remaining(list as unknown[], deletions), order, live, identify));
      done.add(name);
    }
    return done;
  }

  #shapeOf(field: SchemaField | undefined): MapShape {
    if (field?.type === "map") return { schema: undefined, items: field.items };
    return { schema: field?.ref === undefined ? undefined : this.#schemaFor(field.ref), items: undefined };
  }
}

function fieldOf(shape: MapShape, name: string): SchemaField | undefined {
  return shape.items ?? shape.schema?.fields.get(name);
}

function hasStrategy(field: SchemaField | undefined, strategy: "merge" | "replace"): boolean {
  return field?.patchStrategy?.includes(strategy) === true;
}

function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _dropped, ...rest } = object;
  return rest;
}

/** What of the original `$retainKeys` leaves. Every key that the patch sets must be on its list. */
function retainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const keys = ownValue(patch, retainKeysDirective);
  if (keys === undefined) return original;
  if (!Array.isArray(keys)) throw new PatchProblem("malformed", "invalid patch format of retainKeys");
  const retained = new Set<unknown>(keys);
  const changed = Object.keys(patch).filter((name) => !name.startsWith("$") && ownValue(patch, name) !== null);
  if (changed.some((name) => !retained.has(name))) {
    throw new PatchProblem("unprocessable", "patch content doesn't match retainKeys list");
  }
  return Object.fromEntries(Object.entries(original).filter(([name]) => retained.has(name)));
}

interface ElementChanges {
  readonly kept: readonly JsonObject[];
  readonly changes: readonly JsonObject[];
  readonly replace: boolean;
}

/** Carries out the `$patch` directives among a list's elements. */
function applyElementDirectives(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
): ElementChanges {
  let kept = original;
  let replace = false;
  const changes: JsonObject[] = [];
  for (const element of patch) {
    const directive = ownValue(element, patchDirective);
    if (directive === undefined) {
      changes.push(element);
    } else if (directive === "delete") {
      const unwanted = mergeKeyOf(element, mergeKey);
      kept = kept.filter((candidate) => ownValue(candidate, mergeKey) !== unwanted);
    } else if (directive === "replace") {
      replace = true;
    } else if (directive === "merge") {
      throw new PatchProblem("unclassified", "merging lists cannot yet be specified in the patch");
    } else {
      throw unknownPatchType(directive, element);
    }
  }
  return { kept, changes, replace };
}

function mergeKeyOf(element: JsonObject, mergeKey: string): unknown {
  const value = ownValue(element, mergeKey);
  if (value !== undefined) return value;
  throw new PatchProblem("unclassified", `map: ${goMap(element)} does not contain declared merge key: ${mergeKey}`);
}

function unknownPatchType(directive: unknown, map: JsonObject): PatchProblem {
  return new PatchProblem("unclassified", `unknown patch type: ${goMap(directive)} in map: ${goMap(map)}`);
}

/** Whether a list's elements are maps (or it is empty); lists of lists cannot merge, and neither can mixtures. */
function elementsAreMaps(original: readonly unknown[], patch: readonly unknown[]): boolean {
  const all = [...original, ...patch];
  if (all.some(Array.isArray)) throw new PatchProblem("unprocessable", "lists of lists are not supported");
  const maps = all.filter(isJsonObject).length;
  if (maps > 0 && maps < all.length) {
    throw new PatchProblem("unclassified", "list element types are not identical");
  }
  return maps > 0;
}

function deleteFromPrimitiveList(merged: Record<string, unknown>, name: string, unwanted: unknown): void {
  const list = ownValue(merged, name);
  if (list !== undefined && !Array.isArray(list)) throw badPrimitiveList();
  const left = remaining(Array.isArray(list) ? list : [], unwanted);
  if (list !== undefined) setOwn(merged, name, left);
}

function remaining(list: readonly unknown[], unwanted: unknown): readonly unknown[] {
  if (unwanted === undefined) return list;
  if (!Array.isArray(unwanted)) throw badPrimitiveList();
  return list.filter((value) => !unwanted.includes(value));
}

function badPrimitiveList(): PatchProblem {
  return new PatchProblem("malformed", "invalid patch format of primitive list");
}

type Identify<T> = (element: T) => unknown;

const identity: Identify<unknown> = (element) => element;

function elementIdentity(order: readonly unknown[], mergeKey: string | undefined): Identify<unknown> {
  if (!order.some(isJsonObject)) return mergeKey === undefined ? identity : keyed(mergeKey);
  if (mergeKey === undefined || !order.every((element) => isJsonObject(element) && Object.hasOwn(element, mergeKey))) {
    throw new PatchProblem("malformed", "invalid patch format of setElementOrder list");
  }
  return keyed(mergeKey);
}

function keyed(mergeKey: string): Identify<unknown> {
  return (element) => (isJsonObject(element) ? ownValue(element, mergeKey) : element);
}

/** What the patch adds or changes must be on the order's list, in the same order. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], identify: Identify<unknown>): void {
  const wanted = order.map(identify);
  let position = 0;
  for (const element of change) {
    if (isJsonObject(element) && Object.hasOwn(element, patchDirective)) continue;
    const found = wanted.indexOf(identify(element), position);
    if (found < 0) {
      const lists = `${goMap(change)}\n doesn't match $setElementOrder list:\n${goMap(order)}\n`;
      throw new PatchProblem("unclassified", `The order in patch list:\n${lists}`);
    }
    position = found + 1;
  }
}

/**
 * Elements named by `order` come in that order; the others keep the order of the live list among themselves and stand before the first
 * ordered element that followed them there. An element that the live list does not have therefore stands before the others: upstream
 * puts a container that a patch adds without an order first.
 */
function inOrder<T>(list: readonly T[], order: readonly T[], live: readonly T[], identify: Identify<T>): T[] {
  const rank = ranks(order, identify);
  const liveRank = ranks(live, identify);
  const rankOf = (element: T): number | undefined => rank.get(identify(element));
  const placeOf = (element: T): number => liveRank.get(identify(element)) ?? Number.POSITIVE_INFINITY;
  const ordered = list
    .filter((element) => rankOf(element) !== undefined)
    .toSorted((a, b) => (rankOf(a) ?? 0) - (rankOf(b) ?? 0));
  const others = list.filter((element) => rankOf(element) === undefined);
  const result: T[] = [];
  let next = 0;
  for (const element of ordered) {
    const place = placeOf(element);
    while (next < others.length && place !== Number.POSITIVE_INFINITY && placeOf(others[next] as T) < place) {
      result.push(others[next++] as T);
    }
    result.push(element);
  }
  return [...result, ...others.slice(next)];
}

function ranks<T>(list: readonly T[], identify: Identify<T>): ReadonlyMap<unknown, number> {
  const found = new Map<unknown, number>();
  list.forEach((element, position) => {
    const name = identify(element);
    if (!found.has(name)) found.set(name, position);
  });
  return found;
}

/** A value as Go's `%v` prints it: `map[name:a ports:[80 81]]`. */
function goMap(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goMap).join(" ")}]`;
  if (isJsonObject(value)) {
    const names = Object.keys(value).toSorted();
    return `map[${names.map((name) => `${name}:${goMap(value[name])}`).join(" ")}]`;
  }
  return typeof value === "string" ? value : value === undefined || value === null ? "<nil>" : JSON.stringify(value);
}
