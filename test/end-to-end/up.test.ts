// `lifepod up` and the commands around it, as a person uses them: one cluster in one folder, ended and begun again, and everything that can be wrong.

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { lifepod, LifepodProcess } from "./lifepod-process.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { mountsBelow, openFiles, podFilesIn, processesWith } from "./traces.ts";

const onProcesses = ["--runtime", "process"] as const;

describe("a standing cluster", () => {
  let cluster: StandingCluster;

  beforeEach(async () => {
    cluster = await StandingCluster.start(onProcesses);
  });
  afterEach(async () => {
    await cluster.stop();
  });

  it("ends cleanly on TERM and leaves its Pods, which go on under the next one", async () => {
    await cluster.create(sleeper("stays", cluster.folder));
    const before = await cluster.until("stays", "is Ready", isReady);
    const processes = processesWith(`MARK=${cluster.folder}`);
    const ended = await cluster.end("SIGTERM");
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expect(ended.stdout).toContain('{"kind":"stopping","signal":"SIGTERM","pods":"leave"}\n{"kind":"stopped"}\n');
    expect(processesWith(`MARK=${cluster.folder}`)).toEqual(processes);

    await cluster.up();
    expect((await cluster.until("stays", "is Ready", isReady)).status).toEqual(before.status);
    expect(processesWith(`MARK=${cluster.folder}`)).toEqual(processes);
  });

  it("ends its Pods, too, when told so, and waits for those that were deleted by force", async () => {
    await cluster.end("SIGTERM");
    await cluster.up("--stop-pods");
    await Promise.all(["one", "two"].map((name) => cluster.create(sleeper(name, cluster.folder))));
    for (const name of ["one", "two"]) await cluster.until(name, "is Ready", isReady);
    await cluster.delete("two", 0);
    expect(await cluster.end("SIGTERM")).toMatchObject({ status: 0, stderr: "" });
    expect(processesWith(`MARK=${cluster.folder}`)).toEqual([]);
    expect(podFilesIn(cluster.data)).toEqual([]);
    expect(mountsBelow(cluster.folder)).toEqual([]);
  });

  it("goes on when nobody reads what it prints any more, and ends cleanly when its terminal goes", async () => {
    cluster.process.closeOutput();
    await cluster.create(sleeper("stays", cluster.folder));
    await cluster.until("stays", "is Ready", isReady);
    const processes = processesWith(`MARK=${cluster.folder}`);
    expect(await cluster.end("SIGHUP")).toMatchObject({ status: 0, signal: null, stderr: "" });
    expect(processesWith(`MARK=${cluster.folder}`)).toEqual(processes);
  });

  it("keeps its folder to itself, and its port", async () => {
    const second = await lifepod(["up", "--data", cluster.data, "--port", "0", ...onProcesses]);
    expect(second).toEqual({
      status: 1,
      signal: null,
      stdout: "",
      stderr: `lifepod: the store in ${cluster.data}/store is in use by process ${cluster.process.pid}; stop it first, or choose another folder\n`,
    });
    const { port } = new URL(cluster.facts.url);
    const other = join(cluster.folder, "other");
    expect(await lifepod(["up", "--data", other, "--port", port, ...onProcesses])).toMatchObject({
      status: 1,
      stderr: `lifepod: cannot listen on 127.0.0.1:${port}: the port is taken; stop what uses it, or choose another with --port (0 takes any free one)\n`,
    });
    const reset = await lifepod(["reset", "--data", cluster.data, "--yes"]);
    expect(reset).toMatchObject({ status: 1, stderr: expect.stringContaining("is in use by process") });
    expect((await cluster.find("nobody")) === undefined).toBe(true);
  });

  it("is told about by status and kubeconfig, and gone after reset", async () => {
    await cluster.create(sleeper("one", cluster.folder));
    await cluster.until("one", "is Ready", isReady);
    const { url, node } = cluster.facts;
    const status = await lifepod(["status", "--data", cluster.data]);
    expect(status).toMatchObject({ status: 0, stderr: "" });
    expect(status.stdout).toBe(
      `cluster  ${url}, runtime process, process ${cluster.process.pid}, data in ${cluster.data}\n` +
        `node     ${node}  Ready  1 Pods\n` +
        `pod      default/one  1/1  Running  0 restarts  ${node}\n`,
    );
    const path = await lifepod(["kubeconfig", "--data", cluster.data, "--path"]);
    expect(path.stdout).toBe(`${cluster.data}/kubeconfig\n`);
    const text = await lifepod(["kubeconfig", "--data", cluster.data]);
    expect(text.stdout).toBe(await readFile(join(cluster.data, "kubeconfig"), "utf8"));

    await cluster.end("SIGKILL");
    const silent = await lifepod(["status", "--data", cluster.data]);
    expect(silent).toMatchObject({ status: 1, stdout: "" });
    expect(silent.stderr).toContain(`does not answer at ${url}`);
    const unasked = await lifepod(["reset", "--data", cluster.data]);
    expect(unasked).toMatchObject({ status: 2, stderr: expect.stringContaining("use --yes") });
    expect(await lifepod(["reset", "--data", cluster.data, "--yes"])).toEqual({
      status: 0,
      signal: null,
      stdout: `${cluster.data} is gone\n`,
      stderr: "",
    });
    expect(processesWith(`MARK=${cluster.folder}`)).toEqual([]);
    expect((await lifepod(["status", "--data", cluster.data])).stderr).toContain("there is no cluster in");
  });

  it("gives back what its Pods took", { timeout: 60_000 }, async () => {
    const names = Array.from({ length: 10 }, (_, index) => `pod-${index}`);
    const round = async (): Promise<number> => {
      await Promise.all(names.map((name) => cluster.create(sleeper(name, cluster.folder))));
      for (const name of names) await cluster.until(name, "is Ready", isReady);
      await Promise.all(names.map((name) => cluster.delete(name)));
      for (const name of names) await cluster.untilGone(name);
      await until("their files are gone", () => (podFilesIn(cluster.data).length === 0 ? true : undefined));
      return openFiles(cluster.process.pid);
    };
    const first = await round();
    await round();
    // Connections of the client come and go; ten Pods that left one file open each would show.
    expect(await round()).toBeLessThan(first + 5);
    expect(processesWith(`MARK=${cluster.folder}`)).toEqual([]);
  });
});

describe("what can be wrong with up", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lifepod-e2e-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const up = (data: string, ...more: readonly string[]) =>
    lifepod(["up", "--data", data, "--port", "0", ...(more.length === 0 ? onProcesses : more)]);

  it("is told in one line: the folder is a file", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const ended = await up(file);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toMatch(
      /^lifepod: cannot use \S+ as the data folder: .*; choose one that you may write to with --data\n$/,
    );
  });

  it("is told in one line: containerd does not answer", async () => {
    const socket = join(folder, "containerd.sock");
    expect(await up(join(folder, "data"), "--runtime", "containerd", "--runtime-endpoint", socket)).toMatchObject({
      status: 1,
      stderr: `lifepod: no container runtime answers CRI calls (${socket}: the container runtime at ${socket} cannot be reached: connect ENOENT ${socket}); start containerd, name its socket with --runtime-endpoint, or use --runtime process\n`,
    });
  });

  it.each([
    [["--port", "99999"], "a port is a whole number from 0 to 65535."],
    [["--port", "x"], "a port is a whole number from 0 to 65535."],
    [["--runtime", "vm"], "Allowed choices are auto, process, containerd."],
    [["--nonsense"], "unknown option '--nonsense'"],
    [["--bind", "256.0.0.1"], "an address to listen on looks like 127.0.0.1, 0.0.0.0 or ::1."],
  ])("is told in one line: %s", async (args, text) => {
    const ended = await lifepod(["up", "--data", join(folder, "data"), ...args]);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toContain(text);
    expect(ended.stderr).not.toContain("at file:");
  });

  it("is told in one line: the address is another machine's", async () => {
    expect(await up(join(folder, "data"), "--bind", "192.0.2.1", ...onProcesses)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^lifepod: .*EADDRNOTAVAIL.*192\.0\.2\.1.*\n$/),
    });
  });

  it("is told in one line: the store is damaged", async () => {
    const data = join(folder, "data");
    await mkdir(join(data, "store"), { recursive: true });
    await writeFile(join(data, "store", "revisions.mdb"), "this is not a database");
    const ended = await up(data);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toMatch(/^lifepod: .*revisions\.mdb.*\n$/);
  });

  it("takes another port when the one that it had last is free, and the same one again", async () => {
    const data = join(folder, "data");
    const first = new LifepodProcess(["up", "--data", data, "--port", "0", ...onProcesses]);
    const url = /https:\S+:\d+/.exec(await first.says(/^ready.*\n/m))?.[0];
    await first.end("SIGTERM");
    const again = new LifepodProcess(["up", "--data", data, ...onProcesses]);
    expect(await again.says(/^ready.*\n/m)).toContain(`at ${url},`);
    await again.end("SIGTERM");
    const { port } = new URL(url ?? "");
    const taker = createServer().listen(Number(port), "127.0.0.1");
    const refused = await lifepod(["up", "--data", data, ...onProcesses]);
    taker.close();
    expect(refused.stderr).toContain(`cannot listen on 127.0.0.1:${port}: the port is taken`);
  });

  const noRoot = process.getuid?.() === 0 ? undefined : "only root can become somebody else";
  /** As somebody who owns nothing but one folder. */
  const asNobody = { wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] };

  it("is told in one line: nobody's home is not there, the folder is not theirs", async (test) => {
    test.skip(noRoot !== undefined, noRoot);
    const env = { HOME: undefined, XDG_DATA_HOME: undefined, LIFEPOD_DATA: undefined };
    const homeless = await lifepod(["up", "--port", "0", ...onProcesses], { ...asNobody, env });
    expect(homeless).toMatchObject({ status: 1, stdout: "" });
    expect(homeless.stderr).toMatch(/^lifepod: cannot use \/\S+\/lifepod as the data folder: EACCES: .*\n$/);

    const data = join(folder, "data");
    await mkdir(data, { mode: 0o700 });
    const strange = await lifepod(["up", "--data", data, "--port", "0", ...onProcesses], asNobody);
    expect(strange).toMatchObject({ status: 1, stdout: "" });
    expect(strange.stderr).toMatch(/^lifepod: .*EACCES.*\n$/);

    // The folder is theirs, but a former root's store in it is not.
    await chmod(folder, 0o755);
    const rooted = new LifepodProcess(["up", "--data", data, "--port", "0", ...onProcesses]);
    await rooted.says("ready");
    await rooted.end("SIGTERM");
    await chmod(data, 0o777);
    const mixed = await lifepod(["up", "--data", data, "--port", "0", ...onProcesses], asNobody);
    expect(mixed).toMatchObject({ status: 1, stdout: "" });
    expect(mixed.stderr).toMatch(/^lifepod: .*(EACCES|EPERM|[Pp]ermission denied).*\n$/);
  });
});

function sleeper(name: string, mark: string) {
  return {
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 2,
      containers: [
        {
          name: "main",
          image: "busybox:1.36",
          command: ["sleep", "1000"],
          env: [{ name: "MARK", value: mark }],
        },
      ],
      volumes: [{ name: "scratch", emptyDir: {} }],
    },
  };
}

const isReady = (pod: { status?: { conditions?: readonly { type: string; status: string }[] } }): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
