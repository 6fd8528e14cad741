// What a kubelet needs of the node's disk: Pod folders, volume contents, termination messages, checkpoints. The host does it with real files; the
// simulated runtime keeps them in memory. Paths are absolute, with `/`.

/** One file of a projected volume. */
export interface ProjectedFile {
  /** Relative path below the volume, without `..`. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

export interface NodeFilesystem {
  /** Makes the folder and its parents. `mode` is set on the last one, also if it was there. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Writes a whole file at once: a reader sees the old or the new content, never a part. */
  writeFile(path: string, content: Uint8Array, mode: number): Promise<void>;
  /**
   * Makes the folder hold exactly these files, switched over in one step the way upstream does (`..data` symbolic link), so that a container that has
   * it mounted sees all of the old or all of the new content.
   */
  projectFiles(path: string, files: readonly ProjectedFile[]): Promise<void>;
  /** The last `limit` bytes of a file; `undefined` if there is no plain file: a link, a pipe, a device and a socket are not read. */
  readTail(path: string, limit: number): Promise<Uint8Array | undefined>;
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Names in a folder, sorted; empty if it is not there. */
  list(path: string): Promise<readonly string[]>;
  /**
   * Tells of changes of the names and contents in a folder, as far as the disk can; whoever must not miss one looks from time to time.
   * @returns ends it
   */
  watch?(path: string, changed: () => void): () => void;
  /** Removes a file or a folder with all that is in it, unmounting what is mounted below. Removing what is not there succeeds. */
  remove(path: string): Promise<void>;
  /** Mounts a memory-backed folder where the node can; `false` if it cannot (then it is a plain folder). */
  mountMemory(path: string, sizeBytes: number | undefined): Promise<boolean>;
  /** What is at the path, following links; `undefined` if nothing is. */
  kindOf(path: string): Promise<"file" | "directory" | "socket" | "blockDevice" | "characterDevice" | undefined>;
  /** Whether links lead a path below the folder out of it; a folder that is not there has none. */
  leadsOutside(folder: string, path: string): Promise<boolean>;
  /** Sets the group of everything below and lets it read and write (fsGroup); does nothing where the node may not. */
  setGroup(path: string, group: number): Promise<void>;
}
