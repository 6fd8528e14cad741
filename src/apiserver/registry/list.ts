// Lists: which state they show, page by page (api-machinery 3.7).

import { badRequest, expired, StatusError } from "../../api/wire/status-error.ts";
import { CompactedError, FutureRevisionError, type Revision } from "../../store/store.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { type ContinueToken, decodeContinueToken, encodeContinueToken } from "./continue-token.ts";
import { tooLargeResourceVersion } from "./read-failures.ts";
import type { Registry } from "./registry.ts";
import { Selection, type SelectionRequest } from "./selection.ts";

export interface ListRequest extends SelectionRequest {
  /** 0: no limit. */
  readonly limit: number;
  readonly continueToken: string;
  /** Empty: the newest state. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: "" | "Exact" | "NotOlderThan";
}

export interface ListPage {
  readonly objects: readonly StoredObject[];
  /** The state that the list shows. */
  readonly revision: Revision;
  readonly continueToken?: string;
  /** How many more there are; known only when nothing is filtered out. */
  readonly remaining?: number;
}

/** @throws StatusError Expired, Timeout, BadRequest */
export async function listPage(registry: Registry, request: ListRequest): Promise<ListPage> {
  const selection = new Selection(registry.definition, request);
  if (request.continueToken !== "") {
    const token = decodeContinueToken(request.continueToken);
    return token.revision === -1
      ? newestPage(registry, selection, request, token.after)
      : pageAt(registry, selection, request, token.revision, token);
  }
  const revision = revisionOf(request.resourceVersion);
  const exact = request.resourceVersionMatch === "Exact" || (request.resourceVersionMatch === "" && request.limit > 0);
  if (revision === 0 || (revision !== undefined && !exact)) {
    await registry.reached(revision);
    return newestPage(registry, selection, request, undefined);
  }
  if (revision !== undefined) {
    await registry.reached(revision);
    return pageAt(registry, selection, request, revision, undefined);
  }
  return newestPage(registry, selection, request, undefined);
}

/** The number in a resourceVersion; `undefined` if none is given. @throws StatusError BadRequest */
export function revisionOf(resourceVersion: string): Revision | undefined {
  if (resourceVersion === "") return undefined;
  const revision = Number(resourceVersion);
  if (!/^\d+$/.test(resourceVersion) || !Number.isSafeInteger(revision)) {
    throw badRequest(
      `Invalid value: ${JSON.stringify(resourceVersion)}: strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`,
    );
  }
  return revision as Revision;
}

/** From the cache, which holds the newest state. */
async function newestPage(
  registry: Registry,
  selection: Selection,
  { limit, namespace }: ListRequest,
  after: string | undefined,
): Promise<ListPage> {
  const cache = await registry.cache();
  const { revision } = registry.storage;
  const single = selection.singleKey(namespace);
  if (single !== undefined) {
    const stored = cache.get(single);
    return { objects: stored !== undefined && selection.has(stored) ? [stored] : [], revision };
  }
  const from = after === undefined ? selection.prefix : behind(`${selection.prefix}${after}`);
  const page = takePage(cache.range(selection.prefix, from), selection, limit);
  if (page.last === undefined) return { objects: page.objects, revision };
  const token = encodeContinueToken({ revision, after: page.last.key.slice(selection.prefix.length) });
  const remaining = cache.count(selection.prefix, behind(page.last.key));
  return { objects: page.objects, revision, continueToken: token, ...(selection.isWhole ? { remaining } : {}) };
}

/** As it was at `revision`, from the store's history. */
async function pageAt(
  registry: Registry,
  selection: Selection,
  { limit }: ListRequest,
  revision: Revision,
  token: ContinueToken | undefined,
): Promise<ListPage> {
  const { prefix } = selection;
  const objects: StoredObject[] = [];
  let from = token === undefined ? prefix : behind(`${prefix}${token.after}`);
  try {
    await registry.cache();
    for (;;) {
      // With a selector some of what is read is left out, so a page may take several reads.
      const range = await registry.storage.rangeAt(prefix, from, limit === 0 ? undefined : limit, revision);
      for (const [index, stored] of range.objects.entries()) {
        if (!selection.has(stored)) continue;
        objects.push(stored);
        const isLast = !range.more && index === range.objects.length - 1;
        if (limit === 0 || objects.length < limit || isLast) continue;
        const continueToken = encodeContinueToken({ revision, after: stored.key.slice(prefix.length) });
        const remaining = range.count - index - 1;
        return { objects, revision, continueToken, ...(selection.isWhole ? { remaining } : {}) };
      }
      const last = range.objects.at(-1);
      if (!range.more || last === undefined) return { objects, revision };
      from = behind(last.key);
    }
  } catch (error) {
    throw readFailure(error, registry, token);
  }
}

function readFailure(error: unknown, registry: Registry, token: ContinueToken | undefined): unknown {
  if (error instanceof FutureRevisionError) return tooLargeResourceVersion(error.requested, registry.storage.revision);
  if (!(error instanceof CompactedError)) return error;
  if (token === undefined) return expired("The resourceVersion for the provided list is too old.");
  const { status } = expired(continueTokenIsTooOld);
  const fresh = encodeContinueToken({ revision: -1, after: token.after });
  return new StatusError({ ...status, metadata: { continue: fresh } });
}

function takePage(
  candidates: Iterable<StoredObject>,
  selection: Selection,
  limit: number,
): { readonly objects: readonly StoredObject[]; readonly last?: StoredObject } {
  const objects: StoredObject[] = [];
  for (const stored of candidates) {
    if (limit > 0 && objects.length === limit) {
      // Something is left below the prefix; whether the selector takes it is seen on the next page.
      const last = objects.at(-1);
      return last === undefined ? { objects } : { objects, last };
    }
    if (selection.has(stored)) objects.push(stored);
  }
  return { objects };
}

/** The smallest key after `key`: names hold no control characters. */
const behind = (key: string): string => `${key}\u0001`;

const continueTokenIsTooOld =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
