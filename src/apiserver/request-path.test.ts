import { expect, it } from "vitest";
import { parseResourcePath } from "./request-path.ts";

/** `group/version namespace resource name subresource tail`, `-` for what is empty. */
function told(path: string): string {
  const parsed = parseResourcePath(path);
  if (parsed === undefined) return "none";
  const { group, version, namespace, resource, name, subresource, tail, isWatch } = parsed;
  const parts = [namespace, resource, name, subresource].map((part) => (part === "" ? "-" : part));
  return [`${group}/${version}`, ...parts, ...tail, ...(isWatch ? ["watch"] : [])].join(" ");
}

it.each([
  ["/api/v1/pods", "/v1 - pods - -"],
  ["/api/v1/pods/", "/v1 - pods - -"],
  ["/api/v1/namespaces/default/pods", "/v1 default pods - -"],
  ["/api/v1/namespaces/default/pods/web", "/v1 default pods web -"],
  ["/api/v1/namespaces/default/pods/web/log", "/v1 default pods web log"],
  ["/api/v1/namespaces/default/pods/web/proxy/a/b", "/v1 default pods web proxy a b"],
  ["/api/v1/namespaces", "/v1 - namespaces - -"],
  ["/api/v1/namespaces/default", "/v1 - namespaces default -"],
  ["/api/v1/namespaces/default/finalize", "/v1 - namespaces default finalize"],
  ["/api/v1/namespaces/default/status", "/v1 - namespaces default status"],
  ["/api/v1/namespaces/default/status/x", "/v1 default status x -"],
  ["/api/v1/nodes/node-a/status", "/v1 - nodes node-a status"],
  ["/apis/coordination.k8s.io/v1/namespaces/a/leases/b", "coordination.k8s.io/v1 a leases b -"],
  ["/api/v1/watch/namespaces/default/pods/web", "/v1 default pods web - watch"],
  ["/api/v1/watch/pods", "/v1 - pods - - watch"],
  ["/api/v1/watch", "/v1 - watch - -"],
  ["/api/v1/nodes/a%2Fb", "/v1 - nodes a/b -"],
  ["/api/v1", "none"],
  ["/api", "none"],
  ["/apis/apps", "none"],
  ["/apis/apps/v1", "none"],
  ["/", "none"],
  ["", "none"],
  ["/api//v1/pods", "none"],
  ["/api/v1/namespaces//pods", "none"],
  ["/version", "none"],
])("%s is %s", (path, want) => {
  expect(told(path)).toBe(want);
});

it("refuses what cannot be decoded", () => {
  expect(() => parseResourcePath("/api/v1/pods/%E0%A4%A")).toThrow("invalid URL escape");
});
