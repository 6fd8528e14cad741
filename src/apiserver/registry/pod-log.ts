// `pods/log`: the API server chooses the container and checks the options, the node's kubelet tells the log (api-machinery 8.1, pod-lifecycle 3.7).

import { type FieldError, forbidden, invalid as invalidField } from "../../api/meta/field-errors.ts";
import { textAt } from "../../api/meta/json-object.ts";
import type { ApiResponse } from "../../api/wire/request.ts";
import { badRequest, internalError, invalid, type StatusError } from "../../api/wire/status-error.ts";
import { after, type Clock, type Instant, parseTime, seconds } from "../../base/time.ts";
import type { ContainerLogRequest, NodeConnector } from "../node-connector.ts";
import { booleanParameter, integerParameter } from "../request-options.ts";
import { chosenContainer } from "./chosen-container.ts";
import type { ReadableSubresource } from "./subresource.ts";

/** So much of a kubelet's complaint is passed on. */
const refusalLimit = 50_000;

export function podLog(nodes: NodeConnector, clock: Clock): ReadableSubresource {
  return {
    async get({ registry, namespace, name, request }) {
      const { object: pod } = await registry.getStored(namespace, name);
      const options = logOptions(request.query, name, clock.now());
      const container = chosenContainer(pod, request.query.get("container") ?? "");
      const node = textAt(pod, "spec", "nodeName");
      if (node === "") return { status: 204, headers: {}, body: { kind: "empty" } };
      const answer = await nodes.containerLogs(node, {
        ...options,
        namespace,
        pod: name,
        container,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      if (answer.kind === "refused") throw refusal(answer.status, answer.message);
      return logResponse(answer.chunks);
    },
  };
}

type LogOptions = Omit<ContainerLogRequest, "namespace" | "pod" | "container" | "signal">;

/** @throws StatusError BadRequest, Invalid */
function logOptions(query: URLSearchParams, podName: string, now: Instant): LogOptions {
  const tailLines = integerParameter(query, "tailLines");
  const limitBytes = integerParameter(query, "limitBytes");
  const sinceSeconds = integerParameter(query, "sinceSeconds");
  const sinceTime = timeParameter(query, "sinceTime");
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalidField("tailLines", tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(invalidField("limitBytes", limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    const error = forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified");
    errors.push({ ...error, field: "" });
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalidField("sinceSeconds", sinceSeconds, "must be greater than 0"));
  }
  if (errors.length > 0) {
    const causes = errors.map(({ type, body, field }) => ({ reason: type, message: body, field }));
    throw invalid({ group: "", kind: "PodLogOptions" }, podName, causes);
  }
  const since = sinceTime ?? (sinceSeconds === undefined ? undefined : after(now, seconds(-sinceSeconds)));
  return {
    follow: booleanParameter(query, "follow"),
    previous: booleanParameter(query, "previous"),
    timestamps: booleanParameter(query, "timestamps"),
    ...(since === undefined ? {} : { since }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

function timeParameter(query: URLSearchParams, name: string): Instant | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const at = parseTime(text);
  if (at === undefined)
    throw badRequest(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse`);
  return at;
}

function refusal(status: number, message: string): StatusError {
  const text = message.slice(0, refusalLimit);
  return status === 400 ? badRequest(text) : internalError(text);
}

function logResponse(chunks: AsyncIterable<Uint8Array>): ApiResponse {
  return {
    status: 200,
    headers: { "content-type": "text/plain", "cache-control": "no-cache, private" },
    body: { kind: "byteStream", chunks },
  };
}
