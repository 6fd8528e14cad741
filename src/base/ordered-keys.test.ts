import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareCodePoints, OrderedKeys } from "./ordered-keys.ts";

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const key = fc.string({
  unit: fc.constantFrom("a", "b", "/", "é", "\ud7ff", "\ue000", "\uffff", "\u{1f642}"),
  maxLength: 4,
});

describe("OrderedKeys", () => {
  it("answers like a sorted list, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), key)), key, key, (steps, prefix, from) => {
        const keys = new OrderedKeys();
        const list = new Set<string>();
        for (const [adds, one] of steps) {
          expect(adds ? keys.add(one) : keys.remove(one)).toBe(adds ? !list.has(one) : list.has(one));
          if (adds) list.add(one);
          else list.delete(one);
        }
        const want = [...list].toSorted(bytewise).filter((one) => one.startsWith(prefix) && bytewise(one, from) >= 0);
        expect([...keys.withPrefix(prefix, from)]).toEqual(want);
        expect(keys.countWithPrefix(prefix, from)).toBe(want.length);
        expect(keys.size).toBe(list.size);
      }),
    );
  });

  it("keeps its order over many runs", () => {
    const keys = new OrderedKeys();
    const name = (i: number): string => String(i).padStart(6, "0");
    for (let i = 0; i < 20_000; i++) keys.add(name((i * 7919) % 20_000));
    for (let i = 0; i < 20_000; i += 2) keys.remove(name(i));
    expect([...keys.withPrefix("")]).toEqual(Array.from({ length: 10_000 }, (_, i) => name(2 * i + 1)));
    expect(keys.countWithPrefix("0100")).toBe(50);
    for (let i = 1; i < 20_000; i += 2) keys.remove(name(i));
    expect([keys.size, ...keys.withPrefix("")]).toEqual([0]);
  });

  it("orders by code points, as the bytes of UTF-8 do", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(bytewise(a, b));
      }),
    );
  });
});
