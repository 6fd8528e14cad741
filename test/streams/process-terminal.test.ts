// What only a terminal of the process runtime does: it hangs up, as one of a machine does.

import { once } from "node:events";
import { PassThrough } from "node:stream";
import { Exec } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../containerd/until.ts";
import { absenceOf, StreamingCluster } from "./streaming-cluster.ts";

const absence = absenceOf.process;

describe.skipIf(absence !== undefined)(`terminals of processes${absence === undefined ? "" : ` (${absence})`}`, () => {
  let cluster: StreamingCluster;
  beforeAll(async () => {
    cluster = await StreamingCluster.start("process");
    await cluster.run("idle", ["sleep", "3600"]);
  });
  afterAll(() => cluster.stop());

  it("hang up when their client goes away", async () => {
    const word = `hangup-${process.pid}`;
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const script = ["sh", "-c", `echo up; while :; do sleep 0.1; done # ${word}`];
    const socket = await new Exec(cluster.config).exec("default", "idle", "main", script, stdout, null, stdin, true);
    await once(stdout, "data");
    expect(await cluster.processesWith(word)).not.toEqual([]);
    (socket as { close(): void }).close();
    const gone = async (): Promise<true | undefined> =>
      (await cluster.processesWith(word)).length === 0 ? true : undefined;
    expect(await until("nothing is left of it", gone)).toBe(true);
  });
});
