import { writeFileDurably } from "./durable-file.ts";
import type { ClusterCertificates } from "./certificates.ts";

/** Writes the file that lets kubectl in as the administrator (mode 0600: it holds a private key). */
export async function writeKubeconfig(path: string, server: string, certificates: ClusterCertificates): Promise<void> {
  await writeFileDurably(path, kubeconfig(server, certificates), 0o600);
}

/** The text of a kubeconfig with one cluster, one user and one context, all called `lifepod`. */
export function kubeconfig(server: string, certificates: ClusterCertificates): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return `apiVersion: v1
kind: Config
clusters:
- name: lifepod
  cluster:
    server: ${server}
    certificate-authority-data: ${base64(certificates.authority)}
users:
- name: lifepod
  user:
    client-certificate-data: ${base64(certificates.administrator.certificate)}
    client-key-data: ${base64(certificates.administrator.key)}
contexts:
- name: lifepod
  context:
    cluster: lifepod
    user: lifepod
current-context: lifepod
`;
}
