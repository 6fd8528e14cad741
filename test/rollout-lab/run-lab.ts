// npm run rollout-lab: an open-loop client sends requests through a Service during rolling updates, a scale-down and a drain, once with a well-written manifest
// and once with each badly written one, and tells how many failed and why.
//
//   npm run rollout-lab [-- [--runtime process|containerd] [--only <name>] [--requests 100000] [--bad-requests 10000] [--rate 500] [--json]]

import { setPriority } from "node:os";
import { parseArgs } from "node:util";
import { millis } from "../../src/base/time.ts";
import { standardOutput } from "../../src/cli/terminal.ts";
import { runLab, wholePlan } from "./lab.ts";
import { openGround } from "./lab-ground.ts";
import { badlyWritten, wellWritten } from "./manifests.ts";
import { failuresOf, reportOf } from "./report.ts";

const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "process" },
    only: { type: "string" },
    requests: { type: "string", default: "100000" },
    "bad-requests": { type: "string", default: "10000" },
    rate: { type: "string", default: "500" },
    json: { type: "boolean", default: false },
  },
});
const { paint, write } = standardOutput();
const names = [wellWritten, ...badlyWritten].map(({ name }) => name);
if (values.only !== undefined && !names.includes(values.only)) {
  process.stderr.write(`no manifest is called ${values.only}; there are: ${names.join(", ")}\n`);
  process.exit(2);
}
if (values.runtime !== "process" && values.runtime !== "containerd") {
  process.stderr.write(`no runtime is called ${values.runtime}; there are: process, containerd\n`);
  process.exit(2);
}

const usual = 0;
const prefer = (priority: number): void => {
  // Only root may.
  if (process.getuid?.() === 0) setPriority(priority);
};

/** What has to be given back, the newest first. */
const held: (() => Promise<void>)[] = [];
const giveBack = async (): Promise<void> => {
  for (let stop = held.pop(); stop !== undefined; stop = held.pop()) await stop();
};
/** What is under way fails when its cluster is taken away: it must not end the process before all is given back. */
const end: { interrupted?: Promise<void> } = {};
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    end.interrupted = giveBack().finally(() => process.exit(130));
  });
}

const ground = await openGround(values.runtime);
held.push(() => ground.stop());
try {
  for (const manifest of [wellWritten, ...badlyWritten]) {
    if (values.only !== undefined && values.only !== manifest.name) continue;
    prefer(usual);
    const cluster = await ground.begin();
    // Only the client: what it measures should be the cluster, on a machine that has too little for both.
    prefer(usual - 10);
    held.push(() => cluster.stop());
    try {
      const result = await runLab(manifest, {
        kubeconfig: cluster.kubeconfig,
        launch: ground.launch,
        perSecond: Number(values.rate),
        requests: Number(manifest.isWellWritten ? values.requests : values["bad-requests"]),
        warmUp: millis(500),
        plan: wholePlan,
      });
      if (end.interrupted !== undefined) break;
      write(values.json ? `${JSON.stringify(result)}\n` : `${reportOf(result, paint)}\n`);
      const isCarriedOut = result.operations.every(({ failure }) => failure === undefined);
      if (manifest.isWellWritten && (failuresOf(result) > 0 || !isCarriedOut)) process.exitCode = 1;
    } finally {
      prefer(usual);
      await (end.interrupted ?? held.pop()?.());
    }
  }
} finally {
  await (end.interrupted ?? giveBack());
}
