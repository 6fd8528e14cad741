// Addresses that lead nowhere, or not where the sender means: they cannot be where traffic is sent.

import { type FieldError, invalid } from "../../meta/field-errors.ts";
import { isIpv4 } from "../../meta/names.ts";

/**
 * Complaints about an address that is valid but special. Unlike upstream's, this check lets loopback addresses pass: the Pods of the process runtime
 * have them.
 */
export function specialAddressErrors(address: string, path: string): FieldError[] {
  const text = isIpv4(address) ? specialIpv4(address) : specialIpv6(address.toLowerCase());
  return text === undefined ? [] : [invalid(path, address, text)];
}

function specialIpv4(address: string): string | undefined {
  const [a, b, c] = address.split(".").map(Number);
  if (address === "0.0.0.0") return unspecified;
  if (a === 169 && b === 254) return linkLocal;
  return a === 224 && b === 0 && c === 0 ? linkLocalMulticast : undefined;
}

function specialIpv6(address: string): string | undefined {
  if (/^[0:]+$/.test(address)) return unspecified;
  if (/^fe[89ab][0-9a-f]:/.test(address)) return linkLocal;
  return /^ff[0-9a-f]2:/.test(address) ? linkLocalMulticast : undefined;
}

const unspecified = "may not be unspecified (0.0.0.0 or ::)";
const linkLocal = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
const linkLocalMulticast = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/16)";
