// A transcript: a Markdown file whose `console` blocks are what a person typed and what came back. README.md describes the form.

/** A line of output, and the kubectl versions that print it. */
export interface OutputLine {
  readonly text: string;
  /** All versions if absent. */
  readonly versions?: readonly string[];
}

export interface Step {
  /** Line of the file it stands on, from 1. */
  readonly line: number;
  /** What the shell gets; several lines if it was continued. */
  readonly command: string;
  readonly output: readonly OutputLine[];
}

export type Part =
  | { readonly kind: "text"; readonly lines: readonly string[] }
  | { readonly kind: "file"; readonly name: string; readonly content: string; readonly lines: readonly string[] }
  | { readonly kind: "console"; readonly steps: readonly Step[] };

/** Stands for any number of lines in expected output. */
export const anyLines = "...";

/** Reads a transcript. @throws naming the line when a block is not closed or output comes before the first command */
export function parseTranscript(source: string): readonly Part[] {
  const lines = source.split("\n");
  const parts: Part[] = [];
  let text: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as string;
    if (!line.startsWith("```")) {
      text.push(line);
      continue;
    }
    const end = lines.indexOf("```", index + 1);
    if (end === -1) throw new Error(`line ${index + 1}: the block is not closed`);
    const body = lines.slice(index + 1, end);
    const name = /^# (\S+)$/.exec(body[0] ?? "")?.[1];
    if (line === "```console") {
      parts.push({ kind: "text", lines: text }, { kind: "console", steps: parseSteps(body, index + 2) });
      text = [];
    } else if (name !== undefined) {
      const content = `${body.slice(1).join("\n")}\n`;
      parts.push({ kind: "text", lines: text }, { kind: "file", name, content, lines: lines.slice(index, end + 1) });
      text = [];
    } else text.push(...lines.slice(index, end + 1));
    index = end;
  }
  parts.push({ kind: "text", lines: text });
  return parts.filter((part) => part.kind !== "text" || part.lines.length > 0);
}

/** The inverse of `parseTranscript`. */
export function formatTranscript(parts: readonly Part[]): string {
  return parts.flatMap((part) => (part.kind === "console" ? formatSteps(part.steps) : part.lines)).join("\n");
}

/** What one version is expected to print. */
export function expectedLines(step: Step, version: string): readonly string[] {
  return step.output.filter(({ versions }) => versions?.includes(version) ?? true).map(({ text }) => text);
}

/** Whether the output is as expected: equal but for the widths of columns, `...` matching any number of lines. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0;
  if (first === anyLines) {
    for (let skipped = 0; skipped <= actual.length; skipped++) {
      if (matches(rest, actual.slice(skipped))) return true;
    }
    return false;
  }
  return actual.length > 0 && sameLine(first, actual[0] as string) && matches(rest, actual.slice(1));
}

/** Columns are as wide as this machine's names make them, and kubectl aligns them itself: only the indentation counts. */
export function sameLine(a: string, b: string): boolean {
  const narrow = (line: string): string => line.trimEnd().replace(/(\S) {2,}/g, "$1  ");
  return narrow(a) === narrow(b);
}

/** Lays the outputs of several versions over each other; what not all of them print is marked. */
export function mergeOutputs(outputs: ReadonlyMap<string, readonly string[]>): readonly OutputLine[] {
  let merged: { readonly text: string; readonly versions: readonly string[] }[] = [];
  for (const [version, lines] of outputs) {
    const next: typeof merged = [];
    let [m, l] = [0, 0];
    for (const [mergedIndex, lineIndex] of commonLines(
      merged.map(({ text }) => text),
      lines,
    )) {
      next.push(...merged.slice(m, mergedIndex));
      next.push(...lines.slice(l, lineIndex).map((text) => ({ text, versions: [version] })));
      const both = merged[mergedIndex] as (typeof merged)[number];
      next.push({ ...both, versions: [...both.versions, version] });
      [m, l] = [mergedIndex + 1, lineIndex + 1];
    }
    next.push(...merged.slice(m), ...lines.slice(l).map((text) => ({ text, versions: [version] })));
    merged = next;
  }
  return merged.map(({ text, versions }) => (versions.length === outputs.size ? { text } : { text, versions }));
}

function parseSteps(lines: readonly string[], firstLine: number): readonly Step[] {
  const steps: { line: number; command: string; output: OutputLine[] }[] = [];
  for (const [offset, line] of lines.entries()) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ line: firstLine + offset, command: line.slice(2), output: [] });
    else if (step === undefined) throw new Error(`line ${firstLine + offset}: output before the first command`);
    else if (line.startsWith("> ") && step.output.length === 0) step.command += `\n${line.slice(2)}`;
    else step.output.push(parseOutputLine(line));
  }
  return steps.map((step) => ({ ...step, output: withoutTrailingBlanks(step.output) }));
}

function parseOutputLine(line: string): OutputLine {
  const marked = /^\[(1\.\d+(?:, 1\.\d+)*)\] ?(.*)$/.exec(line);
  return marked === null ? { text: line } : { text: marked[2] as string, versions: (marked[1] as string).split(", ") };
}

function withoutTrailingBlanks(output: readonly OutputLine[]): readonly OutputLine[] {
  const last = output.findLastIndex(({ text }) => text !== "");
  return output.slice(0, last + 1);
}

function formatSteps(steps: readonly Step[]): readonly string[] {
  const lines = steps.flatMap(({ command, output }) => [
    `$ ${command.replaceAll("\n", "\n> ")}`,
    ...output.map(({ text, versions }) =>
      versions === undefined ? text : `[${versions.join(", ")}] ${text}`.trimEnd(),
    ),
  ]);
  return ["```console", ...lines, "```"];
}

/** Pairs of indices of a longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] {
  const lengths = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      (lengths[i] as number[])[j] = same(a[i], b[j]) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    if (same(a[i], b[j])) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

const same = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && sameLine(a, b);
