import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HostFilesystem } from "./node-filesystem.ts";

const files = new HostFilesystem();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const modeOf = (path: string): number => statSync(path).mode & 0o7777;
const isRoot = process.getuid?.() === 0;

let folder: string;
let umask: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifepod-disk-"));
  umask = process.umask(0o077);
});

afterEach(async () => {
  process.umask(umask);
  await files.remove(folder);
});

describe("watching a folder", () => {
  it("tells of a file that comes, until it is ended", async () => {
    let end: () => void = () => undefined;
    const told = new Promise<string>((resolve) => {
      end = files.watch(folder, () => resolve("changed"));
    });
    writeFileSync(join(folder, "a"), "1");
    expect(await told).toBe("changed");
    end();
  });

  it("is silent about a folder that is not there", () => {
    expect(() => files.watch(join(folder, "none"), () => undefined)()).not.toThrow();
  });
});

describe("files and folders", () => {
  it("get exactly the mode that was asked for, whatever the umask", async () => {
    await files.makeDirectory(join(folder, "a/b"), 0o777);
    await files.writeFile(join(folder, "a/b/c"), bytes("x"), 0o666);
    expect([modeOf(join(folder, "a/b")), modeOf(join(folder, "a/b/c"))]).toEqual([0o777, 0o666]);
    await files.makeDirectory(join(folder, "a/b"), 0o750);
    expect(modeOf(join(folder, "a/b"))).toBe(0o750);
  });

  it("are replaced as a whole: an open reader goes on seeing the old content", async () => {
    const path = join(folder, "file");
    await files.writeFile(path, bytes("old"), 0o644);
    const before = statSync(path).ino;
    await files.writeFile(path, bytes("new"), 0o600);
    expect(readFileSync(path, "utf8")).toBe("new");
    expect([statSync(path).ino === before, modeOf(path)]).toEqual([false, 0o600]);
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("leave nothing half-made where they cannot be written", async () => {
    await expect(files.writeFile(join(folder, "no/file"), bytes("x"), 0o644)).rejects.toThrow("ENOENT");
    mkdirSync(join(folder, "dir"));
    await expect(files.writeFile(join(folder, "dir"), bytes("x"), 0o644)).rejects.toThrow("EISDIR");
    expect(readdirSync(folder)).toEqual(["dir"]);
  });

  it("are read from the end, or not at all if they are not there", async () => {
    writeFileSync(join(folder, "file"), "hello");
    expect(await files.readTail(join(folder, "file"), 2)).toEqual(bytes("lo"));
    expect(await files.readTail(join(folder, "file"), 99)).toEqual(bytes("hello"));
    expect(await files.readFile(join(folder, "file"))).toEqual(bytes("hello"));
    expect(await files.readTail(join(folder, "none"), 2)).toBeUndefined();
    expect(await files.readFile(join(folder, "file/below"))).toBeUndefined();
    expect(await files.list(join(folder, "none"))).toEqual([]);
  });

  it("are not read where a container put something else in their place", async () => {
    const path = join(folder, "message");
    execFileSync("mkfifo", [path]);
    expect(await files.readTail(path, 100)).toBeUndefined();
    await files.remove(path);
    symlinkSync("/etc/passwd", path);
    expect(await files.readTail(path, 100)).toBeUndefined();
    await files.remove(path);
    symlinkSync("/dev/zero", path);
    expect(await files.readTail(path, 100)).toBeUndefined();
    await files.remove(path);
    await files.makeDirectory(path, 0o755);
    expect(await files.readTail(path, 100)).toBeUndefined();
    await files.remove(path);
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await files.readTail(path, 100)).toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
  });

  it.each<[string, string, string, boolean]>([
    ["a path without links", "real", "sub/real", false],
    ["what is not there yet", "real", "sub/new/deeper", false],
    ["a link within the folder", "../other", "sub/link", false],
    ["a link to the root", "/", "sub/link", true],
    ["a link that climbs", "../../..", "sub/link", true],
    ["a link in the middle", "/etc", "sub/link/ssl", true],
    ["what is not there below a link", "/etc", "sub/link/not-there", true],
    ["a link to nothing", "/nowhere/at/all", "sub/link", true],
    ["a link to a folder that begins alike", "../../volume-2", "sub/link", true],
  ])("lead outside or not: %s", async (_what, target, path, outside) => {
    const volume = join(folder, "volume");
    for (const made of ["volume/sub/real", "volume/other", "volume-2"])
      await files.makeDirectory(join(folder, made), 0o755);
    symlinkSync(target, join(volume, "sub/link"));
    expect(await files.leadsOutside(volume, path)).toBe(outside);
  });

  it("are told apart by kind, through links", async () => {
    mkdirSync(join(folder, "dir"));
    symlinkSync("dir", join(folder, "link"));
    symlinkSync("nowhere", join(folder, "dangling"));
    writeFileSync(join(folder, "file"), "");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, "socket"), resolve));
    const names = ["dir", "link", "file", "socket", "dangling", "none"];
    const kinds = await Promise.all(names.map((name) => files.kindOf(join(folder, name))));
    expect(kinds).toEqual(["directory", "directory", "file", "socket", undefined, undefined]);
    expect(await files.kindOf("/dev/null")).toBe("characterDevice");
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("projected files", () => {
  const volume = (): string => join(folder, "volume");
  const project = (content: Readonly<Record<string, string>>, mode = 0o644): Promise<void> =>
    files.projectFiles(
      volume(),
      Object.entries(content).map(([path, text]) => ({ path, content: bytes(text), mode })),
    );

  it("appear under links into one folder, with their modes", async () => {
    await project({ "key.txt": "1", "deep/er/key": "2" }, 0o440);
    expect(readFileSync(join(volume(), "key.txt"), "utf8")).toBe("1");
    expect(readFileSync(join(volume(), "deep/er/key"), "utf8")).toBe("2");
    expect(modeOf(join(volume(), "deep/er/key"))).toBe(0o440);
    expect(readlinkSync(join(volume(), "key.txt"))).toBe("..data/key.txt");
    expect(readlinkSync(join(volume(), "deep"))).toBe("..data/deep");
    // Everyone can get in, whatever the umask.
    expect(modeOf(join(volume(), "..data"))).toBe(0o755);
    expect(modeOf(join(volume(), "deep/er"))).toBe(0o755);
  });

  it("are switched over in one step, and the old ones go", async () => {
    await project({ a: "1", b: "1" });
    const before = readlinkSync(join(volume(), "..data"));
    await project({ b: "2", c: "2" });
    expect(readdirSync(volume()).filter((name) => !name.startsWith("..data_"))).toEqual(["..data", "b", "c"]);
    expect(readFileSync(join(volume(), "b"), "utf8")).toBe("2");
    expect(readlinkSync(join(volume(), "..data"))).not.toBe(before);
    expect(existsSync(join(volume(), before))).toBe(false);
    expect(readdirSync(volume()).filter((name) => name.startsWith("..data_"))).toHaveLength(1);
  });

  it("stay untouched when nothing changes", async () => {
    await project({ a: "1" });
    const before = readlinkSync(join(volume(), "..data"));
    await project({ a: "1" });
    expect(readlinkSync(join(volume(), "..data"))).toBe(before);
    await project({ a: "1" }, 0o400);
    expect(readlinkSync(join(volume(), "..data"))).not.toBe(before);
  });

  it("are put right again after a crash in the middle of a switch", async () => {
    await project({ a: "1", b: "1" });
    mkdirSync(join(volume(), "..data_left"));
    rmSync(join(volume(), "b"));
    symlinkSync("..data/old", join(volume(), "old"));
    await project({ a: "1", b: "1" });
    const names = readdirSync(volume());
    expect(names.filter((name) => !name.startsWith("..data_"))).toEqual(["..data", "a", "b"]);
    expect(names).not.toContain("..data_left");
    expect(readFileSync(join(volume(), "b"), "utf8")).toBe("1");
  });

  it("can all be taken away", async () => {
    await project({ a: "1" });
    await project({});
    expect(readdirSync(volume()).filter((name) => !name.startsWith(".."))).toEqual([]);
  });

  it.each(["../out", "/abs", "a/../../out", "..data/x", ""])("are refused at %j", async (path) => {
    await expect(project({ [path]: "x" })).rejects.toThrow("invalid path");
    expect(readdirSync(folder).filter((name) => name !== "volume")).toEqual([]);
  });
});

describe("removing", () => {
  it("takes a whole tree, and what is not there", async () => {
    mkdirSync(join(folder, "a/b"), { recursive: true });
    writeFileSync(join(folder, "a/b/c"), "");
    await files.remove(join(folder, "a"));
    await files.remove(join(folder, "a"));
    await files.remove(join(folder, "x/y/z"));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("never follows a link out", async () => {
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside/precious"), "");
    mkdirSync(join(folder, "tree"));
    symlinkSync("../outside", join(folder, "tree/link"));
    await files.remove(join(folder, "tree"));
    symlinkSync("outside", join(folder, "link"));
    await files.remove(join(folder, "link"));
    expect(readdirSync(join(folder, "outside"))).toEqual(["precious"]);
    expect(existsSync(join(folder, "link"))).toBe(false);
  });

  it("takes no root folder", async () => {
    await expect(files.remove("//")).rejects.toThrow("refusing");
  });

  it.runIf(isRoot)("unmounts what is mounted below first and spares what was mounted", async () => {
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside/precious"), "");
    mkdirSync(join(folder, "tree/with blank"), { recursive: true });
    execFileSync("mount", ["--bind", join(folder, "outside"), join(folder, "tree/with blank")]);
    await files.remove(join(folder, "tree"));
    expect(existsSync(join(folder, "tree"))).toBe(false);
    expect(readdirSync(join(folder, "outside"))).toEqual(["precious"]);
  });
});

describe("memory", () => {
  it.runIf(isRoot)("is mounted once, with its size, and goes with its folder", async () => {
    const path = join(folder, "memory");
    expect(await files.mountMemory(path, 1024 * 1024)).toBe(true);
    expect(await files.mountMemory(path, 1024 * 1024)).toBe(true);
    const mounts = (): readonly string[] =>
      readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .filter((line) => line.includes(path));
    expect(mounts()).toHaveLength(1);
    expect(mounts()[0]).toContain("size=1024k");
    await files.remove(path);
    expect([mounts(), existsSync(path)]).toEqual([[], false]);
  });
});

describe("the group of a volume", () => {
  it("reaches everything below, with the right to read and write, but no link's target", async (test) => {
    test.skip(!isRoot, "needs root");
    mkdirSync(join(folder, "volume/sub"), { recursive: true });
    writeFileSync(join(folder, "volume/sub/file"), "");
    chmodSync(join(folder, "volume/sub/file"), 0o400);
    writeFileSync(join(folder, "outside"), "");
    symlinkSync("../outside", join(folder, "volume/link"));
    await files.setGroup(join(folder, "volume"), 4242);
    const groupOf = (path: string): number => lstatSync(join(folder, path)).gid;
    expect(["volume", "volume/sub", "volume/sub/file", "volume/link"].map(groupOf)).toEqual([4242, 4242, 4242, 4242]);
    expect(groupOf("outside")).not.toBe(4242);
    expect(modeOf(join(folder, "volume/sub/file"))).toBe(0o460);
    expect(modeOf(join(folder, "volume/sub")) & 0o2070).toBe(0o2070);
  });
});
