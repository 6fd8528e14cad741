import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const repository = resolve(import.meta.dirname, "../../..");

describe("the messages of CRI", () => {
  it("are generated from the .proto files as they are", async () => {
    const check = promisify(execFile)(process.execPath, [join(repository, "scripts/generate-proto.mjs"), "--check"]);
    await expect(check).resolves.toMatchObject({ stderr: "" });
  });
});
