// A range of IPv4 addresses in CIDR notation.

import { isIpv4 } from "../../api/meta/names.ts";

export interface Ipv4Range {
  /** As people write it: `10.96.0.0/16`. */
  readonly text: string;
  /** The network's own address as a number. */
  readonly base: number;
  /** How many addresses lie in it, the network's own and the broadcast address included. */
  readonly size: number;
}

/** @throws Error for what is no IPv4 range of 8 to 2^20 addresses */
export function parseIpv4Range(text: string): Ipv4Range {
  const [address = "", length = ""] = text.split("/");
  const bits = Number(length);
  if (!isIpv4(address) || !/^\d{1,2}$/.test(length) || bits < 12 || bits > 29) {
    throw new Error(`${text} is not a range of IPv4 addresses like 10.96.0.0/16, from /12 to /29`);
  }
  const size = 2 ** (32 - bits);
  const base = Math.floor(ipv4Number(address) / size) * size;
  return { text: `${ipv4Text(base)}/${bits}`, base, size };
}

/** The address at a place in the range; 0 is the network itself. */
export function addressAt(range: Ipv4Range, place: number): string {
  return ipv4Text(range.base + place);
}

/** The place of an address in the range; undefined if it lies outside, or no host can have it. */
export function placeOf(range: Ipv4Range, address: string): number | undefined {
  if (!isIpv4(address)) return undefined;
  const place = ipv4Number(address) - range.base;
  return place > 0 && place < range.size - 1 ? place : undefined;
}

function ipv4Number(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

function ipv4Text(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
