import { execFile } from "node:child_process";
import { join } from "node:path";
import type { Load, LoadResult } from "./load-client.ts";

/** Puts load on a server from a process of its own. @throws if any request was refused */
export async function putLoad(load: Load): Promise<LoadResult> {
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, "load-client.js"), JSON.stringify(load)],
      { maxBuffer: 512 * 1024 * 1024 },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    );
  });
  const result = JSON.parse(output) as LoadResult;
  if (result.failures > 0)
    throw new Error(`${result.failures} of ${load.requests} requests to ${load.path} were refused`);
  return result;
}
