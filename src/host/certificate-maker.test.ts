import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CertificateMaker } from "./certificate-maker.ts";

const day = 24 * 3600 * 1000;

const hasOpenssl = ((): boolean => {
  try {
    execFileSync("openssl", ["version"]);
    return true;
  } catch {
    return false;
  }
})();

function inFolder<T>(texts: Readonly<Record<string, string>>, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "lifepod-maker-"));
  try {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An authority as another program writes it: a subject in PrintableString, a key identifier of its own making, many years. */
function foreignAuthority(): { certificate: string; key: string } {
  const configuration = `[req]
distinguished_name = name
string_mask = pkix
x509_extensions = extensions
prompt = no
[name]
O = Somebody
CN = their authority
[extensions]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = 0102030405060708
`;
  return inFolder({ configuration }, (folder) => {
    const files = [
      "-config",
      join(folder, "configuration"),
      "-keyout",
      join(folder, "key"),
      "-out",
      join(folder, "crt"),
    ];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execFileSync("openssl", ["req", "-x509", "-days", "36500", ...key, ...files], { stdio: "pipe" });
    return {
      certificate: readFileSync(join(folder, "crt"), "utf8"),
      key: readFileSync(join(folder, "key"), "utf8"),
    };
  });
}

const describe = (pem: string): string =>
  inFolder({ "a.crt": pem }, (folder) =>
    execFileSync("openssl", ["x509", "-in", join(folder, "a.crt"), "-noout", "-text"], { encoding: "utf8" }),
  );

it("makes an authority whose key fits, valid from a little ago for as long as asked", () => {
  const maker = CertificateMaker.create(10 * day);
  const authority = new X509Certificate(maker.authority);
  expect(authority.ca).toBe(true);
  expect(authority.subject).toBe("CN=lifepod");
  expect(authority.issuer).toBe("CN=lifepod");
  expect(authority.checkPrivateKey(createPrivateKey(maker.authorityKey))).toBe(true);
  expect(authority.verify(authority.publicKey)).toBe(true);
  expect(Date.parse(authority.validFrom)).toBeLessThan(Date.now());
  expect(Date.parse(authority.validTo) - Date.now()).toBeGreaterThan(9.9 * day);
});

it("makes a server certificate for names and addresses of both families", () => {
  const addresses = ["localhost", "127.0.0.1", "::1", "2001:db8::a:b", "::ffff:10.0.0.1", "fe80:0:0:0:1:2:3:4"];
  const server = new X509Certificate(CertificateMaker.create(day).server(addresses, day).certificate);
  expect(server.subjectAltName).toBe(
    "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:A:B, IP Address:0:0:0:0:0:FFFF:A00:1, IP Address:FE80:0:0:0:1:2:3:4",
  );
  expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
});

it("makes a client certificate with every group, in a script of any language", () => {
  const maker = CertificateMaker.create(day);
  const { certificate, key } = maker.client("jürgen", ["one", "two"], day);
  const client = new X509Certificate(certificate);
  expect(client.toLegacyObject().subject).toMatchObject({ CN: "jürgen", O: ["one", "two"] });
  expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(client.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(client.checkIssued(new X509Certificate(maker.authority))).toBe(true);
});

it("gives every certificate a serial number of its own", () => {
  const maker = CertificateMaker.create(day);
  const serials = Array.from(
    { length: 20 },
    () => new X509Certificate(maker.client("a", [], day).certificate).serialNumber,
  );
  expect(new Set(serials).size).toBe(20);
});

it.skipIf(!hasOpenssl)("goes on with an authority that another program made", () => {
  const foreign = foreignAuthority();
  const maker = CertificateMaker.from(foreign.certificate, foreign.key);
  const authority = new X509Certificate(foreign.certificate);
  const server = new X509Certificate(maker.server(["localhost"], day).certificate);
  expect(server.checkIssued(authority)).toBe(true);
  expect(server.verify(authority.publicKey)).toBe(true);
});

it("says what to do with a key file that holds no key", () => {
  const { authority } = CertificateMaker.create(day);
  expect(() => CertificateMaker.from(authority, "nothing")).toThrow(/holds no PEM block: restore it/);
});

it.skipIf(!hasOpenssl)("is taken by openssl, strictly, for what each certificate is for", () => {
  const foreign = foreignAuthority();
  for (const maker of [CertificateMaker.create(day), CertificateMaker.from(foreign.certificate, foreign.key)]) {
    const texts = {
      "ca.crt": maker.authority,
      "server.crt": maker.server(["localhost", "::1"], day).certificate,
      "client.crt": maker.client("a", ["b"], day).certificate,
    };
    inFolder(texts, (folder) => {
      for (const [purpose, file] of [
        ["sslserver", "server.crt"],
        ["sslclient", "client.crt"],
      ] as const) {
        const options = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", join(folder, "ca.crt")];
        expect(execFileSync("openssl", [...options, join(folder, file)], { encoding: "utf8" })).toMatch(/: OK\n$/);
      }
    });
  }
});

it.skipIf(!hasOpenssl)("says in its extensions what it may be used for", () => {
  const maker = CertificateMaker.create(day);
  const authority = describe(maker.authority);
  expect(authority).toMatch(/Basic Constraints: critical\s+CA:TRUE/);
  expect(authority).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/);
  const client = describe(maker.client("a", ["b"], day).certificate);
  expect(client).toMatch(/Version: 3 /);
  expect(client).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
  expect(client).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
  const identifier = /Subject Key Identifier:\s+(\S+)/.exec(authority)?.[1];
  expect(client).toContain(identifier);
});
