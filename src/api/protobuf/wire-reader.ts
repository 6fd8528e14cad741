/** Bytes that are not the protobuf they were said to be. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtobufError";
  }
}

export type WireType = "varint" | "fixed64" | "bytes" | "fixed32";

const wireTypes: readonly (WireType | undefined)[] = ["varint", "fixed64", "bytes", undefined, undefined, "fixed32"];

/** Reads protobuf's wire format from front to back. Every method throws ProtobufError instead of reading beyond the end. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field's number and wire type. */
  tag(): { readonly number: number; readonly wire: WireType } {
    const tag = this.#small();
    const wire = wireTypes[tag & 7];
    const number = tag >>> 3;
    if (wire === undefined || number === 0) throw new ProtobufError(`proto: illegal wireType ${tag & 7}`);
    return { number, wire };
  }

  /** A signed integer of up to 64 bits. Whole numbers that a double cannot hold exactly are refused rather than changed. */
  integer(): number {
    const value = Number(BigInt.asIntN(64, this.#varint()));
    if (!Number.isSafeInteger(value)) throw new ProtobufError("proto: integer overflow");
    return value;
  }

  boolean(): boolean {
    return this.#varint() !== 0n;
  }

  double(): number {
    const bytes = this.#take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  bytes(): Uint8Array {
    return this.#take(this.#small());
  }

  skip(wire: WireType): void {
    switch (wire) {
      case "varint":
        this.#varint();
        return;
      case "fixed64":
        this.#take(8);
        return;
      case "fixed32":
        this.#take(4);
        return;
      case "bytes":
        this.bytes();
        return;
    }
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new ProtobufError("unexpected EOF");
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  /** A tag or a length: fits 32 bits, or is wrong. */
  #small(): number {
    const value = this.#varint();
    if (value > 0x7fffffffn) throw new ProtobufError("proto: invalid length found during unmarshaling");
    return Number(value);
  }

  #varint(): bigint {
    let low = 0;
    // Nearly all varints are short; 28 bits fit a plain integer.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError("proto: integer overflow");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new ProtobufError("unexpected EOF");
    this.#at += 1;
    return byte;
  }
}
