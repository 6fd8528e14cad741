// YAML as Kubernetes reads it: the scalars of YAML 1.1 in the variant of Go's parser (`yes` and `on` are booleans, `0644` is octal, `1_000` a
// number; times and `1:30` stay text), turned into what the same document would be as JSON.

import { Document, Lexer, parseDocument, Parser, type ScalarTag, type Tags } from "yaml";
import { isExact } from "./json-scan.ts";

/** A text that is no YAML, or YAML that JSON cannot say. */
export class YamlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "YamlError";
  }
}

export interface YamlValue {
  readonly value: unknown;
  /** `line 3: key "a" already set in map`, one a repeated key. */
  readonly duplicates: readonly string[];
}

/** Reads one YAML document. @throws YamlError */
export function parseYaml(text: string): YamlValue {
  const { document, value } = readDocument(text);
  return { value: jsonValue(value, "", 0), duplicates: duplicatesOf(document, text) };
}

/** The library reports most faults as values and throws for the rest: nesting too deep for it, aliases that multiply, merges of what is no map. */
function readDocument(text: string): { readonly document: ReturnType<typeof parseDocument>; readonly value: unknown } {
  boundDepth(text);
  try {
    const document = parseDocument(text, {
      version: "1.1",
      merge: true,
      uniqueKeys: false,
      intAsBigInt: true,
      customTags: goTags,
      logLevel: "error",
    });
    const problem = document.errors[0];
    if (problem !== undefined)
      throw new YamlError(`yaml: line ${problem.linePos?.[0].line ?? 1}: ${firstLine(problem.message)}`);
    return { document, value: document.toJS({ mapAsMap: true }) as unknown };
  } catch (error) {
    if (error instanceof YamlError) throw error;
    throw new YamlError(`yaml: ${firstLine(error instanceof Error ? error.message : String(error))}`);
  }
}

/** The YAML of a JSON value, with every text quoted that another reader could take for something else. */
export function formatYaml(value: unknown): string {
  return new Document(value, { version: "1.1", customTags: goTags, aliasDuplicateObjects: false }).toString({
    lineWidth: 0,
    indentSeq: false,
  });
}

const depthLimit = 1000;

/**
 * The library's composer is recursive, and a regular expression that the engine first compiles at the end of the stack ends the process. Its
 * parser is not recursive, so it can count first.
 */
function boundDepth(text: string): void {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _document of parser.next(lexeme)) continue;
    if (parser.stack.length > depthLimit) throw new YamlError("yaml: exceeded max depth");
  }
}

/** `0o17`, which Go's parser knows beside `017`. */
const octal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: "tag:yaml.org,2002:int",
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => {
    const digits = BigInt(text.replaceAll("_", "").replace(/^[-+]/, ""));
    return text.startsWith("-") ? -digits : digits;
  },
};

/** Tags of YAML 1.1 that Go's parser does not apply to plain scalars, or that have no JSON. */
const notGo = new Set([
  "tag:yaml.org,2002:timestamp",
  "tag:yaml.org,2002:binary",
  "tag:yaml.org,2002:omap",
  "tag:yaml.org,2002:pairs",
  "tag:yaml.org,2002:set",
]);

function goTags(tags: Tags): Tags {
  return [
    ...tags.filter(
      (tag) => typeof tag === "string" || !(notGo.has(tag.tag) || ("format" in tag && tag.format === "TIME")),
    ),
    octal,
  ];
}

function jsonValue(value: unknown, path: string, depth: number): unknown {
  if (depth > depthLimit) throw new YamlError("yaml: exceeded max depth");
  switch (typeof value) {
    case "bigint": {
      if (!isExact(String(value)))
        throw new YamlError(`yaml: number ${value} at ${path} cannot be represented exactly`);
      return Number(value);
    }
    case "number":
      if (!Number.isFinite(value))
        throw new YamlError(`json: unsupported value: ${Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"}`);
      return value;
    case "object":
      break;
    case "undefined":
      return null;
    case "string":
    case "boolean":
    case "function":
    case "symbol":
      return value;
  }
  if (Array.isArray(value)) return value.map((item: unknown, index) => jsonValue(item, `${path}[${index}]`, depth + 1));
  if (!(value instanceof Map)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
    if (typeof key === "object")
      throw new YamlError(`yaml: unsupported map key of type: ${key === null || key === undefined ? "null" : "map"}`);
    const name = typeof key === "string" ? key : String(key as number | bigint | boolean);
    const converted = jsonValue(item, path === "" ? name : `${path}.${name}`, depth + 1);
    Object.defineProperty(result, name, { value: converted, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

interface NodeLike {
  readonly items?: readonly unknown[];
  readonly range?: readonly number[] | null;
}

interface PairLike {
  readonly key: unknown;
  readonly value: unknown;
}

function duplicatesOf(document: ReturnType<typeof parseDocument>, text: string): readonly string[] {
  const duplicates: string[] = [];
  const pending: unknown[] = [document.contents];
  while (pending.length > 0) {
    const node = pending.pop() as NodeLike | null | undefined;
    if (!Array.isArray(node?.items)) continue;
    const keys = new Set<string>();
    const below: unknown[] = [];
    for (const item of node.items as readonly unknown[]) {
      if (!isPair(item)) {
        below.push(item);
        continue;
      }
      const key = String((item.key as { readonly value?: unknown } | null)?.value);
      if (keys.has(key))
        duplicates.push(
          `line ${lineAt(text, (item.key as NodeLike).range?.[0] ?? 0)}: key ${JSON.stringify(key)} already set in map`,
        );
      keys.add(key);
      below.push(item.value);
    }
    pending.push(...below.reverse());
  }
  return duplicates;
}

function isPair(item: unknown): item is PairLike {
  return typeof item === "object" && item !== null && "key" in item;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

function firstLine(message: string): string {
  return (message.split("\n")[0] as string).replace(/ at line \d+, column \d+:?$/, "");
}
