// The node's disk in memory, for the simulated runtime and for tests: files, folders and their modes, nothing else.

import type { NodeFilesystem, ProjectedFile } from "../node-filesystem.ts";

interface MemoryFile {
  readonly kind: "file";
  readonly content: Uint8Array;
  readonly mode: number;
}

interface MemoryDirectory {
  readonly kind: "directory";
  mode: number;
  readonly entries: Map<string, MemoryFile | MemoryDirectory>;
}

export class MemoryFilesystem implements NodeFilesystem {
  readonly #root: MemoryDirectory = { kind: "directory", mode: 0o755, entries: new Map() };
  readonly #groups = new Map<string, number>();
  readonly #memoryMounts = new Set<string>();
  readonly #watchers = new Set<{ readonly path: string; readonly changed: () => void }>();

  async makeDirectory(path: string, mode: number): Promise<void> {
    this.#directory(path).mode = mode;
  }

  async writeFile(path: string, content: Uint8Array, mode: number): Promise<void> {
    const { parent, name } = this.#parentOf(path);
    if (parent.entries.get(name)?.kind === "directory") {
      throw new Error(`EISDIR: illegal operation on a directory, open '${path}'`);
    }
    parent.entries.set(name, { kind: "file", content: content.slice(), mode });
    this.#tell(path);
  }

  async projectFiles(path: string, files: readonly ProjectedFile[]): Promise<void> {
    const fresh: MemoryDirectory = { kind: "directory", mode: 0o755, entries: new Map() };
    for (const file of files) {
      const segments = segmentsOf(file.path);
      const name = segments.pop();
      if (name === undefined || file.path.split("/").includes("..")) throw new Error(`invalid path "${file.path}"`);
      let directory = fresh;
      for (const segment of segments) directory = childDirectory(directory, segment, file.path);
      directory.entries.set(name, { kind: "file", content: file.content.slice(), mode: file.mode });
    }
    // One assignment without a pause between: a reader sees the old or the new files.
    const directory = this.#directory(path);
    directory.entries.clear();
    for (const [name, entry] of fresh.entries) directory.entries.set(name, entry);
  }

  async readTail(path: string, limit: number): Promise<Uint8Array | undefined> {
    const content = await this.readFile(path);
    return content?.slice(Math.max(0, content.length - limit));
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    const found = this.#find(path);
    if (found?.kind === "directory") throw new Error(`EISDIR: illegal operation on a directory, read '${path}'`);
    return found?.content.slice();
  }

  async list(path: string): Promise<readonly string[]> {
    const found = this.#find(path);
    if (found?.kind === "file") throw new Error(`ENOTDIR: not a directory, scandir '${path}'`);
    return found === undefined ? [] : [...found.entries.keys()].sort();
  }

  async remove(path: string): Promise<void> {
    const segments = segmentsOf(path);
    const name = segments.pop();
    if (name === undefined) throw new Error("refusing to remove the root folder");
    let directory: MemoryFile | MemoryDirectory | undefined = this.#root;
    for (const segment of segments) {
      directory = directory?.kind === "directory" ? directory.entries.get(segment) : undefined;
    }
    if (directory?.kind === "directory") directory.entries.delete(name);
    const below = (other: string): boolean => other === path || other.startsWith(`${path}/`);
    for (const mount of this.#memoryMounts) if (below(mount)) this.#memoryMounts.delete(mount);
    for (const grouped of this.#groups.keys()) if (below(grouped)) this.#groups.delete(grouped);
    this.#tell(path);
  }

  watch(path: string, changed: () => void): () => void {
    const watcher = { path, changed };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell(path: string): void {
    const folder = path.slice(0, path.lastIndexOf("/"));
    for (const watcher of this.#watchers) if (watcher.path === folder) watcher.changed();
  }

  async mountMemory(path: string, _sizeBytes: number | undefined): Promise<boolean> {
    this.#directory(path);
    this.#memoryMounts.add(path);
    return true;
  }

  async kindOf(path: string): Promise<"file" | "directory" | undefined> {
    return this.#find(path)?.kind;
  }

  async leadsOutside(): Promise<boolean> {
    return false;
  }

  async setGroup(path: string, group: number): Promise<void> {
    if (this.#find(path) !== undefined) this.#groups.set(path, group);
  }

  /** The permission bits at a path; `undefined` if nothing is there. */
  modeOf(path: string): number | undefined {
    return this.#find(path)?.mode;
  }

  /** The group that `setGroup` gave to a path. */
  groupOf(path: string): number | undefined {
    return this.#groups.get(path);
  }

  /** Whether the folder was made memory-backed. */
  isMemory(path: string): boolean {
    return this.#memoryMounts.has(path);
  }

  #find(path: string): MemoryFile | MemoryDirectory | undefined {
    let found: MemoryFile | MemoryDirectory | undefined = this.#root;
    for (const segment of segmentsOf(path)) {
      found = found?.kind === "directory" ? found.entries.get(segment) : undefined;
    }
    return found;
  }

  #directory(path: string): MemoryDirectory {
    let directory = this.#root;
    for (const segment of segmentsOf(path)) directory = childDirectory(directory, segment, path);
    return directory;
  }

  #parentOf(path: string): { parent: MemoryDirectory; name: string } {
    const name = segmentsOf(path).pop();
    const parent = this.#find(path.replace(/\/[^/]*\/?$/, ""));
    if (name === undefined || parent?.kind !== "directory") {
      throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    }
    return { parent, name };
  }
}

function childDirectory(parent: MemoryDirectory, name: string, path: string): MemoryDirectory {
  const child = parent.entries.get(name);
  if (child?.kind === "file") throw new Error(`ENOTDIR: not a directory, mkdir '${path}'`);
  if (child !== undefined) return child;
  const made: MemoryDirectory = { kind: "directory", mode: 0o755, entries: new Map() };
  parent.entries.set(name, made);
  return made;
}

const segmentsOf = (path: string): string[] => path.split("/").filter((segment) => segment !== "" && segment !== ".");
