import { expect, it } from "vitest";
import { Labelled } from "./labelled.ts";

const items = (): Labelled<string> => {
  const labelled = new Labelled<string>();
  labelled.add("a", { app: "web", tier: "front" });
  labelled.add("b", { app: "web", tier: "back" });
  labelled.add("c", { app: "db", tier: "back" });
  return labelled;
};

it.each<[wanted: Record<string, string>, found: string[]]>([
  [{}, ["a", "b", "c"]],
  [{ app: "web" }, ["a", "b"]],
  [{ app: "web", tier: "back" }, ["b"]],
  [{ app: "db", tier: "front" }, []],
  [{ app: "nothing" }, []],
  [{ nobody: "has this" }, []],
])("finds by %j", (wanted, found) => {
  expect(items().matching(wanted)).toEqual(found);
});

it("does not find what was taken out, and keeps the order of what is added again", () => {
  const labelled = items();
  labelled.delete("a");
  expect(labelled.matching({ app: "web" })).toEqual(["b"]);
  labelled.add("a", { app: "web" });
  expect(labelled.matching({ app: "web" })).toEqual(["b", "a"]);
  labelled.delete("a");
  labelled.delete("a");
  expect(labelled.matching({})).toEqual(["b", "c"]);
});
