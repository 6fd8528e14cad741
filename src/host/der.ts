// DER (ITU-T X.690), as much of it as certificates need: writing values, and finding one's way in what was written.

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A value with any tag. Several contents are written one after the other. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content]);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 + octets.length, ...octets];
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => der(tags.sequence, ...items);
export const setOf = (item: Uint8Array): Buffer => der(tags.set, item);
/** `[number]` around whole values. */
export const explicit = (number: number, ...items: readonly Uint8Array[]): Buffer => der(0xa0 + number, ...items);
/** `[number]` in place of the tag of a simple value. */
export const implicit = (number: number, content: Uint8Array): Buffer => der(0x80 + number, content);
export const boolean = (value: boolean): Buffer => der(tags.boolean, Buffer.from([value ? 0xff : 0]));
export const octetString = (content: Uint8Array): Buffer => der(tags.octetString, content);
export const utf8String = (text: string): Buffer => der(tags.utf8String, Buffer.from(text, "utf8"));

/** Not negative; most significant octet first, as short as it can be. */
export function integer(value: Uint8Array): Buffer {
  const first = value.findIndex((octet) => octet !== 0);
  const digits = first === -1 ? Buffer.from([0]) : value.subarray(first);
  // A leading one bit would say that it is negative.
  return der(tags.integer, Buffer.from((digits[0] as number) >= 0x80 ? [0] : []), digits);
}

/** @param unusedBits how many of the last octet's low bits say nothing */
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  der(tags.bitString, Buffer.from([unusedBits]), content);

/** `1.2.840.10045.4.3.2` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(tags.objectIdentifier, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(number: number): number[] {
  const octets = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(128 + (rest % 128));
  return octets;
}

/** To the second; years up to 2049 in two digits, as RFC 5280 4.1.2.5 has it. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return at.getUTCFullYear() < 2050
    ? der(tags.utcTime, Buffer.from(digits.slice(2)))
    : der(tags.generalizedTime, Buffer.from(digits));
}

/** A value as it stands in a larger text. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

/** The values that stand one after the other. @throws RangeError if the last one is cut off */
export function readDer(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { start, length } = readLength(bytes, at + 1);
    const end = start + length;
    if (end > bytes.length) throw new RangeError("DER ends in the middle of a value");
    values.push({ tag: bytes.readUInt8(at), content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return values;
}

function readLength(bytes: Buffer, at: number): { start: number; length: number } {
  const first = bytes.readUInt8(at);
  if (first < 0x80) return { start: at + 1, length: first };
  const octets = first - 0x80;
  return { start: at + 1 + octets, length: bytes.readUIntBE(at + 1, octets) };
}
