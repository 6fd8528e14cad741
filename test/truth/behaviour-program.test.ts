import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { millis, seconds } from "../../src/base/time.ts";
import type { ContainerBehaviour } from "../../src/runtimes/simulated/behaviour.ts";
import { freePort } from "../containerd/free-port.ts";
import { until } from "../containerd/until.ts";
import { type Demands, programOf } from "./behaviour-program.ts";

const nothing: Demands = { ports: [], commands: [] };

describe.skipIf(!existsSync("/bin/busybox"))("the program of a declared behaviour", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "lifepod-program-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  async function start(behaviour: ContainerBehaviour, demands = nothing, port = 0) {
    const terminationMessagePath = join(home, "message");
    const question = { behaviour, demands, turn: 0, home, terminationMessagePath, horizon: seconds(5) };
    const program = programOf({ ...question, portFor: () => port });
    for (const [path, text] of program.files) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text, { mode: 0o755 });
    }
    const [command = "", ...args] = program.command;
    // In a group of its own, as containers are.
    const child = spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const ended = once(child, "close").then(([code]) => code as number);
    await until("the program has started", () => (existsSync(join(home, "started")) ? true : undefined));
    return { child, ended, output: () => output };
  }

  it("ends when declared, with the code of its turn, having written its lines", async () => {
    const logs = [{ at: millis(0), text: "it's up" }];
    const { ended, output } = await start({ runsFor: millis(200), exitsByTurn: [3, 0], logs });
    expect(await ended).toBe(3);
    expect(output()).toBe("it's up\n");
  });

  it("takes its time after TERM and ends with the declared code", async () => {
    const behaviour = { stopsIn: millis(100), exitCodeOnTerm: 7, logsOnTerm: ["good bye"] };
    const { child, ended, output } = await start(behaviour);
    process.kill(-(child.pid as number), "SIGTERM");
    expect(await ended).toBe(7);
    expect(output()).toBe("good bye\n");
  });

  it("is not moved by TERM if it ignores it, and still ends in its time", async () => {
    const { child, ended } = await start({ runsFor: millis(600), ignoresTerm: true, exits: 4 });
    process.kill(-(child.pid as number), "SIGTERM");
    expect(await ended).toBe(4);
  });

  it("answers over HTTP as declared, and otherwise later", async () => {
    const port = await freePort();
    const demands: Demands = { ports: [{ port: 80, protocol: "http" }], commands: [] };
    const answers = { http: { "/up": { status: 200, body: "yes" }, "*": { status: 418 } } };
    const { child, ended } = await start({ becomesReadyAfter: millis(300), answers }, demands, port);
    try {
      const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      expect((await until("somebody listens", () => ask("/up")))?.status).toBeOneOf([200, 503]);
      const ready = await until("it is ready", async () => {
        const answer = await ask("/up?now");
        return answer?.status === 200 ? answer : undefined;
      });
      expect(await ready.text()).toBe("yes");
      expect((await ask("/other"))?.status).toBe(418);
    } finally {
      process.kill(-(child.pid as number), "SIGKILL");
      await ended;
    }
  });

  it("brings the commands that are declared, and no others", () => {
    const exec = { "check now": { exitCode: 2, stderr: "no" } };
    const demands: Demands = { ports: [], commands: [["check", "now"], ["other"]] };
    const question = { behaviour: { exec }, demands, turn: 0, home, terminationMessagePath: "/dev/null" };
    const { files } = programOf({ ...question, portFor: (port) => port, horizon: seconds(1) });
    expect([...files.keys()].sort()).toEqual(["bin/check", "main"]);
  });

  it("refuses by name what busybox cannot do", () => {
    const question = { demands: nothing, turn: 0, home, terminationMessagePath: "/dev/null", horizon: seconds(1) };
    const refused = { ...question, behaviour: { createError: "no" }, portFor: (port: number) => port };
    expect(() => programOf(refused)).toThrow("it declares that a container cannot be created");
  });
});
