// The node's real disk, for the kubelet.

import { execFile } from "node:child_process";
import { constants, type FSWatcher, type Stats, watch } from "node:fs";
import {
  chmod,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  unlink,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { NodeFilesystem, ProjectedFile } from "../runtimes/node-filesystem.ts";

const run = promisify(execFile);

/** The name of the link that is switched from one set of projected files to the next. */
const dataLink = "..data";
/** Sets of projected files are in folders whose names begin so. */
const dataPrefix = "..data_";
const temporaryPrefix = ".lifepod-new-";

/** The disk of this machine. What needs root (memory mounts, groups) says so or does nothing, as the contract has it. */
export class HostFilesystem implements NodeFilesystem {
  readonly #isRoot = process.getuid?.() === 0;

  async makeDirectory(path: string, mode: number): Promise<void> {
    await mkdir(path, { recursive: true });
    await chmod(path, mode); // the mode of mkdir is cut by the umask
  }

  async writeFile(path: string, content: Uint8Array, mode: number): Promise<void> {
    // A file that something is mounted on, or from, must stay the same file: a mounted single file shows its inode, not its name.
    const temporary = join(dirname(path), `${temporaryPrefix}${basename(path)}`);
    try {
      await writeNew(temporary, content, mode);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async projectFiles(path: string, files: readonly ProjectedFile[]): Promise<void> {
    await mkdir(path, { recursive: true });
    for (const file of files) checkInside(file.path);
    let current = await linkTarget(join(path, dataLink));
    if (current === undefined || !(await holdsExactly(join(path, current), files))) {
      current = basename(await writeSet(path, files));
      await switchLink(join(path, dataLink), current);
    }
    await this.#showEntries(path, files);
    // The set before this one, and what a crash may have left.
    for (const name of await readdir(path)) {
      if (name.startsWith(dataPrefix) && name !== current) await this.remove(join(path, name));
    }
  }

  async readTail(path: string, limit: number): Promise<Uint8Array | undefined> {
    // Containers write here, whatever they like: no link is followed, and nothing that could block or never end is read.
    const file = await orAbsent(open(path, fileOnly).catch(undefinedIfLink));
    if (file === undefined) return undefined;
    try {
      const found = await file.stat();
      if (!found.isFile()) return undefined;
      const { size } = found;
      const from = Math.max(0, size - limit);
      const buffer = new Uint8Array(size - from);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    const content = await orAbsent(readFile(path));
    return content && Uint8Array.from(content);
  }

  async list(path: string): Promise<readonly string[]> {
    return ((await orAbsent(readdir(path))) ?? []).sort();
  }

  watch(path: string, changed: () => void): () => void {
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(path, { persistent: false }, changed);
      watcher.on("error", () => watcher?.close()); // the folder went; looking from time to time goes on
    } catch (error) {
      // A folder that is not there yet, or a machine that has no watches left: looking from time to time goes on.
      if ((error as NodeJS.ErrnoException).syscall !== "watch") throw error;
    }
    return () => watcher?.close();
  }

  async remove(path: string): Promise<void> {
    const absolute = resolve(path);
    if (absolute === "/") throw new Error("refusing to remove the root folder");
    await this.#unmountBelow(absolute);
    await removeTree(absolute);
  }

  async mountMemory(path: string, sizeBytes: number | undefined): Promise<boolean> {
    await mkdir(path, { recursive: true });
    if (!this.#isRoot) return false;
    if ((await mountedBelow(resolve(path))).includes(resolve(path))) return true;
    const size = sizeBytes === undefined ? [] : ["-o", `size=${sizeBytes}`];
    await run("mount", ["-t", "tmpfs", ...size, "lifepod", path]);
    return true;
  }

  async kindOf(path: string): ReturnType<NodeFilesystem["kindOf"]> {
    const found = await orAbsent(stat(path));
    return found && kindOfStats(found);
  }

  async leadsOutside(folder: string, path: string): Promise<boolean> {
    const root = await orAbsent(realpath(folder));
    if (root === undefined) return false;
    let present = join(folder, path);
    let real = await orAbsent(realpath(present));
    // What is not there yet will be made in the last folder that is. A link to nothing is there, and leads away.
    while (real === undefined) {
      if ((await orAbsent(lstat(present)))?.isSymbolicLink() === true) return true;
      present = dirname(present);
      real = await orAbsent(realpath(present));
    }
    return real !== root && !real.startsWith(root === "/" ? root : `${root}/`);
  }

  async setGroup(path: string, group: number): Promise<void> {
    if (!this.#isRoot) return;
    const found = await orAbsent(lstat(path));
    if (found === undefined) return;
    await lchown(path, found.uid, group);
    if (found.isSymbolicLink()) return;
    // As upstream: the group reads and writes, enters folders, and what is made in them belongs to it too. Changing the owner clears the
    // set-group bit, so the mode comes last.
    const rights = found.isDirectory() ? 0o2070 : 0o060;
    await chmod(path, (found.mode & 0o7777) | rights);
    if (found.isDirectory()) for (const name of await readdir(path)) await this.setGroup(join(path, name), group);
  }

  /** Makes the names at the top of a projected volume lead into the current set, and takes away those that are no more. */
  async #showEntries(path: string, files: readonly ProjectedFile[]): Promise<void> {
    const wanted = new Set(
      files.map((file) => file.path.split("/").find((part) => part !== "" && part !== ".") as string),
    );
    for (const name of wanted) {
      if ((await linkTarget(join(path, name))) === undefined) await switchLink(join(path, name), join(dataLink, name));
    }
    for (const name of await readdir(path)) {
      if (!name.startsWith("..") && !wanted.has(name)) await this.remove(join(path, name));
    }
  }

  async #unmountBelow(path: string): Promise<void> {
    // Later mounts first: they may lie on earlier ones.
    for (const place of (await mountedBelow(path)).toReversed())
      await run("umount", ["--lazy", "--no-canonicalize", place]);
  }
}

/** Writes a set of projected files into a folder of its own; everyone can get in, whatever the umask. */
async function writeSet(volume: string, files: readonly ProjectedFile[]): Promise<string> {
  const fresh = await mkdtemp(join(volume, dataPrefix));
  await chmod(fresh, 0o755);
  for (const file of files) {
    let folder = fresh;
    for (const name of dirname(file.path).split("/")) {
      folder = join(folder, name);
      await mkdir(folder, { recursive: true });
      await chmod(folder, 0o755);
    }
    await writeNew(join(fresh, file.path), file.content, file.mode);
  }
  return fresh;
}

/** Removes without ever following a link or crossing into what could not be unmounted. */
async function removeTree(path: string): Promise<void> {
  const found = await orAbsent(lstat(path));
  if (found === undefined) return;
  if (!found.isDirectory()) {
    await orAbsent(unlink(path));
    return;
  }
  for (const name of (await orAbsent(readdir(path))) ?? []) await removeTree(join(path, name));
  await orAbsent(rmdir(path));
}

/** The mount points at and below a path, in the order they were made. */
async function mountedBelow(path: string): Promise<readonly string[]> {
  const table = await orAbsent(readFile("/proc/self/mountinfo", "utf8"));
  const places = (table ?? "").split("\n").flatMap((line) => {
    const place = line.split(" ")[4];
    // The kernel writes blanks, tabs, line ends and backslashes as octal numbers.
    return place === undefined
      ? []
      : [place.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))];
  });
  return places.filter((place) => place === path || place.startsWith(`${path}/`));
}

async function writeNew(path: string, content: Uint8Array, mode: number): Promise<void> {
  await rm(path, { force: true }); // left behind by a crash, perhaps with other rights
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.chmod(mode); // the mode of open is cut by the umask
  } finally {
    await file.close();
  }
}

async function switchLink(path: string, target: string): Promise<void> {
  const temporary = join(dirname(path), `..${temporaryPrefix}link`);
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

async function linkTarget(path: string): Promise<string | undefined> {
  const found = await orAbsent(lstat(path));
  return found?.isSymbolicLink() === true ? await readlink(path) : undefined;
}

/** Whether a set of projected files is what is wanted; switching to an equal one would only wake those who watch. */
async function holdsExactly(folder: string, files: readonly ProjectedFile[]): Promise<boolean> {
  const present = await filesBelow(folder, "");
  if (present.length !== files.length) return false;
  for (const file of files) {
    const path = join(folder, file.path);
    const found = await orAbsent(lstat(path));
    if (found?.isFile() !== true || (found.mode & 0o7777) !== file.mode || found.size !== file.content.length)
      return false;
    if (!(await readFile(path)).equals(file.content)) return false;
  }
  return true;
}

async function filesBelow(folder: string, prefix: string): Promise<readonly string[]> {
  const entries = (await orAbsent(readdir(join(folder, prefix), { withFileTypes: true }))) ?? [];
  const below = entries.map(async (entry) => {
    const path = join(prefix, entry.name);
    return entry.isDirectory() ? await filesBelow(folder, path) : [path];
  });
  return (await Promise.all(below)).flat();
}

function checkInside(path: string): void {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (path.startsWith("/") || parts.length === 0 || parts.includes("..") || (parts[0] as string).startsWith("..")) {
    throw new Error(`invalid path "${path}": must be relative and below the volume, and must not start with ".."`);
  }
}

function kindOfStats(found: Stats): Awaited<ReturnType<NodeFilesystem["kindOf"]>> {
  if (found.isDirectory()) return "directory";
  if (found.isFile()) return "file";
  if (found.isSocket()) return "socket";
  if (found.isBlockDevice()) return "blockDevice";
  return found.isCharacterDevice() ? "characterDevice" : undefined;
}

const fileOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What `open` says of a link that it may not follow, and of a socket. */
function undefinedIfLink(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ELOOP" || error.code === "ENXIO") return undefined;
  throw error;
}

/** What the work gives; `undefined` if what it is about is not there. */
async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
