import { beforeEach, describe, expect, it } from "vitest";
import { FakeApiServer } from "../../test/fakes/fake-api-server.ts";
import type { Event } from "../api/index.ts";
import { badRequest } from "../api/wire/status-error.ts";
import { millis, minutes, seconds } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { VirtualClock } from "../simulation/virtual-clock.ts";
import { createClient } from "./client.ts";
import { truncateMessage } from "./event-message.ts";
import { type EventNote, type RunningEventRecorder, createEventRecorder, pendingEventLimit } from "./event-recorder.ts";

let clock: VirtualClock;
let server: FakeApiServer;
let recorder: RunningEventRecorder;
let dropped: string[];

beforeEach(() => {
  clock = new VirtualClock(settle);
  server = new FakeApiServer();
  dropped = [];
  const client = createClient({
    transport: server.handle,
    user: { username: "test", groups: [] },
    userAgent: "test",
    clock,
  });
  recorder = createEventRecorder({
    client,
    clock,
    source: { component: "kubelet", host: "node-a" },
    onDropped: (subject, note, error) => dropped.push(`${subject.metadata.name} ${note.reason}: ${String(error)}`),
  });
});

const pod = (name = "web") => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", uid: `uid-of-${name}`, resourceVersion: "42" },
});
const note = (message: string, more: Partial<EventNote> = {}): EventNote => ({
  type: "Normal",
  reason: "Pulled",
  message,
  ...more,
});
const stored = (): Event[] => server.all("events") as unknown as Event[];
const texts = (): string[] => stored().map((event) => `${event.count}x ${event.message}`);

it("writes an event with its source, its object and its time", async () => {
  recorder.record(pod(), note("Container image pulled", { fieldPath: "spec.containers{web}" }));
  await recorder.flushed();
  expect(stored()).toEqual([
    {
      apiVersion: "v1",
      kind: "Event",
      metadata: { namespace: "shop", name: "web.1816687ec0570000", uid: "uid-1", resourceVersion: "101" },
      involvedObject: {
        kind: "Pod",
        namespace: "shop",
        name: "web",
        uid: "uid-of-web",
        apiVersion: "v1",
        resourceVersion: "42",
        fieldPath: "spec.containers{web}",
      },
      type: "Normal",
      reason: "Pulled",
      message: "Container image pulled",
      source: { component: "kubelet", host: "node-a" },
      firstTimestamp: "2025-01-01T00:00:00Z",
      lastTimestamp: "2025-01-01T00:00:00Z",
      count: 1,
      reportingComponent: "kubelet",
      reportingInstance: "node-a",
    },
  ]);
});

it("puts events about objects outside namespaces into default", async () => {
  recorder.record({ apiVersion: "v1", kind: "Node", metadata: { name: "node-a" } }, note("ready"));
  await recorder.flushed();
  expect(stored()[0]?.metadata.namespace).toBe("default");
  expect(stored()[0]?.involvedObject.namespace).toBeUndefined();
});

it("counts the same event instead of repeating it", async () => {
  recorder.record(pod(), note("again"));
  await clock.advance(minutes(1));
  recorder.record(pod(), note("again"));
  await clock.advance(minutes(1));
  recorder.record(pod(), note("again"));
  await recorder.flushed();
  expect(texts()).toEqual(["3x again"]);
  expect(stored()[0]).toMatchObject({
    firstTimestamp: "2025-01-01T00:00:00Z",
    lastTimestamp: "2025-01-01T00:02:00Z",
  });
});

it("keeps events of one instant apart by name", async () => {
  recorder.record(pod(), note("one"));
  recorder.record(pod(), note("two"));
  await recorder.flushed();
  expect(new Set(stored().map(({ metadata }) => metadata.name)).size).toBe(2);
});

it("takes the next name when another reporter has the first", async () => {
  server.put("events", { metadata: { name: "web.1816687ec0570000", namespace: "shop" }, message: "theirs" });
  recorder.record(pod(), note("ours"));
  await recorder.flushed();
  expect(stored().map(({ metadata, message }) => `${metadata.name}: ${message}`)).toEqual([
    "web.1816687ec0570000: theirs",
    "web.1816687ec0570001: ours",
  ]);
});

it("makes an expired event anew and keeps its count", async () => {
  recorder.record(pod(), note("again"));
  await recorder.flushed();
  server.remove("events", stored()[0]?.metadata.name as string, "shop");
  recorder.record(pod(), note("again"));
  await recorder.flushed();
  expect(texts()).toEqual(["2x again"]);
});

it("combines the tenth similar event and those after it into one", async () => {
  for (let i = 1; i <= 12; i++) recorder.record(pod(), note(`attempt ${i}`));
  await recorder.flushed();
  expect(texts().slice(8)).toEqual(["1x attempt 9", "3x (combined from similar events): attempt 12"]);
});

it("does not combine events that are more than ten minutes apart", async () => {
  for (let i = 1; i <= 12; i++) {
    recorder.record(pod(), note(`attempt ${i}`));
    await clock.advance(seconds(601));
  }
  expect(texts().at(-1)).toBe("1x attempt 12");
});

describe("the spam filter", () => {
  it("lets 25 events about one object through, then one every five minutes", async () => {
    const flood = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) recorder.record(pod(), note("flood", { reason: `R${i}` }));
      await recorder.flushed();
    };
    await flood();
    const patches = (): number => server.log.length;
    expect(patches()).toBe(25);
    await clock.advance(minutes(10));
    await flood();
    expect(patches()).toBe(27);
  });

  it("does not let one object silence another", async () => {
    for (let i = 0; i < 30; i++) recorder.record(pod("noisy"), note("flood", { reason: `R${i}` }));
    recorder.record(pod("quiet"), note("heard"));
    await recorder.flushed();
    expect(texts()).toContain("1x heard");
  });
});

describe("delivery", () => {
  it("keeps the order of one object's events and lets other objects pass", async () => {
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.fault = async (request) => {
      const { object } = request.body as unknown as { object: { message: string } };
      if (object.message === "first") await held;
      return undefined;
    };
    recorder.record(pod("a"), note("first"));
    recorder.record(pod("a"), note("second"));
    recorder.record(pod("b"), note("other"));
    await settle();
    expect(texts()).toEqual(["1x other"]);
    release?.();
    await recorder.flushed();
    expect(texts()).toEqual(["1x other", "1x first", "1x second"]);
  });

  it("tries again every ten seconds while nobody answers", async () => {
    let attempts = 0;
    server.fault = () => {
      attempts++;
      if (attempts < 4) throw new Error("connection refused");
      return undefined;
    };
    recorder.record(pod(), note("late"));
    await clock.advance(seconds(29));
    expect(stored()).toEqual([]);
    await clock.advance(seconds(1));
    expect(stored()[0]).toMatchObject({ message: "late", firstTimestamp: "2025-01-01T00:00:00Z" });
    expect(dropped).toEqual([]);
  });

  it("gives up after twelve attempts", async () => {
    server.fault = () => Promise.reject(new Error("connection refused"));
    recorder.record(pod(), note("lost"));
    await clock.advance(minutes(10));
    expect(server.log).toHaveLength(12);
    expect(dropped).toEqual(["web Pulled: Error: connection refused"]);
  });

  it("does not argue with a refusal", async () => {
    server.fault = () => server.failure(badRequest("no"));
    recorder.record(pod(), note("refused"));
    await recorder.flushed();
    expect(server.log).toHaveLength(1);
    expect(dropped).toEqual(["web Pulled: StatusError: no"]);
  });

  it("drops what does not fit into the waiting room, and says so", async () => {
    server.fault = () => clock.sleep(millis(1)).then(() => undefined);
    for (let i = 0; i <= pendingEventLimit; i++) recorder.record(pod(`pod-${i}`), note("hello"));
    expect(dropped).toEqual([
      `pod-${pendingEventLimit} Pulled: Error: ${pendingEventLimit} events are waiting already`,
    ]);
  });
});

it.each([
  ["short", "short"],
  ["x".repeat(1024), "x".repeat(1024)],
  ["x".repeat(1025), `${"x".repeat(1020)} ...`],
  ["é".repeat(600), `${"é".repeat(510)} ...`],
  [`x${"é".repeat(600)}`, `x${"é".repeat(509)} ...`],
])("cuts messages to 1024 bytes between characters (%#)", (message, want) => {
  expect(truncateMessage(message)).toBe(want);
});
