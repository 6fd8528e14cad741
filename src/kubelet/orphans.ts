// Pods that the runtime still has although the API knows nothing of them any more: they vanished while this kubelet was away. What their containers carry
// is enough to end them properly.

import type { Pod } from "../api/generated/core-v1.ts";
import { formatTime, type Instant } from "../base/time.ts";
import type { ContainerStatus } from "../runtimes/runtime-service.ts";
import { podNameLabel, podNamespaceLabel, recordedContainer } from "./container-labels.ts";
import { recordedPodContainer } from "./pod-containers.ts";
import type { RuntimePod } from "./runtime-watcher.ts";

const defaultGraceSeconds = 30;

/** A stand-in for the object that is gone. */
export function orphanPod({ uid, sandboxes, containers }: RuntimePod): Pod {
  const labels = (sandboxes[0] ?? containers[0])?.labels ?? {};
  const newest = newestOf(containers);
  const graces = newest.flatMap((container) => recordedContainer(container).terminationGracePeriodSeconds ?? []);
  const sandbox = sandboxes[0];
  const podIP = sandbox?.ips[0];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: labels[podNameLabel] ?? uid,
      namespace: labels[podNamespaceLabel] ?? "default",
      uid,
      resourceVersion: "0",
      creationTimestamp: formatTime((sandbox ?? containers[0])?.createdAt ?? (0 as Instant)),
    },
    spec: {
      containers: newest.map((container) => {
        const spec = recordedPodContainer(container.metadata.name, recordedContainer(container)).spec;
        return { ...spec };
      }),
      restartPolicy: "Never",
      terminationGracePeriodSeconds: graces[0] ?? defaultGraceSeconds,
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
      securityContext: {},
      ...(sandbox?.network === "NODE" ? { hostNetwork: true } : {}),
    },
    status: { phase: "Running", ...(podIP === undefined ? {} : { podIP }) },
  };
}

function newestOf(containers: readonly ContainerStatus[]): readonly ContainerStatus[] {
  const byName = new Map<string, ContainerStatus>();
  for (const container of containers) {
    const known = byName.get(container.metadata.name);
    if (known === undefined || known.metadata.attempt < container.metadata.attempt) {
      byName.set(container.metadata.name, container);
    }
  }
  return [...byName.values()];
}
