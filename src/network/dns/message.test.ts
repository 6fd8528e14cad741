import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeAnswers,
  decodeQuery,
  DnsFormatError,
  type DnsRecord,
  type DnsResponse,
  encodeFailure,
  encodeQuery,
  encodeResponse,
  recordTypes,
} from "./message.ts";

const query = (name: string, type: number = recordTypes.A) => decodeQuery(encodeQuery(7, { name, type }));
const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const header = "0007 0100 0001 0000 0000 0000";

const response = (answers: readonly DnsRecord[]): DnsResponse => ({
  code: 0,
  authoritative: true,
  answers,
  authority: [],
  additional: [],
});
const a = (name: string, address: string): DnsRecord => ({ type: "A", name, ttlSeconds: 5, address });

describe("a query", () => {
  it("is read with its question, in lower case, and what the client takes", () => {
    expect(query("Web.Default.svc.cluster.local", recordTypes.SRV)).toMatchObject({
      id: 7,
      opcode: 0,
      recursionDesired: true,
      question: { name: "web.default.svc.cluster.local", type: 33, class: 1 },
      edns: { version: 0, udpPayloadBytes: 1232 },
    });
  });

  it("keeps a dot within a label apart from one between labels", () => {
    const message = bytesOf(`${header} 03 61 2e 62 00 0001 0001`);
    expect(decodeQuery(message).question.name).toBe("a\\046b");
  });

  it.each<[string, string]>([
    ["is empty", ""],
    ["ends in its header", "0007 0100 0001"],
    ["is a response", "0007 8100 0001 0000 0000 0000 00 0001 0001"],
    ["has no question", "0007 0100 0000 0000 0000 0000"],
    ["has two questions", "0007 0100 0002 0000 0000 0000 00 0001 0001 00 0001 0001"],
    ["ends in its name", `${header} 03 61`],
    ["has a name that leads to itself", `${header} c00c 0001 0001`],
    ["has a name that leads forward", `${header} c0ff 0001 0001`],
    ["has a name that leads into the header", `${header} c000 0001 0001`],
    ["has a label of a kind that nobody defined", `${header} 41 61 00 0001 0001`],
    ["has a name of more than 255 bytes", `${header} ${"3f".concat("61".repeat(63)).repeat(5)} 00 0001 0001`],
    ["promises a record that is not there", "0007 0100 0001 0000 0000 0001 00 0001 0001"],
    ["has an OPT record with a name", "0007 0100 0001 0000 0000 0001 00 0001 0001 01 61 00 0029 0200 00000000 0000"],
  ])("is refused when it %s", (_what, hex) => {
    expect(() => decodeQuery(bytesOf(hex))).toThrow(DnsFormatError);
  });

  it("that cannot be understood is answered with its id and the reason", () => {
    expect([...encodeFailure(bytesOf(`${header} c00c`), 1)].slice(0, 4)).toEqual([0, 7, 0x81, 1]);
  });
});

describe("an answer", () => {
  const name = "web.default.svc.cluster.local";

  it("repeats the question as the client wrote it, and is read back as it was meant", () => {
    const asked = new Uint8Array(encodeQuery(9, { name, type: recordTypes.A }));
    asked[13] = "W".charCodeAt(0);
    const answers = [
      a(name, "10.96.0.5"),
      { type: "AAAA", name, ttlSeconds: 30, address: "fd00:0:0:0:0:0:0:5" } as const,
    ];
    const encoded = encodeResponse(decodeQuery(asked), response(answers), 512);
    expect(encoded[13]).toBe("W".charCodeAt(0));
    expect(decodeAnswers(encoded)).toMatchObject({ id: 9, code: 0, truncated: false, question: { name }, answers });
  });

  it("points to names instead of repeating them", () => {
    const one = encodeResponse(query(name), response([a(name, "10.0.0.1")]), 512).length;
    const two = encodeResponse(query(name), response([a(name, "10.0.0.1"), a(name, "10.0.0.2")]), 512).length;
    expect(two - one).toBe(16);
  });

  it("that does not fit says so, keeps what fits, and is never longer", () => {
    const many = Array.from({ length: 200 }, (_, index) => a(name, `10.0.0.${index}`));
    const encoded = encodeResponse(query(name), response(many), 512);
    const decoded = decodeAnswers(encoded);
    expect(encoded.length).toBeLessThanOrEqual(512);
    expect(decoded.truncated).toBe(true);
    expect(decoded.answers).toEqual(many.slice(0, 28));
    expect(decodeAnswers(encodeResponse(query(name), response(many), 65_535)).answers).toHaveLength(200);
  });

  it("leaves out what was only added before it leaves out answers", () => {
    const additional = Array.from({ length: 40 }, (_, index) => a(name, `10.0.1.${index}`));
    const encoded = encodeResponse(query(name), { ...response([a(name, "10.0.0.1")]), additional }, 512);
    expect(decodeAnswers(encoded)).toMatchObject({ truncated: false, answers: [a(name, "10.0.0.1")] });
  });
});

const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join("."));

function outcomeOf(decode: () => unknown): string {
  try {
    decode();
    return "understood";
  } catch (error) {
    return error instanceof DnsFormatError ? "refused" : String(error);
  }
}

describe("whatever comes", () => {
  it("bytes are understood or refused, in time, and never anything else", () => {
    const afterHeader = fc
      .uint8Array({ maxLength: 80 })
      .map((rest) => Uint8Array.of(...bytesOf("0007 8100 0001 0004 0000 0000"), ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), afterHeader), (bytes) => {
        for (const decode of [decodeQuery, decodeAnswers]) {
          expect(outcomeOf(() => decode(bytes))).toMatch(/^(understood|refused)$/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("a good query with one byte changed is understood or refused", () => {
    fc.assert(
      fc.property(name, fc.nat(), fc.nat(255), (asked, at, value) => {
        const bytes = new Uint8Array(encodeQuery(1, { name: asked, type: 1 }));
        bytes[at % bytes.length] = value;
        expect(outcomeOf(() => decodeQuery(bytes))).toMatch(/^(understood|refused)$/);
      }),
    );
  });

  it("what is written is read back, pointers and all", () => {
    const record = fc.oneof(
      fc.record({ type: fc.constant("A" as const), name, ttlSeconds: fc.nat(4_000_000_000), address: fc.ipV4() }),
      fc.record({ type: fc.constant("CNAME" as const), name, ttlSeconds: fc.nat(60), target: name }),
    );
    fc.assert(
      fc.property(name, fc.array(record, { maxLength: 12 }), (asked, answers) => {
        const decoded = decodeAnswers(encodeResponse(query(asked), response(answers), 65_535));
        expect(decoded.question?.name).toBe(asked);
        expect(decoded.answers).toEqual(answers);
      }),
    );
  });
});
