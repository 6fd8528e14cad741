import { beforeEach, expect, it } from "vitest";
import { FakeApiServer } from "../../test/fakes/fake-api-server.ts";
import type { ConfigMap } from "../api/index.ts";
import { StatusError, internalError, timeout } from "../api/wire/status-error.ts";
import { SeededRandom } from "../base/random.ts";
import { minutes, seconds } from "../base/time.ts";
import { settle } from "../host/settle.ts";
import { VirtualClock, virtualEpoch } from "../simulation/virtual-clock.ts";
import { createClient } from "./client.ts";
import { type Informer, createInformer } from "./informer.ts";

let clock: VirtualClock;
let server: FakeApiServer;
let informer: Informer<ConfigMap>;
let told: string[];
let failures: unknown[];

beforeEach(() => {
  clock = new VirtualClock(settle);
  server = new FakeApiServer();
  told = [];
  failures = [];
  const client = createClient({
    transport: server.handle,
    user: { username: "test", groups: [] },
    userAgent: "test",
    clock,
  });
  informer = createInformer<ConfigMap>({
    resource: client.configMaps,
    clock,
    random: new SeededRandom(1),
    name: "test",
    indexes: { color: (map) => (map.data?.["color"] === undefined ? [] : [map.data["color"]]) },
    onFailure: (error) => failures.push(error),
  });
  informer.onAny((change) => told.push(`${change.kind} ${change.object.metadata.name}`));
});

const configMap = (name: string, color = "red", namespace = "default") => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data: { color },
});
const put = (name: string, color?: string, namespace?: string) =>
  server.put("configmaps", configMap(name, color, namespace));

it("tells what is there, then what changes", async () => {
  put("a");
  expect(informer.hasSynced()).toBe(false);
  informer.start();
  await informer.whenSynced();
  expect(told).toEqual(["added a"]);

  await settle();
  put("b");
  put("a", "blue");
  server.remove("configmaps", "b", "default");
  expect(told).toEqual(["added a", "added b", "updated a", "deleted b"]);
  expect(informer.lister.get("default/a")?.data).toEqual({ color: "blue" });
  expect(informer.lister.get("default/b")).toBeUndefined();
});

it("tells a late handler what is there already", async () => {
  put("a");
  informer.start();
  await settle();
  const late: string[] = [];
  const unsubscribe = informer.onAny(({ kind, object }) => late.push(`${kind} ${object.metadata.name}`));
  expect(late).toEqual(["added a"]);
  unsubscribe();
  put("b");
  expect(late).toEqual(["added a"]);
});

it("finds objects by namespace and by its own indexes, also after they changed", async () => {
  put("a", "red", "one");
  put("b", "red", "two");
  informer.start();
  await settle();
  const names = (maps: readonly ConfigMap[]) => maps.map(({ metadata }) => metadata.name);
  expect(names(informer.lister.inNamespace("two"))).toEqual(["b"]);
  expect(names(informer.lister.byIndex("color", "red"))).toEqual(["a", "b"]);

  put("a", "blue", "one");
  server.remove("configmaps", "b", "two");
  expect(names(informer.lister.byIndex("color", "red"))).toEqual([]);
  expect(names(informer.lister.byIndex("color", "blue"))).toEqual(["a"]);
  expect(() => informer.lister.byIndex("size", "big")).toThrow('there is no index "size"');
});

it("goes on where it was when the watch ends, without listing again", async () => {
  informer.start();
  await clock.advance(minutes(1));
  server.log.length = 0;
  server.endWatches();
  put("missed"); // before the informer is back
  await settle();
  expect(told).toEqual(["added missed"]);
  expect(server.log).toEqual(["GET /api/v1/configmaps"]);
  expect(informer.state.kind).toBe("watching");
});

it("lists again when history is gone, and tells only what differs", async () => {
  put("kept");
  put("changed");
  put("removed");
  informer.start();
  await clock.advance(minutes(1));
  told.length = 0;

  server.fault = (request) =>
    request.query.get("watch") === "true" ? server.failure(internalError("not now")) : undefined;
  server.endWatches();
  await settle();
  put("changed", "blue");
  server.remove("configmaps", "removed", "default");
  put("new");
  server.compact();
  server.fault = () => undefined;
  await clock.advance(minutes(1));

  expect(told).toEqual(["deleted removed", "updated changed", "added new"]);
  expect(failures.map(String)).toEqual([
    "StatusError: Internal error occurred: not now",
    expect.stringContaining("too old resource version"),
  ]);
  put("after");
  expect(told.at(-1)).toBe("added after");
});

it("lists again when the server has not reached its version: it was restored from an older state", async () => {
  put("lost");
  informer.start();
  await clock.advance(minutes(1));
  const tooLarge = timeout("Too large resource version: 105, current: 100", 1);
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  const error = new StatusError({ ...tooLarge.status, details: { causes } });
  let lists = 0;
  server.fault = (request) => {
    if (request.query.get("watch") === "true") return server.failure(error);
    lists++;
    return undefined;
  };
  server.endWatches();
  server.remove("configmaps", "lost", "default");
  await clock.advance(seconds(3));
  expect(lists).toBeGreaterThan(0);
  expect(failures.map(String)).toContain(`StatusError: ${tooLarge.message}`);
  expect(told).toEqual(["added lost", "deleted lost"]);

  server.fault = () => undefined;
  await clock.advance(minutes(1));
  expect(informer.state.kind).toBe("watching");
});

it("tells a recreation that it slept through as two changes", async () => {
  put("a");
  informer.start();
  await clock.advance(minutes(1));
  told.length = 0;
  server.fault = (request) =>
    request.query.get("watch") === "true" ? server.failure(internalError("not now")) : undefined;
  server.endWatches();
  server.remove("configmaps", "a", "default");
  put("a");
  server.compact();
  server.fault = () => undefined;
  await clock.advance(minutes(1));
  expect(told).toEqual(["deleted a", "added a"]);
});

it("asks a failing server less and less often, at most every minute", async () => {
  const asked: number[] = [];
  server.fault = () => {
    asked.push((clock.now() - virtualEpoch) / 1000);
    return server.failure(internalError("down"));
  };
  informer.start();
  await clock.advance(minutes(10));
  const waits = asked.slice(1).map((at, index) => at - (asked[index] as number));
  waits.forEach((wait, index) => {
    const base = Math.min(0.8 * 2 ** index, 30);
    expect(wait).toBeGreaterThanOrEqual(base);
    expect(wait).toBeLessThan(2 * base + 0.001);
  });
  expect(waits.length).toBeGreaterThan(10);
  expect(informer.hasSynced()).toBe(false);
});

it("does not spin when each watch ends at once", async () => {
  informer.start();
  await clock.advance(seconds(1));
  server.log.length = 0;
  server.fault = (request) =>
    request.query.get("watch") === "true"
      ? {
          status: 200,
          headers: {},
          body: { kind: "watch", watch: { start: (receiver) => receiver.ended(), stop: () => undefined } },
        }
      : undefined;
  server.endWatches();
  await clock.advance(minutes(1));
  expect(server.log.length).toBeLessThan(10);
});

it("is silent after stop", async () => {
  informer.start();
  await settle();
  informer.stop();
  put("late");
  server.endWatches();
  await clock.advance(minutes(5));
  expect(told).toEqual([]);
  expect(informer.state).toEqual({ kind: "stopped" });
  expect(clock.nextDue()).toBeUndefined();
});

it("can be stopped while it waits to try again", async () => {
  server.fault = () => server.failure(internalError("down"));
  informer.start();
  await settle();
  informer.stop();
  await settle();
  expect(clock.nextDue()).toBeUndefined();
  await clock.advance(minutes(5));
  expect(server.log).toHaveLength(1);
});
