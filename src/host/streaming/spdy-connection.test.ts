import { duplexPair } from "../../../test/fakes/duplex-pair.ts";
import { createDeflate, constants } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpdyConnection, type SpdyStream, streamLimit } from "./spdy-connection.ts";
import { dictionary, HeaderReader, HeaderWriter } from "./spdy-headers.ts";

const headers = (pairs: Readonly<Record<string, string>>): Map<string, string> => new Map(Object.entries(pairs));

function pair(serve: (stream: SpdyStream) => void): {
  client: SpdyConnection;
  server: SpdyConnection;
  gone: Promise<Error | undefined>;
} {
  const [a, b] = duplexPair();
  let tellGone: (reason: Error | undefined) => void = () => undefined;
  const gone = new Promise<Error | undefined>((resolve) => {
    tellGone = resolve;
  });
  const server = new SpdyConnection(a, "server", { stream: serve, gone: tellGone });
  const client = new SpdyConnection(b, "client", { stream: (stream) => stream.reset(), gone: () => undefined });
  server.start(Buffer.alloc(0));
  client.start(Buffer.alloc(0));
  return { client, server, gone };
}

async function bytesOf(stream: SpdyStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function echo(stream: SpdyStream): Promise<void> {
  for await (const chunk of stream.source) await stream.write(chunk);
  stream.end();
}

describe("SPDY", () => {
  it("has the dictionary that all ends share", () => {
    let [a, b] = [1, 0];
    for (const byte of dictionary) {
      a = (a + byte) % 65_521;
      b = (b + a) % 65_521;
    }
    expect([dictionary.length, (b * 65_536 + a).toString(16)]).toEqual([1423, "e3c6a7c2"]);
  });

  it("reads headers that are really compressed, block after block", async () => {
    const deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
    const reader = new HeaderReader();
    const writer = new HeaderWriter();
    const plain = new HeaderReader();
    for (const one of [{ streamtype: "error", port: "80" }, { streamtype: "data", port: "80", requestid: "1" }, {}]) {
      const unpacked = blockOf(one);
      const packed = await new Promise<Buffer>((resolve) => {
        deflate.write(unpacked, () => resolve(deflate.read() as Buffer));
      });
      expect(await reader.read(packed)).toEqual(headers(one));
      expect(await plain.read(writer.write(headers(one)))).toEqual(headers(one));
    }
  });

  it("refuses headers that unfold without end, and all after them", async () => {
    const deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
    const bomb = await new Promise<Buffer>((resolve) => {
      deflate.write(Buffer.alloc(10_000_000), () => resolve(deflate.read() as Buffer));
    });
    const reader = new HeaderReader();
    await expect(reader.read(bomb)).rejects.toThrow("too long");
    await expect(reader.read(Buffer.from([0]))).rejects.toThrow("too long");
  });

  it("carries streams both ways, each for itself, to its end", async () => {
    const { client } = pair((stream) => void echo(stream));
    const sent = Array.from({ length: 5 }, (_, index) => Buffer.alloc(300_000 * index + 1, index));
    const received = await Promise.all(
      sent.map(async (bytes, index) => {
        const stream = await client.open(headers({ streamtype: "data", requestid: String(index) }));
        const reading = bytesOf(stream);
        await stream.write(bytes);
        stream.end();
        return reading;
      }),
    );
    expect(received.map((bytes, index) => bytes.equals(sent[index] as Buffer))).toEqual(sent.map(() => true));
  });

  it("holds the sender up until somebody reads", async () => {
    let taken: SpdyStream | undefined;
    const { client } = pair((stream) => {
      taken = stream;
    });
    const stream = await client.open(headers({ streamtype: "data" }));
    const piece = Buffer.alloc(64 * 1024);
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written++) await stream.write(piece);
      stream.end();
    })();
    let [seen, quietTurns] = [0, 0];
    while (quietTurns < 50) {
      await new Promise((resolve) => setImmediate(resolve));
      quietTurns = written === seen ? quietTurns + 1 : 0;
      seen = written;
    }
    expect(seen).toBeGreaterThan(10);
    expect(seen).toBeLessThan(30);
    expect((await bytesOf(taken as SpdyStream)).length).toBe(200 * piece.length);
    await writing;
  });

  it("refuses more streams than it can hold", async () => {
    const { client } = pair(() => undefined);
    const opening = Array.from({ length: streamLimit + 1 }, () => client.open(headers({ streamtype: "data" })));
    const outcomes = await Promise.allSettled(opening);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
  });

  it("ends the streams of a connection that breaks", async () => {
    const [a, b] = duplexPair();
    const streams: SpdyStream[] = [];
    const server = new SpdyConnection(a, "server", { stream: (stream) => streams.push(stream), gone: () => undefined });
    const client = new SpdyConnection(b, "client", { stream: () => undefined, gone: () => undefined });
    server.start(Buffer.alloc(0));
    client.start(Buffer.alloc(0));
    const stream = await client.open(headers({ streamtype: "data" }));
    client.destroy();
    expect(await bytesOf(streams[0] as SpdyStream)).toEqual(Buffer.alloc(0));
    await expect(stream.write(Buffer.from("late"))).rejects.toThrow("closed");
  });

  it("echoes pings, also behind garbage that it may ignore", async () => {
    const [a, b] = duplexPair();
    new SpdyConnection(a, "server", { stream: () => undefined, gone: () => undefined }).start(Buffer.alloc(0));
    const settings = Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]);
    const dataForNobody = Buffer.from([0, 0, 0, 9, 1, 0, 0, 2, 7, 7]);
    const ping = Buffer.from([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 5]);
    b.write(Buffer.concat([settings, dataForNobody, ping]));
    let answer = Buffer.alloc(0);
    for await (const chunk of b.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= ping.length) break;
    }
    expect(answer).toEqual(ping);
  });

  it("ends a connection that speaks garbage, whatever it is, and does nothing worse", async () => {
    const controlFrame = fc
      .tuple(fc.integer({ min: 0, max: 12 }), fc.nat(255), fc.uint8Array({ maxLength: 60 }))
      .map(([type, flags, body]) => Buffer.from([0x80, 3, 0, type, flags, 0, 0, body.length, ...body]));
    const garbage = fc.array(
      fc.oneof(
        controlFrame,
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      ),
      {
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (pieces) => {
        const [a, b] = duplexPair();
        const gone = new Promise<string>((resolve) => {
          new SpdyConnection(a, "server", { stream: (stream) => stream.discard(), gone: () => resolve("gone") }).start(
            Buffer.alloc(0),
          );
        });
        b.on("error", () => undefined);
        b.resume();
        for (const piece of pieces) b.write(piece);
        b.end();
        expect(await gone).toBe("gone");
      }),
      { numRuns: 200 },
    );
  });
});

function blockOf(pairs: Readonly<Record<string, string>>): Buffer {
  const uint32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const entries = Object.entries(pairs).flat();
  return Buffer.concat([
    uint32(entries.length / 2),
    ...entries.flatMap((text) => [uint32(text.length), Buffer.from(text)]),
  ]);
}
