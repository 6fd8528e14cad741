import * as fc from "fast-check";
import { expect, it } from "vitest";
import { BinaryHeap } from "./binary-heap.ts";

it("hands out the smallest first, whenever it is asked", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat({ max: 50 }))), (steps) => {
      const heap = new BinaryHeap<number>((a, b) => a < b);
      const list: number[] = [];
      for (const step of steps) {
        if (step !== null) {
          heap.push(step);
          list.push(step);
          list.sort((a, b) => a - b);
        }
        expect(step === null ? heap.pop() : undefined).toBe(step === null ? list.shift() : undefined);
        expect([heap.size, heap.peek()]).toEqual([list.length, list[0]]);
      }
    }),
  );
});
