// TaintNodesByCondition: a new node takes no Pods before it has said that it is ready (api-machinery 9.5).

import { textAt } from "../../api/meta/json-object.ts";
import { listAt, objectAt, withField } from "../registry/api-object.ts";
import type { AdmissionPlugin } from "./admission.ts";

const notReady = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  mutate({ operation, definition, subresource }, node) {
    if (operation !== "CREATE" || subresource !== "" || definition.group !== "" || definition.resource !== "nodes")
      return node;
    const spec = objectAt(node, "spec");
    const taints = listAt(spec, "taints");
    const isThere = taints.some(
      (taint) => textAt(taint, "key") === notReady.key && textAt(taint, "effect") === notReady.effect,
    );
    return isThere ? node : withField(node, "spec", { ...spec, taints: [...taints, notReady] });
  },
};
