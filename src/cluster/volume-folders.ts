// Where the volumes lie that lifepod makes: a folder each, below the kubelet's own on the node's disk.

import type { VolumeFolders } from "../controllers/local-folder-provisioner/volume-folders.ts";
import type { NodeFilesystem } from "../runtimes/node-filesystem.ts";

export interface NodeDisk {
  readonly filesystem: NodeFilesystem;
  /** The kubelet's own folder. */
  readonly rootDirectory: string;
}

const folderName = "persistent-volumes";

/** Everyone may write there: whose files they are is for the Pods to say (fsGroup, runAsUser). */
const folderMode = 0o777;

/** @param diskOf the disk of a node whose kubelet runs here */
export function volumeFolders(diskOf: (nodeName: string) => NodeDisk | undefined): VolumeFolders {
  const placeOf = (nodeName: string, volumeName: string) => {
    const disk = diskOf(nodeName);
    if (disk === undefined) throw new Error(`the kubelet of node ${nodeName} does not answer`);
    // The name becomes a part of a path that is going to be removed.
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(volumeName)) throw new Error(`invalid volume name "${volumeName}"`);
    const parent = `${disk.rootDirectory}/${folderName}`;
    return { ...disk, path: `${parent}/${volumeName}` };
  };
  return {
    async make(nodeName, volumeName) {
      const { filesystem, rootDirectory, path } = placeOf(nodeName, volumeName);
      if (await filesystem.leadsOutside(rootDirectory, `${folderName}/${volumeName}`)) {
        throw new Error(`${path} leads out of ${rootDirectory}`);
      }
      if ((await filesystem.kindOf(path)) === undefined) await filesystem.makeDirectory(path, folderMode);
      return path;
    },
    async remove(nodeName, volumeName, claimed) {
      const { filesystem, rootDirectory, path } = placeOf(nodeName, volumeName);
      if (claimed !== path) throw new Error(`path "${claimed}" is not a folder that lifepod made for this volume`);
      // Somebody may have put a link in the place of the folder of all volumes.
      if (await filesystem.leadsOutside(rootDirectory, folderName)) {
        throw new Error(`${rootDirectory}/${folderName} leads out of ${rootDirectory}`);
      }
      await filesystem.remove(path);
    },
  };
}
