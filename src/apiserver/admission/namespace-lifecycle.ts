// NamespaceLifecycle: nothing is created in a namespace that is missing or going, and the cluster's own namespaces stay (api-machinery 3.3, 3.11).

import { textAt } from "../../api/meta/json-object.ts";
import { forbidden, notFound } from "../../api/wire/status-error.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { admissionForbidden } from "./admission-refusal.ts";

const immortalNamespaces: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Looks a namespace up. */
export type NamespaceLookup = (name: string) => Promise<StoredObject | undefined>;

export function namespaceLifecycle(lookup: NamespaceLookup): AdmissionPlugin {
  const requireLiving = async (request: AdmissionRequest): Promise<void> => {
    const { definition, namespace } = request;
    if (request.operation !== "CREATE" || !definition.namespaced) return;
    const stored = await lookup(namespace);
    if (stored === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
    if (
      textAt(stored.object, "status", "phase") !== "Terminating" &&
      stored.object.metadata.deletionTimestamp === undefined
    )
      return;
    const cause = {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    };
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw admissionForbidden(request, why, { causes: [cause] });
  };

  return {
    name: "NamespaceLifecycle",
    async mutate(request, object) {
      await requireLiving(request);
      return object;
    },
    async validate(request) {
      const { operation, definition, name } = request;
      if (operation === "DELETE" && isNamespaces(definition) && immortalNamespaces.has(name)) {
        throw forbidden({ group: "", resource: "namespaces" }, name, "this namespace may not be deleted");
      }
    },
  };
}

function isNamespaces({ group, resource }: { readonly group: string; readonly resource: string }): boolean {
  return group === "" && resource === "namespaces";
}
