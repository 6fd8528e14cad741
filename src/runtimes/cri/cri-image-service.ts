// The image half of CRI.

import type { Clock, Millis } from "../../base/time.ts";
import type { ImageAuth, ImageService, ImageSpec, ImageStatus, PodSandboxConfig } from "../runtime-service.ts";
import { type Image, ImageService as CriImageServiceDescription } from "./gen/cri.ts";
import type { GrpcConnection } from "./grpc-connection.ts";
import { GrpcError } from "./grpc-error.ts";
import { criSandboxConfig } from "./sandbox-mapping.ts";

const methods = CriImageServiceDescription.method;

export class CriImageService implements ImageService {
  readonly #connection: GrpcConnection;
  readonly #requestTimeout: Millis;

  constructor(shared: { readonly connection: GrpcConnection; readonly clock: Clock; readonly requestTimeout: Millis }) {
    this.#connection = shared.connection;
    this.#requestTimeout = shared.requestTimeout;
  }

  async imageStatus(spec: ImageSpec): Promise<ImageStatus | undefined> {
    const response = await this.#connection.unary(methods.imageStatus, { image: { image: spec.image } }, this.#limit);
    return response.image === undefined ? undefined : imageStatusOf(response.image);
  }

  /**
   * Tries one credential after the other until the registry gives the image; without any, asks as a stranger. A pull may take as long as it takes;
   * closing the runtime ends it.
   * @throws GrpcError with what the registry said to the last credential, or to all of them if they differ
   */
  async pullImage(spec: ImageSpec, auths: readonly ImageAuth[], sandboxConfig: PodSandboxConfig): Promise<string> {
    const attempts: readonly (ImageAuth | undefined)[] = auths.length === 0 ? [undefined] : auths;
    const failures: GrpcError[] = [];
    for (const auth of attempts) {
      try {
        const response = await this.#connection.unary(
          methods.pullImage,
          {
            image: { image: spec.image, userSpecifiedImage: spec.image },
            sandboxConfig: criSandboxConfig(sandboxConfig),
            ...(auth === undefined ? {} : { auth: criAuth(auth) }),
          },
          { timeout: "none" },
        );
        return response.imageRef;
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
        failures.push(error);
      }
    }
    throw combined(failures);
  }

  async listImages(): Promise<readonly ImageStatus[]> {
    const response = await this.#connection.unary(methods.listImages, {}, this.#limit);
    return response.images.map(imageStatusOf);
  }

  async removeImage(spec: ImageSpec): Promise<void> {
    try {
      await this.#connection.unary(methods.removeImage, { image: { image: spec.image } }, this.#limit);
    } catch (error) {
      if (error instanceof GrpcError && error.code === "NotFound") return;
      throw error;
    }
  }

  get #limit(): { readonly timeout: Millis } {
    return { timeout: this.#requestTimeout };
  }
}

function imageStatusOf(image: Image): ImageStatus {
  return {
    id: image.id,
    repoTags: image.repoTags,
    repoDigests: image.repoDigests,
    sizeBytes: Number(image.size),
    ...(image.uid === undefined ? {} : { uid: Number(image.uid.value) }),
    ...(image.username === "" ? {} : { username: image.username }),
  };
}

function criAuth(auth: ImageAuth) {
  return {
    username: auth.username ?? "",
    password: auth.password ?? "",
    auth: auth.auth ?? "",
    serverAddress: auth.serverAddress ?? "",
    identityToken: auth.identityToken ?? "",
    registryToken: auth.registryToken ?? "",
  };
}

function combined(failures: readonly GrpcError[]): GrpcError {
  const last = failures.at(-1);
  if (last === undefined) throw new Error("a pull without an attempt");
  const texts = new Set(failures.map(({ message }) => message));
  return texts.size === 1 ? last : new GrpcError(last.code, `[${[...texts].join(", ")}]`, last.method);
}
