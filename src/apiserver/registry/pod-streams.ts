// `pods/exec`, `pods/attach` and `pods/portforward`: the API server checks what is asked for and chooses the container; the node's kubelet makes the session;
// the door speaks the client's protocol (api-machinery 8.2, 8.3).

import { textAt } from "../../api/meta/json-object.ts";
import type { ApiResponse } from "../../api/wire/request.ts";
import { badRequest } from "../../api/wire/status-error.ts";
import type { NodeConnector, PodReference, PodStreamRequest, WantedStreams } from "../node-connector.ts";
import { booleanParameter } from "../request-options.ts";
import type { ApiObject } from "./api-object.ts";
import { chosenContainer } from "./chosen-container.ts";
import type { ConnectableSubresource } from "./subresource.ts";

/** So much of a kubelet's complaint is passed on. */
const refusalLimit = 50_000;

export function podExec(nodes: NodeConnector): ConnectableSubresource {
  return podStream(nodes, (pod, query) => {
    refuseCompleted(pod, "exec into");
    const container = chosenContainer(pod, query.get("container") ?? "");
    const command = query.getAll("command");
    if (command.length === 0) throw badRequest("you must specify at least 1 command for the container");
    return { kind: "exec", pod: referenceTo(pod), container, command, streams: wantedStreams(query) };
  });
}

export function podAttach(nodes: NodeConnector): ConnectableSubresource {
  return podStream(nodes, (pod, query) => {
    refuseCompleted(pod, "attach to");
    const container = chosenContainer(pod, query.get("container") ?? "");
    return { kind: "attach", pod: referenceTo(pod), container, streams: wantedStreams(query) };
  });
}

export function podPortForward(nodes: NodeConnector): ConnectableSubresource {
  return podStream(nodes, (pod, query) => ({ kind: "portforward", pod: referenceTo(pod), ports: portsIn(query) }));
}

/** @param understand makes the request from Pod and query; throws StatusError */
function podStream(
  nodes: NodeConnector,
  understand: (pod: ApiObject, query: URLSearchParams) => PodStreamRequest,
): ConnectableSubresource {
  return {
    async connect({ registry, namespace, name, request }): Promise<ApiResponse> {
      const { object: pod } = await registry.getStored(namespace, name);
      const asked = understand(pod, request.query);
      const node = textAt(pod, "spec", "nodeName");
      if (node === "") throw badRequest(`pod ${name} does not have a host assigned`);
      const answer = await nodes.podStream(node, asked);
      switch (answer.kind) {
        case "session":
          return { status: 101, headers: {}, body: answer };
        case "refused":
          // As upstream passes a kubelet's answer on: kubectl shows the text behind "unable to upgrade connection".
          return {
            status: answer.status,
            headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
            body: { kind: "text", text: `${answer.message.slice(0, refusalLimit)}\n` },
          };
      }
    },
  };
}

/** @throws StatusError BadRequest */
function refuseCompleted(pod: ApiObject, what: string): void {
  const phase = textAt(pod, "status", "phase");
  if (phase !== "Succeeded" && phase !== "Failed") return;
  throw badRequest(`cannot ${what} a container in a completed pod; current phase is ${phase}`);
}

/** @throws StatusError BadRequest */
function wantedStreams(query: URLSearchParams): WantedStreams {
  const tty = booleanParameter(query, "tty");
  const stdin = booleanParameter(query, "stdin");
  const stdout = booleanParameter(query, "stdout");
  // A terminal has one output.
  const stderr = booleanParameter(query, "stderr") && !tty;
  if (!stdin && !stdout && !stderr) throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
  return { stdin, stdout, stderr, tty };
}

/** As numbers, from `ports=80,81&ports=82`. @throws StatusError BadRequest */
function portsIn(query: URLSearchParams): readonly number[] {
  const texts = query.getAll("ports").flatMap((list) => list.split(","));
  return texts
    .filter((text) => text !== "")
    .map((text) => {
      const port = Number(text);
      if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
        throw badRequest(`unable to parse ${JSON.stringify(text)} as a port: a port is a number from 1 to 65535`);
      }
      return port;
    });
}

function referenceTo(pod: ApiObject): PodReference {
  const { namespace = "", name = "", uid = "" } = pod.metadata;
  return { namespace, name, uid };
}
