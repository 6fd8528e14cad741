import { expect, it } from "vitest";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  readDer,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");

// The values are those of X.690 and RFC 5280, or what `openssl asn1parse -genstr` makes of the same words.
it.each([
  ["true", boolean(true), "0101ff"],
  ["false", boolean(false), "010100"],
  ["zero", integer(bytes("0000")), "020100"],
  ["a small integer", integer(bytes("02")), "020102"],
  ["an integer with a leading one bit", integer(bytes("80")), "02020080"],
  ["an integer with superfluous zeros", integer(bytes("00007f01")), "02027f01"],
  ["an object identifier", objectIdentifier("1.2.840.10045.4.3.2"), "06082a8648ce3d040302"],
  ["an object identifier of small numbers", objectIdentifier("2.5.4.3"), "0603550403"],
  ["a bit string with unused bits", bitString(bytes("80"), 7), "03020780"],
  ["an octet string", octetString(bytes("0102")), "04020102"],
  ["text beyond ASCII", utf8String("ü"), "0c02c3bc"],
  ["an empty sequence", sequence(), "3000"],
  ["a sequence", sequence(boolean(true), integer(bytes("01"))), "30060101ff020101"],
  ["a set", setOf(boolean(true)), "31030101ff"],
  ["an explicit tag", explicit(3, boolean(true)), "a3030101ff"],
  ["an implicit tag", implicit(7, bytes("7f000001")), "87047f000001"],
  ["a time of this half of the century", time(new Date("2026-01-02T03:04:05.678Z")), "170d3236303130323033303430355a"],
  ["a time from 2050 on", time(new Date("2050-01-02T03:04:05Z")), "180f32303530303130323033303430355a"],
])("writes %s", (_what, written, hex) => {
  expect(written.toString("hex")).toBe(hex);
});

it.each([
  [0x7f, "047f"],
  [0x80, "048180"],
  [0xff, "0481ff"],
  [0x100, "04820100"],
  [0x12345, "0483012345"],
])("writes and reads the length of %i octets", (length, head) => {
  const written = octetString(Buffer.alloc(length, 1));
  expect(written.subarray(0, head.length / 2).toString("hex")).toBe(head);
  const [read] = readDer(written);
  expect(read?.content).toEqual(Buffer.alloc(length, 1));
  expect(read?.whole).toEqual(written);
});

it("reads values that stand one after the other", () => {
  const both = Buffer.concat([boolean(true), sequence(integer(bytes("05")))]);
  expect(readDer(both).map(({ tag, content }) => [tag, content.toString("hex")])).toEqual([
    [0x01, "ff"],
    [0x30, "020105"],
  ]);
});

it.each(["04", "0405aa", "0482", "3003020102ff"])("refuses %s, which ends too early", (hex) => {
  expect(() => readDer(bytes(hex))).toThrow(RangeError);
});
