// The real kubectls stream into Pods on processes and on containerd: exec, cp, port-forward. Old ones speak SPDY, new ones WebSocket.

import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { absenceOf, conversation, freePort, kubectls, StreamingCluster } from "./streaming-cluster.ts";

const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");
const hundredMegabytes = 100_000_000;

for (const runtime of ["process", "containerd"] as const) {
  const absence = absenceOf[runtime];
  describe.skipIf(absence !== undefined)(`streams on ${runtime}${absence === undefined ? "" : ` (${absence})`}`, () => {
    let cluster: StreamingCluster;
    beforeAll(async () => {
      cluster = await StreamingCluster.start(runtime);
      await cluster.runUsualPods();
    });
    afterAll(() => cluster.stop());

    describe.each(kubectls)("kubectl %s", (version) => {
      it("exec keeps the outputs apart, as pipes that can be opened, and passes the exit code on", async () => {
        const ended = await cluster.ran(version, [
          "exec",
          "idle",
          "--",
          "sh",
          "-c",
          "echo out > /dev/stdout; echo err > /dev/stderr; exit 7",
        ]);
        expect({ ...ended, stdout: String(ended.stdout) }).toEqual({
          exitCode: 7,
          stdout: "out\n",
          stderr: "err\ncommand terminated with exit code 7\n",
        });
      });

      it("exec -i passes the input on, to its end", async () => {
        const ended = await cluster.ran(version, ["exec", "-i", "idle", "--", "wc", "-c"], "twelve bytes");
        expect(String(ended.stdout).trim()).toBe("12");
        expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
      });

      it("exec -it gives a terminal of the client's size", async () => {
        // The size follows the start of the command; until then the terminal has none.
        const sized = "until stty size 2>/dev/null | grep -q 41.113; do sleep 0.05; done";
        const ended = await cluster.atTerminal(
          version,
          [
            "exec",
            "-it",
            "idle",
            "--",
            "sh",
            "-c",
            `echo ready; read answer; ${sized}; stty size; echo $answer; tty; exit 3`,
          ],
          { rows: 41, columns: 113 },
          { to: "ready", type: "typed\n" },
        );
        expect(ended.exitCode).toBe(3);
        expect(String(ended.stdout)).toMatch(/ready\r\ntyped\r\n41 113\r\ntyped\r\n\/dev\/(pts\/\d+|console)\r\n/);
      });

      it("exec says why a command cannot be run", async () => {
        const ended = await cluster.ran(version, ["exec", "idle", "--", "no-such-program"]);
        expect(ended.exitCode).toBe(1);
        expect(ended.stderr).toMatch(
          /^error: Internal error occurred: error executing command in container: failed to exec in container: .*"no-such-program": executable file not found in \$PATH/,
        );
      });

      it("cp carries a file there and back", async () => {
        const bytes = randomBytes(1_000_000);
        const there = `${runtime === "process" ? cluster.folder : ""}/copied-${version}`;
        await writeFile(join(cluster.folder, "original"), bytes);
        const sent = await cluster.ran(version, ["cp", join(cluster.folder, "original"), `idle:${there}`]);
        expect(sent).toMatchObject({ exitCode: 0, stderr: "" });
        const back = join(cluster.folder, `back-${version}`);
        const fetched = await cluster.ran(version, ["cp", `idle:${there}`, back]);
        expect(fetched.exitCode).toBe(0);
        expect(sha1(await readFile(back))).toBe(sha1(bytes));
      });

      it("port-forward carries many connections at once", async () => {
        const port = await freePort();
        const forwarding = cluster.kubectl(version, ["port-forward", "pod/echo", `${port}:${cluster.echoPort}`], {
          kind: "open",
        });
        let said = "";
        forwarding.child.stdout?.on("data", (chunk: Buffer) => {
          said += chunk.toString();
        });
        await until(`kubectl forwards; it said ${said}`, () =>
          said.includes("Forwarding from 127.0.0.1") ? true : undefined,
        );
        const sent = Array.from({ length: 6 }, (_, index) => randomBytes(1000 + 60_000 * index));
        const received = await Promise.all(sent.map((bytes) => conversation(port, bytes)));
        expect(received.map(sha1)).toEqual(sent.map(sha1));
        forwarding.child.kill();
        await forwarding.ended;
      });
    });

    it.each(kubectls.filter((version) => version === "1.27" || version === "1.33"))(
      "kubectl %s carries 100 MB each way",
      async (version) => {
        const bytes = randomBytes(hundredMegabytes);
        const ended = await cluster.ran(version, ["exec", "-i", "idle", "--", "cat"], bytes);
        expect([ended.exitCode, ended.stdout.length, sha1(ended.stdout)]).toEqual([0, bytes.length, sha1(bytes)]);
      },
      60_000,
    );
  });
}
