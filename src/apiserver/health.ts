// `/livez`, `/readyz`, `/healthz` (api-machinery 12.1).

import type { ApiRequest, ApiResponse } from "../api/wire/request.ts";

/** One thing that must be well. `check` says what is wrong, or nothing. */
export interface HealthCheck {
  readonly name: string;
  /** The endpoints that ask it, without the slash. */
  readonly endpoints: readonly HealthEndpoint[];
  check(): Promise<string | undefined>;
}

export type HealthEndpoint = "livez" | "readyz" | "healthz";

/** @returns undefined if the path is none of health's */
export async function answerHealth(
  request: ApiRequest,
  checks: readonly HealthCheck[],
): Promise<ApiResponse | undefined> {
  const [endpoint, ...rest] = request.path.split("/").slice(1);
  if (endpoint !== "livez" && endpoint !== "readyz" && endpoint !== "healthz") return undefined;
  const asked = checks.filter((check) => check.endpoints.includes(endpoint));
  const name = rest.join("/");
  if (name === "") return answerAll(endpoint, asked, request.query);
  const check = asked.find((candidate) => candidate.name === name);
  if (check === undefined) return undefined;
  const problem = await problemOf(check);
  return problem === undefined ? plain(200, "ok") : plain(500, `internal server error: ${problem}\n`);
}

async function answerAll(
  endpoint: HealthEndpoint,
  checks: readonly HealthCheck[],
  query: URLSearchParams,
): Promise<ApiResponse> {
  const excluded = query
    .getAll("exclude")
    .flatMap((names) => names.split(","))
    .filter((name) => name !== "");
  const lines: string[] = [];
  let failed = false;
  for (const check of checks) {
    if (excluded.includes(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const isWell = (await problemOf(check)) === undefined;
    failed ||= !isWell;
    lines.push(isWell ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
  }
  const unknown = excluded.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(",")}`,
    );
  }
  if (failed) return plain(500, `${lines.join("\n")}\n${endpoint} check failed\n`);
  return plain(200, query.has("verbose") ? `${lines.join("\n")}\n${endpoint} check passed\n` : "ok");
}

async function problemOf(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check.check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function plain(status: number, text: string): ApiResponse {
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache, private",
  };
  return { status, headers, body: { kind: "text", text } };
}
