// The way from a node to the API server, which can be cut: calls fail as over a network without a server, and watches that were open end.

import type { RequestHandler, WatchReceiver, WatchStream } from "../api/wire/request.ts";

/** What a client says when nobody listens at the API server's address. */
export const nobodyListens = "dial tcp 192.168.0.100:6443: connect: connection refused";

export class BreakableRoad {
  #isCut = false;
  /** The watches that are open, each with how it ends. */
  readonly #open = new Set<() => void>();

  /** The same door at the end of this road. */
  to(handle: RequestHandler): RequestHandler {
    return async (request) => {
      if (this.#isCut) throw new Error(nobodyListens);
      const response = await handle(request);
      if (this.#isCut) throw new Error(nobodyListens); // done, and nobody is told
      return response.body.kind === "watch"
        ? { ...response, body: { kind: "watch", watch: this.#watched(response.body.watch) } }
        : response;
    };
  }

  cut(): void {
    this.#isCut = true;
    for (const end of this.#open) end();
  }

  mend(): void {
    this.#isCut = false;
  }

  #watched(watch: WatchStream): WatchStream {
    let end = (): void => undefined;
    const stop = (): void => {
      this.#open.delete(end);
      watch.stop();
    };
    return {
      start: (receiver: WatchReceiver) => {
        end = () => {
          stop();
          receiver.ended();
        };
        this.#open.add(end);
        watch.start({
          event: (event) => receiver.event(event),
          ended: () => {
            this.#open.delete(end);
            receiver.ended();
          },
        });
      },
      stop,
    };
  }
}
