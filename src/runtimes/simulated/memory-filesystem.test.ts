import { expect, it } from "vitest";
import { MemoryFilesystem } from "./memory-filesystem.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string | undefined => content && new TextDecoder().decode(content);

it("keeps files with their modes and gives copies of their content", async () => {
  const files = new MemoryFilesystem();
  await files.makeDirectory("/a/b", 0o750);
  const content = bytes("hello");
  await files.writeFile("/a/b/c", content, 0o600);
  content[0] = 0;
  expect(text(await files.readFile("/a/b/c"))).toBe("hello");
  expect(text(await files.readTail("/a/b/c", 2))).toBe("lo");
  expect([files.modeOf("/a/b"), files.modeOf("/a/b/c")]).toEqual([0o750, 0o600]);
  expect([await files.kindOf("/a/b"), await files.kindOf("/a/b/c"), await files.kindOf("/x")]).toEqual([
    "directory",
    "file",
    undefined,
  ]);
});

it("knows nothing of what is not there", async () => {
  const files = new MemoryFilesystem();
  expect(await files.readFile("/x")).toBeUndefined();
  expect(await files.readTail("/x", 5)).toBeUndefined();
  expect(await files.list("/x")).toEqual([]);
  await files.remove("/x/y");
});

it("fails like a disk where a folder is missing or in the way", async () => {
  const files = new MemoryFilesystem();
  await expect(files.writeFile("/no/file", bytes(""), 0o644)).rejects.toThrow("ENOENT");
  await files.makeDirectory("/dir", 0o755);
  await expect(files.writeFile("/dir", bytes(""), 0o644)).rejects.toThrow("EISDIR");
  await files.writeFile("/file", bytes(""), 0o644);
  await expect(files.makeDirectory("/file/below", 0o755)).rejects.toThrow("ENOTDIR");
});

it("makes a folder hold exactly the projected files", async () => {
  const files = new MemoryFilesystem();
  await files.projectFiles("/v", [
    { path: "old", content: bytes("1"), mode: 0o644 },
    { path: "deep/er", content: bytes("2"), mode: 0o400 },
  ]);
  await files.projectFiles("/v", [{ path: "deep/er", content: bytes("3"), mode: 0o440 }]);
  expect(await files.list("/v")).toEqual(["deep"]);
  expect(text(await files.readFile("/v/deep/er"))).toBe("3");
  expect(files.modeOf("/v/deep/er")).toBe(0o440);
  await expect(files.projectFiles("/v", [{ path: "../out", content: bytes(""), mode: 0o644 }])).rejects.toThrow(
    "invalid path",
  );
});

it("removes a folder with all that is below", async () => {
  const files = new MemoryFilesystem();
  await files.mountMemory("/v/memory", undefined);
  await files.makeDirectory("/v2", 0o755);
  await files.remove("/v");
  expect([await files.kindOf("/v"), await files.kindOf("/v2"), files.isMemory("/v/memory")]).toEqual([
    undefined,
    "directory",
    false,
  ]);
});
