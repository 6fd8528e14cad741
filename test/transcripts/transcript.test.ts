import { describe, expect, it } from "vitest";
import { mask } from "./mask.ts";
import { expectedLines, formatTranscript, matches, mergeOutputs, parseTranscript, type Step } from "./transcript.ts";

const source = `# A topic

\`\`\`yaml
# web.yaml
kind: Pod
\`\`\`

Some prose.

\`\`\`console
$ kubectl get pods
NAME
[1.27] old
[1.31, 1.33] new
web

$ printf 'a
> b'
a
b
[exit 1]
\`\`\`
`;

function stepsIn(text: string): readonly Step[] {
  return parseTranscript(text).flatMap((part) => (part.kind === "console" ? part.steps : []));
}

describe("a transcript", () => {
  it("has commands, what they print, and files", () => {
    const [pods, print] = stepsIn(source);
    expect(pods).toMatchObject({ line: 11, command: "kubectl get pods" });
    expect(print).toMatchObject({ line: 17, command: "printf 'a\nb'" });
    expect(parseTranscript(source)).toContainEqual(
      expect.objectContaining({ kind: "file", name: "web.yaml", content: "kind: Pod\n" }),
    );
  });

  it("says what each version prints", () => {
    const [step] = stepsIn(source) as [Step];
    expect(expectedLines(step, "1.27")).toEqual(["NAME", "old", "web"]);
    expect(expectedLines(step, "1.32")).toEqual(["NAME", "web"]);
    expect(expectedLines(step, "1.33")).toEqual(["NAME", "new", "web"]);
  });

  it("is written as it was read, but for blank lines after an output", () => {
    expect(formatTranscript(parseTranscript(source))).toBe(source.replace("web\n\n$", "web\n$"));
  });

  it.each([
    ["output before the first command", "```console\nNAME\n```\n", "line 2: output before the first command"],
    ["a block without an end", "```console\n$ true\n", "line 1: the block is not closed"],
  ])("may not have %s", (_what, text, problem) => {
    expect(() => parseTranscript(text)).toThrow(problem);
  });
});

it.each([
  ["the same", ["a", "b"], ["a", "b"], true],
  ["another line", ["a", "b"], ["a", "c"], false],
  ["a line too many", ["a"], ["a", "b"], false],
  ["a line too few", ["a", "b"], ["a"], false],
  ["wider columns", ["a   b"], ["a       b"], true],
  ["one space where there were several", ["a   b"], ["a b"], false],
  ["another indentation", ["  a"], ["    a"], false],
  ["nothing for the dots", ["a", "...", "b"], ["a", "b"], true],
  ["several lines for the dots", ["a", "...", "b"], ["a", "x", "y", "b"], true],
  ["nothing after the dots", ["a", "...", "b"], ["a", "x"], false],
])("an output is compared with what is expected: %s", (_what, expected, actual, want) => {
  expect(matches(expected, actual)).toBe(want);
});

it("outputs of several versions are laid over each other", () => {
  const outputs = new Map([
    ["1.27", ["head", "old", "tail"]],
    ["1.31", ["head", "tail"]],
    ["1.33", ["head", "new", "tail", "more"]],
  ]);
  expect(mergeOutputs(outputs)).toEqual([
    { text: "head" },
    { text: "old", versions: ["1.27"] },
    { text: "new", versions: ["1.33"] },
    { text: "tail" },
    { text: "more", versions: ["1.33"] },
  ]);
});

it.each([
  ["ages in a table", "NAME  AGE\nweb   5s\nold   2d3h", "NAME  AGE\nweb   <t>\nold   <t>"],
  ["durations elsewhere stay", "for 300s\ndelay=5s", "for 300s\ndelay=5s"],
  ["restarts", "NAME  RESTARTS      AGE\nweb   1 (10s ago)   5s", "NAME  RESTARTS      AGE\nweb   1 (<t> ago)   <t>"],
  [
    "repeated events",
    "Age                Message\n5s (x3 over 10s)   hm",
    "Age                Message\n<t> (x3 over <t>)  hm",
  ],
  ["times", "2026-01-02T03:04:05.678Z said, 2026-01-02T03:04:05+01:00", "<time> said, <time>"],
  ["uids", "uid: 01234567-89ab-cdef-0123-456789abcdef", "uid: <uid>"],
  [
    "versions",
    'resourceVersion: "12"\n"resourceVersion": "12"',
    'resourceVersion: "<version>"\n"resourceVersion": "<version>"',
  ],
  ["colours", "\u001B[0;32mgreen\u001B[0m", "green"],
  ["names of this run, keeping the columns", "my-machine-1   Ready", "<node>         Ready"],
])("what differs from run to run is masked: %s", (_what, output, want) => {
  expect(mask(output, { literals: [["my-machine-1", "<node>"]] })).toBe(want);
});
