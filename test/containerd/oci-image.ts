// Makes container images without a network or tools: an OCI archive in one file, from entries given in memory. Tests import it with `ctr images import`.

import { createHash } from "node:crypto";

export type LayerEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export interface ImageRecipe {
  /** With registry and tag: `docker.io/library/busybox:1`. */
  readonly name: string;
  readonly layer: readonly LayerEntry[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
}

export interface OciImage {
  readonly manifestType: string;
  readonly manifest: Buffer;
  /** The configuration and the layer. */
  readonly blobs: readonly Buffer[];
}

export function ociImage(recipe: ImageRecipe): OciImage {
  const layer = tar(recipe.layer);
  const config = json({
    architecture: { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch,
    os: "linux",
    config: {
      ...(recipe.entrypoint === undefined ? {} : { Entrypoint: recipe.entrypoint }),
      ...(recipe.command === undefined ? {} : { Cmd: recipe.command }),
      Env: recipe.env ?? ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      WorkingDir: recipe.workingDir ?? "/",
      ...(recipe.user === undefined ? {} : { User: recipe.user }),
    },
    rootfs: { type: "layers", diff_ids: [digest(layer)] },
    history: [{ created_by: "lifepod tests" }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  return { manifestType, manifest, blobs: [config, layer] };
}

/** The image in one file, as `ctr images import` and `skopeo copy oci-archive:` read it. */
export function ociArchive(recipe: ImageRecipe): Buffer {
  const { manifest, blobs } = ociImage(recipe);
  const annotations = {
    "io.containerd.image.name": recipe.name,
    "org.opencontainers.image.ref.name": recipe.name.slice(recipe.name.lastIndexOf(":") + 1),
  };
  const index = json({ schemaVersion: 2, manifests: [{ ...descriptor(manifestType, manifest), annotations }] });
  return tar([
    { kind: "file", path: "oci-layout", mode: 0o644, content: json({ imageLayoutVersion: "1.0.0" }) },
    { kind: "file", path: "index.json", mode: 0o644, content: index },
    { kind: "directory", path: "blobs", mode: 0o755 },
    { kind: "directory", path: "blobs/sha256", mode: 0o755 },
    ...[manifest, ...blobs].map((content): LayerEntry => {
      const path = `blobs/sha256/${digest(content).slice("sha256:".length)}`;
      return { kind: "file", path, mode: 0o644, content };
    }),
  ]);
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const digest = (content: Uint8Array): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;
const descriptor = (mediaType: string, content: Uint8Array) => ({
  mediaType,
  digest: digest(content),
  size: content.length,
});

const blockSize = 512;

/** A ustar archive; everything belongs to root and is as old as the epoch, so equal recipes give equal digests. */
function tar(entries: readonly LayerEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const content = entry.kind === "file" ? Buffer.from(entry.content) : Buffer.alloc(0);
    blocks.push(tarHeader(entry, content.length), content);
    const rest = content.length % blockSize;
    if (rest > 0) blocks.push(Buffer.alloc(blockSize - rest));
  }
  blocks.push(Buffer.alloc(2 * blockSize));
  return Buffer.concat(blocks);
}

function tarHeader(entry: LayerEntry, size: number): Buffer {
  const header = Buffer.alloc(blockSize);
  const text = (value: string, offset: number, length: number): void => {
    if (Buffer.byteLength(value) > length) throw new Error(`too long for a tar header: ${value}`);
    header.write(value, offset, length, "utf8");
  };
  const octal = (value: number, offset: number, length: number): void => {
    text(value.toString(8).padStart(length - 1, "0"), offset, length - 1);
  };
  text(entry.kind === "directory" ? `${entry.path}/` : entry.path, 0, 100);
  octal(entry.kind === "link" ? 0o777 : entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  header.fill(" ", 148, 156);
  text({ file: "0", link: "2", directory: "5" }[entry.kind], 156, 1);
  if (entry.kind === "link") text(entry.target, 157, 100);
  text("ustar", 257, 6);
  text("00", 263, 2);
  text("root", 265, 32);
  text("root", 297, 32);
  const sum = header.reduce((total, byte) => total + byte, 0);
  text(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return header;
}
