// The Table of a kind that has no printer of its own: name and age, as upstream's default (api-machinery 11).

import { textAt } from "../api/meta/json-object.ts";
import type { JsonObject } from "../api/wire/request.ts";
import type { TableMaker } from "./documents.ts";

export const defaultTable: TableMaker = {
  table(_definition, objects, metadata, { version, includeObject, withColumns }) {
    const columnDefinitions = [
      { name: "Name", type: "string", format: "name", description: "Name of the object", priority: 0 },
      { name: "Created At", type: "date", format: "", description: "When the object was created", priority: 0 },
    ];
    const rows = objects.map((object) => ({
      cells: [textAt(object, "metadata", "name"), textAt(object, "metadata", "creationTimestamp")],
      ...rowObject(object, version, includeObject),
    }));
    return {
      kind: "Table",
      apiVersion: `meta.k8s.io/${version}`,
      metadata,
      columnDefinitions: withColumns ? columnDefinitions : null,
      rows,
    };
  },
};

function rowObject(object: JsonObject, version: string, includeObject: string): JsonObject {
  if (includeObject === "None") return {};
  if (includeObject === "Object") return { object };
  const apiVersion = `meta.k8s.io/${version}`;
  return { object: { kind: "PartialObjectMetadata", apiVersion, metadata: object["metadata"] } };
}
