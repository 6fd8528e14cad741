// A Pod that names its node fits no other. Such Pods bypass the scheduler; what matters here is the Pod that names one while being looked at.

import type { FilterPlugin } from "../../plugin.ts";

const name = "NodeName";
const reason = "node(s) didn't match the requested node name";

export const nodeName: FilterPlugin = {
  name,
  prepare({ spec }) {
    const wanted = spec.nodeName ?? "";
    if (wanted === "") return { kind: "skip" };
    return {
      kind: "filter",
      test: (node) => (node.name === wanted ? undefined : { plugin: name, reasons: [reason], unresolvable: true }),
    };
  },
  wakesOn: (event, { spec }) => event.kind === "nodeAdded" && event.node.metadata.name === spec.nodeName,
  wakesOnPodChange: () => false,
};
