import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  frameHeader,
  maskedFrame,
  messageLimitBytes,
  WebSocketDecoder,
  WebSocketError,
  type WebSocketMessage,
} from "./websocket-frames.ts";

const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/** Everything that is in the bytes, fed in pieces of the given lengths. */
function decoded(bytes: Buffer, cuts: readonly number[] = []): readonly WebSocketMessage[] {
  const decoder = new WebSocketDecoder("client");
  const messages: WebSocketMessage[] = [];
  let at = 0;
  for (const length of [...cuts, bytes.length]) {
    decoder.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
    for (let message = decoder.next(); message !== undefined; message = decoder.next()) messages.push(message);
  }
  return messages;
}

const lengths = fc.array(fc.nat(50), { maxLength: 30 });

describe("WebSocket frames", () => {
  it("come through whole, however the network cuts them and the client fragments them", () => {
    const message = fc.record({
      kind: fc.constantFrom("text", "binary", "ping", "pong", "close"),
      fragments: fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), lengths, (messages, cuts) => {
        const sent: { kind: string; data: Buffer }[] = [];
        const bytes = messages.flatMap(({ kind, fragments }) => {
          const isControl = kind === "ping" || kind === "pong" || kind === "close";
          const parts = isControl ? [(fragments[0] as Uint8Array).subarray(0, 125)] : fragments;
          sent.push({ kind, data: Buffer.concat(parts) });
          return parts.map((part, index) =>
            maskedFrame(kind, part, mask, { more: index < parts.length - 1, continues: index > 0 }),
          );
        });
        const seen = decoded(Buffer.concat(bytes), cuts);
        expect(seen.map(({ kind, data }) => [kind, data.toString("hex")])).toEqual(
          sent.map(({ kind, data }) => [kind, data.toString("hex")]),
        );
      }),
    );
  });

  it("that are garbage are refused or waited for, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), lengths, (bytes, cuts) => {
        expect(failureOf(() => decoded(Buffer.from(bytes), cuts))).toBeOneOf([undefined, WebSocketError]);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, Buffer, number]>([
    ["without a mask", Buffer.from([0x82, 0x01, 0x00]), 1002],
    ["with reserved bits", Buffer.from([0xc2, 0x80, 0, 0, 0, 0]), 1002],
    ["of an unknown kind", Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
    ["of a fragmented ping", Buffer.from([0x09, 0x80, 0, 0, 0, 0]), 1002],
    ["of a ping beyond 125 bytes", Buffer.from([0x89, 0xfe, 0, 126, 0, 0, 0, 0]), 1002],
    ["that continue nothing", Buffer.from([0x80, 0x80, 0, 0, 0, 0]), 1002],
    ["that begin inside a message", Buffer.from([0x02, 0x80, 0, 0, 0, 0, 0x82, 0x80, 0, 0, 0, 0]), 1002],
    [
      "longer than anything",
      Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
      1009,
    ],
    ["just beyond the limit", Buffer.concat([maskedHead(messageLimitBytes + 1), mask]), 1009],
  ])("%s are refused before their data is here", (_what, bytes, code) => {
    expect(() => decoded(bytes)).toThrow(expect.objectContaining({ code }));
  });

  it.each([0, 125, 126, 65_535, 65_536])("of %i bytes say so in the shortest way", (length) => {
    expect(frameHeader("binary", length).length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    const decoder = new WebSocketDecoder("server");
    decoder.push(Buffer.concat([frameHeader("binary", length), Buffer.alloc(length, 7)]));
    expect(decoder.next()?.data.equals(Buffer.alloc(length, 7))).toBe(true);
  });
});

/** What kind of error it ends in; `undefined` if in none. */
function failureOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as Error).constructor;
  }
}

function maskedHead(length: number): Buffer {
  const header = frameHeader("binary", length);
  header[1] = (header[1] as number) | 0x80;
  return header;
}
