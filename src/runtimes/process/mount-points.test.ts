import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Mount } from "../runtime-service.ts";
import { hostPathOf, MountPoints } from "./mount-points.ts";

const built = new URL("../../../dist/runtimes/process/mount-points.js", import.meta.url).href;

let folder: string;
let machine: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifepod-points-"));
  machine = join(folder, "machine");
  mkdirSync(machine);
  mkdirSync(join(folder, "source/inner"), { recursive: true });
  writeFileSync(join(folder, "source/file"), "");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The record of a lifepod with its state in the folder, or in another. */
const open = (stateDirectory = folder): MountPoints => new MountPoints(stateDirectory, join(folder, "record"));

const mount = (containerPath: string, hostPath: string): Mount => ({
  containerPath: join(machine, containerPath),
  hostPath: join(folder, hostPath),
  readonly: false,
  propagation: "None",
});

it("makes what is missing, as a file or a folder, and takes it away again", () => {
  const points = open();
  points.claim("a", [mount("data/deep", "source"), mount("etc/config", "source/file")]);
  expect(statSync(join(machine, "data/deep")).isDirectory()).toBe(true);
  expect(statSync(join(machine, "etc/config")).isFile()).toBe(true);
  points.release("a");
  expect(readdirSync(machine)).toEqual([]);
});

it("leaves alone what was there", () => {
  mkdirSync(join(machine, "data"));
  const points = open();
  points.claim("a", [mount("data/deep", "source"), mount("data", "source")]);
  points.release("a");
  expect(readdirSync(machine)).toEqual(["data"]);
});

it("keeps what another container still needs", () => {
  const points = open();
  points.claim("a", [mount("data/one", "source")]);
  points.claim("b", [mount("data/one", "source"), mount("data/two", "source")]);
  points.release("a");
  expect(readdirSync(join(machine, "data"))).toEqual(["one", "two"]);
  points.release("b");
  expect(readdirSync(machine)).toEqual([]);
});

it("keeps what somebody has put something into meanwhile", () => {
  const points = open();
  points.claim("a", [mount("data", "source"), mount("file", "source/file")]);
  writeFileSync(join(machine, "data/mine"), "");
  writeFileSync(join(machine, "file"), "mine");
  points.release("a");
  expect(readdirSync(machine)).toEqual(["data", "file"]);
});

it("keeps what another lifepod still needs, until its state is gone", () => {
  const other = join(folder, "other");
  mkdirSync(other);
  const points = open();
  points.claim("a", [mount("data/one", "source")]);
  open(other).claim("a", [mount("data/one", "source")]);
  points.release("a");
  points.keepOnly(new Set());
  expect(readdirSync(join(machine, "data"))).toEqual(["one"]);
  rmSync(other, { recursive: true });
  points.keepOnly(new Set());
  expect(readdirSync(machine)).toEqual([]);
});

it("leaves no record when there is nothing to record", () => {
  const points = open();
  points.release("a");
  points.claim("a", []);
  points.claim("a", [mount("data", "source")]);
  expect(existsSync(join(folder, "record"))).toBe(true);
  points.release("a");
  expect(existsSync(join(folder, "record"))).toBe(false);
});

it.each(["1:1", "999999999:5"])("takes the record over from one that died with it in its hands (%s)", (holder) => {
  mkdirSync(join(folder, "record"));
  symlinkSync(holder, join(folder, "record/lock"));
  const from = performance.now();
  open().claim("a", [mount("data", "source")]);
  expect(readdirSync(machine)).toEqual(["data"]);
  expect(readdirSync(join(folder, "record"))).toEqual(["mount-points.json"]);
  expect(performance.now() - from).toBeLessThan(2000);
});

it("waits for one that holds the record, and loses nothing when many change it at once", async () => {
  const lifepods = Array.from({ length: 4 }, (_, n) => {
    const script = `
      import { MountPoints } from ${JSON.stringify(built)};
      const points = new MountPoints(${JSON.stringify(folder)}, ${JSON.stringify(join(folder, "record"))});
      for (let i = 0; i < 25; i++) points.claim("${n}-" + i, [${JSON.stringify(mount("data", "source"))}]);`;
    return once(spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" }), "exit");
  });
  expect(await Promise.all(lifepods)).toEqual(lifepods.map(() => [0, null]));
  const record = JSON.parse(readFileSync(join(folder, "record/mount-points.json"), "utf8"));
  expect(record[join(machine, "data")].users).toHaveLength(100);
});

it("finds after a crash what was made for containers that are no more", () => {
  open().claim("a", [mount("data/one", "source")]);
  open().claim("b", [mount("data/two", "source")]);
  const points = open();
  points.keepOnly(new Set(["b"]));
  expect(readdirSync(join(machine, "data"))).toEqual(["two"]);
  points.keepOnly(new Set());
  expect(existsSync(join(machine, "data"))).toBe(false);
});

it("makes the place of a mount inside another mount in that one's source", () => {
  const points = open();
  points.claim("a", [mount("data", "source"), mount("data/sub", "source/inner")]);
  expect(existsSync(join(folder, "source/sub"))).toBe(true);
  points.release("a");
  expect(readdirSync(join(folder, "source"))).toEqual(["file", "inner"]);
});

it("says so when there is nothing to mount", () => {
  expect(() => open().claim("a", [mount("data", "none")])).toThrow("ENOENT");
});

it("finds the machine's path of a container's", () => {
  const mounts = [
    { containerPath: "/a", hostPath: "/x", readonly: false, propagation: "None" },
    { containerPath: "/a/b/", hostPath: "/y", readonly: false, propagation: "None" },
  ] as const;
  expect(["/a", "/a/c", "/a/b/c", "/ab"].map((path) => hostPathOf(path, mounts))).toEqual([
    "/x",
    "/x/c",
    "/y/c",
    "/ab",
  ]);
});
