// Streams of bytes with backpressure, in the two shapes that every host has: something to iterate over, and something to write to and wait for.

/** Bytes in order. Asking for the next chunk is what lets the other side go on; leaving the loop says that no more is wanted. Throws if the stream broke. */
export type ByteSource = AsyncIterable<Uint8Array>;

export interface ByteSink {
  /** Resolves when more may be written. Rejects when nobody will read any more. The chunk must not be changed afterwards. */
  write(chunk: Uint8Array): Promise<void>;
  /** Nothing more follows. May be called more than once. */
  end(): void;
}

/** Both directions of one connection. */
export interface ByteDuplex {
  readonly source: ByteSource;
  readonly sink: ByteSink;
  /** Ends both directions at once. */
  destroy(): void;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The client's ends of a process's streams; what it does not want is absent. */
export interface ProcessStreams {
  readonly stdin?: ByteSource;
  readonly stdout?: ByteSink;
  /** Never there with a terminal, which has one output. */
  readonly stderr?: ByteSink;
  /** The client's terminal, each time that it changes. */
  readonly resize?: AsyncIterable<TerminalSize>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** Writes everything. Resolves when the source has ended; does not end the sink. */
export async function copy(source: ByteSource, sink: ByteSink): Promise<void> {
  for await (const chunk of source) await sink.write(chunk);
}

/** A promise that rejects when the signal says so. */
export function whenAborted(signal: AbortSignal): { readonly promise: Promise<never>; forget(): void } {
  let forget = (): void => undefined;
  const promise = new Promise<never>((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    forget = () => signal.removeEventListener("abort", abort);
  });
  // Lost races are nobody's business.
  promise.catch(() => undefined);
  return { promise, forget };
}

/**
 * Things on their way from one who has them now to one who asks for them later. The one who pushes learns when there is enough.
 * @example
 * const queue = new StreamQueue<Uint8Array>({ limit: 1 << 20, sizeOf: (chunk) => chunk.length });
 * if (!queue.push(chunk)) await queue.drained();
 */
export class StreamQueue<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #sizeOf: (item: T) => number;
  #items: T[] = [];
  #size = 0;
  #closed = false;
  #error: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  constructor(options: { readonly limit: number; readonly sizeOf: (item: T) => number }) {
    this.#limit = options.limit;
    this.#sizeOf = options.sizeOf;
  }

  /** @returns whether more may be pushed now. What comes after the end is dropped. */
  push(item: T): boolean {
    if (this.#closed) return true;
    this.#items.push(item);
    this.#size += this.#sizeOf(item);
    this.#wakeReader?.();
    return this.#size < this.#limit;
  }

  /** Resolves when more may be pushed, or when nobody wants more. */
  async drained(): Promise<void> {
    while (this.#size >= this.#limit && !this.#closed) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
    }
  }

  /** No more follows; what is there can still be read. With an error the reader gets it after that. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#wake();
  }

  /** Nobody will read: drops what is there and what still comes. */
  discard(): void {
    this.#closed = true;
    this.#items = [];
    this.#size = 0;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#size -= this.#sizeOf(item);
          if (this.#size < this.#limit) this.#releaseWriters();
          yield item;
        } else if (this.#closed) {
          if (this.#error !== undefined) throw this.#error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
          this.#wakeReader = undefined;
        }
      }
    } finally {
      this.discard();
    }
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#releaseWriters();
  }

  #releaseWriters(): void {
    const waiting = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of waiting) wake();
  }
}
