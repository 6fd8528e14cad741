// Hands out the addresses of one range, lowest first, so that one order of requests gives one set of addresses.

/** Who gives Pods their addresses. */
export interface AddressAllocator {
  /** @throws Error when the range is used up; worded as the host-local CNI plugin words it. */
  allocate(): string;
  /** Gives an address back; giving back what is free does nothing. */
  release(address: string): void;
}

/**
 * The addresses of an IPv4 range such as `10.244.0.0/24`. The network's own address, the gateway (the first) and the broadcast address are never given.
 * An address that was given back comes last in the queue: a late packet for the old owner should not find a new one.
 */
export class AddressRange implements AddressAllocator {
  readonly #cidr: string;
  readonly #first: number;
  readonly #last: number;
  readonly #used = new Set<number>();
  #next: number;

  /** @throws RangeError if the text is no IPv4 range or the range is too small to hold a Pod. */
  constructor(cidr: string) {
    const { base, bits } = parseCidr(cidr);
    if (bits > 30) throw new RangeError(`${cidr} has no room for Pods`);
    this.#cidr = cidr;
    this.#first = base + 2;
    this.#last = base + 2 ** (32 - bits) - 2;
    this.#next = this.#first;
  }

  allocate(): string {
    const size = this.#last - this.#first + 1;
    for (let step = 0; step < size; step++) {
      const candidate = this.#first + ((this.#next - this.#first + step) % size);
      if (this.#used.has(candidate)) continue;
      this.#used.add(candidate);
      this.#next = candidate === this.#last ? this.#first : candidate + 1;
      return formatAddress(candidate);
    }
    throw new Error(`failed to allocate for range 0: no IP addresses available in range set: ${this.#cidr}`);
  }

  release(address: string): void {
    const number = parseAddress(address);
    if (number !== undefined) this.#used.delete(number);
  }

  /** Marks an address as taken, for one that is found in use after a restart. */
  take(address: string): void {
    const number = parseAddress(address);
    if (number !== undefined && number >= this.#first && number <= this.#last) this.#used.add(number);
  }

  /** The gateway's address: the first of the range. */
  get gateway(): string {
    return formatAddress(this.#first - 1);
  }
}

function parseCidr(cidr: string): { base: number; bits: number } {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(cidr);
  const address = match === null ? undefined : parseAddress(match[1] as string);
  const bits = match === null ? Number.NaN : Number(match[2]);
  if (address === undefined || !(bits >= 0 && bits <= 32)) throw new RangeError(`${cidr} is not an IPv4 range`);
  return { base: address - (address % 2 ** (32 - bits)), bits };
}

function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

function formatAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
