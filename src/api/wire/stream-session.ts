// What the API server hands to the door when a client asks for streams into a Pod: everything is decided (who may, which Pod, which container), and
// what remains is to speak the client's protocol. Which protocol that is, only the door knows.

import type { ByteDuplex, ProcessStreams } from "../../base/byte-stream.ts";

export type StreamSession = ProcessSession | PortSession;

/** `exec` and `attach`. */
export interface ProcessSession {
  readonly kind: "process";
  /** The streams that were asked for; with `tty` there is no stderr. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  /**
   * Connects the client and resolves with the exit code when the process has ended and all its output is written (0 for `attach`).
   * Rejects with the reason when the process could not be started or the connection to it broke. To be called at most once; never called, nothing happens.
   */
  run(streams: ProcessStreams): Promise<number>;
}

/** `portforward`. */
export interface PortSession {
  readonly kind: "ports";
  /** From the query; needed only by protocols that do not name the port of each connection. */
  readonly ports: readonly number[];
  /** Connects to a port of the Pod. Rejects, or the source throws, with a text that is fit for the client. */
  connect(port: number): Promise<ByteDuplex>;
  /** The client is gone. */
  close(): void;
}
