import { describe, expect, it } from "vitest";
import * as status from "./status-error.ts";

const pods = { group: "", resource: "pods" };
const deployments = { group: "apps", resource: "deployments" };
const why = { reason: "FieldValueRequired", message: "Required value", field: "spec.containers" };

describe("a Status error", () => {
  it.each<[status.StatusError, number, string, string]>([
    [status.badRequest("no"), 400, "BadRequest", "no"],
    [status.unauthorized(), 401, "Unauthorized", "Unauthorized"],
    [status.forbidden(pods, "x", "why"), 403, "Forbidden", 'pods "x" is forbidden: why'],
    [status.forbidden(deployments, "", "why"), 403, "Forbidden", "deployments.apps is forbidden: why"],
    [status.forbidden({ group: "", resource: "" }, "", "why"), 403, "Forbidden", "forbidden: why"],
    [status.notFound(pods, "x"), 404, "NotFound", 'pods "x" not found'],
    [status.notFound(deployments, "x"), 404, "NotFound", 'deployments.apps "x" not found'],
    [
      status.methodNotSupported(pods, "delete"),
      405,
      "MethodNotAllowed",
      'delete is not supported on resources of kind "pods"',
    ],
    [
      status.methodNotAllowed(),
      405,
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
    ],
    [status.notAcceptable(["a", "b"]), 406, "NotAcceptable", "only the following media types are accepted: a, b"],
    [status.alreadyExists(pods, "x"), 409, "AlreadyExists", 'pods "x" already exists'],
    [
      status.generatedNameExists(pods, "x-abcde"),
      409,
      "AlreadyExists",
      'pods "x-abcde" already exists, the server was not able to generate a unique name for the object',
    ],
    [status.conflict(pods, "x", "why"), 409, "Conflict", 'Operation cannot be fulfilled on pods "x": why'],
    [status.expired("too old"), 410, "Expired", "too old"],
    [status.requestEntityTooLarge(3145728), 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"],
    [
      status.unsupportedMediaType(["a"]),
      415,
      "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: a",
    ],
    [
      status.invalid({ group: "", kind: "Pod" }, "x", [why]),
      422,
      "Invalid",
      'Pod "x" is invalid: spec.containers: Required value',
    ],
    [
      status.invalid({ group: "apps", kind: "Deployment" }, "x", [why, why, { ...why, field: "b" }]),
      422,
      "Invalid",
      'Deployment.apps "x" is invalid: [spec.containers: Required value, b: Required value]',
    ],
    [status.tooManyRequests("wait", 5), 429, "TooManyRequests", "wait"],
    [status.internalError("oops"), 500, "InternalError", "Internal error occurred: oops"],
    [
      status.serverTimeout(pods, "list", 1),
      500,
      "ServerTimeout",
      "The list operation against pods could not be completed at this time, please try again.",
    ],
    [status.unknownError("odd"), 500, "", "odd"],
    [status.serviceUnavailable("later"), 503, "ServiceUnavailable", "later"],
    [status.timeout("slow"), 504, "Timeout", "Timeout: slow"],
  ])("%s has the code, the reason and the text that clients know", (error, code, reason, message) => {
    expect([error.code, error.reason, error.message]).toEqual([code, reason, message]);
    expect(error.status).toMatchObject({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code });
  });

  it("names the object, and omits the group of core", () => {
    expect(status.notFound(pods, "x").status.details).toEqual({ name: "x", kind: "pods" });
    expect(status.conflict(deployments, "x", "why").status.details).toEqual({
      name: "x",
      group: "apps",
      kind: "deployments",
    });
  });

  it("lists every fault of an invalid object by its kind", () => {
    expect(status.invalid({ group: "", kind: "Pod" }, "x", [why]).status.details).toEqual({
      name: "x",
      kind: "Pod",
      causes: [why],
    });
  });

  it("says when to try again only if there is a time", () => {
    expect(status.tooManyRequests("wait", 5).status.details).toEqual({ retryAfterSeconds: 5 });
    expect(status.tooManyRequests("wait", 0).status.details).toEqual({});
  });
});
