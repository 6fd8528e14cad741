// Cluster DNS over UDP and TCP, answered by lifepod itself.

import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import type { RandomStream } from "../../../base/random.ts";
import {
  decodeQuery,
  type DnsQuery,
  type DnsRecord,
  type DnsResponse,
  encodeFailure,
  encodeResponse,
  isAnswerable,
  responseCodes,
} from "../../dns/message.ts";
import { resolve as resolveIn, type Zone } from "../../dns/zone.ts";
import type { NameServer } from "../../name-server.ts";
import { Upstream } from "./upstream.ts";

export interface DnsServerOptions {
  readonly address: string;
  /** 53, unless nobody but a test asks. */
  readonly port: number;
  /** The machine's resolver file. */
  readonly resolverFile: string;
  /** Where the machine's resolvers listen: 53, unless nobody but a test asks. */
  readonly resolverPort?: number;
  /** Shuffles addresses: clients that take the first share the load. */
  readonly random: RandomStream;
  /** Makes this address, or none, the machine's own. */
  readonly holdAddresses?: (addresses: readonly string[]) => Promise<void>;
  readonly log: (message: string) => void;
}

/** A client over TCP that says nothing for so long is hung up on, in milliseconds. */
const idleLimitMillis = 10_000;

const longestTcpMessage = 65_535;

/** Without EDNS a client takes no more over UDP. */
const plainUdpBytes = 512;

/** With EDNS: what passes every network in one piece, whatever the client would take. */
const largestUdpBytes = 1232;

export class DnsServer implements NameServer {
  readonly #options: DnsServerOptions;
  readonly #upstream: Upstream;
  readonly #connections = new Set<Socket>();
  #zone: Zone | undefined;
  #opened: { readonly udp: DatagramSocket; readonly tcp: Server } | undefined;

  constructor(options: DnsServerOptions) {
    const { resolverFile, resolverPort, address } = options;
    this.#options = options;
    this.#upstream = new Upstream({
      resolverFile,
      ownAddress: address,
      ...(resolverPort !== undefined && { resolverPort }),
    });
  }

  /** Where it is asked; undefined before the first zone. */
  get port(): number | undefined {
    return this.#opened?.udp.address().port;
  }

  async serve(zone: Zone): Promise<void> {
    this.#zone = zone;
    if (this.#opened !== undefined) return;
    const { address, port, holdAddresses } = this.#options;
    await holdAddresses?.([address]);
    const udp = await this.#openUdp(address, port);
    try {
      this.#opened = { udp, tcp: await this.#openTcp(address, udp.address().port) };
    } catch (error) {
      udp.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.udp.close();
    opened?.tcp.close();
    for (const connection of this.#connections) connection.destroy();
    await this.#options.holdAddresses?.([]);
  }

  #openUdp(address: string, port: number): Promise<DatagramSocket> {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.on("message", (message, client) => {
      void this.#answer(message, "udp").then((answer) => {
        if (answer !== undefined && this.#opened !== undefined) socket.send(answer, client.port, client.address);
      });
    });
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off("error", reject);
        socket.on("error", (error) => this.#options.log(`dns: ${error.message}`));
        resolve(socket);
      });
    });
  }

  #openTcp(address: string, port: number): Promise<Server> {
    const server = createServer({ noDelay: true }, (connection) => this.#serveConnection(connection));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port }, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#options.log(`dns: ${error.message}`));
        resolve(server);
      });
    });
  }

  /** Each message is preceded by its length. Answers go out in the order in which they are known. */
  #serveConnection(connection: Socket): void {
    this.#connections.add(connection);
    connection.once("close", () => this.#connections.delete(connection));
    connection.on("error", () => connection.destroy());
    connection.setTimeout(idleLimitMillis, () => connection.destroy());
    let received = Buffer.alloc(0);
    connection.on("data", (part) => {
      received = Buffer.concat([received, part]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        const message = received.subarray(2, 2 + length);
        received = received.subarray(2 + length);
        void this.#answer(message, "tcp").then((answer) => {
          if (answer === undefined || connection.destroyed) return;
          connection.write(Buffer.concat([Uint8Array.of(answer.length >> 8, answer.length & 0xff), answer]));
        });
      }
    });
  }

  /** Never rejects: whatever comes over the network gets an answer, or none. */
  async #answer(message: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array | undefined> {
    if (!isAnswerable(message)) return undefined;
    let query: DnsQuery;
    try {
      query = decodeQuery(message);
    } catch {
      // Nonsense: the answer says so.
      return encodeFailure(message, responseCodes.FORMERR);
    }
    const limit = transport === "tcp" ? longestTcpMessage : udpLimit(query);
    try {
      if (query.opcode !== 0) return encodeResponse(query, failed(responseCodes.NOTIMP), limit);
      if (query.edns !== undefined && query.edns.version !== 0)
        return encodeResponse(query, failed(responseCodes.BADVERS), limit);
      return await this.#resolve(query, message, transport, limit);
    } catch (error) {
      this.#options.log(`dns: ${query.question.name}: ${String(error)}`);
      return encodeResponse(query, failed(responseCodes.SERVFAIL), limit);
    }
  }

  async #resolve(query: DnsQuery, message: Uint8Array, transport: "udp" | "tcp", limit: number): Promise<Uint8Array> {
    const zone = this.#zone;
    if (zone === undefined) return encodeResponse(query, failed(responseCodes.SERVFAIL), limit);
    const resolution = resolveIn(zone, query.question);
    switch (resolution.kind) {
      case "answer": {
        const { response } = resolution;
        return encodeResponse(query, { ...response, answers: this.#shuffled(response.answers) }, limit);
      }
      case "forward": {
        const answer = await this.#upstream.forward(query, message, transport);
        return answer ?? encodeResponse(query, failed(responseCodes.SERVFAIL), limit);
      }
      case "alias": {
        const rest = await this.#upstream.addressesOf(resolution.target, query.question.type);
        if (rest === undefined) return encodeResponse(query, failed(responseCodes.SERVFAIL), limit);
        const answers = [...resolution.answers, ...rest];
        return encodeResponse(query, { ...failed(responseCodes.NOERROR), answers }, limit);
      }
    }
  }

  /** Names on the way stay before what they lead to. */
  #shuffled(answers: readonly DnsRecord[]): readonly DnsRecord[] {
    if (answers.length < 2) return answers;
    const names = answers.filter(({ type }) => type === "CNAME");
    const rest = answers.filter(({ type }) => type !== "CNAME");
    for (let last = rest.length - 1; last > 0; last--) {
      const other = this.#options.random.integer(0, last);
      [rest[last], rest[other]] = [rest[other] as DnsRecord, rest[last] as DnsRecord];
    }
    return [...names, ...rest];
  }
}

const failed = (code: DnsResponse["code"]): DnsResponse => ({
  code,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});

const udpLimit = ({ edns }: DnsQuery): number =>
  edns === undefined ? plainUdpBytes : Math.min(edns.udpPayloadBytes, largestUdpBytes);
