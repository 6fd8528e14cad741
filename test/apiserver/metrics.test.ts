// `/metrics` (api-machinery 12.2).

import { expect, it } from "vitest";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";

/** The lines of one family without its comments. */
async function samples(test: ServerUnderTest, family: string): Promise<readonly string[]> {
  const { text } = await test.get("/metrics");
  return text.split("\n").filter((line) => line.startsWith(`${family}{`) || line.startsWith(`${family} `));
}

it("is text in the format of Prometheus, for those who are known", async () => {
  const test = await ServerUnderTest.start();
  const answer = await test.get("/metrics");
  expect(answer).toMatchObject({
    status: 200,
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
  expect(answer.text).toMatch(/^(?:# HELP \w+ .+\n# TYPE \w+ (?:counter|gauge)\n(?:\w+(?:\{.+\})? [\d.]+\n)*)+$/);
  const anonymous = { username: "system:anonymous", groups: ["system:unauthenticated"] };
  expect((await test.send("GET", "/metrics", { user: anonymous })).status).toBe(401);
  expect((await test.send("POST", "/metrics")).status).toBe(405);
});

it("counts requests by what they asked for and how they were answered", async () => {
  const test = await ServerUnderTest.start();
  await test.create(pods, pod("web"));
  await test.create(pods, pod("web"));
  await test.create(`${pods}?dryRun=All`, pod("dry"));
  await test.get(`${pods}/web`);
  await test.get("/api/v1/pods");
  (await test.watch(`${pods}?watch=true`)).stop();

  const counted = await samples(test, "apiserver_request_total");

  const line = (code: number, verb: string, scope: string, dryRun = ""): string =>
    `apiserver_request_total{code="${code}",component="apiserver",dry_run="${dryRun}",group="",resource="pods",scope="${scope}",subresource="",verb="${verb}",version="v1"} 1`;
  expect(counted.filter((text) => text.includes('"pods"'))).toEqual([
    line(201, "POST", "namespace"),
    line(409, "POST", "namespace"),
    line(201, "POST", "namespace", "All"),
    line(200, "GET", "resource"),
    line(200, "LIST", "cluster"),
    line(200, "WATCH", "namespace"),
  ]);
});

it("gives strangers' inventions no labels of their own", async () => {
  const test = await ServerUnderTest.start();
  for (const path of ["/a", "/b", "/api/v1/inventions", "/apis/x/y/z", `${pods}/web/invention`, "/api/v1/%zz"]) {
    await test.get(path);
  }
  const counted = await samples(test, "apiserver_request_total");
  expect(counted.filter((text) => text.includes('verb="GET"')).length).toBeLessThanOrEqual(2);
  expect(counted.join("\n")).not.toMatch(/invention/);
});

it("tells how many watches are open, and how many objects there are", async () => {
  const test = await ServerUnderTest.start();
  const [first, second] = [await test.watch(`${pods}?watch=true`), await test.watch("/api/v1/pods?watch=true")];
  await test.create(pods, pod("web"));
  const watching =
    'apiserver_longrunning_requests{component="apiserver",group="",resource="pods",verb="WATCH",version="v1"}';
  expect(await samples(test, "apiserver_longrunning_requests")).toEqual([`${watching} 2`]);
  expect(await samples(test, "apiserver_storage_objects")).toEqual(
    expect.arrayContaining([
      'apiserver_storage_objects{resource="pods"} 1',
      'apiserver_storage_objects{resource="namespaces"} 4',
      'apiserver_storage_objects{resource="leases.coordination.k8s.io"} 0',
    ]),
  );
  first.stop();
  second.stop();
  expect(await samples(test, "apiserver_longrunning_requests")).toEqual([]);
});

it("tells what is in flight, itself included, and when the server started", async () => {
  const test = await ServerUnderTest.start();
  expect(await samples(test, "apiserver_current_inflight_requests")).toEqual([
    'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
    'apiserver_current_inflight_requests{request_kind="mutating"} 0',
  ]);
  expect(await samples(test, "process_start_time_seconds")).toEqual([
    `process_start_time_seconds ${Date.parse("2025-01-01T00:00:00Z") / 1000}`,
  ]);
});
