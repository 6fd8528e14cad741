// Label selectors, as text in a query (`app=web,tier in (a,b)`) and as objects in a spec (api-machinery 3.8). Both become a list of
// requirements that must all hold.

import type { LabelSelector, LabelSelectorRequirement } from "../generated/meta-v1.ts";
import {
  aggregateText,
  child,
  type FieldError,
  forbidden,
  index,
  invalid,
  key as keyPath,
  required,
} from "./field-errors.ts";
import { lexLabelSelector, type LabelToken, type LabelTokenKind } from "./label-selector-lexer.ts";
import { labelValueProblems, qualifiedNameProblems } from "./names.ts";

export type LabelOperator = "exists" | "!" | "=" | "==" | "!=" | "in" | "notin" | "gt" | "lt";

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** The labels of an object; none at all is the same as an empty map. */
export type Labels = Readonly<Record<string, string>> | undefined;

/** `problem` is the upstream text of the 400. */
export type ParsedLabelSelector =
  | { readonly kind: "parsed"; readonly requirements: readonly LabelRequirement[] }
  | { readonly kind: "wrong"; readonly problem: string };

/** Reads a selector's text. The empty text selects everything. */
export function parseLabelSelector(text: string): ParsedLabelSelector {
  try {
    const requirements = new LabelSelectorParser(lexLabelSelector(text)).parse();
    return { kind: "parsed", requirements: requirements.toSorted(byKey) };
  } catch (error) {
    if (error instanceof SelectorSyntaxError) return { kind: "wrong", problem: error.message };
    throw error;
  }
}

/** Whether all requirements hold. `!=` and `notin` also hold for objects without the key. */
export function matchesRequirements(requirements: readonly LabelRequirement[], labels: Labels): boolean {
  return requirements.every((requirement) => matchesRequirement(requirement, labels));
}

/** A selector object's requirements. `undefined` for an absent selector, which selects nothing; an empty one selects everything. */
export function requirementsOf(selector: LabelSelector | undefined): readonly LabelRequirement[] | undefined {
  if (selector === undefined) return undefined;
  const exact = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): LabelRequirement => ({ key, operator: "=", values: [value] }),
  );
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }): LabelRequirement => ({ key, operator: operatorOf[operator], values: values ?? [] }),
  );
  return [...exact, ...expressions].toSorted(byKey);
}

/** Whether a selector object selects these labels. An absent selector selects nothing, an empty one everything. */
export function labelSelectorMatches(selector: LabelSelector | undefined, labels: Labels): boolean {
  const requirements = requirementsOf(selector);
  return requirements !== undefined && matchesRequirements(requirements, labels);
}

/** The requirements as text that {@link parseLabelSelector} reads (a scale's `status.selector`). */
export function formatLabelSelector(requirements: readonly LabelRequirement[]): string {
  return requirements.map(formatRequirement).join(",");
}

/** Upstream's complaints about a selector object. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (selector === undefined) return [];
  const errors = validateLabels(selector.matchLabels, child(path, "matchLabels"));
  (selector.matchExpressions ?? []).forEach((expression, position) => {
    const at = index(child(path, "matchExpressions"), position);
    const values = expression.values ?? [];
    switch (expression.operator) {
      case "In":
      case "NotIn":
        if (values.length === 0) {
          errors.push(required(child(at, "values"), "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        break;
      case "Exists":
      case "DoesNotExist":
        if (values.length > 0) {
          errors.push(
            forbidden(child(at, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
          );
        }
        break;
      default:
        errors.push(invalid(child(at, "operator"), expression.operator, "not a valid selector operator"));
    }
    errors.push(...validateLabelName(expression.key, child(at, "key")));
    values.forEach((value, valuePosition) => {
      for (const problem of labelValueProblems(value)) {
        errors.push(invalid(index(child(at, "values"), valuePosition), value, problem));
      }
    });
  });
  return errors;
}

/** Complaints about a map of labels: every key and every value. */
export function validateLabels(labels: Labels, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([name, value]) => [
    ...validateLabelName(name, path),
    ...labelValueProblems(value).map((problem) => invalid(path, value, problem)),
  ]);
}

/** Complaints about one label key. */
export function validateLabelName(name: string, path: string): FieldError[] {
  return qualifiedNameProblems(name).map((problem) => invalid(path, name, problem));
}

const operatorOf: Readonly<Record<LabelSelectorRequirement["operator"], LabelOperator>> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

const byKey = (a: LabelRequirement, b: LabelRequirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

function matchesRequirement({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "gt":
    case "lt": {
      const have = integerOf(value);
      const bound = integerOf(values[0]);
      if (have === undefined || bound === undefined) return false;
      return operator === "gt" ? have > bound : have < bound;
    }
  }
}

/** A decimal 64-bit integer; labels may hold larger ones than a number can. */
export function integerOf(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?\d{1,20}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const list = values.toSorted().join(",");
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${list})`;
    case "gt":
      return `${key}>${list}`;
    case "lt":
      return `${key}<${list}`;
    case "=":
    case "==":
    case "!=":
      return `${key}${operator}${list}`;
  }
}

class SelectorSyntaxError extends Error {}

const binaryOperators: Partial<Record<LabelTokenKind, LabelOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

/** Recursive descent over the tokens. Where a value is expected, `in` and `notin` are words like any other. */
class LabelSelectorParser {
  readonly #tokens: readonly LabelToken[];
  #position = 0;

  constructor(tokens: readonly LabelToken[]) {
    this.#tokens = tokens;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const next = this.#peek();
      if (next.kind === "end") return requirements;
      if (next.kind !== "word" && next.kind !== "!") {
        throw new SelectorSyntaxError(`found '${next.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirementOrThrow());
      const separator = this.#take();
      if (separator.kind === "end") return requirements;
      if (separator.kind !== ",") {
        throw new SelectorSyntaxError(`found '${separator.text}', expected: ',' or 'end of string'`);
      }
      const following = this.#peek();
      if (following.kind !== "word" && following.kind !== "!") {
        throw new SelectorSyntaxError(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #requirementOrThrow(): LabelRequirement {
    try {
      return this.#requirement();
    } catch (error) {
      if (error instanceof SelectorSyntaxError) {
        throw new SelectorSyntaxError(`unable to parse requirement: ${error.message}`);
      }
      throw error;
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#take();
    const negated = token.kind === "!";
    if (negated) token = this.#take();
    if (token.kind !== "word") throw new SelectorSyntaxError(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const keyProblems = qualifiedNameProblems(key);
    if (keyProblems.length > 0) {
      throw new SelectorSyntaxError(aggregateText([invalid("", key, keyProblems.join("; "))]));
    }
    if (negated || this.#atEndOfRequirement()) {
      if (negated && !this.#atEndOfRequirement()) this.#operator();
      return { key, operator: negated ? "!" : "exists", values: [] };
    }
    const operator = this.#operator();
    const values = operator === "in" || operator === "notin" ? this.#valueSet() : [this.#exactValue()];
    checkValues(key, operator, values);
    return { key, operator, values };
  }

  #atEndOfRequirement(): boolean {
    const { kind } = this.#peek();
    return kind === "end" || kind === ",";
  }

  #operator(): LabelOperator {
    const token = this.#tokens[this.#position++] ?? endToken;
    const operator = binaryOperators[token.kind];
    if (operator !== undefined) return operator;
    throw new SelectorSyntaxError(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
  }

  #exactValue(): string {
    if (this.#atEndOfRequirement()) return "";
    const token = this.#take();
    if (token.kind === "word") return token.text;
    throw new SelectorSyntaxError(`found '${token.text}', expected: identifier`);
  }

  #valueSet(): string[] {
    const open = this.#take();
    if (open.kind !== "(") throw new SelectorSyntaxError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ")") {
      this.#take();
      return [""];
    }
    if (first.kind !== "word" && first.kind !== ",") {
      throw new SelectorSyntaxError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#valueList();
    this.#take();
    return [...values].toSorted();
  }

  /** Values between commas; nothing between two commas is the empty value. Stops before the closing parenthesis. */
  #valueList(): Set<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#take();
      if (token.kind === "word") {
        values.add(token.text);
        const next = this.#peek();
        if (next.kind === ")") return values;
        if (next.kind !== ",") throw new SelectorSyntaxError(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.kind === ",") {
        if (values.size === 0) values.add("");
        const next = this.#peek();
        if (next.kind === ")" || next.kind === ",") values.add("");
        if (next.kind === ")") return values;
      } else {
        throw new SelectorSyntaxError(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  #peek(): LabelToken {
    return asWord(this.#tokens[this.#position] ?? endToken);
  }

  #take(): LabelToken {
    return asWord(this.#tokens[this.#position++] ?? endToken);
  }
}

const endToken: LabelToken = { kind: "end", text: "" };

const asWord = (token: LabelToken): LabelToken =>
  token.kind === "in" || token.kind === "notin" ? { kind: "word", text: token.text } : token;

function checkValues(key: string, operator: LabelOperator, values: readonly string[]): void {
  const numeric = operator === "gt" || operator === "lt";
  const errors: FieldError[] = [];
  values.forEach((value, position) => {
    if (numeric && integerOf(value) === undefined) {
      const text = "for 'Gt', 'Lt' operators, the value must be an integer";
      errors.push(invalid(index("values", position), value, text));
    }
  });
  values.forEach((value, position) => {
    const problems = labelValueProblems(value);
    if (problems.length > 0) {
      errors.push(invalid(keyPath(index("values", position), key), value, problems.join("; ")));
    }
  });
  if (errors.length > 0) throw new SelectorSyntaxError(aggregateText(errors));
}
