// Makes certificates (RFC 5280): P-256 keys, signed by the cluster's own authority. The keys and signatures are node's; what is put around them here is
// small, and a library for it would take longer to load than everything else that a first start does (docs/decisions/0007-own-certificates.md).

import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import type { KeyPair } from "./certificates.ts";
import {
  bitString,
  boolean,
  type DerValue,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  readDer,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";

const oids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Bits of KeyUsage, counted from the most significant. */
const keyUsages = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;

/** Clocks of client and server may differ a little. */
const backdate = 5 * 60 * 1000;

/** What an authority puts into everything it signs. */
interface Issuer {
  /** DER of its name. */
  readonly name: Buffer;
  readonly keyIdentifier: Buffer;
  readonly key: KeyObject;
}

export class CertificateMaker {
  /** PEM. */
  readonly authority: string;
  /** PEM (PKCS #8). */
  readonly authorityKey: string;
  readonly #issuer: Issuer;

  private constructor(authority: string, authorityKey: string, issuer: Issuer) {
    this.authority = authority;
    this.authorityKey = authorityKey;
    this.#issuer = issuer;
  }

  /** A new authority. @param validFor milliseconds, here and below */
  static create(validFor: number): CertificateMaker {
    const { publicKey, privateKey } = newKeys();
    const name = nameOf([[oids.commonName, "lifepod"]]);
    const issuer: Issuer = { name, keyIdentifier: keyIdentifierOf(publicKey), key: privateKey };
    const authority = certificate(issuer, name, publicKey, validFor, [
      critical(oids.basicConstraints, sequence(boolean(true))),
      critical(oids.keyUsage, usageBits("digitalSignature", "keyCertSign", "cRLSign")),
      extension(oids.subjectKeyIdentifier, octetString(issuer.keyIdentifier)),
    ]);
    return new CertificateMaker(authority, pemOfKey(privateKey), issuer);
  }

  /** The authority of PEM texts. @throws Error that says what to do when one of them is none */
  static from(authority: string, authorityKey: string): CertificateMaker {
    if (!authorityKey.includes("-----BEGIN "))
      throw new Error(
        "the authority's key file holds no PEM block: restore it, or remove the folder to start with a new authority",
      );
    const { raw, publicKey } = new X509Certificate(authority);
    return new CertificateMaker(authority, authorityKey, {
      name: subjectOf(raw),
      keyIdentifier: statedKeyIdentifier(raw) ?? keyIdentifierOf(publicKey),
      key: createPrivateKey(authorityKey),
    });
  }

  server(addresses: readonly string[], validFor: number): KeyPair {
    const names = sequence(...addresses.map(generalName));
    return this.#issue([[oids.commonName, "kube-apiserver"]], oids.serverAuth, validFor, [
      extension(oids.subjectAlternativeName, names),
    ]);
  }

  client(user: string, groups: readonly string[], validFor: number): KeyPair {
    const organizations = groups.map((group): Attribute => [oids.organization, group]);
    return this.#issue([...organizations, [oids.commonName, user]], oids.clientAuth, validFor, []);
  }

  #issue(subject: readonly Attribute[], usage: string, validFor: number, extra: readonly Buffer[]): KeyPair {
    const { publicKey, privateKey } = newKeys();
    const pem = certificate(this.#issuer, nameOf(subject), publicKey, validFor, [
      critical(oids.basicConstraints, sequence()),
      critical(oids.keyUsage, usageBits("digitalSignature")),
      extension(oids.extendedKeyUsage, sequence(objectIdentifier(usage))),
      extension(oids.authorityKeyIdentifier, sequence(implicit(0, this.#issuer.keyIdentifier))),
      ...extra,
    ]);
    return { certificate: pem, key: pemOfKey(privateKey) };
  }
}

/** PEM. RFC 5280 4.1. */
function certificate(
  issuer: Issuer,
  subject: Buffer,
  publicKey: KeyObject,
  validFor: number,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(objectIdentifier(oids.ecdsaWithSha256));
  const signed = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(randomBytes(15)),
    algorithm,
    issuer.name,
    sequence(time(new Date(Date.now() - backdate)), time(new Date(Date.now() + validFor))),
    subject,
    publicKeyInfo(publicKey),
    explicit(3, sequence(...extensions)),
  );
  const whole = sequence(signed, algorithm, bitString(sign("sha256", signed, issuer.key)));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

type Attribute = readonly [oid: string, value: string];

const nameOf = (attributes: readonly Attribute[]): Buffer =>
  sequence(...attributes.map(([oid, value]) => setOf(sequence(objectIdentifier(oid), utf8String(value)))));

const extension = (oid: string, value: Buffer): Buffer => sequence(objectIdentifier(oid), octetString(value));
const critical = (oid: string, value: Buffer): Buffer =>
  sequence(objectIdentifier(oid), boolean(true), octetString(value));

/** Named bits end with the last that is set (X.690 11.2.2). */
function usageBits(...usages: readonly (keyof typeof keyUsages)[]): Buffer {
  const bits = usages.map((usage) => keyUsages[usage]);
  const octet = bits.reduce<number>((sum, bit) => sum | (0x80 >> bit), 0);
  return bitString(Buffer.from([octet]), 7 - Math.max(...bits));
}

function generalName(address: string): Buffer {
  if (isIPv4(address)) return implicit(7, Buffer.from(address.split(".").map(Number)));
  if (isIPv6(address)) return implicit(7, ipv6Octets(address));
  return implicit(2, Buffer.from(address, "ascii"));
}

function ipv6Octets(address: string): Buffer {
  const [head = "", tail] = new SocketAddress({ address, family: "ipv6" }).address.split("::");
  const groups = (text: string): string[] => text.split(":").filter(Boolean).flatMap(withoutDots);
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** `::ffff:10.0.0.1` ends in an IPv4 address, which stands for two groups. */
function withoutDots(group: string): string[] {
  if (!group.includes(".")) return [group];
  const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}

/** The first way of RFC 5280 4.2.1.2: SHA-1 of the public key's bits. */
function keyIdentifierOf(key: KeyObject): Buffer {
  const [info] = readDer(publicKeyInfo(key));
  const [, bits] = inside(info);
  // The first octet of a bit string counts its unused bits.
  const hash = createHash("sha1");
  if (bits !== undefined) hash.update(bits.content.subarray(1));
  return hash.digest();
}

const publicKeyInfo = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });

/** The fields of a certificate: version, serial number, algorithm, issuer, validity, subject, key, extensions. */
const fieldsOf = (raw: Buffer): DerValue[] => inside(inside(readDer(raw)[0])[0]);

/** Byte for byte: some clients compare names that way. */
const subjectOf = (raw: Buffer): Buffer => fieldsOf(raw)[5]?.whole ?? Buffer.alloc(0);

/** What the authority's own certificate says that its key is called. */
function statedKeyIdentifier(raw: Buffer): Buffer | undefined {
  const wanted = objectIdentifier(oids.subjectKeyIdentifier);
  for (const one of inside(inside(fieldsOf(raw)[7])[0])) {
    const parts = inside(one);
    if (parts[0]?.whole.equals(wanted) === true) return inside(parts.at(-1))[0]?.content;
  }
  return undefined;
}

const inside = (value: DerValue | undefined): DerValue[] => (value === undefined ? [] : readDer(value.content));

const newKeys = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync("ec", { namedCurve: "prime256v1" });

const pemOfKey = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();
