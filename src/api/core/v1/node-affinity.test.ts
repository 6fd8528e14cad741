import { describe, expect, it } from "vitest";
import type { Affinity, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from "../../generated/core-v1.ts";
import {
  matchesNodeSelector,
  matchesNodeSelectorTerm,
  matchesRequiredNodeAffinity,
  preferredNodeAffinityWeight,
  requiredNodeNames,
} from "./node-affinity.ts";

const node = { metadata: { name: "node-a", labels: { zone: "z1", cpus: "8" } } };
const expression = (
  key: string,
  operator: NodeSelectorRequirement["operator"],
  ...values: string[]
): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }],
});
const field = (operator: "In" | "NotIn", value: string): NodeSelectorTerm => ({
  matchFields: [{ key: "metadata.name", operator, values: [value] }],
});
const requiring = (...nodeSelectorTerms: NodeSelectorTerm[]): Affinity => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
});

describe("node selection", () => {
  it.each<[string, NodeSelectorTerm, boolean]>([
    ["In with the value", expression("zone", "In", "z0", "z1"), true],
    ["In without the value", expression("zone", "In", "z2"), false],
    ["In without the label", expression("disk", "In", "ssd"), false],
    ["NotIn with the value", expression("zone", "NotIn", "z1"), false],
    ["NotIn without the label", expression("disk", "NotIn", "ssd"), true],
    ["Exists", expression("zone", "Exists"), true],
    ["Exists without the label", expression("disk", "Exists"), false],
    ["DoesNotExist", expression("disk", "DoesNotExist"), true],
    ["DoesNotExist with the label", expression("zone", "DoesNotExist"), false],
    ["Gt below", expression("cpus", "Gt", "7"), true],
    ["Gt equal", expression("cpus", "Gt", "8"), false],
    ["Lt", expression("cpus", "Lt", "9"), true],
    ["Gt over a text", expression("zone", "Gt", "1"), false],
    ["Gt without the label", expression("disk", "Gt", "1"), false],
    ["the name as a field", field("In", "node-a"), true],
    ["another name as a field", field("In", "node-b"), false],
    ["a name excluded", field("NotIn", "node-a"), false],
    ["a term without anything", {}, false],
    ["an expression and a field that disagree", { ...expression("zone", "Exists"), ...field("In", "node-b") }, false],
    ["a key of every object's prototype", expression("constructor", "Exists"), false],
  ])("%s", (_rule, term, matches) => {
    expect(matchesNodeSelectorTerm(term, node)).toBe(matches);
  });

  it("takes any of several terms", () => {
    const terms = [expression("disk", "Exists"), expression("zone", "Exists")];
    expect(matchesNodeSelector({ nodeSelectorTerms: terms }, node)).toBe(true);
    expect(matchesNodeSelector({ nodeSelectorTerms: [] }, node)).toBe(false);
  });

  it.each<[string, Pick<PodSpec, "nodeSelector" | "affinity">, boolean]>([
    ["nothing asked", {}, true],
    ["a label that is there", { nodeSelector: { zone: "z1" } }, true],
    ["one of two labels", { nodeSelector: { zone: "z1", disk: "ssd" } }, false],
    ["an affinity that matches", { affinity: requiring(field("In", "node-a")) }, true],
    [
      "a selector that matches and an affinity that does not",
      { nodeSelector: { zone: "z1" }, affinity: requiring(field("In", "x")) },
      false,
    ],
  ])("a Pod with %s", (_rule, spec, matches) => {
    expect(matchesRequiredNodeAffinity({ spec }, node)).toBe(matches);
  });

  it.each<[string, NodeSelectorTerm[], string[] | undefined]>([
    ["without terms", [], undefined],
    ["when a term names none", [field("In", "a"), expression("zone", "Exists")], undefined],
    ["when every term names some", [field("In", "a"), field("In", "b")], ["a", "b"]],
    [
      "when a term contradicts itself",
      [{ matchFields: [...(field("In", "a").matchFields ?? []), ...(field("In", "b").matchFields ?? [])] }],
      [],
    ],
    ["when names are only excluded", [field("NotIn", "a")], undefined],
  ])("knows the only possible nodes %s", (_rule, terms, names) => {
    const found = requiredNodeNames({ spec: { affinity: requiring(...terms) } });
    expect(found === undefined ? undefined : [...found]).toEqual(names);
  });

  it("adds the weights of the preferences that match", () => {
    const preferred = [
      { weight: 10, preference: expression("zone", "Exists") },
      { weight: 5, preference: expression("disk", "Exists") },
      { weight: 1, preference: field("In", "node-a") },
      { weight: 70, preference: {} },
    ];
    expect(preferredNodeAffinityWeight({ preferredDuringSchedulingIgnoredDuringExecution: preferred }, node)).toBe(11);
    expect(preferredNodeAffinityWeight(undefined, node)).toBe(0);
  });
});
