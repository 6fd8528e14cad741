// The cluster's own certificate authority, its server certificate and the administrator's client certificate (api-machinery 9.1). Made once per data folder.

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateMaker } from "./certificate-maker.ts";
import { writeFileDurably } from "./durable-file.ts";

/** PEM texts. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface ClusterCertificates {
  /** The authority's certificate, PEM: what clients must trust and what client certificates are checked against. */
  readonly authority: string;
  readonly server: KeyPair;
  /** User `kubernetes-admin` in group `system:masters`. */
  readonly administrator: KeyPair;
}

const files = {
  authority: "ca.crt",
  authorityKey: "ca.key",
  server: "server.crt",
  serverKey: "server.key",
  administrator: "admin.crt",
  administratorKey: "admin.key",
} as const;

const year = 365 * 24 * 3600 * 1000;
/** A leaf certificate with less than this left is replaced at the next start. */
const renewBefore = 30 * 24 * 3600 * 1000;

/**
 * Reads the certificates of a data folder, and makes what is missing, too old, or (the server's) not valid for all of `addresses`.
 * @param folder is made with mode 0700 if it is not there
 * @param addresses host names and IP addresses that the server is reached at
 */
export async function loadOrCreateCertificates(
  folder: string,
  addresses: readonly string[],
): Promise<ClusterCertificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const read = async (name: string): Promise<string | undefined> =>
    readFile(join(folder, name), "utf8").catch(absentIsUndefined);
  const [authority, authorityKey, server, serverKey, administrator, administratorKey] = await Promise.all(
    [
      files.authority,
      files.authorityKey,
      files.server,
      files.serverKey,
      files.administrator,
      files.administratorKey,
    ].map(read),
  );

  if (authority !== undefined && authorityKey === undefined) {
    throw new Error(
      `${join(folder, files.authorityKey)} is missing while ${files.authority} is there: restore it, or remove the folder to start with a new authority`,
    );
  }
  const goodServer = goodPair(server, serverKey);
  const present = {
    server: goodServer !== undefined && coversAll(goodServer.certificate, addresses) ? goodServer : undefined,
    administrator: goodPair(administrator, administratorKey),
  };
  if (authority !== undefined && present.server !== undefined && present.administrator !== undefined) {
    return { authority, server: present.server, administrator: present.administrator };
  }

  const maker =
    authority !== undefined && authorityKey !== undefined
      ? CertificateMaker.from(authority, authorityKey)
      : CertificateMaker.create(10 * year);
  const made: ClusterCertificates = {
    authority: maker.authority,
    server: present.server ?? maker.server(addresses, year),
    administrator: present.administrator ?? maker.client("kubernetes-admin", ["system:masters"], year),
  };
  const write = (name: string, text: string, mode: number): Promise<void> =>
    writeFileDurably(join(folder, name), text, mode);
  // The authority goes last: a crash before that leaves nothing that would be taken for complete.
  await Promise.all([
    write(files.authorityKey, maker.authorityKey, 0o600),
    write(files.serverKey, made.server.key, 0o600),
    write(files.server, made.server.certificate, 0o644),
    write(files.administratorKey, made.administrator.key, 0o600),
    write(files.administrator, made.administrator.certificate, 0o644),
  ]);
  await write(files.authority, made.authority, 0o644);
  return made;
}

/** SHA-256 of a PEM certificate's DER, lower-case hex: the credential id of api-machinery 9.1. */
export function certificateFingerprint(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

/** The pair, if both are there, belong together (a crash may have come between their writes) and last long enough. */
function goodPair(certificate: string | undefined, key: string | undefined): KeyPair | undefined {
  if (certificate === undefined || key === undefined) return undefined;
  const read = new X509Certificate(certificate);
  const isGood = Date.parse(read.validTo) - Date.now() > renewBefore && read.checkPrivateKey(createPrivateKey(key));
  return isGood ? { certificate, key } : undefined;
}

function coversAll(pem: string, addresses: readonly string[]): boolean {
  const certificate = new X509Certificate(pem);
  return addresses.every(
    (address) => (isIpAddress(address) ? certificate.checkIP(address) : certificate.checkHost(address)) !== undefined,
  );
}

export const isIpAddress = (address: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(address) || address.includes(":");

function absentIsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
