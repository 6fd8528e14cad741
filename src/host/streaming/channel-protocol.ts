// The WebSocket protocols of exec, attach and portforward: each message begins with the number of its channel (api-machinery 8.2).

import type { WebSocketConnection } from "./websocket-connection.ts";

/** How the messages of a sub-protocol look. */
export interface ChannelProtocol {
  /** The name that was negotiated; empty if the client offered none. */
  readonly name: string;
  /** Text messages with the channel as a digit and the data in base64, instead of bytes. */
  readonly base64: boolean;
  /** The end is told as a Status; else as a text, and only when something went wrong. */
  readonly status: boolean;
  /** The client can say that its input has ended. */
  readonly closeSignal: boolean;
}

const plain = { base64: false, status: false, closeSignal: false };

const processProtocols: readonly ChannelProtocol[] = [
  { ...plain, name: "" },
  { ...plain, name: "channel.k8s.io" },
  { ...plain, name: "v2.channel.k8s.io" },
  { ...plain, name: "v3.channel.k8s.io" },
  { ...plain, name: "v4.channel.k8s.io", status: true },
  { ...plain, name: "v5.channel.k8s.io", status: true, closeSignal: true },
  { ...plain, name: "base64.channel.k8s.io", base64: true },
  { ...plain, name: "v4.base64.channel.k8s.io", base64: true, status: true },
];

const portProtocols: readonly ChannelProtocol[] = [
  { ...plain, name: "" },
  { ...plain, name: "v4.channel.k8s.io" },
  { ...plain, name: "v4.base64.channel.k8s.io", base64: true },
];

/** The first of the client's offers that is spoken here; without offers, the nameless one. */
export const chooseProcessProtocol = (offered: readonly string[]): ChannelProtocol | undefined =>
  choose(processProtocols, offered);

export const choosePortProtocol = (offered: readonly string[]): ChannelProtocol | undefined =>
  choose(portProtocols, offered);

function choose(spoken: readonly ChannelProtocol[], offered: readonly string[]): ChannelProtocol | undefined {
  const offers = offered.length === 0 ? [""] : offered;
  return offers.map((offer) => spoken.find(({ name }) => name === offer)).find((found) => found !== undefined);
}

/** @returns undefined for a message without a channel */
export function channelMessage(
  { base64 }: ChannelProtocol,
  message: Buffer,
): { readonly channel: number; readonly data: Buffer } | undefined {
  if (message.length === 0) return undefined;
  if (!base64) return { channel: message.readUInt8(0), data: message.subarray(1) };
  const channel = message.readUInt8(0) - 0x30;
  if (channel < 0 || channel > 9) return undefined;
  return { channel, data: Buffer.from(message.toString("latin1", 1), "base64") };
}

/** Resolves when more may be sent. */
export function sendOnChannel(
  connection: WebSocketConnection,
  { base64 }: ChannelProtocol,
  channel: number,
  data: Uint8Array,
): Promise<void> {
  if (!base64) return connection.send("binary", Buffer.from([channel]), data);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return connection.send("text", Buffer.from(`${channel}${bytes.toString("base64")}`, "latin1"));
}
