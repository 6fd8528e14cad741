// Addresses of Services that become the machine's own, so that lifepod can listen at them and containers reach them over their gateway. Needs root
// and `ip`. They are on the loopback interface: nobody outside this machine is told that it has them.

import { execFile } from "node:child_process";

const device = "lo";

export class LocalAddresses {
  readonly #held = new Set<string>();

  /** Whether the address needs no holding: all of 127.0.0.0/8 is there on Linux. */
  static isThere(address: string): boolean {
    return address.startsWith("127.");
  }

  /** Holds these and gives the others back. @throws Error with what `ip` says */
  async hold(addresses: readonly string[]): Promise<void> {
    const wanted = new Set(addresses.filter((address) => !LocalAddresses.isThere(address)));
    for (const address of this.#held) {
      if (wanted.has(address)) continue;
      this.#held.delete(address);
      // Somebody else may have taken it away; then it is as it should be.
      await ip(["address", "delete", prefixed(address), "dev", device], /Cannot assign|not found/);
    }
    for (const address of wanted) {
      if (this.#held.has(address)) continue;
      // A lifepod that crashed leaves them behind; then they are there already.
      await ip(["address", "add", prefixed(address), "dev", device, "scope", "host"], /File exists|already assigned/);
      this.#held.add(address);
    }
  }
}

const prefixed = (address: string): string => `${address}/${address.includes(":") ? 128 : 32}`;

/** @param fine what `ip` may complain about */
function ip(words: readonly string[], fine: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile("ip", words, (error, _output, complaint) => {
      if (error === null || fine.test(complaint)) resolve();
      else reject(new Error(`ip ${words.join(" ")}: ${complaint.trim() === "" ? error.message : complaint.trim()}`));
    });
  });
}
