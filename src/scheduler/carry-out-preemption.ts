// Drives the victims of a preemption out (pod-lifecycle 11.5): says why in their conditions, deletes each with its own grace, and tells it in an event.

import type { Pod } from "../api/index.ts";
import { isReason } from "../api/wire/status-error.ts";
import type { Clock } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/event-recorder.ts";
import { conditionPatch } from "./condition-patch.ts";

export interface DecidedPreemption {
  readonly preemptor: Pod;
  readonly nodeName: string;
  readonly victims: readonly Pod[];
  /** Pods of lower priority that were to come to the node: they had better look elsewhere. */
  readonly outdone: readonly Pod[];
}

interface Parts {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
}

/** @throws StatusError if a victim could not be deleted; the others are */
export async function carryOutPreemption(preemption: DecidedPreemption, parts: Parts): Promise<void> {
  const { victims, outdone } = preemption;
  const tasks = [
    ...outdone.map((pod) => endNomination(pod, parts.client)),
    // Those who leave already need not be told.
    ...victims
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((victim) => driveOut(victim, preemption, parts)),
  ];
  const failed = (await Promise.allSettled(tasks)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function driveOut(victim: Pod, { preemptor, nodeName }: DecidedPreemption, parts: Parts): Promise<void> {
  const { client, clock, recorder } = parts;
  const { name, namespace, uid } = victim.metadata;
  const message = `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`;
  const condition = { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler", message } as const;
  const patch = conditionPatch(victim, condition, clock.now());
  try {
    if (patch !== undefined) await client.pods.patch(name, namespace, "strategic", patch, "status");
    await client.pods.delete(name, namespace, { preconditions: { uid } });
  } catch (error) {
    if (isReason(error, "NotFound") || isReason(error, "Conflict")) return; // gone, or replaced by another of its name
    throw error;
  }
  const note = `Preempted by pod ${preemptor.metadata.uid} on node ${nodeName}`;
  recorder.record(victim, { type: "Normal", reason: "Preempted", message: note });
}

async function endNomination({ metadata, status }: Pod, client: Client): Promise<void> {
  if ((status.nominatedNodeName ?? "") === "") return;
  try {
    const patch = { status: { nominatedNodeName: null } };
    await client.pods.patch(metadata.name, metadata.namespace, "strategic", patch, "status");
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
}
