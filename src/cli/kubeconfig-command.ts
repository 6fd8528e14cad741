import { readFile } from "node:fs/promises";
import { dataFolder, defaultDataFolder } from "../standalone/data-folder.ts";
import { CommandError } from "./command-error.ts";

/** `lifepod kubeconfig`. @returns the exit status */
export async function kubeconfigCommand(options: { readonly data?: string; readonly path?: boolean }): Promise<number> {
  const { kubeconfig, root } = dataFolder(options.data ?? defaultDataFolder());
  const text = await readFile(kubeconfig, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT")
      throw new CommandError(
        `there is no cluster in ${root}: start one with lifepod up, or name its folder with --data`,
        1,
      );
    throw error;
  });
  process.stdout.write(options.path === true ? `${kubeconfig}\n` : text);
  return 0;
}
