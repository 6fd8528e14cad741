import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseTime } from "../../base/time.ts";
import { WallClock } from "../../host/wall-clock.ts";
import type { LogLine, ReadLogOptions } from "../runtime-service.ts";
import { type LogWriter, parseCriLogLine, readCriLog } from "./cri-log.ts";

const at = (second: number): string => `2025-01-02T03:04:${String(second).padStart(2, "0")}.000000001Z`;
const entry = (second: number, text: string, tag = "F", stream = "stdout"): string =>
  `${at(second)} ${stream} ${tag} ${text}\n`;
const textOf = (line: LogLine): string => Buffer.from(line.text).toString();

describe("a line of a CRI log", () => {
  it.each<[string, string, { stream: string; text: string; partial: boolean } | undefined]>([
    ["a full line", `${at(5)} stdout F hello world`, { stream: "stdout", text: "hello world", partial: false }],
    ["a part of a line", `${at(5)} stderr P half`, { stream: "stderr", text: "half", partial: true }],
    ["more tags after the first", `${at(5)} stdout F:later x`, { stream: "stdout", text: "x", partial: false }],
    ["an empty line", `${at(5)} stdout F `, { stream: "stdout", text: "", partial: false }],
    ["an empty line whose space was lost", `${at(5)} stdout F`, { stream: "stdout", text: "", partial: false }],
    ["spaces in the text", `${at(5)} stdout F   a  b `, { stream: "stdout", text: "  a  b ", partial: false }],
    [
      "an offset instead of Z",
      "2025-01-02T04:04:05.000000001+01:00 stdout F x",
      { stream: "stdout", text: "x", partial: false },
    ],
    ["another stream", `${at(5)} stdin F x`, undefined],
    ["another tag", `${at(5)} stdout X x`, undefined],
    ["no time", "yesterday stdout F x", undefined],
    ["another format", '{"log":"x\\n","stream":"stdout"}', undefined],
    ["nothing", "", undefined],
  ])("is read: %s", (_what, raw, want) => {
    const line = parseCriLogLine(Buffer.from(raw));
    expect(line && { ...line, text: textOf(line) }).toEqual(want && { ...want, time: parseTime(at(5)) });
  });
});

describe("reading a CRI log", () => {
  const clock = new WallClock();
  let folder: string;
  let path: string;
  let ended: boolean;
  let ring: () => void;
  let writer: LogWriter;
  let listeners: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lifepod-log-"));
    path = join(folder, "0.log");
    ended = false;
    listeners = 0;
    ring = () => undefined;
    writer = {
      clock,
      hasEnded: async () => ended,
      onExit: (bell) => {
        listeners++;
        ring = bell;
        return () => listeners--;
      },
    };
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const read = async (options: Partial<ReadLogOptions> = {}): Promise<string[]> => {
    const texts: string[] = [];
    for await (const line of readCriLog(path, { follow: false, ...options }, writer)) texts.push(textOf(line));
    return texts;
  };

  /** Reads in the background; `lines` grows. */
  const follow = (options: Partial<ReadLogOptions> = {}) => {
    const lines: string[] = [];
    const done = (async () => {
      for await (const line of readCriLog(path, { follow: true, ...options }, writer)) lines.push(textOf(line));
    })();
    return { lines, done };
  };

  const exit = (): void => {
    ended = true;
    ring();
  };

  it("gives all lines and leaves out what is in another format", async () => {
    writeFileSync(path, `${entry(1, "one")}not a log line\n${entry(2, "two")}`);
    expect(await read()).toEqual(["one", "two"]);
  });

  it("reads lines longer than its buffer, and many of them", async () => {
    const long = "x".repeat(200_000);
    const many = Array.from({ length: 5000 }, (_, n) => `line ${n}`);
    writeFileSync(path, entry(1, long) + many.map((text) => entry(2, text)).join(""));
    expect(await read()).toEqual([long, ...many]);
  });

  it("gives a last line whose end was never written", async () => {
    writeFileSync(path, entry(1, "one") + entry(2, "two").trimEnd());
    expect(await read()).toEqual(["one", "two"]);
  });

  it.each<[string, number, number]>([
    ["nothing", 0, 0],
    ["one line", 1, 1],
    ["three lines", 3, 3],
    ["as many as there are", 3000, 3000],
    ["more than there are", 9999, 3000],
    ["lines beyond one buffer", 2500, 2500],
  ])("begins with %s from the end", async (_what, tailLines, count) => {
    const all = Array.from({ length: 3000 }, (_, n) => `line ${n} ${"y".repeat(n % 90)}`);
    writeFileSync(path, all.map((text) => entry(1, text)).join(""));
    expect(await read({ tailLines })).toEqual(all.slice(all.length - count));
  });

  it("counts the entries of a line that was cut, as upstream does", async () => {
    writeFileSync(path, entry(1, "a", "P") + entry(1, "b", "P") + entry(1, "c"));
    expect(await read({ tailLines: 2 })).toEqual(["b", "c"]);
  });

  it("finds the end of a log that begins with an empty line", async () => {
    writeFileSync(path, `\n${entry(1, "one")}`);
    expect(await read({ tailLines: 1 })).toEqual(["one"]);
    expect(await read({ tailLines: 2 })).toEqual(["one"]);
  });

  it("leaves out what is older than asked, also among the last lines", async () => {
    writeFileSync(path, [1, 2, 3, 4].map((second) => entry(second, `at ${second}`)).join(""));
    const since = parseTime(at(3));
    if (since === undefined) throw new Error("no time");
    expect(await read({ since })).toEqual(["at 3", "at 4"]);
    expect(await read({ since, tailLines: 1 })).toEqual(["at 4"]);
    expect(await read({ since, tailLines: 3 })).toEqual(["at 3", "at 4"]);
  });

  it("says in upstream's words that there is no log", async () => {
    await expect(read()).rejects.toThrow(
      `failed to try resolving symlinks in path "${path}": lstat ${path}: no such file or directory`,
    );
  });

  it("follows until the container has ended and gives what was written last", async () => {
    writeFileSync(path, entry(1, "one"));
    const following = follow();
    await expect.poll(() => following.lines).toEqual(["one"]);
    appendFileSync(path, entry(2, "two"));
    await expect.poll(() => following.lines).toEqual(["one", "two"]);
    appendFileSync(path, entry(3, "three"));
    exit();
    await following.done;
    expect(following.lines).toEqual(["one", "two", "three"]);
    expect(listeners).toBe(0);
  });

  it("waits for the rest of a line that is being written", async () => {
    const half = entry(1, "whole").length - 4;
    writeFileSync(path, entry(1, "whole").slice(0, half));
    const following = follow();
    appendFileSync(path, entry(1, "whole").slice(half));
    await expect.poll(() => following.lines).toEqual(["whole"]);
    exit();
    await following.done;
  });

  it("follows from the end on", async () => {
    writeFileSync(path, entry(1, "older") + entry(2, "old"));
    const following = follow({ tailLines: 1 });
    await expect.poll(() => following.lines).toEqual(["old"]);
    appendFileSync(path, entry(3, "new"));
    exit();
    await following.done;
    expect(following.lines).toEqual(["old", "new"]);
  });

  it("goes on in the new file after the log was rotated, and loses nothing of the old one", async () => {
    writeFileSync(path, entry(1, "one"));
    const following = follow();
    await expect.poll(() => following.lines).toEqual(["one"]);
    appendFileSync(path, entry(2, "two"));
    renameSync(path, `${path}.20250102-030405`);
    appendFileSync(`${path}.20250102-030405`, entry(3, "three"));
    writeFileSync(path, entry(4, "four"));
    await expect.poll(() => following.lines).toEqual(["one", "two", "three", "four"]);
    renameSync(path, `${path}.20250102-030406`);
    appendFileSync(`${path}.20250102-030406`, entry(5, "five"));
    exit();
    await following.done;
    expect(following.lines).toEqual(["one", "two", "three", "four", "five"]);
  });

  it("follows a log that is not there yet, in a folder that is not there yet", async () => {
    path = join(folder, "main", "0.log");
    const following = follow();
    mkdirSync(join(folder, "main"));
    writeFileSync(path, entry(1, "first"));
    await expect.poll(() => following.lines, { timeout: 3000 }).toEqual(["first"]);
    exit();
    await following.done;
  });

  it("does not wait for the log of a container that ended without one", async () => {
    ended = true;
    await expect(follow().done).rejects.toThrow("no such file or directory");
  });

  it("ends at once when nobody reads any more, without an error", async () => {
    writeFileSync(path, entry(1, "one"));
    const abort = new AbortController();
    const following = follow({ signal: abort.signal });
    await expect.poll(() => following.lines).toEqual(["one"]);
    abort.abort();
    await following.done;
    expect(listeners).toBe(0);
  });
});
