import { readFileSync } from "node:fs";

/** What it takes to speak TLS as the administrator of a lifepod, from the kubeconfig that it wrote. */
export function credentials(path: string): { ca: Buffer; cert: Buffer; key: Buffer } {
  const text = readFileSync(path, "utf8");
  const part = (name: string): Buffer => Buffer.from(new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? "", "base64");
  return {
    ca: part("certificate-authority-data"),
    cert: part("client-certificate-data"),
    key: part("client-key-data"),
  };
}
