// Names that are not the cluster's: asked of the resolvers that this machine itself uses.

import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { connect, isIP, isIPv6 } from "node:net";
import { decodeAnswers, type DnsQuery, type DnsRecord, encodeQuery } from "../../dns/message.ts";

export interface UpstreamOptions {
  /** The machine's resolver file. */
  readonly resolverFile: string;
  /** Where our own server answers: asking there would lead in circles. */
  readonly ownAddress: string;
  /** 53, unless nobody but a test asks. */
  readonly resolverPort?: number;
}

/** How long one resolver may take, in milliseconds, before the next is asked. */
const patienceMillis = 2_000;

/** Questions on their way at one time; more are not asked. */
const mostQuestions = 512;

/** So many clients may wait for one question at a time; if more ask, it is going round in circles through some other resolver. */
const mostAlike = 16;

/** How long the resolver file is believed without looking again, in milliseconds. */
const believedMillis = 5_000;

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #onTheWay = new Map<string, number>();
  #questions = 0;
  #resolvers: { readonly addresses: readonly string[]; readonly readAt: number } | undefined;

  constructor(options: UpstreamOptions) {
    this.#options = options;
  }

  /** Brings the bytes of a resolver's answer to the bytes of a query; undefined if nobody answers. */
  async forward(query: DnsQuery, bytes: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array | undefined> {
    const key = `${query.question.name} ${query.question.type}`;
    const alike = this.#onTheWay.get(key) ?? 0;
    if (alike >= mostAlike || this.#questions >= mostQuestions) return undefined;
    this.#onTheWay.set(key, alike + 1);
    this.#questions += 1;
    try {
      return await this.#ask(query, bytes, transport);
    } finally {
      this.#questions -= 1;
      const left = (this.#onTheWay.get(key) ?? 1) - 1;
      if (left === 0) this.#onTheWay.delete(key);
      else this.#onTheWay.set(key, left);
    }
  }

  /** The addresses behind a name, and the names on the way; undefined if nobody answers. */
  async addressesOf(name: string, type: number): Promise<readonly DnsRecord[] | undefined> {
    const id = randomInt(65_536);
    const bytes = encodeQuery(id, { name, type });
    const query: DnsQuery = {
      id,
      opcode: 0,
      recursionDesired: true,
      question: { name, type, class: 1 },
      questionBytes: bytes.subarray(12),
    };
    const answer = await this.forward(query, bytes, "udp");
    return answer === undefined ? undefined : decodeAnswers(answer).answers;
  }

  async #ask(query: DnsQuery, bytes: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array | undefined> {
    const port = this.#options.resolverPort ?? 53;
    for (const address of await this.#addresses()) {
      const resolver = { address, port };
      const answer = await (transport === "udp" ? askUdp(resolver, query, bytes) : askTcp(resolver, query, bytes));
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  async #addresses(): Promise<readonly string[]> {
    const now = performance.now();
    if (this.#resolvers === undefined || now - this.#resolvers.readAt > believedMillis) {
      const text = await readFile(this.#options.resolverFile, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      const addresses = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
        .map((match) => match[1] as string)
        .filter((address) => isIP(address) !== 0 && address !== this.#options.ownAddress);
      this.#resolvers = { addresses, readAt: now };
    }
    return this.#resolvers.addresses;
  }
}

interface Resolver {
  readonly address: string;
  readonly port: number;
}

/** An answer counts only if it answers this question: anybody can send a datagram. */
function isAnswerTo(bytes: Uint8Array, { id, question }: DnsQuery): boolean {
  try {
    const decoded = decodeAnswers(bytes);
    const { name, type } = decoded.question ?? {};
    return decoded.id === id && (decoded.question === undefined || (name === question.name && type === question.type));
  } catch {
    // Not DNS: as if nothing had come.
    return false;
  }
}

function askUdp({ address, port }: Resolver, query: DnsQuery, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  return new Promise((resolve) => {
    let finished = false;
    const finish = (answer: Uint8Array | undefined): void => {
      if (finished) return;
      finished = true;
      clearTimeout(tooLate);
      socket.close();
      resolve(answer);
    };
    const tooLate = setTimeout(() => finish(undefined), patienceMillis);
    socket.on("error", () => finish(undefined));
    socket.on("message", (answer) => {
      if (isAnswerTo(answer, query)) finish(answer);
    });
    // Connected: then only the resolver's datagrams arrive, and its refusals.
    socket.connect(port, address, () => socket.send(bytes));
  });
}

function askTcp({ address, port }: Resolver, query: DnsQuery, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const finish = (answer: Uint8Array | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    let received = Buffer.alloc(0);
    socket.setTimeout(patienceMillis, () => finish(undefined));
    socket.on("error", () => finish(undefined));
    socket.once("end", () => finish(undefined));
    socket.on("data", (part) => {
      received = Buffer.concat([received, part]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = received.subarray(2, 2 + received.readUInt16BE(0));
      finish(isAnswerTo(answer, query) ? answer : undefined);
    });
    socket.write(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff));
    socket.write(bytes);
  });
}
