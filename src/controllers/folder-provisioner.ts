/** Who makes folders for claims, as StorageClasses and volumes name it. */
export const folderProvisioner = "lifepod.dev/local-folder";
