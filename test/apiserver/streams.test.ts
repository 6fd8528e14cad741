// exec, attach and portforward as the API server understands them (api-machinery 8.2, 8.3).

import { describe, expect, it } from "vitest";
import type { NodeConnector, PodStreamAnswer, PodStreamRequest } from "../../src/apiserver/node-connector.ts";
import type { ApiRequest } from "../../src/api/wire/request.ts";
import type { StreamSession } from "../../src/api/wire/stream-session.ts";
import { pod, ServerUnderTest } from "./api-server-fixture.ts";

const pods = "/api/v1/namespaces/default/pods";

const session: StreamSession = {
  kind: "process",
  stdin: false,
  stdout: true,
  stderr: false,
  tty: false,
  run: async () => 0,
};

class StreamingNodes implements NodeConnector {
  readonly asked: { readonly node: string; readonly request: PodStreamRequest }[] = [];
  answer: PodStreamAnswer = { kind: "session", session };

  async containerLogs(): Promise<{ readonly kind: "refused"; readonly status: number; readonly message: string }> {
    return { kind: "refused", status: 500, message: "there are no logs" };
  }

  async nodeUsage(): Promise<{ readonly kind: "refused"; readonly status: number; readonly message: string }> {
    return { kind: "refused", status: 500, message: "nothing is measured" };
  }

  async podStream(node: string, request: PodStreamRequest): Promise<PodStreamAnswer> {
    this.asked.push({ node, request });
    return this.answer;
  }
}

async function withPods() {
  const nodes = new StreamingNodes();
  const test = await ServerUnderTest.start(nodes);
  const two = [
    { name: "app", image: "app:1" },
    { name: "helper", image: "app:1" },
  ];
  await test.create(pods, pod("one"));
  await test.create(pods, pod("two", { spec: { containers: two } }));
  await test.create(pods, pod("waiting"));
  await test.create(pods, pod("done"));
  for (const name of ["one", "two", "done"]) {
    const target = { kind: "Node", name: "node-a" };
    await test.create(`${pods}/${name}/binding`, { metadata: { name }, target });
  }
  await test.patch(`${pods}/done/status`, "merge", { status: { phase: "Succeeded" } });
  return { nodes, test };
}

describe("streams", () => {
  const plain = { stdin: false, stdout: true, stderr: false, tty: false };

  it.each<[ApiRequest["method"], string, object]>([
    ["GET", "one/exec?command=ls&command=-l&stdout=true", { kind: "exec", container: "app", command: ["ls", "-l"] }],
    ["POST", "two/exec?command=sh&container=helper&stdout=1", { kind: "exec", container: "helper", command: ["sh"] }],
    ["GET", "one/attach?stdout=True&stdin=false", { kind: "attach", container: "app" }],
  ])("%s %s is asked of the Pod's node", async (method, path, wanted) => {
    const { nodes, test } = await withPods();
    const response = await test.respond(method, `${pods}/${path}`);
    expect(response).toMatchObject({ status: 101, body: { kind: "session", session } });
    expect(nodes.asked).toMatchObject([{ node: "node-a", request: { ...wanted, streams: plain } }]);
  });

  it("ask for no error output with a terminal, which has one", async () => {
    const { nodes, test } = await withPods();
    await test.respond("GET", `${pods}/one/exec?command=sh&stdin=1&stdout=1&stderr=1&tty=1`);
    expect(nodes.asked).toMatchObject([
      { request: { streams: { stdin: true, stdout: true, stderr: false, tty: true } } },
    ]);
  });

  it("to ports name them in either way, or not at all", async () => {
    const { nodes, test } = await withPods();
    await test.respond("POST", `${pods}/one/portforward?ports=80,443&ports=8080`);
    await test.respond("POST", `${pods}/one/portforward`);
    expect(nodes.asked.map(({ request }) => request)).toMatchObject([
      { kind: "portforward", ports: [80, 443, 8080] },
      { kind: "portforward", ports: [] },
    ]);
  });

  it.each<[string, number, string]>([
    ["absent/exec?command=ls&stdout=1", 404, 'pods "absent" not found'],
    [
      "two/exec?command=ls&stdout=1",
      400,
      "a container name must be specified for pod two, choose one of: [app helper]",
    ],
    ["two/exec?command=ls&stdout=1&container=x", 400, "container x is not valid for pod two"],
    ["one/exec?stdout=1", 400, "you must specify at least 1 command for the container"],
    ["one/exec?command=ls", 400, "you must specify at least 1 of stdin, stdout, stderr"],
    ["one/attach", 400, "you must specify at least 1 of stdin, stdout, stderr"],
    ["waiting/exec?command=ls&stdout=1", 400, "pod waiting does not have a host assigned"],
    ["waiting/portforward", 400, "pod waiting does not have a host assigned"],
    [
      "done/exec?command=ls&stdout=1",
      400,
      "cannot exec into a container in a completed pod; current phase is Succeeded",
    ],
    ["done/attach?stdout=1", 400, "cannot attach to a container in a completed pod; current phase is Succeeded"],
    ["one/portforward?ports=0", 400, 'unable to parse "0" as a port: a port is a number from 1 to 65535'],
  ])("%s is answered with %i", async (path, code, message) => {
    const { nodes, test } = await withPods();
    expect((await test.get(`${pods}/${path}`)).object).toMatchObject({ kind: "Status", code, message });
    expect(nodes.asked).toEqual([]);
  });

  it("that a kubelet refuses are answered in its own words", async () => {
    const { nodes, test } = await withPods();
    nodes.answer = { kind: "refused", status: 500, message: 'container not found ("app")' };
    expect(await test.respond("GET", `${pods}/one/exec?command=ls&stdout=1`)).toMatchObject({
      status: 500,
      headers: { "content-type": "text/plain; charset=utf-8" },
      body: { kind: "text", text: 'container not found ("app")\n' },
    });
  });

  it.each<ApiRequest["method"]>(["PUT", "PATCH", "DELETE"])("have no %s", async (method) => {
    const { test } = await withPods();
    expect((await test.respond(method, `${pods}/one/exec?command=ls&stdout=1`)).status).toBe(405);
  });
});
