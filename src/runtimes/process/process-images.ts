// Images where none are pulled: a name is all there is to them.

import type { ImageService, ImageSpec, ImageStatus } from "../runtime-service.ts";

/** Says of every image that it is there, since nothing of it is needed; pulling does nothing. */
export class ProcessImages implements ImageService {
  readonly #mapped: readonly string[];

  /** @param mapped the images that stand for a command */
  constructor(mapped: readonly string[]) {
    this.#mapped = mapped;
  }

  async imageStatus({ image }: ImageSpec): Promise<ImageStatus> {
    // What runs is lifepod's own user, unless the container names another.
    const uid = process.getuid?.();
    return { id: image, repoTags: [image], repoDigests: [], sizeBytes: 0, ...(uid !== undefined && { uid }) };
  }

  async pullImage({ image }: ImageSpec): Promise<string> {
    return image;
  }

  async listImages(): Promise<readonly ImageStatus[]> {
    return await Promise.all(this.#mapped.map((image) => this.imageStatus({ image })));
  }

  async removeImage(): Promise<void> {
    // There is nothing to remove.
  }
}
