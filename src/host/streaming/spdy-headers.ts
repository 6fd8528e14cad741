// Header blocks of SPDY/3.1 (api-machinery, appendix B): names and values, compressed with one zlib stream a direction for the whole connection.

import { constants, createInflate, type Inflate } from "node:zlib";

/** A block must not unfold to more than this; those of Kubernetes have some hundred bytes. */
const blockLimitBytes = 64 * 1024;

const names =
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
  "authorization cache-control connection content-base content-encoding content-language content-length content-location " +
  "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match " +
  "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range " +
  "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get " +
  "status";
const namesAfterStatus = ["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"];
const texts =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative " +
  "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal " +
  "Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, " +
  "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml," +
  "text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/** What both ends take as already said (SPDY/3, 2.6.10.1). */
export const dictionary = Buffer.concat([
  ...[...names.split(" "), ...namesAfterStatus].flatMap((name) => [uint32(name.length), Buffer.from(name, "latin1")]),
  Buffer.from(texts, "latin1"),
]);

export type Headers = ReadonlyMap<string, string>;

/** Reads the blocks of one connection, each after the one before. */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
  #failed: Error | undefined;

  constructor() {
    // Also told to the reader of the block that broke it.
    this.#inflate.on("error", (error: Error) => {
      this.#failed = error;
    });
  }

  /** @throws Error if it is no header block */
  async read(block: Buffer): Promise<Headers> {
    return parseHeaders(await this.#unfold(block));
  }

  close(): void {
    this.#inflate.destroy();
  }

  #unfold(block: Buffer): Promise<Buffer> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    const inflate = this.#inflate;
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      let size = 0;
      const take = (piece: Buffer): void => {
        size += piece.length;
        if (size <= blockLimitBytes) pieces.push(piece);
        else settle(new Error("a header block is too long"));
      };
      const settle = (error?: Error | null): void => {
        inflate.removeListener("data", take);
        inflate.removeListener("error", settle);
        inflate.removeListener("end", ended);
        if (error === undefined || error === null) {
          resolve(Buffer.concat(pieces));
          return;
        }
        inflate.destroy();
        this.#failed = error;
        reject(error);
      };
      const ended = (): void => settle(new Error("the header stream has ended"));
      inflate.on("data", take);
      inflate.once("error", settle);
      inflate.once("end", ended);
      inflate.write(block, settle);
    });
  }
}

/** Writes blocks that are not really compressed, which every reader understands. */
export class HeaderWriter {
  #begun = false;

  write(headers: Headers): Buffer {
    const block = Buffer.concat([
      uint32(headers.size),
      ...[...headers].flatMap(([name, value]) => [sized(name), sized(value)]),
    ]);
    if (block.length > 0xffff) throw new RangeError("a header block is too long");
    const begin = this.#begun ? Buffer.alloc(0) : Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2]);
    this.#begun = true;
    const stored = Buffer.from([0, 0, 0, 0, 0]);
    stored.writeUInt16LE(block.length, 1);
    stored.writeUInt16LE(~block.length & 0xffff, 3);
    return Buffer.concat([begin, stored, block, Buffer.from([0, 0, 0, 0xff, 0xff])]);
  }
}

function parseHeaders(block: Buffer): Headers {
  const headers = new Map<string, string>();
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new Error("a header block is cut short");
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > block.length) throw new Error("a header block is cut short");
    at += length;
    return block.toString("utf8", at - length, at);
  };
  for (let left = number(); left > 0; left--) {
    const name = text().toLowerCase();
    headers.set(name, text());
  }
  return headers;
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
