// What must be true of the status of every Pod at every moment (pod-lifecycle 2).

import type { ContainerStatus, Pod } from "../../../api/index.ts";
import type { Finding, Invariant } from "../inhabitant.ts";
import { changeOf, nameOf, type ObjectChange } from "../world-view.ts";

/** Succeeded and Failed are for ever. */
export function endedPodsStayEnded(): Invariant {
  return {
    name: "no phase leaves a terminal state",
    *onChange(change: ObjectChange): Iterable<Finding> {
      const { before, after } = changeOf<Pod>(change, "core/pods") ?? {};
      if (before === undefined || after === undefined || before.metadata.uid !== after.metadata.uid) return;
      const { phase } = before.status;
      if ((phase === "Succeeded" || phase === "Failed") && after.status.phase !== phase) {
        yield { subject: nameOf(after), text: `was ${phase} and is ${after.status.phase}` };
      }
    },
  };
}

export function restartCountsGrow(): Invariant {
  return {
    name: "restart counts never fall",
    *onChange(change: ObjectChange): Iterable<Finding> {
      const { before, after } = changeOf<Pod>(change, "core/pods") ?? {};
      if (before === undefined || after === undefined || before.metadata.uid !== after.metadata.uid) return;
      const now = new Map(statusesOf(after).map((status) => [status.name, status.restartCount]));
      for (const { name, restartCount } of statusesOf(before)) {
        const count = now.get(name);
        if (count === undefined) yield { subject: nameOf(after), text: `the status of container ${name} is gone` };
        else if (count < restartCount) {
          yield { subject: nameOf(after), text: `restart count of ${name} fell from ${restartCount} to ${count}` };
        }
      }
    },
  };
}

/** What is said to be ready runs; a Pod that is Ready has only containers that are. */
export function readyIsRunning(): Invariant {
  return {
    name: "what is ready runs",
    *onChange(change: ObjectChange): Iterable<Finding> {
      const { after: pod } = changeOf<Pod>(change, "core/pods") ?? {};
      if (pod === undefined) return;
      const subject = nameOf(pod);
      const { containerStatuses = [], conditions = [], phase } = pod.status;
      for (const { name, ready, state } of containerStatuses) {
        if (ready && state?.running === undefined)
          yield { subject, text: `container ${name} is ready and does not run` };
      }
      const is = (wanted: string): boolean =>
        conditions.some(({ type, status }) => type === wanted && status === "True");
      // Pod garbage collection ends Pods of nodes that are gone without a word about anything else.
      if (!is("Ready") || is("DisruptionTarget")) return;
      if (phase !== "Running") yield { subject, text: `is Ready in phase ${phase}` };
      if (!is("ContainersReady")) yield { subject, text: "is Ready and its containers are not" };
      for (const { name, ready } of containerStatuses) {
        if (!ready) yield { subject, text: `is Ready and its container ${name} is not` };
      }
    },
  };
}

/** A Pod is bound to one node, once. */
export function podsAreBoundOnce(): Invariant {
  return {
    name: "a Pod is bound once",
    *onChange(change: ObjectChange): Iterable<Finding> {
      const { before, after } = changeOf<Pod>(change, "core/pods") ?? {};
      const [from, to] = [before?.spec.nodeName ?? "", after?.spec.nodeName ?? ""];
      if (after !== undefined && from !== "" && from !== to) {
        yield { subject: nameOf(after), text: `was bound to ${from} and then to ${to}` };
      }
    },
  };
}

function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}
