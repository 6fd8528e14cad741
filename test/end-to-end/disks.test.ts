// Data folders on disks that are full or take no writes.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { lifepod } from "./lifepod-process.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { processesWith } from "./traces.ts";

const absence =
  process.platform !== "linux" || process.getuid?.() !== 0 ? "mounting a small disk needs Linux and root" : undefined;

describe("a data folder", () => {
  let folder: string;
  const mount = (options: string): string => {
    const point = join(folder, "disk");
    mkdirSync(point);
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", point]);
    return point;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lifepod-disk-"));
  });
  afterEach(() => {
    execFileSync("sh", ["-c", 'umount "$0/disk" 2>/dev/null || true', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("on a disk that is full takes no changes and says why; with room again it does, and nothing acknowledged is lost", {
    timeout: 90_000,
  }, async (test) => {
    test.skip(absence !== undefined, absence);
    const disk = mount("size=8m");
    const cluster = await StandingCluster.start(["--runtime", "process"], {}, join(disk, "cluster"));
    const configMap = (name: string, size: number) =>
      cluster.api.createNamespacedConfigMap({
        namespace: "default",
        body: { metadata: { name }, data: { text: "x".repeat(size) } },
      });
    const pod = (name: string) => ({
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          { name: "main", image: "busybox", command: ["sleep", "1000"], env: [{ name: "MARK", value: folder }] },
        ],
      },
    });
    try {
      await cluster.create(pod("before"));
      await cluster.until("before", "runs", ({ status }) => status?.phase === "Running");
      const processes = processesWith(`MARK=${folder}`);

      expect(() => writeFileSync(join(disk, "fill"), Buffer.alloc(16 * 1024 * 1024))).toThrow("ENOSPC");
      const acknowledged: string[] = [];
      const refusal = await until("a write is refused", async () => {
        const name = `made-${acknowledged.length}`;
        try {
          await configMap(name, 50_000);
          acknowledged.push(name);
          return undefined;
        } catch (error) {
          return error as { code?: number; body?: string };
        }
      });
      expect(refusal.code).toBe(500);
      expect(refusal.body).toMatch(/the store in .* cannot be written: No space left on device/);
      await cluster.process.says(/"the store in .* cannot be written: .*make room on that disk"/);
      expect((await cluster.find("before"))?.status?.phase).toBe("Running");

      rmSync(join(disk, "fill"));
      await cluster.process.says(/"the store can be written again"/);
      await cluster.create(pod("after"));
      await cluster.until("after", "runs", ({ status }) => status?.phase === "Running");
      expect(cluster.process.stdout).not.toContain("failed inside lifepod");

      await cluster.end("SIGKILL");
      await cluster.up();
      for (const name of ["before", "after"]) {
        const { status } = await cluster.until(name, "runs", (each) => each.status?.phase === "Running");
        expect(status?.containerStatuses?.[0]?.restartCount).toBe(0);
      }
      expect(processesWith(`MARK=${folder}`)).toEqual(expect.arrayContaining([...processes]));
      const { items } = await cluster.api.listNamespacedConfigMap({ namespace: "default" });
      expect(items.map(({ metadata }) => metadata?.name)).toEqual(expect.arrayContaining(acknowledged));
    } finally {
      rmSync(join(disk, "fill"), { force: true });
      await cluster.stop();
    }
  });

  it("that nothing can be written to is refused with its name and what to do", async (test) => {
    test.skip(absence !== undefined, absence);
    const disk = mount("ro,size=1m");
    const data = join(disk, "data");
    const refused = await lifepod(["up", "--data", data, "--port", "0", "--runtime", "process"]);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toBe(
      `lifepod: cannot use ${data} as the data folder: EROFS: read-only file system, mkdir '${data}'; choose one that you may write to with --data\n`,
    );
  });

  it("that has been in use and can only be read now is refused in the same way, and is left as it is", async (test) => {
    test.skip(absence !== undefined, absence);
    const disk = mount("size=8m");
    const cluster = await StandingCluster.start(["--runtime", "process"], {}, join(disk, "cluster"));
    await cluster.end("SIGTERM");
    execFileSync("mount", ["-o", "remount,ro", disk]);
    const refused = await lifepod(["up", "--data", cluster.data, "--port", "0"]);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^lifepod: .*read-only file system.*\n$/i);
    expect(refused.stderr).toContain(cluster.data);
    execFileSync("mount", ["-o", "remount,rw", disk]);
    await cluster.up();
    await cluster.stop();
  });
});
