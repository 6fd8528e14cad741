// What a kind prints: its columns, and for each the cell of one object.

import type { TableColumnDefinition, TableRowCondition } from "../../api/generated/meta-v1.ts";
import { durationText } from "../../base/duration-text.ts";
import type { Instant } from "../../base/time.ts";
import { millis, parseTime } from "../../base/time.ts";

/** How one kind becomes rows. */
export interface TablePrinter {
  readonly columns: readonly TableColumnDefinition[];
  /** As many as there are columns. */
  cells(object: unknown, now: Instant): readonly Cell[];
  conditions(object: unknown): readonly TableRowCondition[];
}

/** `null` prints as empty. */
export type Cell = string | number | boolean | null;

/** One column and how its cell is made. */
export interface Column<T> {
  readonly name: string;
  readonly description: string;
  /** `string` unless said. */
  readonly type?: "string" | "integer" | "boolean" | "date";
  readonly format?: "name";
  /** Shown only with `-o wide`: priority 1. */
  readonly wide?: boolean;
  cell(object: T, now: Instant): Cell;
}

/**
 * An object as a printer sees it: anything may be missing. A table must be printed of whatever lies in the store, also of objects whose status
 * nobody has written yet.
 */
export type Printed<T> = T extends string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Printed<Item>[]
    : { readonly [Name in keyof T]?: Printed<T[Name]> | undefined };

/** A printer of objects of one type. */
export function printerOf<T>(
  columns: readonly Column<Printed<T>>[],
  conditions: (object: Printed<T>) => readonly TableRowCondition[] = () => [],
): TablePrinter {
  return printerOfViews((object: Printed<T>) => object, columns, conditions);
}

/** A printer that makes a view of each object first, for cells that are found together. */
export function printerOfViews<T, View>(
  view: (object: Printed<T>, now: Instant) => View,
  columns: readonly Column<View>[],
  conditions: (object: Printed<T>) => readonly TableRowCondition[] = () => [],
): TablePrinter {
  return {
    columns: columns.map(({ name, description, type = "string", format = "", wide = false }) => ({
      name,
      type,
      format,
      description,
      priority: wide ? 1 : 0,
    })),
    cells: (object, now) => {
      const seen = view(object as Printed<T>, now);
      return columns.map((column) => column.cell(seen, now));
    },
    conditions: (object) => conditions(object as Printed<T>),
  };
}

/** Any object with metadata. */
export interface Named {
  readonly metadata?:
    | { readonly name?: string | undefined; readonly creationTimestamp?: string | undefined }
    | undefined;
}

export const nameColumn: Column<Named> = {
  name: "Name",
  format: "name",
  description: "Name of the object, unique among those of its kind in a namespace",
  cell: (object) => object.metadata?.name ?? "",
};

export const ageColumn: Column<Named> = {
  name: "Age",
  description: "Time since the object was created",
  cell: (object, now) => timeSince(object.metadata?.creationTimestamp, now),
};

/** The time since a moment; `<unknown>` if there is none. */
export function timeSince(time: string | undefined, now: Instant): string {
  const at = time === undefined ? undefined : parseTime(time);
  return at === undefined ? "<unknown>" : durationText(millis(now - at));
}

/** A short list that tells how many it left out: `a,b,c + 2 more...`. */
export function atMost(limit: number, items: readonly string[], separator = ","): string {
  const shown = items.slice(0, limit).join(separator);
  return items.length > limit ? `${shown} + ${items.length - limit} more...` : shown;
}

/** The text, or another if it is empty or missing. */
export const orElse = (text: string | undefined, otherwise: string): string =>
  text === undefined || text === "" ? otherwise : text;
