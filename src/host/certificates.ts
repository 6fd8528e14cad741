// The cluster's own certificate authority, its server certificate and the administrator's client certificate (api-machinery 9.1). Made once per data
// folder; the library that makes them is only loaded then.

import { createHash, X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
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
  const serverIsGood =
    server !== undefined && serverKey !== undefined && isFresh(server) && coversAll(server, addresses);
  const administratorIsGood = administrator !== undefined && administratorKey !== undefined && isFresh(administrator);
  if (authority !== undefined && serverIsGood && administratorIsGood) {
    return {
      authority,
      server: { certificate: server, key: serverKey },
      administrator: { certificate: administrator, key: administratorKey },
    };
  }

  const { CertificateMaker } = await import("./certificate-maker.ts");
  const maker =
    authority !== undefined && authorityKey !== undefined
      ? await CertificateMaker.from(authority, authorityKey)
      : await CertificateMaker.create(10 * year);
  const made: ClusterCertificates = {
    authority: maker.authority,
    server: serverIsGood ? { certificate: server, key: serverKey } : await maker.server(addresses, year),
    administrator: administratorIsGood
      ? { certificate: administrator, key: administratorKey }
      : await maker.client("kubernetes-admin", ["system:masters"], year),
  };
  // The authority goes last and its key first: a crash in between leaves nothing that would be taken for complete.
  await writeFileDurably(join(folder, files.authorityKey), maker.authorityKey, 0o600);
  await writeFileDurably(join(folder, files.serverKey), made.server.key, 0o600);
  await writeFileDurably(join(folder, files.server), made.server.certificate, 0o644);
  await writeFileDurably(join(folder, files.administratorKey), made.administrator.key, 0o600);
  await writeFileDurably(join(folder, files.administrator), made.administrator.certificate, 0o644);
  await writeFileDurably(join(folder, files.authority), made.authority, 0o644);
  return made;
}

/** SHA-256 of a PEM certificate's DER, lower-case hex: the credential id of api-machinery 9.1. */
export function certificateFingerprint(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

function isFresh(pem: string): boolean {
  return Date.parse(new X509Certificate(pem).validTo) - Date.now() > renewBefore;
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
