// Errors about malformed objects name Go's types and layouts, and clients' users have learnt to read them. These are the few rules by which the
// names follow from a schema.

import type { SchemaField } from "./schema.ts";

/** `core/v1 PodSpec` is the Go struct `PodSpec`. */
export function messageNameOf(schemaName: string): string {
  return schemaName.slice(schemaName.indexOf(" ") + 1);
}

/** The Go type of a field as errors print it: `[]v1.Container`, `map[string]string`, `int32`. */
export function goTypeOf(field: SchemaField): string {
  if (field.goType !== undefined) return field.goType;
  switch (field.type) {
    case "object":
      return field.ref === undefined
        ? "map[string]interface {}"
        : `${goPackageOf(field.ref)}.${messageNameOf(field.ref)}`;
    case "array":
      return `[]${field.items === undefined ? "interface {}" : goTypeOf(field.items)}`;
    case "map":
      return `map[string]${field.items === undefined ? "interface {}" : goTypeOf(field.items)}`;
    case "integer":
      return field.format === "int64" ? "int64" : "int32";
    case "number":
      return "float64";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "bytes":
      return "[]uint8";
    case "quantity":
      return "resource.Quantity";
    case "time":
      return "v1.Time";
    case "microTime":
      return "v1.MicroTime";
    case "intOrString":
      return "intstr.IntOrString";
    case "any":
      return "interface {}";
  }
}

/** The text of Go's `time.Parse` for a text that is no RFC 3339 time: it names the first element of the layout that does not fit. */
export function parsingTimeProblem(text: string, type: "time" | "microTime"): string {
  const layout = type === "time" ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00";
  const shown = JSON.stringify(text);
  let rest = text;
  for (const [element, pattern, outOfRange] of layoutElements) {
    const match = pattern.exec(rest);
    if (match === null)
      return `parsing time ${shown} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`;
    if (outOfRange?.(match[0]) === true) return `parsing time ${shown}: ${rangeNames[element] ?? "value"} out of range`;
    rest = rest.slice(match[0].length);
  }
  return rest === ""
    ? `parsing time ${shown}: day out of range`
    : `parsing time ${shown}: extra text: ${JSON.stringify(rest)}`;
}

const layoutElements: readonly (readonly [element: string, pattern: RegExp, outOfRange?: (text: string) => boolean])[] =
  [
    ["2006", /^\d{4}/],
    ["-", /^-/],
    ["01", /^\d\d/, (text) => text === "00" || text > "12"],
    ["-", /^-/],
    ["02", /^\d\d/, (text) => text === "00" || text > "31"],
    ["T", /^T/],
    ["15", /^\d\d/, (text) => text > "23"],
    [":", /^:/],
    ["04", /^\d\d/, (text) => text > "59"],
    [":", /^:/],
    ["05", /^\d\d(?:\.\d+)?/, (text) => text >= "60"],
    ["Z07:00", /^(?:Z|[+-]\d\d:\d\d)/],
  ];

const rangeNames: Readonly<Record<string, string>> = {
  "01": "month",
  "02": "day",
  "15": "hour",
  "04": "minute",
  "05": "second",
};

function goPackageOf(schemaName: string): string {
  return schemaName.slice(schemaName.indexOf("/") + 1, schemaName.indexOf(" "));
}
