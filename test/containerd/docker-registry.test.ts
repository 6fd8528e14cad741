// Pulls from the real thing: Debian's docker-registry with a password, filled by skopeo.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCriRuntime } from "../../src/runtimes/cri/cri-runtime.ts";
import type { ContainerRuntime } from "../../src/runtimes/runtime-service.ts";
import { containerdAbsence, type PrivateContainerd, startContainerd } from "./containerd.ts";
import { CriPod, sandboxConfig } from "./cri-pod.ts";
import { freePort } from "./free-port.ts";
import { ociArchive } from "./oci-image.ts";
import { busyboxLayer } from "./test-images.ts";
import { clock, until } from "./until.ts";

const run = promisify(execFile);

/** `pod:secret`, hashed with bcrypt as the registry wants it. */
const passwordFile = "pod:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
const credentials = { username: "pod", password: "secret" };

const absence = containerdAbsence() ?? missing("docker-registry") ?? missing("skopeo");

describe.skipIf(absence !== undefined)(
  `Debian's docker-registry${absence === undefined ? "" : ` (${absence})`}`,
  () => {
    let containerd: PrivateContainerd;
    let runtime: ContainerRuntime;
    let registry: ChildProcess;
    let image: string;

    beforeAll(async () => {
      containerd = await startContainerd();
      runtime = await openCriRuntime({ endpoint: containerd.endpoint, clock });
      const port = await freePort();
      registry = startRegistry(join(containerd.scratch, "registry"), port);
      await until("the registry answers", () => answers(port));
      image = `127.0.0.1:${port}/team/busybox:1`;
      const archive = join(containerd.scratch, "busybox.tar");
      writeFileSync(archive, ociArchive({ name: image, layer: busyboxLayer() }));
      const login = `--dest-creds=${credentials.username}:${credentials.password}`;
      const options = ["--insecure-policy", "copy", "--dest-tls-verify=false", login];
      await run("skopeo", [...options, `oci-archive:${archive}`, `docker://${image}`]);
    });

    afterAll(async () => {
      await runtime?.close();
      if (registry !== undefined && registry.exitCode === null) {
        const ended = new Promise((resolve) => registry.once("exit", resolve));
        registry.kill("SIGTERM");
        await ended;
      }
      await containerd?.stop();
    });

    it("gives an image to those who know the password, and to no one else", async () => {
      const logs = join(containerd.scratch, "logs");
      const config = sandboxConfig("puller", join(logs, "puller"));
      await expect(runtime.images.pullImage({ image }, [], config)).rejects.toThrow(/401 Unauthorized/);
      await expect(
        runtime.images.pullImage({ image }, [{ username: "pod", password: "guess" }], config),
      ).rejects.toThrow(/401 Unauthorized/);
      const absent = { image: `${image}-absent` };
      await expect(runtime.images.pullImage(absent, [credentials], config)).rejects.toThrow(/not found/);

      const reference = await runtime.images.pullImage({ image }, [credentials], config);
      const pod = await CriPod.run(runtime, reference, logs);
      expect((await pod.output("echo pulled")).text).toBe("pulled\n");
      await pod.remove();
    });
  },
);

function startRegistry(folder: string, port: number): ChildProcess {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "htpasswd"), passwordFile);
  writeFileSync(
    join(folder, "config.yml"),
    JSON.stringify({
      version: 0.1,
      log: { level: "error", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, "data") } },
      http: { addr: `127.0.0.1:${port}` },
      auth: { htpasswd: { realm: "test", path: join(folder, "htpasswd") } },
    }),
  );
  return spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
}

function answers(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const request = get(`http://127.0.0.1:${port}/v2/`, (response) => {
      response.resume();
      resolve(response.statusCode === 401 ? true : undefined);
    });
    request.on("error", () => resolve(undefined));
  });
}

function missing(program: string): string | undefined {
  const there = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, program)));
  return there ? undefined : `not installed: ${program}`;
}
