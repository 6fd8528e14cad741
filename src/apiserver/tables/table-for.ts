// Tables: what kubectl prints, made by the server (api-machinery 11).

import type { TableColumnDefinition, TableRow } from "../../api/generated/meta-v1.ts";
import type { JsonObject } from "../../api/wire/request.ts";
import type { Clock, Instant } from "../../base/time.ts";
import type { IncludeObject, TableMaker } from "../documents.ts";
import { printerFor } from "./printers.ts";
import type { TablePrinter } from "./table-printer.ts";

/** A Table of meta.k8s.io as it goes over the wire. */
export interface PrintedTable {
  readonly kind: "Table";
  readonly apiVersion: string;
  readonly metadata: JsonObject;
  /** `null` in all events of a watch but the first. */
  readonly columnDefinitions: readonly TableColumnDefinition[] | null;
  readonly rows: readonly TableRow[];
}

export interface TableOptions {
  /** Of the group meta.k8s.io; v1 unless said. */
  readonly version?: string;
  /** The list's metadata, or the resourceVersion of a single object. */
  readonly metadata?: JsonObject;
  /** What of each object goes into its row; its metadata unless said. */
  readonly includeObject?: IncludeObject;
  /** False for all events of a watch but the first. */
  readonly withColumns?: boolean;
}

/** The table of objects of one kind. All columns are always sent; kubectl hides the wide ones. */
export function tableFor(
  { group, version: kindVersion, kind }: { readonly group: string; readonly version?: string; readonly kind: string },
  objects: readonly JsonObject[],
  now: Instant,
  { version = "v1", metadata = {}, includeObject = "Metadata", withColumns = true }: TableOptions = {},
): PrintedTable {
  const printer = printerFor(group, kind, kindVersion);
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: withColumns ? printer.columns : null,
    rows: objects.map((object) => rowOf(printer, object, now, rowObject(object, version, includeObject))),
  };
}

/** The tables of an API server: ages are counted from the clock's present. */
export function tableMaker(clock: Clock): TableMaker {
  return {
    table: (definition, objects, metadata, options) => ({
      ...tableFor(definition, objects, clock.now(), { ...options, metadata }),
    }),
  };
}

function rowOf(printer: TablePrinter, object: JsonObject, now: Instant, included: JsonObject | undefined): TableRow {
  const conditions = printer.conditions(object);
  return {
    cells: printer.cells(object, now),
    ...(conditions.length > 0 && { conditions }),
    ...(included !== undefined && { object: included }),
  };
}

function rowObject(object: JsonObject, version: string, includeObject: IncludeObject): JsonObject | undefined {
  switch (includeObject) {
    case "None":
      return undefined;
    case "Object":
      return object;
    case "Metadata":
      return {
        kind: "PartialObjectMetadata",
        apiVersion: `meta.k8s.io/${version}`,
        metadata: object["metadata"],
      };
  }
}
