// Makes certificates: P-256 keys, signed by the cluster's own authority. Loaded only when something has to be made.

import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { isIpAddress, type KeyPair } from "./certificates.ts";

x509.cryptoProvider.set(webcrypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** Clocks of client and server may differ a little. */
const backdate = 5 * 60 * 1000;

export class CertificateMaker {
  /** PEM. */
  readonly authority: string;
  /** PEM (PKCS #8). */
  readonly authorityKey: string;
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(
    authority: string,
    authorityKey: string,
    certificate: x509.X509Certificate,
    key: webcrypto.CryptoKey,
  ) {
    this.authority = authority;
    this.authorityKey = authorityKey;
    this.#certificate = certificate;
    this.#key = key;
  }

  /** A new authority. */
  static async create(validFor: number): Promise<CertificateMaker> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerial(),
      name: "CN=lifepod",
      notBefore: new Date(Date.now() - backdate),
      notAfter: new Date(Date.now() + validFor),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateMaker(
      `${certificate.toString("pem")}\n`,
      await pemOf(keys.privateKey),
      certificate,
      keys.privateKey,
    );
  }

  /** The authority of PEM texts. */
  static async from(authority: string, authorityKey: string): Promise<CertificateMaker> {
    const pkcs8 = x509.PemConverter.decode(authorityKey)[0];
    if (pkcs8 === undefined)
      throw new Error(
        "the authority's key file holds no PEM block: restore it, or remove the folder to start with a new authority",
      );
    const key = await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]);
    return new CertificateMaker(authority, authorityKey, new x509.X509Certificate(authority), key);
  }

  server(addresses: readonly string[], validFor: number): Promise<KeyPair> {
    const names = addresses.map((value) => ({ type: isIpAddress(value) ? ("ip" as const) : ("dns" as const), value }));
    return this.#issue([{ CN: ["kube-apiserver"] }], x509.ExtendedKeyUsage.serverAuth, validFor, [
      new x509.SubjectAlternativeNameExtension(names),
    ]);
  }

  client(user: string, groups: readonly string[], validFor: number): Promise<KeyPair> {
    const subject = [...groups.map((group) => ({ O: [group] })), { CN: [user] }];
    return this.#issue(subject, x509.ExtendedKeyUsage.clientAuth, validFor, []);
  }

  async #issue(
    subject: x509.JsonName,
    usage: x509.ExtendedKeyUsage,
    validFor: number,
    extra: x509.Extension[],
  ): Promise<KeyPair> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: new x509.Name(subject).toString(),
      issuer: this.#certificate.subject,
      notBefore: new Date(Date.now() - backdate),
      notAfter: new Date(Date.now() + validFor),
      publicKey: keys.publicKey,
      signingKey: this.#key,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate),
        ...extra,
      ],
    });
    return { certificate: `${certificate.toString("pem")}\n`, key: await pemOf(keys.privateKey) };
  }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

/** A positive serial of 15 random bytes, hex. */
function newSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(15));
  return `00${Buffer.from(bytes).toString("hex")}`;
}
