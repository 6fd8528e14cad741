// The generator of the API's types and schemas: what it promises to those who run it all day.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";

const output = new URL("../src/api/generated/", import.meta.url);
const script = new URL("../scripts/generate.mjs", import.meta.url);

function generate(): void {
  execFileSync(process.execPath, [script.pathname]);
}

describe("npm run generate", () => {
  it("leaves files alone whose content would not change", () => {
    generate();
    const before = readdirSync(output).map((name) => [name, statSync(new URL(name, output)).mtimeMs]);
    generate();
    expect(readdirSync(output).map((name) => [name, statSync(new URL(name, output)).mtimeMs])).toEqual(before);
  });

  it("writes plain names, wire names, and what is certain after admission as required", () => {
    generate();
    const core = readFileSync(new URL("core-v1.ts", output), "utf8");
    const interfaceOf = (text: string, name: string): string =>
      /\{[^]*?\n\}/.exec(text.slice(text.indexOf(`export interface ${name} {`)))?.[0] ?? "";
    expect(interfaceOf(core, "PodSpec")).toContain("readonly restartPolicy: RestartPolicy;");
    expect(interfaceOf(core, "PodSpec")).toContain("readonly nodeName?: string;");
    expect(interfaceOf(core, "Pod")).toContain('readonly apiVersion: "v1";');
    expect(interfaceOf(core, "PodTemplateSpec")).toContain("readonly metadata?: Partial<ObjectMeta>;");
    const meta = readFileSync(new URL("meta-v1.ts", output), "utf8");
    expect(interfaceOf(meta, "ListMeta")).toContain("readonly continue?: string;");
    const extensions = readFileSync(new URL("apiextensions-v1.ts", output), "utf8");
    expect(interfaceOf(extensions, "JSONSchemaProps")).toContain('readonly "x-kubernetes-list-type"?: string;');
  });
});
