import { describe, expect, it } from "vitest";
import {
  aggregateText,
  child,
  duplicate,
  type FieldError,
  fieldErrorText,
  forbidden,
  goQuote,
  index,
  internalFieldError,
  invalid,
  key,
  notFound,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "./field-errors.ts";

describe("field errors", () => {
  it.each<[FieldError, string, string]>([
    [required("spec.containers"), "FieldValueRequired", "spec.containers: Required value"],
    [
      required("metadata.name", "name or generateName is required"),
      "FieldValueRequired",
      "metadata.name: Required value: name or generateName is required",
    ],
    [
      invalid("a", 70000, "must be between 1 and 65535, inclusive"),
      "FieldValueInvalid",
      "a: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ],
    [invalid("a", true, "no"), "FieldValueInvalid", "a: Invalid value: true: no"],
    [invalid("a", 'A"b', "no"), "FieldValueInvalid", 'a: Invalid value: "A\\"b": no'],
    [invalid("a", undefined, "no"), "FieldValueInvalid", "a: Invalid value: null: no"],
    [
      invalid("spec.selector", { app: "x" }, "field is immutable"),
      "FieldValueInvalid",
      'spec.selector: Invalid value: {"app":"x"}: field is immutable',
    ],
    [typeInvalid("a", "x", "must be a number"), "FieldValueTypeInvalid", 'a: Invalid value: "x": must be a number'],
    [
      notSupported("spec.restartPolicy", "x", ["Always", "OnFailure", "Never"]),
      "FieldValueNotSupported",
      'spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"',
    ],
    [duplicate("spec.containers[1].name", "c"), "FieldValueDuplicate", 'spec.containers[1].name: Duplicate value: "c"'],
    [notFound("a.volumeMounts[0].name", "v"), "FieldValueNotFound", 'a.volumeMounts[0].name: Not found: "v"'],
    [forbidden("spec", "may not"), "FieldValueForbidden", "spec: Forbidden: may not"],
    [tooLong("a", 63), "FieldValueTooLong", "a: Too long: may not be more than 63 bytes"],
    [tooMany("a", 5, 4), "FieldValueTooMany", "a: Too many: 5: must have at most 4 items"],
    [internalFieldError("a", "broken"), "InternalError", "a: Internal error: broken"],
    [forbidden("", "x"), "FieldValueForbidden", "<nil>: Forbidden: x"],
  ])("%j has the reason %s and reads %s", (error, type, text) => {
    expect(error.type).toBe(type);
    expect(fieldErrorText(error)).toBe(text);
  });

  it("joins several errors in brackets, dropping repetitions", () => {
    const a = required("a");
    expect(aggregateText([a])).toBe("a: Required value");
    expect(aggregateText([a, required("a")])).toBe("a: Required value");
    expect(aggregateText([a, required("b"), a])).toBe("[a: Required value, b: Required value]");
  });

  it("builds paths", () => {
    expect(child(index(child("spec", "containers"), 0), "image")).toBe("spec.containers[0].image");
    expect(key(child("metadata", "annotations"), "foo")).toBe("metadata.annotations[foo]");
    expect(child("", "spec")).toBe("spec");
  });

  it.each([
    ["tab\tnew\nline", '"tab\\tnew\\nline"'],
    ["bell\u0007\u0000\u007f", '"bell\\a\\x00\\x7f"'],
    ["snow ☃ 😀", '"snow ☃ 😀"'],
    ["\u200b\u{e0001}", '"\\u200b\\U000e0001"'],
    ["half \ud800", '"half \ufffd"'],
  ])("quotes %j as Go does", (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });
});
