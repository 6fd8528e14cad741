// `lifepod reset`: ends what a stopped cluster left running and removes its folder.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { startStandaloneCluster } from "../standalone/standalone-cluster.ts";
import { dataFolder, defaultDataFolder, readServerRecord } from "../standalone/data-folder.ts";
import { endDeadRuns } from "../standalone/dead-runs.ts";
import { CommandError } from "./command-error.ts";

/** @returns the exit status: 1 if the person said no */
export async function resetCommand(options: { readonly data?: string; readonly yes?: boolean }): Promise<number> {
  const folder = dataFolder(options.data ?? defaultDataFolder());
  const record = await readServerRecord(folder);
  if (record === undefined || !existsSync(folder.certificates))
    throw new CommandError(`there is no cluster in ${folder.root}: nothing to reset`, 1);
  if (
    options.yes !== true &&
    !(await confirmed(
      `End all Pods of the cluster in ${folder.root} and remove the folder with everything in it? [y/N] `,
    ))
  )
    return 1;
  // Only a cluster knows how to end its Pods: it is started once more, without being announced. One that runs already holds the store, and says so.
  const cluster = await startStandaloneCluster({
    folder: folder.root,
    durable: true,
    host: "127.0.0.1",
    port: 0,
    runtime: record.runtime,
    ...(record.runtimeEndpoint !== undefined && { runtimeEndpoint: record.runtimeEndpoint }),
    log: () => undefined,
  });
  await cluster.stop({ pods: "end" });
  await rm(folder.root, { recursive: true, force: true });
  process.stdout.write(`${folder.root} is gone\n`);
  await endDeadRuns((message) => process.stdout.write(`${message}\n`));
  return 0;
}

async function confirmed(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true)
    throw new CommandError("reset asks before it removes anything, and there is no terminal to ask in: use --yes");
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await reader.question(question);
  reader.close();
  return /^y(es)?$/i.test(answer.trim());
}
