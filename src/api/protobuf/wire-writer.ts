/** Writes protobuf's wire format. Zero values of scalars are the caller's business: what is written here is on the wire. */
export class WireWriter {
  #parts: Uint8Array[] = [];
  #length = 0;

  text(number: number, value: string): this {
    return this.bytes(number, encoder.encode(value));
  }

  message(number: number, value: WireWriter): this {
    return this.bytes(number, value.finish());
  }

  boolean(number: number, value: boolean): this {
    return this.#append(varint(number << 3), varint(value ? 1 : 0));
  }

  bytes(number: number, value: Uint8Array): this {
    return this.#append(varint((number << 3) | 2), varint(value.length), value);
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #append(...parts: readonly Uint8Array[]): this {
    for (const part of parts) {
      this.#parts.push(part);
      this.#length += part.length;
    }
    return this;
  }
}

const encoder = new TextEncoder();

/** Of a number below 2^31: tags and lengths. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
