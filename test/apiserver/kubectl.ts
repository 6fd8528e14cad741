// Where the real kubectl binaries of this machine are. The tests that need one name what they skip when there is none.

import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The versions that lifepod promises to work with. */
export const promisedKubectlVersions = ["1.27", "1.31", "1.32", "1.33"] as const;

/** Path of `kubectl.<version>`, as the package google-cloud-cli of Debian's neighbours installs them; undefined when it is not there. */
export function findKubectl(version: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/lib/google-cloud-sdk/bin"];
  return folders.map((folder) => join(folder, `kubectl.${version}`)).find(isExecutable);
}

export interface KubectlResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl against a server on plain HTTP, with a home of its own. */
export function runKubectl(
  binary: string,
  server: string,
  home: string,
  args: readonly string[],
  stdin = "",
): Promise<KubectlResult> {
  return new Promise((resolve) => {
    const env = { HOME: home, KUBECONFIG: "/dev/null", PATH: process.env["PATH"] };
    const child = execFile(binary, [`--server=${server}`, ...args], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
    child.stdin?.end(stdin);
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
