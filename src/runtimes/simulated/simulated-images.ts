// The images of a simulated machine and the registry that it pulls them from.

import type { Clock } from "../../base/time.ts";
import type { ImageService, ImageSpec, ImageStatus } from "../runtime-service.ts";
import type { ImageBehaviour } from "./behaviour.ts";
import type { CallGate } from "./faults.ts";

const defaultSizeBytes = 1_000_000;

export class SimulatedImages implements ImageService {
  readonly #clock: Clock;
  readonly #gate: CallGate;
  readonly #declared: Map<string, ImageBehaviour>;
  readonly #unknownImages: "notFound" | "runForEver";
  /** Names of the images on the machine, as they were pulled, by id. */
  readonly #present = new Map<string, string>();
  readonly #pulls = new Map<string, number>();

  constructor(
    clock: Clock,
    gate: CallGate,
    declared: Readonly<Record<string, ImageBehaviour>>,
    unknownImages: "notFound" | "runForEver",
  ) {
    this.#clock = clock;
    this.#gate = gate;
    this.#declared = new Map();
    this.#unknownImages = unknownImages;
    for (const [name, behaviour] of Object.entries(declared)) this.declare(name, behaviour);
  }

  /** Adds an image to the registry, or changes it: containers that are started from now on behave so. */
  declare(name: string, behaviour: ImageBehaviour): void {
    this.#declared.set(familiarName(name), behaviour);
    if (behaviour.present === true) this.#present.set(imageId(familiarName(name)), name);
  }

  /** The behaviour of an image that is present, by name, id or digest reference. */
  find(reference: string): { readonly name: string; readonly behaviour: ImageBehaviour } | undefined {
    const id = this.#idOf(reference);
    const name = this.#present.get(id);
    if (name === undefined) return undefined;
    const behaviour = this.#behaviourOf(name);
    return behaviour === undefined ? undefined : { name, behaviour };
  }

  async imageStatus(spec: ImageSpec): Promise<ImageStatus | undefined> {
    await this.#gate.pass("imageStatus");
    const found = this.find(spec.image);
    return found && this.#status(found.name, found.behaviour);
  }

  async pullImage(spec: ImageSpec): Promise<string> {
    await this.#gate.pass("pullImage");
    const name = familiarName(spec.image);
    const behaviour = this.#behaviourOf(spec.image);
    if (behaviour === undefined) throw new Error(notFound(spec.image));
    if ((behaviour.pullTime ?? 0) > 0)
      await this.#clock.sleep(behaviour.pullTime as NonNullable<typeof behaviour.pullTime>);
    const pull = (this.#pulls.get(name) ?? 0) + 1;
    this.#pulls.set(name, pull);
    const fails = behaviour.pullFails;
    if (fails !== undefined && pull <= (fails.times ?? Number.POSITIVE_INFINITY)) {
      throw new Error(fails.message ?? notFound(spec.image));
    }
    this.#present.set(imageId(name), spec.image);
    return imageId(name);
  }

  async listImages(): Promise<readonly ImageStatus[]> {
    await this.#gate.pass("listImages");
    return [...this.#present.values()].flatMap((name) => {
      const behaviour = this.#behaviourOf(name);
      return behaviour === undefined ? [] : [this.#status(name, behaviour)];
    });
  }

  async removeImage(spec: ImageSpec): Promise<void> {
    await this.#gate.pass("removeImage");
    this.#present.delete(this.#idOf(spec.image));
  }

  #behaviourOf(name: string): ImageBehaviour | undefined {
    return this.#declared.get(familiarName(name)) ?? (this.#unknownImages === "runForEver" ? {} : undefined);
  }

  #idOf(reference: string): string {
    return this.#present.has(reference) ? reference : imageId(familiarName(reference));
  }

  #status(name: string, behaviour: ImageBehaviour): ImageStatus {
    const id = imageId(familiarName(name));
    const user = behaviour.user ?? 0;
    return {
      id,
      repoTags: name.includes("@") ? [] : [name],
      repoDigests: [`${name.replace(/@.*$/, "").replace(/:[^/:]*$/, "")}@${id}`],
      sizeBytes: behaviour.sizeBytes ?? defaultSizeBytes,
      ...(typeof user === "number" ? { uid: user } : { username: user }),
    };
  }
}

/** `nginx`, `docker.io/library/nginx:latest` and `nginx:latest` are one image. */
function familiarName(name: string): string {
  const short = name.replace(/^(?:index\.)?docker\.io\//, "").replace(/^library\//, "");
  return /[:@][^/]*$/.test(short) ? short : `${short}:latest`;
}

/** An id that depends on nothing but the name, in the form of a digest. */
function imageId(name: string): string {
  let digest = "";
  for (let part = 0; part < 8; part++) {
    let h = 0x811c9dc5 ^ Math.imul(part + 1, 0x9e3779b9);
    for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    digest += ((h ^ (h >>> 13)) >>> 0).toString(16).padStart(8, "0");
  }
  return `sha256:${digest}`;
}

function notFound(image: string): string {
  const short = familiarName(image);
  const host = short.split("/")[0] as string;
  const hasRegistry = short.includes("/") && /[.:]|^localhost$/.test(host);
  const full = hasRegistry ? short : `docker.io/${short.includes("/") ? "" : "library/"}${short}`;
  return `rpc error: code = NotFound desc = failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`;
}
