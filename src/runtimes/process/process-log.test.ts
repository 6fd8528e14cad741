import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Instant } from "../../base/time.ts";
import { WallClock } from "../../host/wall-clock.ts";
import type { LogLine, ReadLogOptions } from "../runtime-service.ts";
import { indexPathOf, LogIndex, readLogIndex } from "./log-index.ts";
import type { LogBound } from "./process-log.ts";
import { defaultLogBound, ProcessLog } from "./process-log.ts";
import { longestLineBytes, readProcessLog } from "./read-process-log.ts";

const clock = new WallClock();
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifepod-log-"));
  path = join(folder, "0.log");
  writeFileSync(path, "");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function keeper(bound: LogBound = defaultLogBound): Promise<{ log: ProcessLog; errors: string[] }> {
  const errors: string[] = [];
  const log = new ProcessLog(path, clock, bound, await readLogIndex(path), (error) => errors.push(error.message));
  onTestFinished(() => log.close());
  return { log, errors };
}

async function read(options: Partial<ReadLogOptions> = {}, log?: ProcessLog): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of readProcessLog(path, () => log, { follow: false, ...options })) lines.push(line);
  return lines;
}

const texts = (lines: readonly LogLine[]): readonly string[] =>
  lines.map((line) => new TextDecoder().decode(line.text));

/** Waits until it holds, looking again whenever the machine had a chance to go on. */
async function until(holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !holds(); ) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe("reading", () => {
  it("gives the last lines of a long log, with and without an end", async () => {
    const lines = Array.from({ length: 50_000 }, (_, n) => `line ${n}`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    expect(texts(await read({ tailLines: 3 }))).toEqual(lines.slice(-3));
    expect(texts(await read({ tailLines: 20_000 }))).toEqual(lines.slice(-20_000));
    expect(await read({ tailLines: 60_000 })).toHaveLength(50_000);
    appendFileSync(path, "rest");
    expect(texts(await read({ tailLines: 2 }))).toEqual(["line 49999", "rest"]);
  });

  it("cuts very long lines into parts that say so", async () => {
    const long = "x".repeat(2 * longestLineBytes + 5);
    writeFileSync(path, `${long}\nshort\n`);
    const lines = await read();
    expect(lines.map((line) => [line.text.length, line.partial])).toEqual([
      [longestLineBytes, true],
      [longestLineBytes, true],
      [5, false],
      [5, false],
    ]);
  });

  it("keeps a line back that is not finished while the container may still write it", async () => {
    const { log } = await keeper();
    appendFileSync(path, "whole\nha");
    expect(texts(await read({}, log))).toEqual(["whole"]);
    log.end();
    expect(texts(await read({}, log))).toEqual(["whole", "ha"]);
  });

  it("follows: each line comes as it is finished, the last one with the end", async () => {
    const { log } = await keeper();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of readProcessLog(path, () => log, { follow: true })) seen.push(...texts([line]));
    })();
    appendFileSync(path, "one\ntw");
    await until(() => seen.length === 1);
    appendFileSync(path, "o\n");
    await until(() => seen.length === 2);
    appendFileSync(path, "three");
    log.end();
    await reading;
    expect(seen).toEqual(["one", "two", "three"]);
  });

  it("fails in the kubelet's words where there is no log", async () => {
    rmSync(path);
    await expect(read()).rejects.toThrow(
      `failed to try resolving symlinks in path "${path}": lstat ${path}: no such file`,
    );
  });
});

describe("times", () => {
  it("are those at which the file was seen to grow", async () => {
    const { log } = await keeper();
    const before = clock.now();
    appendFileSync(path, "one\n");
    await until(() => log.path === path && readIndexLines(log) === 1);
    const between = clock.now();
    appendFileSync(path, "two\n");
    await until(() => readIndexLines(log) === 2);
    const [one, two] = (await read({}, log)).map((line) => line.time);
    expect(one).toBeGreaterThanOrEqual(before);
    expect(one).toBeLessThanOrEqual(between);
    expect(two).toBeGreaterThanOrEqual(between);
  });

  it("of lines that were written while nobody looked are the file's own", async () => {
    writeFileSync(path, "one\n");
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    const { log } = await keeper();
    expect((await read({}, log)).map((line) => line.time)).toEqual([1_700_000_000_000]);
    log.close();
    expect(readFileSync(indexPathOf(path), "utf8")).toBe("4 1700000000000.000\n");
  });

  it("survive lifepod", async () => {
    const { log } = await keeper();
    appendFileSync(path, "one\n");
    await until(() => readIndexLines(log) === 1);
    log.close();
    const before = await read();
    utimesSync(path, 2_000_000_000, 2_000_000_000);
    expect(await read()).toEqual(before);
  });

  it("leave out what is older than asked", async () => {
    writeFileSync(path, "a\nb\nc\n");
    writeFileSync(indexPathOf(path), "2 1000\n4 2000\n6 3000\n");
    expect(texts(await read({ since: 2000 as Instant }))).toEqual(["b", "c"]);
    expect(texts(await read({ since: 2001 as Instant, tailLines: 2 }))).toEqual(["c"]);
    expect(await read({ since: 9e15 as Instant })).toEqual([]);
  });

  it("are found between notes, and a note that was cut short is passed over", () => {
    const index = new LogIndex("10 100\n20 200\ncut 4\n3", 500 as Instant);
    expect([1, 10, 11, 20, 21].map((offset) => index.timeAt(offset))).toEqual([100, 100, 200, 200, 500]);
    expect([index.keptFrom, index.notedBytes]).toEqual([4, 20]);
    expect([100, 101, 200, 201].map((since) => index.offsetBefore(since as Instant))).toEqual([4, 10, 10, 20]);
  });

  const readIndexLines = (log: ProcessLog): number => {
    log.flush();
    try {
      return readFileSync(indexPathOf(log.path), "utf8").split("\n").length - 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
      throw error;
    }
  };
});

describe("the bound", () => {
  const bound: LogBound = { keepBytes: 64 * 1024, slackBytes: 16 * 1024 };

  it("gives old lines back to the disk and keeps every byte of the end", async () => {
    const { log, errors } = await keeper(bound);
    const lines = Array.from({ length: 30_000 }, (_, n) => `this is line number ${n}`);
    for (let n = 0; n < lines.length; n += 1000) appendFileSync(path, `${lines.slice(n, n + 1000).join("\n")}\n`);
    const { size } = statSync(path);
    log.look();
    await until(() => statSync(path).blocks * 512 <= bound.keepBytes + bound.slackBytes + 8192);
    log.close();
    const left = texts(await read());
    expect(errors).toEqual([]);
    expect(statSync(path).size).toBe(size);
    expect(left).toEqual(lines.slice(-left.length));
    expect(left.join("\n").length).toBeGreaterThan(bound.keepBytes - 100);
    // A reader that starts over finds the same.
    const again = await keeper(bound);
    expect(texts(await read({ tailLines: 2 }, again.log))).toEqual(lines.slice(-2));
  });

  it("is no matter of life and death when the log is gone", async () => {
    const { log, errors } = await keeper(bound);
    rmSync(path);
    log.look();
    log.end();
    expect(errors).toEqual([]);
  });

  it("does not mind a log that somebody emptied", async () => {
    appendFileSync(path, "one\n");
    const { log } = await keeper(bound);
    truncateSync(path);
    log.look();
    expect(await read({}, log)).toEqual([]);
  });
});
