import { expect, it } from "vitest";
import type { ContainerStatus, Job, Pod, PodCondition } from "../api/index.ts";
import { Verdict } from "./verdict.ts";

interface Sighting {
  readonly phase: string;
  readonly statuses?: readonly Partial<ContainerStatus>[];
  readonly conditions?: readonly PodCondition[];
  readonly reason?: string;
  readonly message?: string;
  readonly deleting?: boolean;
}

function pod({ deleting, statuses, ...status }: Sighting): Pod {
  return {
    metadata: {
      name: "web",
      namespace: "default",
      uid: "u1",
      ...(deleting === true && { deletionTimestamp: "2025-01-01T00:00:00Z" }),
    },
    status: { ...status, containerStatuses: (statuses ?? []).map((s) => ({ name: "app", ...s })) },
  } as unknown as Pod;
}

const ready: PodCondition = { type: "Ready", status: "True" };
const crash = (id: string, reason = "Error"): Partial<ContainerStatus> => ({
  state: { terminated: { exitCode: 1, reason, containerID: id } },
});

it.each<[rule: string, sightings: Sighting[], want: string[]]>([
  ["a Ready Pod is well", [{ phase: "Running", conditions: [ready] }], []],
  ["a Succeeded Pod is well", [{ phase: "Succeeded" }], []],
  [
    "a Failed Pod is not, and says why",
    [{ phase: "Failed", reason: "DeadlineExceeded", message: "too long" }],
    ["failed: DeadlineExceeded: too long"],
  ],
  [
    "a crash counts although the Pod is well again",
    [
      { phase: "Running", statuses: [crash("1")] },
      { phase: "Running", conditions: [ready] },
    ],
    ["exited with code 1"],
  ],
  [
    "the same crash seen twice counts once, also from lastState",
    [
      { phase: "Running", statuses: [crash("1", "OOMKilled")] },
      { phase: "Running", statuses: [{ lastState: crash("1", "OOMKilled").state! }], conditions: [ready] },
    ],
    ["exited with code 1 (OOMKilled)"],
  ],
  [
    "several crashes of one kind are one line",
    [
      { phase: "Running", statuses: [crash("1")] },
      { phase: "Running", statuses: [crash("2")] },
      { phase: "Running", conditions: [ready] },
    ],
    ["exited with code 1, 2 times"],
  ],
  [
    "what happens after deletion was asked for does not count",
    [
      { phase: "Running", conditions: [ready] },
      { phase: "Failed", statuses: [crash("1")], deleting: true },
    ],
    [],
  ],
  [
    "a Pod that nobody could place says what the scheduler said",
    [
      {
        phase: "Pending",
        conditions: [
          { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes are available" },
        ],
      },
    ],
    ["is not Ready: Unschedulable: 0/1 nodes are available"],
  ],
  [
    "a Pod that waits for an image says so",
    [{ phase: "Pending", statuses: [{ state: { waiting: { reason: "ErrImagePull", message: "no such image" } } }] }],
    ["is not Ready: app: ErrImagePull: no such image"],
  ],
])("%s", (_rule, sightings, want) => {
  const verdict = new Verdict();
  for (const sighting of sightings) verdict.saw(pod(sighting));
  expect(verdict.failures().map((failure) => failure.text)).toEqual(want);
});

it("is finished when every Pod has ended, and not before one was seen", () => {
  const verdict = new Verdict();
  expect(verdict.allFinished()).toBe(false);
  verdict.saw(pod({ phase: "Running" }));
  expect(verdict.allFinished()).toBe(false);
  verdict.saw(pod({ phase: "Succeeded" }));
  expect(verdict.allFinished()).toBe(true);
});

it("of a Job's Pods only counts what becomes of the Job", () => {
  const job = (type?: string): Job =>
    ({
      metadata: { name: "work", namespace: "default", uid: "j" },
      status: { conditions: type === undefined ? [] : [{ type, status: "True", reason: "Why", message: "because" }] },
    }) as unknown as Job;
  const failed = pod({ phase: "Failed", statuses: [crash("c")] });
  const ownerReferences = [{ apiVersion: "batch/v1", kind: "Job", name: "work", uid: "j", controller: true }];
  const ofJob: Pod = { ...failed, metadata: { ...failed.metadata, ownerReferences } };
  const verdict = new Verdict();
  verdict.saw(ofJob);
  expect(verdict.allFinished()).toBe(false);
  verdict.sawJob(job());
  expect(verdict.allFinished()).toBe(false);
  verdict.sawJob(job("Complete"));
  expect([verdict.allFinished(), verdict.failures()]).toEqual([true, []]);
  verdict.sawJob(job("Failed"));
  expect(verdict.failures()).toEqual([{ namespace: "default", pod: "job/work", text: "failed: Why: because" }]);
});
