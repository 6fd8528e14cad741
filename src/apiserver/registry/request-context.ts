// What the registry and admission know about the request they serve.

import type { UserInfo } from "../../api/wire/request.ts";

export interface RequestContext {
  readonly user: UserInfo;
  /** Everything runs, nothing is stored (api-machinery 3.6). */
  readonly dryRun: boolean;
  readonly warnings: Warnings;
}

/** Collects advice for the client; each text is sent once, in the order in which it came up. */
export class Warnings {
  readonly #texts = new Set<string>();

  add(...texts: readonly string[]): void {
    for (const text of texts) this.#texts.add(text);
  }

  get texts(): readonly string[] {
    return [...this.#texts];
  }
}
