import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes a whole file so that after a crash there is the old content or the new one, and the new one once this has resolved. */
export async function writeFileDurably(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", mode);
  try {
    await file.chmod(mode); // the mode of open is cut by the umask, and ignored if the file was left behind by a crash
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
