// The images that the tests run, made from Debian's busybox-static.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { ociArchive, type LayerEntry } from "./oci-image.ts";

const busybox = "/bin/busybox";

/** What the archives are called once they are imported. */
export const testImages = {
  /** A shell, httpd, nc, wget and everything else that busybox has; no entry point. */
  busybox: "docker.io/library/busybox:1.35",
  /** The same with a numeric user of its own (1000). */
  busyboxUser: "docker.io/library/busybox-user:1.35",
  /** An entry point and arguments to tell from those of the Pod. */
  entrypoint: "docker.io/library/entrypoint:1",
  pause: "registry.k8s.io/pause:3.6",
} as const;

/** Name → archive. */
export function testImageArchives(): ReadonlyMap<string, Buffer> {
  const layer = busyboxLayer();
  return new Map([
    [testImages.pause, ociArchive({ name: testImages.pause, layer, entrypoint: ["/bin/sleep", "2147483647"] })],
    [testImages.busybox, ociArchive({ name: testImages.busybox, layer, command: ["sh"] })],
    [testImages.busyboxUser, ociArchive({ name: testImages.busyboxUser, layer, command: ["sh"], user: "1000" })],
    [
      testImages.entrypoint,
      ociArchive({
        name: testImages.entrypoint,
        layer,
        entrypoint: ["/bin/echo", "image-entrypoint"],
        command: ["image-command"],
        env: ["PATH=/bin", "FROM_IMAGE=yes"],
        workingDir: "/tmp",
      }),
    ],
  ]);
}

/** The file system of the busybox images. */
export function busyboxLayer(): readonly LayerEntry[] {
  const applets = execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n");
  const text = (content: string): Buffer => Buffer.from(content);
  return [
    ...["bin", "dev", "etc", "proc", "root", "sys", "var", "www"].map(
      (path): LayerEntry => ({ kind: "directory", path, mode: 0o755 }),
    ),
    { kind: "directory", path: "tmp", mode: 0o1777 },
    { kind: "file", path: "bin/busybox", mode: 0o755, content: readFileSync(busybox) },
    ...applets
      .filter((name) => name !== "" && name !== "busybox")
      .map((name): LayerEntry => ({ kind: "link", path: `bin/${name}`, target: "/bin/busybox" })),
    {
      kind: "file",
      path: "etc/passwd",
      mode: 0o644,
      content: text("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"),
    },
    { kind: "file", path: "etc/group", mode: 0o644, content: text("root:x:0:\nuser:x:1000:\n") },
    { kind: "file", path: "www/index.html", mode: 0o644, content: text("hello from busybox\n") },
  ];
}
