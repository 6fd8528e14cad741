import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  maxQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityProblem,
  quantityValue,
  subtractQuantities,
  zeroQuantity,
} from "./quantity.ts";

describe("quantities", () => {
  it.each<[string | number, string]>([
    ["1000m", "1"],
    ["0.5", "500m"],
    [".5", "500m"],
    ["1.", "1"],
    ["1.5", "1500m"],
    [0.1, "100m"],
    [2, "2"],
    ["1500", "1500"],
    ["100000", "100k"],
    ["1.5k", "1500"],
    ["0", "0"],
    ["0Ki", "0"],
    ["-0", "0"],
    ["+5", "5"],
    ["-250m", "-250m"],
    ["00012", "12"],
    ["1024", "1024"],
    ["1024Ki", "1Mi"],
    ["1.5Gi", "1536Mi"],
    ["0.5Ki", "512"],
    ["0.5Mi", "512Ki"],
    ["1Ei", "1Ei"],
    ["1000Ki", "1000Ki"],
    ["0.0001Ki", "102400u"],
    ["1025.5Ki", "1050112"],
    ["1.0000001Ki", "1024000102400n"],
    ["1e3", "1e3"],
    ["1E3", "1e3"],
    ["1500e-3", "1500e-3"],
    ["12e2", "1200"],
    ["1E", "1E"],
    ["1n", "1n"],
    ["0.1n", "1n"],
    ["1.1n", "2n"],
    ["1e-40", "1e-9"],
    ["0e999999999", "0"],
    ["9223372036854775807", "9223372036854775807"],
    ["9223372036854775808", "9223372036854775807"],
    ["1e999999999", "9223372036854775807"],
    ["100E", "9223372036854775807"],
  ])("writes %s as %s", (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each<[string, string]>([
    ["", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ["lots", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ["1 Gi", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ["1Gi\n", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ["1.2.3", "unable to parse numeric part of quantity"],
    [".", "unable to parse numeric part of quantity"],
    ["1K", "unable to parse quantity's suffix"],
    ["1e", "unable to parse quantity's suffix"],
    ["1mi", "unable to parse quantity's suffix"],
  ])("refuses %j: %s", (text, problem) => {
    expect(quantityProblem(text)).toBe(problem);
    expect(() => parseQuantity(text)).toThrow(problem);
  });

  it("has no complaint about a good one", () => {
    expect(quantityProblem("100m")).toBeUndefined();
  });

  it("adds and subtracts exactly and keeps the first family", () => {
    expect(formatQuantity(addQuantities(parseQuantity("0.1"), parseQuantity("0.2")))).toBe("300m");
    expect(formatQuantity(addQuantities(parseQuantity("1Gi"), parseQuantity("1024")))).toBe("1048577Ki");
    expect(formatQuantity(addQuantities(zeroQuantity, parseQuantity("1Gi")))).toBe("1Gi");
    expect(formatQuantity(subtractQuantities(parseQuantity("2Gi"), parseQuantity("1Gi")))).toBe("1Gi");
  });

  it("compares across families", () => {
    expect(compareQuantities(parseQuantity("1Ki"), parseQuantity("1k"))).toBe(1);
    expect(compareQuantities(parseQuantity("1"), parseQuantity("1000m"))).toBe(0);
    expect(compareQuantities(parseQuantity("-1"), parseQuantity("0"))).toBe(-1);
    expect(maxQuantity(parseQuantity("1Ki"), parseQuantity("1k"))).toEqual(parseQuantity("1Ki"));
  });

  it("rounds values up", () => {
    expect(quantityValue(parseQuantity("1100m"))).toBe(2n);
    expect(quantityMilliValue(parseQuantity("100001u"))).toBe(101n);
    expect(quantityMilliValue(parseQuantity("2"))).toBe(2000n);
    expect(quantityValue(parseQuantity("-1100m"))).toBe(-2n);
  });

  it("reads back what it writes", () => {
    const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "Ti", "e3", "e-6", "E5");
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 7n), max: 10n ** 7n }), fc.nat(9999), suffix, (whole, fraction, unit) => {
        const quantity = parseQuantity(`${whole}.${fraction}${unit}`);
        const text = formatQuantity(quantity);
        expect(parseQuantity(text).nanos).toBe(quantity.nanos);
        expect(canonicalQuantity(text)).toBe(text);
      }),
    );
  });

  it("answers at once for a text of a million digits", () => {
    expect(canonicalQuantity("9".repeat(1_000_000))).toBe("9223372036854775807");
    expect(canonicalQuantity(`0.${"0".repeat(1_000_000)}1`)).toBe("1n");
    expect(canonicalQuantity(`1.${"3".repeat(1_000_000)}`)).toBe("1333333334n");
  });
});
