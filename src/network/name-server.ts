// Who answers Pods that ask for names.

import type { Zone } from "./dns/zone.ts";

export interface NameServer {
  /** From now on answers come from this zone. Resolves when it is asked there. @throws Error if it cannot be asked anywhere */
  serve(zone: Zone): Promise<void>;
  close(): Promise<void>;
}
