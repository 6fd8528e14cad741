// A process of its own that lives through one seed after the other, as it is told, and answers with what became of each.

import { settle } from "../../src/host/settle.ts";
import { runWorld } from "../../src/simulation/worlds/world.ts";
import { resultOf } from "./world-result.ts";

const faultsOutside: string[] = [];
process.on("unhandledRejection", (reason) => faultsOutside.push(`unhandled rejection: ${String(reason)}`));
process.on("uncaughtException", (error) => faultsOutside.push(`uncaught: ${error.stack ?? error.message}`));

process.on("message", ({ seed, rounds }: { readonly seed: number; readonly rounds: number }) => {
  void runWorld({ seed, settle, rounds }).then((report) => process.send?.(resultOf(report, faultsOutside.splice(0))));
});
