import { createPrivateKey, X509Certificate } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ClusterCertificates, loadOrCreateCertificates } from "./certificates.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lifepod-pki-"));
});
afterEach(() => rm(folder, { recursive: true }));

const addresses = ["localhost", "127.0.0.1", "kubernetes.default.svc"];

it("makes an authority, a server certificate for every address and an administrator in system:masters", async () => {
  const made = await loadOrCreateCertificates(folder, addresses);
  const authority = new X509Certificate(made.authority);
  const server = new X509Certificate(made.server.certificate);
  const administrator = new X509Certificate(made.administrator.certificate);
  expect(authority.ca).toBe(true);
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(administrator.verify(authority.publicKey)).toBe(true);
  expect(server.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(server.checkHost("kubernetes.default.svc")).toBe("kubernetes.default.svc");
  expect(administrator.subject.split("\n").sort()).toEqual(["CN=kubernetes-admin", "O=system:masters"]);
});

it("gives the same certificates at the next start", async () => {
  const first = await loadOrCreateCertificates(folder, addresses);
  expect(await loadOrCreateCertificates(folder, addresses)).toEqual(first);
});

it("makes only a new server certificate when an address is added", async () => {
  const first = await loadOrCreateCertificates(folder, addresses);
  const second = await loadOrCreateCertificates(folder, [...addresses, "10.1.2.3"]);
  expect(second.authority).toBe(first.authority);
  expect(second.administrator).toEqual(first.administrator);
  expect(second.server).not.toEqual(first.server);
  expect(new X509Certificate(second.server.certificate).verify(new X509Certificate(first.authority).publicKey)).toBe(
    true,
  );
});

it("makes a new pair when a crash left a key beside another's certificate", async () => {
  await loadOrCreateCertificates(folder, addresses);
  await copyFile(join(folder, "admin.key"), join(folder, "server.key"));
  const { server } = await loadOrCreateCertificates(folder, addresses);
  expect(new X509Certificate(server.certificate).checkPrivateKey(createPrivateKey(server.key))).toBe(true);
});

it("keeps private keys from other users", async () => {
  await loadOrCreateCertificates(folder, addresses);
  for (const name of ["ca.key", "server.key", "admin.key"])
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
});

it("says what to do when the authority's key is lost", async () => {
  await loadOrCreateCertificates(folder, addresses);
  await rm(join(folder, "ca.key"));
  await expect(loadOrCreateCertificates(folder, addresses)).rejects.toThrow(
    /ca\.key is missing while ca\.crt is there: restore it/,
  );
  expect(await readFile(join(folder, "ca.crt"), "utf8")).toContain("BEGIN CERTIFICATE");
});

it("serves TLS that trusts the administrator and is trusted by it", async () => {
  const made: ClusterCertificates = await loadOrCreateCertificates(folder, addresses);
  const server = createServer({
    cert: made.server.certificate,
    key: made.server.key,
    ca: made.authority,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const peer = new Promise((resolve) =>
    server.once("secureConnection", (socket) => resolve(socket.getPeerCertificate().subject.CN)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = (server.address() as { port: number }).port;
  const client = connect({
    port,
    host: "127.0.0.1",
    ca: made.authority,
    cert: made.administrator.certificate,
    key: made.administrator.key,
  });
  expect(await peer).toBe("kubernetes-admin");
  client.destroy();
  server.close();
});
