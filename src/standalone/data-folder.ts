import { chmod, mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { writeFileDurably } from "../host/durable-file.ts";

/** Where everything of one cluster lies. Paths below `root` are lifepod's alone. */
export interface DataFolder {
  readonly root: string;
  readonly certificates: string;
  readonly store: string;
  readonly kubeconfig: string;
  /** Pods' volumes, hosts files, termination messages. */
  readonly pods: string;
  readonly podLogs: string;
  /** State of the process runtime. */
  readonly processes: string;
  /** Which part of the machine's Service addresses is this cluster's. */
  readonly addresses: string;
  /** What the last `up` listened on. */
  readonly server: string;
}

/** What `server.json` holds. */
export interface ServerRecord {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly runtime: "process" | "containerd";
  /** The socket that was named; absent for the usual ones. */
  readonly runtimeEndpoint?: string;
  /** What images stand for on the process runtime. */
  readonly images?: Readonly<Record<string, string>>;
}

/** The folder that is used when none is named: `$LIFEPOD_DATA`, else `lifepod` in the user's data folder, for root `/var/lib/lifepod`. */
export function defaultDataFolder(): string {
  const { LIFEPOD_DATA, XDG_DATA_HOME } = process.env;
  if (LIFEPOD_DATA !== undefined && LIFEPOD_DATA !== "") return resolve(LIFEPOD_DATA);
  if (process.getuid?.() === 0) return "/var/lib/lifepod";
  return join(
    XDG_DATA_HOME === undefined || XDG_DATA_HOME === "" ? join(homedir(), ".local", "share") : XDG_DATA_HOME,
    "lifepod",
  );
}

export function dataFolder(root: string): DataFolder {
  const at = (name: string): string => join(resolve(root), name);
  return {
    root: resolve(root),
    certificates: at("pki"),
    store: at("store"),
    kubeconfig: at("kubeconfig"),
    pods: at("pods"),
    podLogs: at("logs"),
    processes: at("processes"),
    addresses: at("addresses.json"),
    server: at("server.json"),
  };
}

/** Makes the folder and its parts; only its owner may look into a new one, and in any into those with secrets. @throws with the path and what to do */
export async function makeDataFolder(folder: DataFolder): Promise<void> {
  try {
    await mkdir(folder.root, { recursive: true, mode: 0o700 });
    for (const path of [folder.pods, folder.podLogs]) await mkdir(path, { recursive: true, mode: 0o755 });
    // Secrets lie here, and the folder may have been there before, open to everybody.
    for (const path of [folder.store, folder.processes]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await chmod(path, 0o700);
    }
  } catch (error) {
    throw new Error(
      `cannot use ${folder.root} as the data folder: ${await causeOf(error as NodeJS.ErrnoException, folder.root)}; choose one that you may write to with --data`,
      { cause: error },
    );
  }
}

/** Of a disk that takes no writes, making a folder with its parents says only that the folder is not there. */
async function causeOf(error: NodeJS.ErrnoException, root: string): Promise<string> {
  if (error.code !== "ENOENT") return error.message;
  try {
    await mkdir(root);
    return error.message;
  } catch (plain) {
    return (plain as Error).message;
  }
}

export async function readServerRecord(folder: DataFolder): Promise<ServerRecord | undefined> {
  const text = await readFile(folder.server, "utf8").catch((error: NodeJS.ErrnoException) => {
    // Whether a folder could be made where a file is now, its making tells.
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as ServerRecord);
}

export async function writeServerRecord(folder: DataFolder, record: ServerRecord): Promise<void> {
  await writeFileDurably(folder.server, `${JSON.stringify(record)}\n`, 0o644);
}
