// Requests that ask for an upgrade of their connection. What leads to streams gets them; everything else is answered as if nothing had been asked.

import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { ApiResponse } from "../../api/wire/request.ts";
import { StatusError } from "../../api/wire/status-error.ts";
import { statusResponse } from "../../apiserver/codec/encode.ts";
import { Presence } from "../exchange.ts";
import { chooseUpgrade } from "./upgrade.ts";

/** A client that vanished without a word is noticed after a few of these, in milliseconds. */
const keepAliveDistance = 30_000;

export interface UpgradeDoor {
  /** Answers the request; `presence` ends when the client hangs up. */
  handle(request: IncomingMessage, presence: Presence): Promise<ApiResponse>;
  /** Sends an answer that is no session. */
  send(answer: ApiResponse, request: IncomingMessage, response: ServerResponse, presence: Presence): Promise<void>;
}

/** Resolves when the streams have ended. @throws what went wrong inside */
export async function answerUpgrade(
  door: UpgradeDoor,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const presence = new Presence(socket);
  // What broke is followed by `close`.
  socket.on("error", () => socket.destroy());
  const answer = await door.handle(request, presence);
  if (socket.destroyed) return;
  if (answer.body.kind !== "session") return refuse(door, answer, request, socket, presence);
  const upgrade = chooseUpgrade(request, answer.body.session);
  if (upgrade instanceof StatusError) return refuse(door, statusResponse(upgrade), request, socket, presence);
  (socket as TLSSocket).setKeepAlive(true, keepAliveDistance);
  await upgrade.begin(socket, head);
}

/** An ordinary answer over the socket that node has taken off its HTTP server. */
async function refuse(
  door: UpgradeDoor,
  answer: ApiResponse,
  request: IncomingMessage,
  socket: Duplex,
  presence: Presence,
): Promise<void> {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as TLSSocket);
  response.on("finish", () => {
    response.detachSocket(socket as TLSSocket);
    socket.end();
  });
  // Nothing more is expected of the client, but what it sends must not hold the end up.
  socket.resume();
  await door.send(answer, request, response, presence);
}
