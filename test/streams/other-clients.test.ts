// Streams by other clients than kubectl exec: the official JavaScript client, attach and run -i, clients that vanish, and requests that are refused.

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { PassThrough } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { Attach, Exec, PortForward, type V1Status } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { absenceOf, kubectls, StreamingCluster } from "./streaming-cluster.ts";

const run = ["run", "-i", "--rm", "--quiet", "--restart=Never", "--image-pull-policy=Never"];

for (const runtime of ["process", "containerd"] as const) {
  const absence = absenceOf[runtime];
  describe.skipIf(absence !== undefined)(`streams on ${runtime}${absence === undefined ? "" : ` (${absence})`}`, () => {
    let cluster: StreamingCluster;
    beforeAll(async () => {
      cluster = await StreamingCluster.start(runtime);
      await cluster.runUsualPods();
    });
    afterAll(() => cluster.stop());

    describe("the JavaScript client", () => {
      it("runs commands with input, outputs and the exit code", async () => {
        const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
        const outputs = Promise.all([text(stdout), text(stderr)]);
        const ended = new Promise<V1Status>((resolve, reject) => {
          const script = ["sh", "-c", "read word; echo got $word; echo err >&2; exit 5"];
          new Exec(cluster.config)
            .exec("default", "idle", "main", script, stdout, stderr, stdin, false, resolve)
            .catch(reject);
        });
        stdin.write("typed\n");
        expect(await ended).toMatchObject({
          status: "Failure",
          reason: "NonZeroExitCode",
          message: "command terminated with exit code 5",
        });
        stdout.end();
        stderr.end();
        expect(await outputs).toEqual(["got typed\n", "err\n"]);
      });

      it("tells the end of an input", async () => {
        const [stdin, stdout] = [new PassThrough(), new PassThrough()];
        const ended = new Promise<V1Status>((resolve, reject) => {
          new Exec(cluster.config)
            .exec("default", "idle", "main", ["wc", "-c"], stdout, null, stdin, false, resolve)
            .catch(reject);
        });
        stdin.end("twelve bytes");
        expect(await ended).toMatchObject({ status: "Success" });
        stdout.end();
        expect((await text(stdout)).trim()).toBe("12");
      });

      it("forwards a port", async () => {
        const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
        const forwarding = new PortForward(cluster.config, true);
        const connected = await forwarding.portForward("default", "echo", [cluster.echoPort], output, errors, input);
        const sent = Buffer.alloc(200_000, "port ");
        input.write(sent);
        let received = "";
        output.on("data", (chunk: Buffer) => {
          received += chunk.toString();
        });
        await until("all has come back", () => (received.length >= sent.length ? true : undefined));
        expect(received).toBe(sent.toString());
        (connected as { close(): void }).close();
      });

      it("attaches to what a container writes", async () => {
        await cluster.run("writer", ["sh", "-c", "while :; do echo tick; sleep 0.1; done"]);
        const stdout = new PassThrough();
        const socket = await new Attach(cluster.config).attach("default", "writer", "main", stdout, null, null, false);
        const [chunk] = (await once(stdout, "data")) as [Buffer];
        expect(chunk.toString()).toMatch(/^(tick\n)+$/);
        (socket as { close(): void }).close();
      });
    });

    it.each(kubectls)("kubectl %s run -i talks to the process of a new Pod and removes the Pod", async (version) => {
      const name = `talk-${version.replace(".", "-")}`;
      const running = cluster.kubectl(
        version,
        [
          ...run,
          name,
          `--image=${cluster.image}`,
          "--command",
          "--",
          "sh",
          "-c",
          "read word; echo got $word; cat; exit 3",
        ],
        "word\nand more\n",
      );
      const ended = await running.ended;
      expect([ended.exitCode, String(ended.stdout)]).toEqual([3, "got word\nand more\n"]);
    });

    it.each(["1.27", "1.33"].filter((version) => kubectls.includes(version)))(
      "a command that reads and writes ends with its kubectl %s",
      async (version) => {
        const word = `vanish-${version}-${runtime}`;
        const script = `echo up; cat > /dev/null; echo ${word}`;
        const running = cluster.kubectl(version, ["exec", "-i", "idle", "--", "sh", "-c", script], { kind: "open" });
        await once(running.child.stdout as NodeJS.ReadableStream, "data");
        expect(await cluster.processesWith(word)).not.toEqual([]);
        running.child.kill("SIGKILL");
        await until("nothing is left of it", async () =>
          (await cluster.processesWith(word)).length === 0 ? true : undefined,
        );
      },
    );

    // Processes in the background have no terminal.
    it.each(runtime === "containerd" ? kubectls : [])(
      "kubectl %s run -it gives the process of a new Pod a terminal of the client's size",
      async (version) => {
        const script =
          "until stty size | grep -q 33.99; do sleep 0.05; done; echo ready; read word; echo got $word; exit 6";
        const ended = await cluster.atTerminal(
          version,
          [
            ...run,
            "-t",
            `sit-${version.replace(".", "-")}`,
            `--image=${cluster.image}`,
            "--command",
            "--",
            "sh",
            "-c",
            script,
          ],
          { rows: 33, columns: 99 },
          { to: "ready", type: "typed\n" },
        );
        expect([ended.exitCode, String(ended.stdout)]).toEqual([6, expect.stringContaining("got typed\r\n")]);
      },
    );

    describe("without an upgrade", () => {
      it.each<[string, string, number, string]>([
        ["a Pod that is not there", "absent/exec?command=ls&stdout=true", 404, 'pods "absent" not found'],
        [
          "another container",
          "idle/exec?command=ls&stdout=1&container=x",
          400,
          "container x is not valid for pod idle",
        ],
        ["no stream at all", "idle/exec?command=ls", 400, "you must specify at least 1 of stdin, stdout, stderr"],
        ["no command", "idle/exec?stdout=true", 400, "you must specify at least 1 command for the container"],
        ["a port that is none", "idle/portforward?ports=http", 400, 'unable to parse "http" as a port'],
        ["a request that does not ask for one", "idle/exec?command=ls&stdout=true", 400, "Upgrade request required"],
      ])("%s is refused with a Status", async (what, path, code, message) => {
        const headers: Record<string, string> = what.includes("does not ask")
          ? {}
          : { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" };
        const answer = await asked(cluster, path, headers);
        expect(answer).toMatchObject({ code, body: expect.stringContaining(JSON.stringify(message).slice(1, -1)) });
        expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", code });
      });

      it.each([
        [
          "WebSocket",
          {
            upgrade: "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "a".repeat(24),
            "sec-websocket-protocol": "v9.channel.k8s.io",
          },
        ],
        ["SPDY", { upgrade: "SPDY/3.1", "x-stream-protocol-version": "v9.channel.k8s.io" }],
      ])("protocols over %s that nobody speaks are refused", async (_name, headers) => {
        const answer = await asked(cluster, "idle/exec?command=ls&stdout=true", { connection: "Upgrade", ...headers });
        expect(answer.code).toBe(400);
        expect(answer.body).toContain("none of the offered protocols is spoken here: v9.channel.k8s.io");
      });
    });

    it("speaks base64 to those who can only take text", async () => {
      const socket = await upgraded(
        cluster,
        "idle/exec?command=echo&command=hello&stdout=true",
        "v4.base64.channel.k8s.io",
      );
      const said = (await buffer(socket)).toString("latin1");
      expect(said).toContain(`1${Buffer.from("hello\n").toString("base64")}`);
      expect(said).toContain(`3${Buffer.from('{"metadata":{},"status":"Success"}').toString("base64")}`);
    });

    it("answers pings while nobody takes the output", async () => {
      const socket = await upgraded(cluster, "idle/exec?command=yes&stdout=true", "v5.channel.k8s.io");
      socket.pause();
      // Far more than all buffers between here and there hold: the output stands still.
      await until("the output stands still", async () => (socket.readableLength > 0 ? true : undefined));
      const ping = Buffer.from([0x89, 0x84, 0, 0, 0, 0, 0x70, 0x69, 0x6e, 0x67]);
      socket.write(ping);
      let rest = Buffer.alloc(0);
      for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        rest = Buffer.concat([rest.subarray(-8), chunk]);
        if (rest.includes(Buffer.from([0x8a, 0x04, 0x70, 0x69, 0x6e, 0x67]))) break;
      }
      expect(rest.includes("ping")).toBe(true);
      socket.destroy();
    });
  });
}

interface Answer {
  readonly code: number;
  readonly body: string;
}

function optionsFor(cluster: StreamingCluster, path: string, headers: Record<string, string>) {
  const { server = "", caData = "" } = cluster.config.getCurrentCluster() ?? {};
  const { certData = "", keyData = "" } = cluster.config.getCurrentUser() ?? {};
  const decoded = (data: string): Buffer => Buffer.from(data, "base64");
  const url = new URL(`/api/v1/namespaces/default/pods/${path}`, server);
  return [url, { headers, ca: decoded(caData), cert: decoded(certData), key: decoded(keyData) }] as const;
}

/** A request that is expected to stay one. */
async function asked(cluster: StreamingCluster, path: string, headers: Record<string, string>): Promise<Answer> {
  const asking = request(...optionsFor(cluster, path, headers)).end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return { code: response.statusCode ?? 0, body: await text(response) };
}

async function upgraded(cluster: StreamingCluster, path: string, protocol: string): Promise<TLSSocket> {
  const asking = request(
    ...optionsFor(cluster, path, {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "a".repeat(24),
      "sec-websocket-protocol": protocol,
    }),
  ).end();
  const [response, socket, head] = (await once(asking, "upgrade")) as [IncomingMessage, TLSSocket, Buffer];
  expect(response.headers["sec-websocket-protocol"]).toBe(protocol);
  if (head.length > 0) socket.unshift(head);
  return socket;
}
