// What a `lifepod run` leaves that was killed: its Pods go on, and its folder stays. The next lifepod ends the Pods and removes the folder, but only of runs
// that have ended beyond doubt.

import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasSurelyEnded, type ProcessIdentity, thisProcess } from "../store/lmdb/store-owner.ts";
import { dataFolder, readServerRecord } from "./data-folder.ts";
import { startStandaloneCluster } from "./standalone-cluster.ts";

const prefix = "lifepod-run-";
/** Says whose folder it is. */
const runFile = "run.json";
/** Says who is cleaning up after it. */
const cleanerFile = "cleaner.json";

/** Makes the folder of a throw-away cluster, marked as this process's. */
export async function makeRunFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await writeFile(join(folder, runFile), JSON.stringify(thisProcess()), { mode: 0o600 });
  return folder;
}

/** Ends the Pods of this user's dead runs and removes their folders. What cannot be cleaned up is told and stays for the next time. */
export async function endDeadRuns(log: (message: string) => void): Promise<void> {
  for (const folder of await runFolders()) {
    try {
      const owner = await identityIn(folder, runFile);
      if (owner === undefined || !hasSurelyEnded(owner) || !(await claim(folder))) continue;
      await endRun(folder);
      log(`cleaned up after lifepod run, process ${owner.pid}, which was killed: ${folder} and its Pods are gone`);
    } catch (error) {
      log(`cannot clean up after a lifepod run that was killed (${folder}): ${(error as Error).message}`);
    }
  }
}

/** This user's; nobody else's folder is looked into. */
async function runFolders(): Promise<readonly string[]> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  const folders = await Promise.all(
    names.map(async (name) => {
      const folder = join(tmpdir(), name);
      const status = await lstat(folder).catch(ifGone);
      return status?.isDirectory() === true && status.uid === process.getuid?.() ? [folder] : [];
    }),
  );
  return folders.flat();
}

/** Only one cleans up. One that died over it is replaced. */
async function claim(folder: string): Promise<boolean> {
  const path = join(folder, cleanerFile);
  const cleaner = await identityIn(folder, cleanerFile);
  if (cleaner !== undefined && !hasSurelyEnded(cleaner)) return false;
  if (cleaner !== undefined) await rm(path, { force: true });
  try {
    await writeFile(path, JSON.stringify(thisProcess()), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false; // somebody else was faster
    throw error;
  }
}

async function identityIn(folder: string, file: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(join(folder, file), "utf8").catch(ifGone);
  // Empty: it was killed before it could say who it is, and nothing was started yet.
  return text === undefined || text === "" ? undefined : (JSON.parse(text) as ProcessIdentity);
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** Its state was in memory: a cluster that starts over its folder knows none of its Pods, and its kubelet ends whatever it finds of its own. */
async function endRun(root: string): Promise<void> {
  const folder = dataFolder(root);
  const record = await readServerRecord(folder);
  if (record !== undefined) {
    const cluster = await startStandaloneCluster({
      folder: root,
      durable: false,
      host: "127.0.0.1",
      port: 0,
      runtime: record.runtime,
      ...(record.runtimeEndpoint !== undefined && { runtimeEndpoint: record.runtimeEndpoint }),
      ...(record.images !== undefined && { images: record.images }),
      log: () => undefined,
    });
    try {
      await cluster.whenNodeReady();
    } finally {
      await cluster.stop({ pods: "end" });
    }
  }
  await rm(root, { recursive: true, force: true });
}
