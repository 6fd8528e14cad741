// Chance as a value. Each user of chance takes its own named stream, so that adding one user does not shift what the others draw.

/** One stream of chance. The same seed and name give the same draws on every machine. */
export interface RandomStream {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [from, to], both included. */
  integer(from: number, to: number): number;
  /** A number in [from, to). */
  between(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  /** A UUID of version 4. */
  uuid(): string;
  /** `length` characters of the alphabet that generated names use (api-machinery 3.2): no vowels, no look-alikes. */
  suffix(length: number): string;
}

/** The source of all chance in one cluster. */
export interface Random {
  /** The stream called `name`; asking twice gives the same stream, which goes on where it was. */
  stream(name: string): RandomStream;
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
const hexDigits = "0123456789abcdef";

/** Chance from a seed: one seed, one life. */
export class SeededRandom implements Random {
  readonly #seed: string;
  readonly #streams = new Map<string, RandomStream>();

  constructor(seed: number | string) {
    this.#seed = String(seed);
  }

  stream(name: string): RandomStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new Sfc32Stream(`${this.#seed}/${name}`);
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

/** sfc32: small, fast, passes the usual batteries; 32-bit arithmetic only, so every engine gives the same bytes. */
class Sfc32Stream implements RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#a = hash(seed, 0x9e3779b9);
    this.#b = hash(seed, 0x243f6a88);
    this.#c = hash(seed, 0xb7e15162);
    for (let i = 0; i < 15; i++) this.#draw(); // the first draws still show the seed's pattern
  }

  next(): number {
    return this.#draw() / 4294967296;
  }

  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError("cannot pick from an empty list");
    return from[this.integer(0, from.length - 1)] as T;
  }

  uuid(): string {
    let text = "";
    for (let i = 0; i < 32; i++) {
      if (i === 8 || i === 12 || i === 16 || i === 20) text += "-";
      if (i === 12) text += "4";
      else if (i === 16) text += hexDigits[8 + this.integer(0, 3)];
      else text += hexDigits[this.integer(0, 15)];
    }
    return text;
  }

  suffix(length: number): string {
    let text = "";
    for (let i = 0; i < length; i++) text += suffixAlphabet[this.integer(0, suffixAlphabet.length - 1)];
    return text;
  }

  #draw(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return t >>> 0;
  }
}

/** FNV-1a with a final mix: turns a name into 32 well-spread bits. */
function hash(text: string, basis: number): number {
  let h = basis | 0;
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
