// `lifepod run` killed with -9: what it leaves goes with the next lifepod of the same user.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seconds } from "../../src/base/time.ts";
import { until } from "../containerd/until.ts";
import { lifepod, LifepodProcess } from "./lifepod-process.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { processesWith } from "./traces.ts";

describe.each(runtimeRows)("what a killed lifepod run leaves over %s", (_, { absence, start }) => {
  let runtime: RuntimeAtHand;
  let folder: string;
  beforeAll(async () => {
    if (absence !== undefined) return;
    runtime = await start();
    folder = mkdtempSync(join(tmpdir(), "lifepod-left-"));
  });
  afterAll(async () => {
    await runtime?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it("is gone after the next one, and what a living one has stays", { timeout: 120_000 }, async (test) => {
    test.skip(absence !== undefined, absence);
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const manifest = (name: string, script: string): string => {
      const env = [{ name: "MARK", value: `${folder}/${name}` }];
      const container = { name: "main", image: runtime.image, command: ["sh", "-c", script], env };
      const spec = { restartPolicy: "Never", terminationGracePeriodSeconds: 1, containers: [container] };
      const path = join(folder, `${name}.json`);
      writeFileSync(path, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec }));
      return path;
    };
    const run = (path: string): readonly string[] => ["run", ...runtime.arguments, path];
    const options = { env: { TMPDIR: temporary } };
    const of = (name: string) => processesWith(`MARK=${folder}/${name}`);
    const runs = async (name: string): Promise<LifepodProcess> => {
      const process = new LifepodProcess(run(manifest(name, "exec sleep 1000")), options);
      await until(`${name} runs`, () => (of(name).length > 0 ? true : undefined), seconds(60));
      return process;
    };
    const killed = await runs("killed");
    const living = await runs("living");
    try {
      await killed.end("SIGKILL");
      expect(of("killed")).not.toEqual([]);
      const left = readdirSync(temporary).filter((name) => name.startsWith("lifepod-run-"));
      expect(left).toHaveLength(2);

      // Somebody else's folder, of which nobody knows whose it is.
      mkdirSync(join(temporary, "lifepod-run-unmarked"));
      const next = await lifepod(run(manifest("next", "true")), options);
      expect(next).toMatchObject({ status: 0 });
      expect(next.stdout).toMatch(
        new RegExp(`cleaned up after lifepod run, process ${killed.pid}, which was killed: .* and its Pods are gone\n`),
      );
      expect(of("killed")).toEqual([]);
      expect(of("living")).not.toEqual([]);
      expect(readdirSync(temporary).filter((name) => name.startsWith("lifepod-run-"))).toHaveLength(2);
      expect(existsSync(join(temporary, "lifepod-run-unmarked"))).toBe(true);
    } finally {
      await living.end("SIGTERM");
    }
    expect(of("living")).toEqual([]);
    expect(await runtime.holdings()).toEqual([]);
  });
});
