// The part of a node's disk that the runtime's suite needs, with real files.

import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { NodeFilesystem } from "../../src/runtimes/node-filesystem.ts";

export class DiskFilesystem implements NodeFilesystem {
  async makeDirectory(path: string, mode: number): Promise<void> {
    await mkdir(path, { recursive: true });
    await chmod(path, mode);
  }

  async writeFile(path: string, content: Uint8Array, mode: number): Promise<void> {
    await writeFile(path, content);
    await chmod(path, mode);
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return unlessAbsent(readFile(path));
  }

  async readTail(path: string, limit: number): Promise<Uint8Array | undefined> {
    return (await this.readFile(path))?.slice(-limit);
  }

  async list(path: string): Promise<readonly string[]> {
    return ((await unlessAbsent(readdir(path))) ?? []).sort();
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  async kindOf(path: string): ReturnType<NodeFilesystem["kindOf"]> {
    const found = await unlessAbsent(stat(path));
    if (found === undefined) return undefined;
    return found.isDirectory() ? "directory" : "file";
  }

  projectFiles(): Promise<void> {
    return Promise.reject(new Error("the suite projects no files"));
  }

  mountMemory(): Promise<boolean> {
    return Promise.reject(new Error("the suite mounts no memory"));
  }

  setGroup(): Promise<void> {
    return Promise.reject(new Error("the suite sets no groups"));
  }
}

async function unlessAbsent<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
