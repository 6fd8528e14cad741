// The seam to the nodes' disks: a controller decides, the machine does.

export interface VolumeFolders {
  /**
   * Makes the folder of a volume on a node; one that is there stays as it is.
   * @returns its absolute path on the node
   * @throws Error if the node is not at hand
   */
  make(nodeName: string, volumeName: string): Promise<string>;
  /**
   * Removes the folder of a volume with all that is in it, and nothing else: no link in it or on the way to it is followed.
   * @param path where the volume says that it is
   * @throws Error if that is not where this node keeps the folder, or the node is not at hand
   */
  remove(nodeName: string, volumeName: string, path: string): Promise<void>;
}
