// What the door counts: requests by what they asked for, and those that are being answered (api-machinery 12.2).

import { resourceKind } from "../../api/kinds.ts";
import type { ApiRequest } from "../../api/wire/request.ts";
import { type InFlight, isReading } from "../request-limits.ts";
import { booleanParameter } from "../request-options.ts";
import { parseResourcePath, type ResourcePath } from "../request-path.ts";
import type { Family, Labels, Sample } from "./exposition.ts";

export class RequestMetrics {
  /** By the text of the labels. What is not served has no labels of its own, so strangers cannot make them many. */
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>();
  readonly #inFlight = { readOnly: 0, mutating: 0 };

  /** Notes that a request is being answered; the answer is given to the function that comes back. */
  begin(request: ApiRequest): (status: number) => void {
    const kind = isReading(request) ? "readOnly" : "mutating";
    this.#inFlight[kind]++;
    return (status) => {
      this.#inFlight[kind]--;
      this.#count(request, status);
    };
  }

  get inFlight(): InFlight {
    return this.#inFlight;
  }

  families(): readonly Family[] {
    const requests: Sample[] = [...this.#counts.values()].map(({ labels, value }) => ({ labels, value }));
    const inFlight = Object.entries(this.#inFlight).map(([request_kind, value]) => ({
      labels: { request_kind },
      value,
    }));
    return [
      {
        name: "apiserver_current_inflight_requests",
        help: "Requests that are being answered, without those whose answer is a stream.",
        type: "gauge",
        samples: inFlight,
      },
      {
        name: "apiserver_request_total",
        help: "Requests by verb, resource, scope and HTTP code of the answer.",
        type: "counter",
        samples: requests,
      },
    ];
  }

  #count(request: ApiRequest, status: number): void {
    const path = servedPath(request.path);
    const verb = verbOf(request, path);
    const dryRun = request.query.has("dryRun") ? "All" : "";
    const { group = "", version = "", resource = "", subresource = "" } = path ?? {};
    const scope = scopeOf(path);
    const key = `${verb} ${dryRun} ${group}/${version}/${resource}/${subresource} ${scope} ${status}`;
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.value++;
      return;
    }
    const labels = {
      code: String(status),
      component: "apiserver",
      dry_run: dryRun,
      group,
      resource,
      scope,
      subresource,
      verb,
      version,
    };
    this.#counts.set(key, { labels, value: 1 });
  }
}

/** The path of a resource and subresource that exist; undefined for any other. */
function servedPath(text: string): ResourcePath | undefined {
  let path: ResourcePath | undefined;
  try {
    path = parseResourcePath(text);
  } catch {
    return undefined; // an encoding that cannot be read leads nowhere, and was answered so
  }
  const kind = path === undefined ? undefined : resourceKind(path.group, path.version, path.resource);
  if (path === undefined || kind === undefined) return undefined;
  const isServed = path.subresource === "" || kind.subresources.some(({ name }) => name === path.subresource);
  return isServed ? path : undefined;
}

function scopeOf(path: ResourcePath | undefined): string {
  if (path === undefined) return "";
  if (path.name !== "") return "resource";
  return path.namespace === "" ? "cluster" : "namespace";
}

const connecting: ReadonlySet<string> = new Set(["attach", "exec", "log", "portforward"]);

/** Upstream's verbs of metrics: those of HTTP, and of the three that HTTP does not tell from each other. */
function verbOf({ method, query }: ApiRequest, path: ResourcePath | undefined): string {
  if (path !== undefined && connecting.has(path.subresource)) return "CONNECT";
  if (method !== "GET" || path === undefined) return method;
  if (path.isWatch || booleanParameter(query, "watch")) return "WATCH";
  return path.name === "" ? "LIST" : "GET";
}
