// Opens a process runtime and runs containers in it until it is killed. Run by process-crash.test.ts.
//
//   node process-crash-starter.mjs <folder> <script> …      prints a line with the ids once all run

import { writeSync } from "node:fs";
import { WallClock } from "../../dist/host/wall-clock.js";
import { openProcessRuntime } from "../../dist/runtimes/process/process-runtime.js";

const [folder, ...scripts] = process.argv.slice(2);
const { runtime } = await openProcessRuntime({ stateDirectory: `${folder}/state`, clock: new WallClock() });
const namespaceOptions = { network: "POD", pid: "CONTAINER", ipc: "POD" };
const sandboxConfig = {
  metadata: { name: "crash", namespace: "default", uid: "1", attempt: 0 },
  hostname: "crash",
  logDirectory: `${folder}/logs`,
  portMappings: [],
  labels: {},
  annotations: {},
  securityContext: { namespaceOptions },
};
const sandbox = await runtime.runPodSandbox(sandboxConfig);
const ids = [];
for (const [n, script] of scripts.entries()) {
  const id = await runtime.createContainer(
    sandbox,
    {
      metadata: { name: `c${n}`, attempt: 0 },
      imageRef: "sh",
      userSpecifiedImage: "sh",
      command: ["sh", "-c", script],
      args: [],
      workingDir: "",
      envs: [],
      mounts: [],
      labels: {},
      annotations: {},
      logPath: `c${n}/0.log`,
      stdin: false,
      stdinOnce: false,
      tty: false,
      resources: {},
      securityContext: { namespaceOptions },
    },
    sandboxConfig,
  );
  await runtime.startContainer(id);
  ids.push(id);
}
writeSync(1, `${ids.join(" ")}\n`);
