import { apiVersionOf, kindOf, parseApiVersion, type ResourceKind } from "../api/kinds.ts";
import type { RequestHandler, UserInfo } from "../api/wire/request.ts";
import type { Manifest } from "./manifests.ts";

/** What others need is made before those who need it; the rest in the order of the files. */
const first = ["Namespace", "ServiceAccount", "ConfigMap", "Secret"];

/**
 * Creates every object, strictly: an unknown field is refused. What one manifest got wrong does not keep the others from being tried, so that all
 * mistakes are seen at once.
 * @param warn told of each warning the API server gives
 * @returns the refusals, each with its source; empty if all went in
 */
export async function applyManifests(
  door: { readonly handle: RequestHandler; readonly user: UserInfo },
  manifests: readonly Manifest[],
  warn: (text: string) => void,
): Promise<readonly string[]> {
  const rank = ({ object }: Manifest): number =>
    (first.indexOf(object.kind as string) + first.length + 1) % (first.length + 1);
  const ordered = [...manifests].sort((a, b) => rank(a) - rank(b));
  const refusals: string[] = [];
  for (const { source, object } of ordered) {
    const gvk = { ...parseApiVersion(object.apiVersion as string), kind: object.kind as string };
    const kind = kindOf(gvk);
    if (kind === undefined) {
      refusals.push(`${source}: lifepod does not serve ${apiVersionOf(gvk)} ${gvk.kind}`);
      continue;
    }
    const answer = await door.handle({
      method: "POST",
      path: collectionPath(kind, (object.metadata as { namespace?: string } | undefined)?.namespace ?? "default"),
      query: new URLSearchParams({ fieldValidation: "Strict", fieldManager: "lifepod-run" }),
      headers: {},
      user: door.user,
      body: { kind: "object", object },
    });
    for (const warning of [answer.headers.warning ?? []].flat()) warn(`${source}: warning: ${warningText(warning)}`);
    if (answer.status >= 400) {
      const message = answer.body.kind === "object" ? String(answer.body.object.message) : `HTTP ${answer.status}`;
      refusals.push(`${source}: ${message}`);
    }
  }
  return refusals;
}

function collectionPath(kind: ResourceKind, namespace: string): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return kind.namespaced ? `${root}/namespaces/${namespace}/${kind.resource}` : `${root}/${kind.resource}`;
}

/** The text of `299 - "text"`. */
function warningText(header: string): string {
  const quoted = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
  return quoted === undefined ? header : quoted.replace(/\\(.)/g, "$1");
}
