import { get } from "node:http";
import type { Millis } from "../../src/base/time.ts";
import type { Answer, FailureKind } from "./open-loop.ts";

/** One request over a connection of its own, so that each one is a new decision about where it goes. */
export function httpAsk(host: string, port: number, path: string, timeout: Millis): Promise<Answer> {
  return new Promise((resolve) => {
    const request = get({ host, port, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => {
        clearTimeout(limit);
        const pod = text.split(" ")[0] ?? "";
        const status = response.statusCode ?? 0;
        if (status === 200) resolve({ kind: "ok", pod, detail: "" });
        else resolve({ kind: status >= 500 ? "5xx" : "other", pod, detail: `status ${status}` });
      });
      response.on("error", failed);
    });
    const failed = (error: NodeJS.ErrnoException): void => {
      clearTimeout(limit);
      resolve(answerOf(error));
    };
    const limit = setTimeout(() => {
      resolve({ kind: "timeout", detail: `no answer within ${timeout / 1000} s` });
      request.destroy();
    }, timeout);
    request.on("error", failed);
  });
}

function answerOf(error: NodeJS.ErrnoException): Answer {
  const detail = error.code ?? error.message;
  return { kind: kinds[error.code ?? ""] ?? "other", detail };
}

const kinds: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timeout",
};
