// `lifepod run`: what it prints, how it ends, and that it leaves nothing behind, whatever happens.

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { type Ended, lifepod, type LifepodOptions, LifepodProcess } from "./lifepod-process.ts";
import { type RuntimeAtHand, runtimeRows } from "./runtimes-at-hand.ts";
import { mountsBelow, processesWith } from "./traces.ts";

describe("lifepod run", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lifepod-e2e-"));
    await mkdir(join(folder, "tmp"));
  });
  // Each test's runs have a folder of their own for what is temporary: it is empty again afterwards.
  afterEach(async () => {
    const left = [
      ...(await readdir(join(folder, "tmp"))),
      ...processesWith(`MARK=${folder}`).map(({ pid }) => `process ${pid}`),
      ...mountsBelow(folder),
    ];
    await rm(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`lifepod run left behind: ${left.join(", ")}`);
  });

  const options = (more: LifepodOptions = {}): LifepodOptions => ({
    folder,
    ...more,
    env: { TMPDIR: join(folder, "tmp"), ...more.env },
  });
  const run = (...args: readonly string[]): Promise<Ended> =>
    lifepod(["run", "--runtime", "process", ...args], options());
  const begin = (...args: readonly string[]): LifepodProcess =>
    new LifepodProcess(["run", "--runtime", "process", ...args], options());
  const write = async (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  const manifest = (name: string, script: string, more = ""): string =>
    `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  restartPolicy: Never
  ${more}
  containers:
    - name: main
      image: busybox:1.36
      env: [{ name: MARK, value: ${folder} }]
      command: [sh, -c, ${JSON.stringify(script)}]
`;

  it("prints one plain line for each change in a pipe, in columns, with logs when asked", async () => {
    await write("hello.yaml", manifest("hello", "echo hello; echo trouble >&2; sleep 0.5; printf 'no newline'"));
    const ended = await run("hello.yaml", "--logs");
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    const lines = ended.stdout.split("\n");
    expect(lines.shift()).toMatch(/^lifepod \d+\.\d+\.\d+, runtime process \(as chosen\), node \S+$/);
    expect(lines.shift()).toMatch(/^kubectl: export KUBECONFIG=\S+\/kubeconfig$/);
    // Times and the node differ from run to run, nothing else does.
    const same = lines.map((line) =>
      line
        .replace(/^ {0,4}\d+\.\d{3}s/, "   0.000s")
        .replace(/ to \S+$/, " to NODE")
        .replace(/after \S+$/, "after TIME"),
    );
    const order = (line: string): boolean => !line.startsWith(" ".repeat(11));
    expect(same.filter(order)).toEqual([
      "   0.000s  hello                     Pending",
      "   0.000s  hello                     Scheduled          Successfully assigned default/hello to NODE",
      '   0.000s  hello[main]               Pulled             Container image "busybox:1.36" already present on machine',
      "   0.000s  hello[main]               Running",
      "   0.000s  hello                     Running",
      "   0.000s  hello                     Ready",
      "   0.000s  hello[main]               Exited             code 0, after TIME",
      "   0.000s  hello                     Succeeded",
      "   0.000s  hello                     Terminating        0s of grace",
      "   0.000s  hello                     Gone               removed from the API",
      "ok  1 Pod, nothing failed",
      "",
    ]);
    expect(same.filter((line) => !order(line)).sort()).toEqual([
      "           hello[main]               hello",
      "           hello[main]               no newline",
      "           hello[main]               trouble",
    ]);
  });

  it("ends with 1 and says what failed", async () => {
    await write("one.yaml", manifest("fails", "exit 7"));
    await write("two.yaml", manifest("unplaceable", "true", "nodeSelector: { disk: fast }"));
    await write("three.yaml", manifest("fine", "true"));
    const ended = await run("one.yaml", "two.yaml", "three.yaml", "--for", "1500ms");
    expect(ended).toMatchObject({ status: 1, stderr: "" });
    expect(ended.stdout.split("\n").filter((line) => line.startsWith("failed"))).toEqual([
      "failed  fails[main]  exited with code 7",
      "failed  fails  failed",
      "failed  unplaceable  is not Ready: Unschedulable: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    ]);
    expect(ended.stdout).toContain("the time is over: deleting ");
  });

  it("ends when all Pods have, not when its time is over", async () => {
    await write("hello.yaml", manifest("hello", "true"));
    const begun = Date.now();
    expect(await run("hello.yaml", "--for", "10m")).toMatchObject({ status: 0 });
    expect(Date.now() - begun).toBeLessThan(60_000);
  });

  it("ends with 0 when the time is over and all is well", async () => {
    await write("calm.yaml", manifest("calm", "exec sleep 1000"));
    const ended = await run("calm.yaml", "--for", "1s");
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    expect(ended.stdout).toContain("\nthe time is over: deleting 1 Pod gracefully (Ctrl-C again: by force)\n");
    expect(ended.stdout).toMatch(/\nok {2}1 Pod, nothing failed\n$/);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("ends gracefully with 130 on %s", async (signal) => {
    await write(
      "calm.yaml",
      manifest("calm", "trap 'sleep 0.5; echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"),
    );
    const running = begin("calm.yaml", "--logs");
    await running.says(/calm\[main\] +up\n/);
    running.signal(signal);
    const ended = await running.ended;
    expect(ended).toMatchObject({ status: 130, stderr: "" });
    expect(ended.stdout).toContain("\ninterrupted: deleting 1 Pod gracefully (Ctrl-C again: by force)\n");
    expect(ended.stdout).toMatch(/calm\[main\] +bye\n/);
    expect(ended.stdout).toMatch(/calm +Gone +removed from the API\nok {2}1 Pod, nothing failed\n$/);
  });

  it("ends its Pods when nobody reads what it prints any more", async () => {
    await write("talker.yaml", manifest("talker", "while :; do echo talking; sleep 0.1; done"));
    const running = begin("talker.yaml", "--logs");
    await running.says(/talker\[main\] +talking\n/);
    running.closeOutput();
    expect(await running.ended).toMatchObject({ status: 130, stderr: "" });
  });

  it("lets a second Ctrl-C end what will not end", async () => {
    await write(
      "stubborn.yaml",
      manifest("stubborn", "trap '' TERM; echo up; while :; do sleep 0.1; done", "terminationGracePeriodSeconds: 600"),
    );
    const running = begin("stubborn.yaml", "--logs");
    await running.says(/stubborn\[main\] +up\n/);
    running.signal("SIGINT");
    await running.says(/stubborn\[main\] +Killing/);
    running.signal("SIGINT");
    const ended = await running.ended;
    expect(ended).toMatchObject({ status: 130, stderr: "" });
    expect(ended.stdout).toMatch(/stubborn\[main\] +Exited +code 137/);
  });

  it("leaves nothing behind when it is interrupted before anything runs", async () => {
    await write("calm.yaml", manifest("calm", "exec sleep 1000"));
    const running = begin("calm.yaml");
    const temporary = () => readdir(join(folder, "tmp"));
    await until("its folder is there", async () => ((await temporary()).length > 0 ? true : undefined));
    running.signal("SIGINT");
    const ended = await running.ended;
    // 1: a Pod may have been made that was not Ready yet.
    expect([1, 130]).toContain(ended.status);
    expect(ended.stderr).toBe("");
  });

  it("reads standard input, folders, JSON and lists", async () => {
    const pod = (name: string) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox", command: ["true"] }] },
    });
    await mkdir(join(folder, "pods"));
    await write("pods/b.yaml", manifest("from-yaml", "true"));
    await write(
      "pods/a.json",
      JSON.stringify({ apiVersion: "v1", kind: "List", items: [pod("item-1"), pod("item-2")] }),
    );
    await write("pods/notes.txt", "not a manifest");
    const input = `# nothing here\n---\n${manifest("from-stdin", "true")}---\n`;
    const ended = await lifepod(["run", "--runtime", "process", "-", "pods"], options({ input }));
    expect(ended).toMatchObject({ status: 0, stderr: "" });
    for (const name of ["item-1", "item-2", "from-yaml", "from-stdin"]) {
      expect(ended.stdout).toMatch(new RegExp(`${name} +Succeeded\\n`));
    }
    expect(ended.stdout).toContain("ok  4 Pods, nothing failed\n");
  });

  it.each([
    ["a file that is not there", [], "lifepod: bad.yaml does not exist\n"],
    ["broken YAML", ["a: [b"], /^lifepod: bad\.yaml is neither YAML nor JSON: yaml: line 1: .*\n$/],
    ["a text", ["just text"], "lifepod: bad.yaml is a string, expected an object with apiVersion and kind\n"],
    ["a list", ["- a\n- b"], "lifepod: bad.yaml is a list, expected an object with apiVersion and kind\n"],
    ["no kind", ["a: 1"], "lifepod: bad.yaml lacks apiVersion or kind\n"],
    [
      "nothing",
      ["# only a remark\n---\n"],
      "lifepod: no manifest in bad.yaml: expected at least one YAML or JSON document\n",
    ],
  ])("refuses %s with 2 and one line", async (_, [content], text) => {
    if (content !== undefined) await write("bad.yaml", content);
    const ended = await run("bad.yaml");
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toMatch(text instanceof RegExp ? text : new RegExp(`^${escaped(text)}$`));
  });

  it.each([
    [["run"], "error: missing required argument 'file'"],
    [["run", "x.yaml", "--for", "soon"], "a duration looks like 90s, 2m or 1h30m."],
    [["run", "x.yaml", "--runtime", "vm"], "Allowed choices are auto, process, containerd."],
    [["walk"], "error: unknown command 'walk'"],
  ])("refuses the wrong call %j with 2", async (args, text) => {
    const ended = await lifepod(args, options());
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toContain(text);
  });

  it("tells all mistakes of all manifests at once, with 2, and runs nothing", async () => {
    await write(
      "bad.yaml",
      [
        manifest("good", "sleep 1000"),
        manifest("unknown-field", "true").replace("command:", "comand:"),
        manifest("Bad_Name", "true", "restartPolici: Never")
          .replace("restartPolicy: Never", "restartPolicy: Sometimes")
          .replace(/ {2}restartPolici.*\n/, ""),
        "apiVersion: example.com/v1\nkind: Gadget\nmetadata: { name: gadget }\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { a: 1 }\n",
      ].join("---\n"),
    );
    const ended = await run("bad.yaml");
    expect(ended).toMatchObject({ status: 2, stderr: "" });
    expect(ended.stdout.split("\n").filter((line) => line.startsWith("bad.yaml"))).toEqual([
      expect.stringMatching(
        /^bad\.yaml \(document 5\): .*cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
      ),
      expect.stringMatching(
        /^bad\.yaml \(document 2\): .*strict decoding error: unknown field "spec\.containers\[0\]\.comand"$/,
      ),
      expect.stringMatching(
        /^bad\.yaml \(document 3\): Pod "Bad_Name" is invalid: \[metadata\.name: Invalid value: .*, spec\.restartPolicy: Unsupported value: "Sometimes": /,
      ),
      "bad.yaml (document 4): lifepod does not serve example.com/v1 Gadget",
    ]);
    expect(ended.stdout).not.toContain("nothing failed");
    expect(ended.stdout).not.toMatch(/good\[main\] +Running/);
  });

  it("shows a live view in a terminal, and leaves it as plain lines", async (test) => {
    const absent = absenceOf("script");
    test.skip(absent !== undefined, absent);
    await write("hello.yaml", manifest("hello", "sleep 0.5"));
    const terminal = new LifepodProcess(["run", "--runtime", "process", "hello.yaml"], {
      ...options({ env: { TERM: "xterm-256color", COLUMNS: "100" } }),
      wrapper: ["sh", "-c", 'exec script -qec "$*" /dev/null', "sh"],
    });
    const ended = await terminal.ended;
    expect(ended.status).toBe(0);
    expect(ended.stdout).toContain("\u001b[32mRunning");
    // What stays on the screen when all that was taken back is taken away.
    const screen = screenAfter(ended.stdout);
    expect(screen.slice(2).map((line) => line.replace(/^ *\d+\.\d+s +/, ""))).toEqual([
      "hello                     Pending",
      expect.stringMatching(/^hello {21}Scheduled {10}Successfully assigned default\/hello to /),
      expect.stringMatching(/^hello\[main\] {15}Pulled /),
      "hello[main]               Running",
      "hello                     Running",
      "hello                     Ready",
      expect.stringMatching(/^hello\[main\] {15}Exited {13}code 0, after /),
      "hello                     Succeeded",
      "hello                     Terminating        0s of grace",
      "hello                     Gone               removed from the API",
      "ok  1 Pod, nothing failed",
      "",
    ]);
  });

  it("runs for somebody who is not root, and says what needs root", async (test) => {
    const absent = process.getuid?.() === 0 ? absenceOf("setpriv") : "only root can become somebody else";
    test.skip(absent !== undefined, absent);
    execFileSync("chmod", ["-R", "0777", folder]);
    await write("hello.yaml", manifest("hello", "id -u"));
    await write(
      "volume.yaml",
      manifest("volume", "true", "volumes: [{ name: work, emptyDir: {} }]").replace(
        "      command:",
        "      volumeMounts: [{ name: work, mountPath: /work }]\n      command:",
      ),
    );
    const nobody = {
      wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
      env: { HOME: "/nonexistent" },
    };
    const hello = await lifepod(["run", "--runtime", "process", "hello.yaml", "--logs"], options(nobody));
    expect(hello).toMatchObject({ status: 0, stderr: "" });
    expect(hello.stdout).toMatch(/hello\[main\] +65534\n/);

    const volume = await lifepod(["run", "--runtime", "process", "volume.yaml", "--for", "2s"], options(nobody));
    expect(volume).toMatchObject({ status: 1, stderr: "" });
    expect(volume.stdout).toContain(
      "failed  volume  is not Ready: main: CreateContainerConfigError: volume at mountPath /work: only root can mount into a process's view of the files; run lifepod as root, use a hostPath volume with mountPath equal to its path and without readOnly, or run the Pod on a container runtime (--runtime containerd)\n",
    );
  });
});

describe("lifepod run on containerd", () => {
  const [, { absence, start }] =
    runtimeRows[1] ??
    (() => {
      throw new Error("no containerd row");
    })();
  let runtime: RuntimeAtHand | undefined;

  beforeAll(async () => {
    if (absence === undefined) runtime = await start();
  });
  afterAll(async () => {
    await runtime?.stop();
  });

  it("leaves no container, no sandbox and no network behind", async (test) => {
    test.skip(absence !== undefined, absence);
    if (runtime === undefined) throw new Error("containerd was not started");
    const input = ["one", "two", "three"]
      .map(
        (name) =>
          `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec:\n  restartPolicy: Never\n  containers: [{ name: main, image: "${runtime?.image}", command: [sh, -c, echo hello; exit ${name === "three" ? 4 : 0}] }]\n`,
      )
      .join("---\n");
    const ended = await lifepod(["run", ...runtime.arguments, "--logs", "-"], { input });
    expect(ended).toMatchObject({ status: 1, stderr: "" });
    expect(ended.stdout.split("\n").filter((line) => line.startsWith("failed"))).toEqual([
      "failed  three[main]  exited with code 4",
      "failed  three  failed",
    ]);
    expect(ended.stdout).toMatch(/one\[main\] +hello\n/);
    expect(await runtime.holdings()).toEqual([]);
  });
});

/** A pattern for exactly this text. */
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function absenceOf(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":");
  const found = folders.some((folder) => {
    try {
      execFileSync("test", ["-x", join(folder, program)]);
      return true;
    } catch {
      return false;
    }
  });
  return found ? undefined : `not installed: ${program}`;
}

const escape = "\u001b";

/** The lines that a terminal shows after this output: knows lines, colours, "up" and "clear to the end". */
function screenAfter(output: string): readonly string[] {
  const lines = [""];
  for (const part of output.replaceAll("\r\n", "\n").split(new RegExp(`(${escape}\\[[\\d;]*[A-Za-z]|\n)`))) {
    const command = part.startsWith(escape) ? /^\[(\d*)[\d;]*([A-Za-z])$/.exec(part.slice(1)) : null;
    if (part === "\n") lines.push("");
    else if (command === null) lines[lines.length - 1] += part;
    else if (command[2] === "A") lines.splice(-1 - Number(command[1]), Number(command[1]) + 1, "");
  }
  return lines.map((line) => line.trimEnd());
}
