import * as fc from "fast-check";
import { expect, it } from "vitest";
import { PrefixTree } from "./prefix-tree.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 5 });

it("finds what a look at every prefix finds, shorter prefixes first", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), text, fc.nat({ max: 2 }))), text, (steps, asked) => {
      const tree = new PrefixTree<number>();
      const list: { prefix: string; item: number }[] = [];
      for (const [adds, prefix, item] of steps) {
        const at = list.findIndex((one) => one.prefix === prefix && one.item === item);
        if (adds) {
          tree.add(prefix, item);
          if (at === -1) list.push({ prefix, item });
        } else {
          tree.remove(prefix, item);
          if (at !== -1) list.splice(at, 1);
        }
      }
      const want = list.filter(({ prefix }) => asked.startsWith(prefix));
      want.sort((a, b) => a.prefix.length - b.prefix.length); // stable: within one prefix in the order of filing
      expect(tree.matching(asked)).toEqual(want.map(({ item }) => item));
    }),
    { numRuns: 500 },
  );
});
