// Checks over the real runtimes that show many rules.

import { type Check, testsOf } from "./rule.ts";

/** One row of test/end-to-end/examples.test.ts on each real runtime. */
export function example(name: string): { readonly process: readonly Check[]; readonly containerd: readonly Check[] } {
  return { process: exampleOn("process", name), containerd: exampleOn("containerd", name) };
}

export function exampleOn(runtime: "process" | "containerd", name: string): readonly Check[] {
  return testsOf("test/end-to-end/examples.test.ts", `the example, on ${runtime},`)(name);
}

const course = "takes its course: init, startup, hooks, a crash, a liveness failure, deletion";

/** The long life of test/end-to-end/life.test.ts: init, startup probe, hooks, crash, back-off, liveness failure, deletion; every status, event and log. */
export const wholeLife = {
  process: testsOf("test/end-to-end/life.test.ts", "a Pod's life on process")(course),
  containerd: testsOf("test/end-to-end/life.test.ts", "a Pod's life on containerd")(course),
};

const back = "comes back to the Pods as they are";

/** lifepod is killed and started again over Pods that run, ended meanwhile, or are being deleted. */
export const comingBack = {
  process: testsOf("test/end-to-end/coming-back.test.ts", "lifepod killed with -9 over process")(back),
  containerd: testsOf("test/end-to-end/coming-back.test.ts", "lifepod killed with -9 over containerd")(back),
};

/** What both real runtimes share: calls over the network of the machine. */
export const networkCall = (...titles: readonly string[]) => {
  const checks = testsOf("src/network/host/host-network.test.ts")(...titles);
  return { process: checks, containerd: checks };
};

export const cri = testsOf("test/containerd/cri-runtime.test.ts", "the CRI runtime over containerd");
