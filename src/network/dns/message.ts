// DNS messages as bytes (RFC 1035; RFC 6891 for EDNS; RFC 2782 for SRV): what a server of a zone needs of them. Names are lower-case text
// without the dot at the end; the question of an answer is the bytes of the query, so that clients who play with the case find it again.

export const recordTypes = { A: 1, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const;

export const responseCodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export type ResponseCode = (typeof responseCodes)[keyof typeof responseCodes];

export interface DnsQuestion {
  /** Lower case, without the dot at the end; the root is empty. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export type DnsRecord = { readonly name: string; readonly ttlSeconds: number } & (
  | { readonly type: "A" | "AAAA"; readonly address: string }
  | { readonly type: "CNAME" | "PTR"; readonly target: string }
  | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: "TXT"; readonly text: string }
  | {
      readonly type: "SOA";
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refreshSeconds: number;
      readonly retrySeconds: number;
      readonly expireSeconds: number;
      readonly minimumSeconds: number;
    }
);

export interface DnsQuery {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly question: DnsQuestion;
  /** The bytes of the question as the client wrote it. */
  readonly questionBytes: Uint8Array;
  readonly edns?: { readonly version: number; readonly udpPayloadBytes: number };
}

export interface DnsResponse {
  readonly code: ResponseCode;
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** Bytes that are no DNS message, or not one that can be answered as asked. */
export class DnsFormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DnsFormatError";
  }
}

const headerBytes = 12;
const longestName = 255;
const longestLabel = 63;
const internetClass = 1;

/** The id and the flags are there in any message that can be answered at all. */
export function isAnswerable(bytes: Uint8Array): boolean {
  return bytes.length >= headerBytes && ((bytes[2] as number) & 0x80) === 0;
}

/** @throws DnsFormatError if the bytes are not a query with one question */
export function decodeQuery(bytes: Uint8Array): DnsQuery {
  const reader = new Reader(bytes);
  const id = reader.uint16();
  const flags = reader.uint16();
  if ((flags & 0x8000) !== 0) throw new DnsFormatError("a response, not a query");
  const [questions, answers, authorities, additionals] = [
    reader.uint16(),
    reader.uint16(),
    reader.uint16(),
    reader.uint16(),
  ];
  if (questions !== 1) throw new DnsFormatError(`${questions} questions, expected one`);
  const question = reader.question();
  const questionBytes = bytes.subarray(headerBytes, reader.offset);
  let edns: DnsQuery["edns"];
  for (let index = 0; index < answers + authorities + additionals; index++) {
    const { name, type, class: payload, ttl } = reader.recordHead();
    reader.skip(reader.uint16());
    if (type !== recordTypes.OPT) continue;
    if (edns !== undefined || name !== "") throw new DnsFormatError("more than one OPT record, or one with a name");
    edns = { version: (ttl >>> 16) & 0xff, udpPayloadBytes: Math.max(512, payload) };
  }
  return {
    id,
    opcode: (flags >> 11) & 15,
    recursionDesired: (flags & 0x0100) !== 0,
    question,
    questionBytes,
    ...(edns !== undefined && { edns }),
  };
}

/** What a resolver's answer to a question of ours says: addresses, and the names on the way to them. Other records are left out. */
export function decodeAnswers(bytes: Uint8Array): {
  readonly id: number;
  readonly code: number;
  readonly truncated: boolean;
  readonly question: DnsQuestion | undefined;
  readonly answers: readonly DnsRecord[];
} {
  const reader = new Reader(bytes);
  const id = reader.uint16();
  const flags = reader.uint16();
  if ((flags & 0x8000) === 0) throw new DnsFormatError("a query, not a response");
  const [questions, count] = [reader.uint16(), reader.uint16(), reader.skip(4)];
  let question: DnsQuestion | undefined;
  for (let index = 0; index < questions; index++) question = reader.question();
  const answers: DnsRecord[] = [];
  for (let index = 0; index < count; index++) {
    const { name, type, ttl } = reader.recordHead();
    const length = reader.uint16();
    const end = reader.offset + length;
    if (type === recordTypes.A && length === 4) {
      answers.push({ type: "A", name, ttlSeconds: ttl, address: formatIpv4(reader.bytes(4)) });
    } else if (type === recordTypes.AAAA && length === 16) {
      answers.push({ type: "AAAA", name, ttlSeconds: ttl, address: formatIpv6(reader.bytes(16)) });
    } else if (type === recordTypes.CNAME) {
      answers.push({ type: "CNAME", name, ttlSeconds: ttl, target: reader.name() });
    } else {
      reader.skip(length);
    }
    if (reader.offset !== end) throw new DnsFormatError("a record is not as long as it says");
  }
  return { id, code: flags & 15, truncated: (flags & 0x0200) !== 0, question, answers };
}

/** A question to another resolver. */
export function encodeQuery(id: number, { name, type }: { readonly name: string; readonly type: number }): Uint8Array {
  const writer = new Writer();
  writer.uint16(id);
  writer.uint16(0x0100);
  for (const count of [1, 0, 0, 1]) writer.uint16(count);
  writer.name(name);
  writer.uint16(type);
  writer.uint16(internetClass);
  writer.opt(1232, 0);
  return writer.done();
}

/** How much a server of ours takes over UDP: what passes every network in one piece. */
const ownUdpPayloadBytes = 1232;

/**
 * The answer to a query, within `maximumBytes`: what does not fit is left out, from the end, and the answer says that it was cut if answers are among
 * it.
 */
export function encodeResponse(query: DnsQuery, response: DnsResponse, maximumBytes: number): Uint8Array {
  const { answers, authority, additional } = response;
  for (const [kept, keptAuthority, keptAdditional] of [
    [answers, authority, additional],
    [answers, authority, []],
  ] as const) {
    const whole = encodeWith(query, response, kept, keptAuthority, keptAdditional, false);
    if (whole.length <= maximumBytes) return whole;
  }
  // As many answers as fit, found by halving.
  let fits = 0;
  let tooMany = answers.length;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (encodeWith(query, response, answers.slice(0, middle), [], [], true).length <= maximumBytes) fits = middle;
    else tooMany = middle;
  }
  return encodeWith(query, response, answers.slice(0, fits), [], [], true);
}

/** The answer to bytes that cannot be understood: their id and the reason, and nothing of what they say. */
export function encodeFailure(bytes: Uint8Array, code: ResponseCode): Uint8Array {
  const opcodeAndRecursion = (bytes[2] as number) & 0x79;
  return Uint8Array.of(bytes[0] as number, bytes[1] as number, 0x80 | opcodeAndRecursion, code, 0, 0, 0, 0, 0, 0, 0, 0);
}

function encodeWith(
  query: DnsQuery,
  { code, authoritative }: DnsResponse,
  answers: readonly DnsRecord[],
  authority: readonly DnsRecord[],
  additional: readonly DnsRecord[],
  truncated: boolean,
): Uint8Array {
  const writer = new Writer();
  writer.uint16(query.id);
  writer.uint16(
    0x8000 |
      (query.opcode << 11) |
      (authoritative ? 0x0400 : 0) |
      (truncated ? 0x0200 : 0) |
      (query.recursionDesired ? 0x0100 : 0) |
      0x0080 |
      (code & 15),
  );
  writer.uint16(1);
  writer.uint16(answers.length);
  writer.uint16(authority.length);
  writer.uint16(additional.length + (query.edns === undefined ? 0 : 1));
  writer.question(query.questionBytes, query.question.name);
  for (const record of [...answers, ...authority, ...additional]) writer.record(record);
  if (query.edns !== undefined) writer.opt(ownUdpPayloadBytes, code >> 4);
  return writer.done();
}

class Reader {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  uint8(): number {
    const value = this.#bytes[this.offset];
    if (value === undefined) throw new DnsFormatError("the message ends too early");
    this.offset += 1;
    return value;
  }

  uint16(): number {
    return this.uint8() * 256 + this.uint8();
  }

  bytes(length: number): Uint8Array {
    const start = this.offset;
    this.skip(length);
    return this.#bytes.subarray(start, this.offset);
  }

  skip(length: number): void {
    if (this.offset + length > this.#bytes.length) throw new DnsFormatError("the message ends too early");
    this.offset += length;
  }

  question(): DnsQuestion {
    return { name: this.name(), type: this.uint16(), class: this.uint16() };
  }

  recordHead(): { readonly name: string; readonly type: number; readonly class: number; readonly ttl: number } {
    return {
      name: this.name(),
      type: this.uint16(),
      class: this.uint16(),
      ttl: this.uint16() * 65_536 + this.uint16(),
    };
  }

  /** Pointers may lead back only, and each further back than the one before: so a message cannot lead in circles. */
  name(): string {
    const labels: string[] = [];
    let length = 1;
    let earliest = this.offset;
    let resumeAt: number | undefined;
    for (;;) {
      const size = this.uint8();
      if (size === 0) break;
      if (size >= 0xc0) {
        const target = (size & 0x3f) * 256 + this.uint8();
        resumeAt ??= this.offset;
        if (target >= earliest || target < headerBytes) throw new DnsFormatError("a name leads to itself or forward");
        earliest = target;
        this.offset = target;
        continue;
      }
      if (size > longestLabel) throw new DnsFormatError("a label of an unknown kind");
      length += size + 1;
      if (length > longestName) throw new DnsFormatError("a name that is too long");
      labels.push(labelText(this.bytes(size)));
    }
    if (resumeAt !== undefined) this.offset = resumeAt;
    return labels.join(".");
  }
}

/** Dots and whatever is not printable are written as `\DDD`, as zone files do: no label can look like two. */
function labelText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const isPlain = byte > 32 && byte < 127 && byte !== 46 && byte !== 92;
    text += isPlain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`;
  }
  return text.toLowerCase();
}

function labelBytes(label: string): readonly number[] {
  const bytes: number[] = [];
  for (let at = 0; at < label.length; at++) {
    const escaped = label[at] === "\\" ? Number(label.slice(at + 1, at + 4)) : Number.NaN;
    if (Number.isNaN(escaped)) bytes.push(label.charCodeAt(at) & 0xff);
    else {
      bytes.push(escaped);
      at += 3;
    }
  }
  return bytes;
}

class Writer {
  readonly #bytes: number[] = [];
  /** Where names were written that can be pointed to. */
  readonly #names = new Map<string, number>();

  uint8(value: number): void {
    this.#bytes.push(value & 0xff);
  }

  uint16(value: number): void {
    this.#bytes.push((value >> 8) & 0xff, value & 0xff);
  }

  uint32(value: number): void {
    this.uint16(Math.floor(value / 65_536));
    this.uint16(value % 65_536);
  }

  question(bytes: Uint8Array, name: string): void {
    this.#remember(name, this.#bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
  }

  /** @throws DnsFormatError if a label or the name is longer than the protocol allows */
  name(name: string, { compressed }: { readonly compressed: boolean } = { compressed: true }): void {
    if (name.length >= longestName) throw new DnsFormatError(`the name ${name} is too long`);
    const start = this.#bytes.length;
    let rest = name;
    const unwritten: [string, number][] = [];
    while (rest !== "") {
      const known = compressed ? this.#names.get(rest) : undefined;
      if (known !== undefined) {
        this.uint16(0xc000 | known);
        break;
      }
      unwritten.push([rest, this.#bytes.length]);
      const dot = rest.indexOf(".");
      const label = labelBytes(dot === -1 ? rest : rest.slice(0, dot));
      if (label.length === 0 || label.length > longestLabel) throw new DnsFormatError(`${name} has an unusable label`);
      this.uint8(label.length);
      this.#bytes.push(...label);
      rest = dot === -1 ? "" : rest.slice(dot + 1);
    }
    if (rest === "") this.uint8(0);
    // A pointer has 14 bits.
    for (const [suffix, at] of unwritten) if (at < 0x4000 && start > 0) this.#names.set(suffix, at);
  }

  record(record: DnsRecord): void {
    this.name(record.name);
    this.uint16(recordTypes[record.type]);
    this.uint16(internetClass);
    this.uint32(record.ttlSeconds);
    const lengthAt = this.#bytes.length;
    this.uint16(0);
    this.#data(record);
    const length = this.#bytes.length - lengthAt - 2;
    this.#bytes[lengthAt] = length >> 8;
    this.#bytes[lengthAt + 1] = length & 0xff;
  }

  opt(payloadBytes: number, extendedCode: number): void {
    this.uint8(0);
    this.uint16(recordTypes.OPT);
    this.uint16(payloadBytes);
    this.uint32(extendedCode * 2 ** 24);
    this.uint16(0);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #data(record: DnsRecord): void {
    switch (record.type) {
      case "A":
      case "AAAA":
        this.#bytes.push(...addressBytes(record.address));
        return;
      case "CNAME":
      case "PTR":
        this.name(record.target);
        return;
      case "SRV":
        for (const number of [record.priority, record.weight, record.port]) this.uint16(number);
        // RFC 2782: the target is written out, for clients that do not know that it could be a pointer.
        this.name(record.target, { compressed: false });
        return;
      case "TXT": {
        const bytes = new TextEncoder().encode(record.text).slice(0, 255);
        this.uint8(bytes.length);
        this.#bytes.push(...bytes);
        return;
      }
      case "SOA":
        this.name(record.primary);
        this.name(record.mailbox);
        for (const number of [
          record.serial,
          record.refreshSeconds,
          record.retrySeconds,
          record.expireSeconds,
          record.minimumSeconds,
        ])
          this.uint32(number);
        return;
    }
  }

  #remember(name: string, at: number): void {
    let offset = at;
    let rest = name;
    while (rest !== "") {
      this.#names.set(rest, offset);
      const dot = rest.indexOf(".");
      if (dot === -1) return;
      offset += labelBytes(rest.slice(0, dot)).length + 1;
      rest = rest.slice(dot + 1);
    }
  }
}

/** The 4 or 16 bytes of an address. @throws DnsFormatError if it is none */
export function addressBytes(address: string): readonly number[] {
  if (!address.includes(":")) {
    const parts = address.split(".").map(Number);
    if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)))
      throw new DnsFormatError(`${address} is not an address`);
    return parts;
  }
  const [head = "", tail] = address.split("::");
  const groups = (text: string): readonly number[] =>
    text === ""
      ? []
      : text.split(":").flatMap((group) => (group.includes(".") ? pairs(group) : [Number.parseInt(group, 16)]));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all =
    tail === undefined
      ? left
      : [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
  if (all.length !== 8 || all.some((group) => !(group >= 0 && group <= 0xffff)))
    throw new DnsFormatError(`${address} is not an address`);
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

function pairs(ipv4: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = addressBytes(ipv4);
  return [a * 256 + b, c * 256 + d];
}

const formatIpv4 = (bytes: Uint8Array): string => [...bytes].join(".");

const formatIpv6 = (bytes: Uint8Array): string =>
  Array.from({ length: 8 }, (_, index) =>
    ((bytes[index * 2] as number) * 256 + (bytes[index * 2 + 1] as number)).toString(16),
  ).join(":");
