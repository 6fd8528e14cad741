// Replaces what differs from run to run by a word in angle brackets, so that a transcript says the same every time.

export interface Masked {
  /** Text of this run, e.g. the node's name, and what to show instead. */
  readonly literals: readonly (readonly [text: string, shown: string])[];
}

/** Masks the whole output of one command. */
export function mask(output: string, { literals }: Masked): string {
  // Old versions of kubectl colour what they print, even when nobody looks.
  let text = output.replaceAll(escapeSequences, "");
  for (const [literal, shown] of literals) text = replaceKeepingWidth(text, literalPattern(literal), () => shown);
  for (const [pattern, shown] of patterns) {
    text = replaceKeepingWidth(text, pattern, (match) => match.replace(pattern, shown));
  }
  return maskAges(maskPodAddresses(text));
}

/** Addresses of process Pods, which are of different lengths; the column of a table is given one width. */
function maskPodAddresses(text: string): string {
  const address = /\b127\.(?:6[4-9]|7\d)\.\d{1,3}\.\d{1,3}\b/;
  return text
    .replaceAll(new RegExp(`${address.source} {2,}`, "g"), "<pod-ip>   ")
    .replaceAll(new RegExp(address.source, "g"), "<pod-ip>")
    .replaceAll(/(?<= )IP {2,}(?=NODE)/g, "IP         ");
}

// oxlint-disable-next-line no-control-regex
const escapeSequences = /\u001B\[[\d;]*m/g;

const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, "<time>"],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, "<time>"],
  [/(resourceVersion"?: ?)"\d+"/g, '$1"<version>"'],
  [/(Resource Version: +)\d+/g, "$1<version>"],
  [/https:\/\/127\.0\.0\.1:\d+/g, "https://127.0.0.1:<port>"],
  [/(Forwarding from 127\.0\.0\.1):\d+/g, "$1:<port>"],
  [/\b((?:process|containerd):\/\/)[0-9a-f]{32,}\b/g, "$1<id>"],
  [/\bkube-api-access-[a-z0-9]{5}\b/g, "kube-api-access-<id>"],
  [/\/tmp\/kubectl-edit-\d+/g, "/tmp/kubectl-edit-<id>"],
  // Addresses of Services and their ports on the nodes, where they were chosen by the server.
  [/\b127\.(?:9[6-9]|10\d|11[01])\.\d{1,3}\.\d{1,3}\b/g, "<ip>"],
  [/(\d+):3[0-2]\d{3}\/(TCP|UDP)/g, "$1:<port>/$2"],
  [/(NodePort: .* )3[0-2]\d{3}\//g, "$1<port>/"],
  // The name of an Event ends with the time it was made.
  [/\.[0-9a-f]{14,16}\b/g, ".<id>"],
];

/** Cells that are ages, in tables that have a column for them: `5s`, `2m10s`, `5s (x3 over 10s)`, `1 (4s ago)`. */
function maskAges(text: string): string {
  let inTable = false;
  const lines = text.split("\n").map((line) => {
    if (/(?:^|\s{2,})(?:AGE|Age|LAST SEEN)(?:\s{2,}|\s*$)/.test(line)) {
      inTable = true;
      return line;
    }
    if (!inTable) return line;
    const cell = /(?<=^|\s{2})(?:\d+[smhd])+(?= {2,}| *$)/g;
    const repeated = /(?<=^|\s{2})(?:\d+[smhd])+ \(x\d+ over (?:\d+[smhd])+\)/g;
    const restarted = /(?<=\s)\d+ \((?:\d+[smhd])+ ago\)/g;
    const masked = replaceKeepingWidth(line, repeated, (match) => match.replaceAll(/\b(?:\d+[smhd])+\b/g, "<t>"));
    return replaceKeepingWidth(
      replaceKeepingWidth(masked, restarted, (match) => match.replace(/\((?:\d+[smhd])+/, "(<t>")),
      cell,
      () => "<t>",
    );
  });
  return lines.join("\n");
}

/** Takes or gives spaces behind the match, so that columns stay where they are. */
function replaceKeepingWidth(text: string, pattern: RegExp, shown: (match: string) => string): string {
  const withSpaces = new RegExp(`(?:${pattern.source})(?<spaces> *)`, pattern.flags);
  return text.replace(withSpaces, (whole: string, ...rest: unknown[]) => {
    const { spaces } = rest.at(-1) as { spaces: string };
    const match = whole.slice(0, whole.length - spaces.length);
    const replaced = shown(match);
    if (spaces.length < 2) return replaced + spaces;
    return replaced + " ".repeat(Math.max(2, spaces.length + match.length - replaced.length));
  });
}

const literalPattern = (text: string): RegExp => new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"), "g");
