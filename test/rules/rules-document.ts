// docs/lifecycle-rules.md, made from the rules.

import { podSupport } from "../../src/api/core/v1/pod-support-table.ts";
import { type Row, table } from "../parity/markdown.ts";
import { chapters, rules } from "./chapters.ts";
import { fieldsOf, plainFields } from "./pod-fields.ts";
import { type Check, type Chapter, type Part, type Rule, type Runtime, runtimes } from "./rule.ts";
import { checksOf, checksOn, storyFile, verdictOf } from "./verdict.ts";

export function rulesDocument(): string {
  return `${[
    "# The rules of a Pod's life",
    "<!-- Made by `npx vitest run test/rules --update` from test/rules. A test fails when it is stale. -->",
    "What Kubernetes 1.34 promises about a Pod from its manifest to its end, rule by rule, each with the test that checks it here. A rule without a check is not in the table, and a rule whose check is renamed, removed, skipped or fails, fails the test run.",
    "**How to read a row.** _holds, above_: the rule is decided before any runtime is asked, by the API server or as a pure function of the kubelet, so the same code and the same check speak for each runtime. _holds_: a check that runs over this very runtime shows it: the runtime contract, a test end to end, or a story that was told on the wall clock and agreed with the virtual one. Anything else is a gap, with its reason.",
    summary(),
    ...chapters.flatMap(chapterText),
    "## Which rule a field follows",
    "Every field of a Pod that lifepod acts on, and the rules that say what it does. A field that is not here is refused, or answered with a warning that names it; [what of Kubernetes is here](parity.md) lists those.",
    fieldTable(),
    "These fields need no rule of their own:",
    table(
      ["field", "what it is"],
      Object.entries(plainFields).map(([field, what]): Row => [`\`${field}\``, what]),
    ),
  ].join("\n\n")}\n`;
}

function summary(): string {
  const counts = runtimes.map((runtime): Row => {
    const verdicts = rules.map((rule) => verdictOf(rule, runtime).kind);
    const gaps = verdicts.filter((kind) => kind === "gap").length;
    const above = verdicts.filter((kind) => kind === "above").length;
    return [runtime, String(rules.length - gaps), String(above), String(gaps), percent(rules.length - gaps)];
  });
  return [
    `## ${rules.length} rules`,
    table(["runtime", "hold", "of these by a decision above the runtime alone", "gaps", "share"], counts),
    ...runtimes.map(gapsOf),
  ].join("\n\n");
}

/** Never rounded up: 100 % is all of them. */
const percent = (count: number): string => `${(Math.floor((count * 1000) / rules.length) / 10).toFixed(1)} %`;

function gapsOf(runtime: Runtime): string {
  const gaps = rules.flatMap((rule) => {
    const verdict = verdictOf(rule, runtime);
    return verdict.kind === "gap" ? [`- [${rule.id}](#${anchorOf(rule)}): ${verdict.reason}.`] : [];
  });
  return gaps.length === 0
    ? `The **${runtime}** runtime keeps every rule.`
    : [`What the **${runtime}** runtime does not show:\n`, ...gaps].join("\n");
}

function chapterText({ number, title, parts }: Chapter): readonly string[] {
  return [`## ${number}. ${title}`, ...parts.flatMap(partText)];
}

function partText({ number, title, rules: inPart }: Part): readonly string[] {
  return [
    `### ${number} ${title}`,
    table(
      ["#", "rule", ...runtimes, "checked by"],
      inPart.map(
        (rule): Row => [
          `<a id="${anchorOf(rule)}"></a>${rule.id}`,
          rule.says,
          ...runtimes.map((runtime) => verdictText(rule, runtime)),
          checksText(rule),
        ],
      ),
    ),
  ];
}

function verdictText(rule: Rule, runtime: Runtime): string {
  const verdict = verdictOf(rule, runtime);
  switch (verdict.kind) {
    case "above":
      return "holds, above";
    case "shown":
      return "holds";
    case "gap":
      return `**no**: ${verdict.reason}`;
  }
}

/** By file; what several runtimes show by the same check of the contract is named once. */
function checksText(rule: Rule): string {
  const contract = (rule.contract ?? []).filter(() => runtimes.some((runtime) => checksOn(rule, runtime).length > 0));
  const other = checksOf(rule).filter(({ file, test }) => file !== storyFile && !test.startsWith("runtime contract: "));
  const files = [...new Set(other.map(({ file }) => file))];
  return [
    ...files.map((file) => `[${nameOf(file)}](../${file}): ${titles(other.filter((check) => check.file === file))}`),
    ...(rule.stories ?? []).map((title) => `story: _${title}_`),
    ...contract.map((name) => `contract: _${name}_`),
  ].join("<br>");
}

const nameOf = (file: string): string => (file.split("/").at(-1) ?? file).replace(/\.test\.ts$/, "");
const titles = (checks: readonly Check[]): string =>
  [
    ...new Set(
      checks.map(
        ({ test }) =>
          `_${test
            .replace(/ > \*$/, " (all)")
            .replace(/\*$/, " …")
            .replaceAll("*", "\\*")
            .replaceAll("_", "\\_")}_`,
      ),
    ),
  ].join("; ");

const anchorOf = ({ id }: Rule): string => `rule-${id}`;

function fieldTable(): string {
  const rows = Object.keys(podSupport).flatMap((message) => {
    const fields = fieldsOf(message);
    const ways = [...new Set(fields.map((field) => rulesFor(field).join(", ")))].filter((links) => links !== "");
    return ways.map((links): Row => {
      const following = fields.filter((field) => rulesFor(field).join(", ") === links);
      return [`\`${shortName(message)}\``, following.map((field) => field.split(".")[1]).join(", "), links];
    });
  });
  return table(["of", "fields", "rules"], rows);
}

const shortName = (message: string): string => message.replace(/^.* /, "");

function rulesFor(field: string): readonly string[] {
  const [message] = field.split(".");
  return rules
    .filter(({ fields = [] }) => fields.some((named) => named === field || named === message))
    .map((rule) => `[${rule.id}](#${anchorOf(rule)})`);
}
