import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { JsonSyntaxError, scanJson } from "./json-scan.ts";

function complaint(text: string): string {
  try {
    scanJson(text);
  } catch (error) {
    return error instanceof JsonSyntaxError ? error.message : `not a JsonSyntaxError: ${String(error)}`;
  }
  return "none";
}

describe("scanning JSON", () => {
  it("accepts exactly what the engine's parser accepts", () => {
    const nearJson = fc
      .array(
        fc.constantFrom(
          ...'{}[]:,"\\ \n\t0123.-+eEtruefalsenul/bx\u0001é'.split(""),
          '"a"',
          "true",
          "null",
          '{"a":',
          "\\u00e9",
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(nearJson, fc.json()), (text) => {
        expect(complaint(text) === "none").toBe(parses(text));
      }),
      { numRuns: 3000 },
    );
  });

  it("finds keys that occur twice, whatever they look like", () => {
    expect(scanJson('{"a":1,"b":{"c":[{"d":1,"\\u0064":2}]},"a":{"x":1}}')).toEqual(["b.c[0].d", "a"]);
    expect(scanJson('[{"a":1},{"a":1}]')).toEqual([]);
  });

  it.each([
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["1 2", "invalid character '2' after top-level value"],
    ["tru3", "invalid character '3' in literal true (expecting 'e')"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["-x", "invalid character 'x' in numeric literal"],
    ["1e+", "unexpected end of JSON input"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
  ])("words the fault of %s as Go does", (text, message) => {
    expect(complaint(text)).toBe(message);
  });

  it("lets every whole number pass that is kept exactly", () => {
    expect(complaint("[9007199254740992, 9007199254740994, -9007199254740991, 1e300]")).toBe("none");
    expect(complaint('{"a":[1,9007199254740993]}')).toBe(
      "number 9007199254740993 at a[1] cannot be represented exactly",
    );
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
