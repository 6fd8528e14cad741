// Clients that break off, stall, flood or speak something else: they are refused or cut off, nothing of them stays, and the next good request works.

import { connect as connectHttp2, constants } from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { slowWatcherLimitBytes } from "../../src/host/watch-response.ts";
import { loadOrCreateCertificates } from "../../src/host/certificates.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { everything, ServedApi } from "./served-api.ts";

let api: ServedApi;
beforeEach(async () => {
  api = await ServedApi.start();
});
afterEach(async () => {
  await api.stop();
  // None of this is a failure of the server's own.
  if (api.complaints.length > 0) throw new Error(api.complaints.join("\n"));
});

const works = async (): Promise<void> => {
  expect(await api.good("GET", "/api/v1/namespaces/default")).toMatchObject({ kind: "Namespace" });
};

describe("a client that speaks something else", () => {
  it.each([
    ["plain HTTP", "GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["plain HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["SSH", "SSH-2.0-OpenSSH_9.0\r\n"],
    ["half a TLS record", "\u0016\u0003\u0001\u0002\u0000\u0001"],
    ["NUL", "\u0000".repeat(5000)],
  ])("is dropped when it speaks %s on the TLS port", async (_what, text) => {
    const socket = await api.tcp();
    const answer = everything(socket);
    socket.end(text, "latin1");
    expect(await answer).not.toContain("HTTP/1.1 200");
    await works();
  });

  it.each([
    ["no request line", "\r\n\r\nnonsense\r\n\r\n"],
    ["a version that does not exist", "GET / HTTP/9.9\r\n\r\n"],
    ["a length that is no number", "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n"],
    ["two lengths", "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"],
    [
      "a length and chunks",
      "POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["chunks that are no chunks", "POST /api HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["a header without end", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(200_000)}`],
    ["a thousand headers", `GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(10_000)}\r\n`],
    ["control characters in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n"],
    ["a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n"],
  ])("gets no answer but a refusal over HTTP/1.1 for %s", async (_what, text) => {
    const socket = await api.tls();
    const answer = everything(socket);
    socket.end(text, "latin1");
    expect(await answer).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
    await works();
  });

  it("is dropped when it sends frames that are none over HTTP/2", async () => {
    for (const bytes of [
      "\u0000".repeat(100),
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u00ff\u00ff\u00ff\u0001\u0000\u0000\u0000\u0000\u0001",
    ]) {
      const socket = await api.tls("h2");
      const closed = everything(socket);
      socket.end(bytes, "latin1");
      await closed;
    }
    await works();
    // The server says that such connections broke; it is not a failure of its own.
    expect(api.complaints.splice(0).every((line) => line.startsWith("an HTTP/2 connection broke"))).toBe(true);
  });

  it("is anonymous when its certificate is signed by somebody else, even for the same name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lifepod-foreign-"));
    const { administrator } = await loadOrCreateCertificates(folder, ["localhost"]);
    await rm(folder, { recursive: true });
    const session = connectHttp2(`https://127.0.0.1:${api.http.port}`, {
      ca: api.certificates.authority,
      cert: administrator.certificate,
      key: administrator.key,
    });
    const status = await new Promise((resolve, reject) => {
      session.on("error", reject);
      session
        .request({ ":path": "/api/v1/namespaces/default/secrets" })
        .on("response", (headers) => resolve(headers[":status"]));
    });
    session.destroy();
    expect(status).toBe(401);
    await works();
  });
});

describe("a client that asks for an upgrade", () => {
  it.each([
    ["of what is no stream", "/api/v1/namespaces/default", "websocket", 200],
    ["to SPDY without streams", "/api/v1/namespaces/default/pods/none/exec?command=sh", "SPDY/3.1", 404],
    [
      "to WebSocket of a Pod that is not there",
      "/api/v1/namespaces/default/pods/none/exec?command=sh",
      "websocket",
      404,
    ],
    ["to something unheard of", "/api/v1/namespaces/default/pods/none/portforward", "nonsense/7", 404],
    ["of a path that is not there", "/nowhere", "websocket", 404],
  ])("%s gets an ordinary answer", async (_what, path, protocol, status) => {
    const socket = await api.tls();
    const answer = everything(socket);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
    expect(await answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await works();
  });
});

describe("a client that breaks off", () => {
  it("in the middle of a body changes nothing", async () => {
    const before = await api.dump();
    for (let round = 0; round < 3; round++) {
      const socket = await api.tls();
      await new Promise<void>((resolve) =>
        socket.write(
          'POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"metadata":{"name":"half"}}',
          () => resolve(),
        ),
      );
      await works();
      socket.on("error", () => undefined);
      socket.destroy();
    }
    await works();
    expect(await api.dump()).toBe(before);
  });

  it("in the middle of HTTP/2 streams leaves none behind", async () => {
    const before = await api.dump();
    for (let round = 0; round < 20; round++) {
      const session = api.session();
      for (let number = 0; number < 20; number++) {
        const stream = session.request(
          { ":method": "POST", ":path": "/api/v1/namespaces/default/configmaps", "content-type": "application/json" },
          { endStream: false },
        );
        stream.on("error", () => undefined);
        stream.write('{"metadata":');
        if (number % 2 === 0) stream.close(constants.NGHTTP2_CANCEL);
      }
      await new Promise<void>((resolve) => session.once("connect", () => session.ping(() => resolve())));
      session.destroy();
    }
    await works();
    expect(await api.dump()).toBe(before);
  });
});

describe("a client that floods", () => {
  it("with a body that never ends is told that it is too large and hung up on", async () => {
    const before = await api.dump();
    const socket = await api.tls();
    const answer = everything(socket);
    socket.write(
      "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const chunk = `${(1 << 20).toString(16)}\r\n${"x".repeat(1 << 20)}\r\n`;
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk));
      if (!socket.destroyed) socket.once("drain", pour);
    };
    pour();
    expect(await answer).toMatch(/^(?:$|HTTP\/1\.1 413 .*Request entity too large)/s);
    await works();
    expect(await api.dump()).toBe(before);
  });

  it("with thousands of requests on one connection has them all answered", async () => {
    const session = api.session();
    const statuses = await Promise.all(
      Array.from(
        { length: 3000 },
        () =>
          new Promise((resolve, reject) => {
            const stream = session.request({ ":path": "/api/v1/namespaces/default" });
            stream.on("response", (headers) => resolve(headers[":status"]));
            stream.on("error", reject);
            stream.resume();
          }),
      ),
    );
    session.destroy();
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it("with watches that it never reads is cut off, and the rest goes on", async () => {
    const session = api.session();
    const stream = session.request({ ":path": "/api/v1/namespaces/default/configmaps?watch=1" });
    stream.on("error", () => undefined);
    await new Promise((resolve) => stream.once("response", resolve));
    stream.pause();
    const data = { text: "x".repeat(500_000) };
    const atMost = (2 * slowWatcherLimitBytes) / 500_000;
    let written = 0;
    for (; written < atMost && !stream.closed; written++) {
      await api.good("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: `big-${written}` }, data });
    }
    expect(written).toBeLessThan(atMost);
    session.destroy();
    await works();
  });

  it("that begins a watch with more than may wait gets all of it", async () => {
    const data = { text: "x".repeat(1_000_000) };
    const count = slowWatcherLimitBytes / 1_000_000 + 4;
    for (let number = 0; number < count; number++) {
      await api.good("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: `big-${number}` }, data });
    }
    const session = api.session();
    const stream = session.request({ ":path": "/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=1" });
    let lines = 0;
    stream.on("data", (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x0a) lines += 1;
    });
    await new Promise<void>((resolve, reject) => {
      stream.on("end", resolve);
      stream.on("error", reject);
    });
    session.destroy();
    expect(lines).toBe(Math.ceil(count));
  });
});

describe("the end of the server", () => {
  it("comes at once, whatever hangs on it", async () => {
    const silent = await api.tcp();
    const slow = await api.tls();
    slow.write("GET /api HTTP/1.1\r\nHo");
    const halfBody = await api.tls();
    halfBody.write("POST /api/v1/namespaces HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{");
    const session = api.session();
    const watches = await Promise.all(
      Array.from(
        { length: 50 },
        () =>
          new Promise<ReturnType<typeof session.request>>((resolve) => {
            const stream = session.request({ ":path": "/api/v1/pods?watch=1" });
            stream.on("error", () => undefined);
            stream.once("response", () => resolve(stream));
          }),
      ),
    );
    const ended = [silent, slow, halfBody].map((socket) => everything(socket));
    const began = performance.now();
    await api.http.close();
    expect(performance.now() - began).toBeLessThan(1000);
    await Promise.all(ended);
    await Promise.all(
      watches.map(async (stream) => stream.closed || (await new Promise((resolve) => stream.once("close", resolve)))),
    );
  });
});
