// Makes src/runtimes/cri/gen/*.ts from our own src/runtimes/cri/proto/*.proto. The output is committed, so a build needs no protobuf compiler.
// `--check` compares instead of writing and ends with status 1 if the committed files are stale.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const protoFolder = join(repository, "src/runtimes/cri/proto");
const outputFolder = join(repository, "src/runtimes/cri/gen");
const bin = (name) => join(repository, "node_modules/.bin", name);

const scratch = mkdtempSync(join(tmpdir(), "lifepod-proto-"));
try {
  const generated = generate();
  if (process.argv.includes("--check")) check(generated);
  else write(generated);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** File name → formatted content. */
function generate() {
  cpSync(protoFolder, join(scratch, "proto"), { recursive: true });
  writeFileSync(join(scratch, "buf.yaml"), "version: v2\nmodules:\n  - path: proto\n");
  const plugin = {
    local: bin("protoc-gen-es"),
    out: "gen",
    opt: ["target=ts", "erasable_syntax=true", "elide_plugin_version=true"],
  };
  writeFileSync(join(scratch, "buf.gen.yaml"), JSON.stringify({ version: "v2", plugins: [plugin] }));
  execFileSync(bin("buf"), ["generate"], { cwd: scratch, stdio: ["ignore", "inherit", "inherit"] });

  const files = new Map();
  for (const name of readdirSync(join(scratch, "gen")).sort()) {
    const source = readFileSync(join(scratch, "gen", name), "utf8");
    const kebabName = name.replace(/_pb\.ts$/, ".ts");
    const formatted = execFileSync(bin("biome"), ["format", `--stdin-file-path=src/runtimes/cri/gen/${kebabName}`], {
      cwd: repository,
      input: source,
      encoding: "utf8",
    });
    files.set(kebabName, formatted);
  }
  return files;
}

function write(files) {
  rmSync(outputFolder, { recursive: true, force: true });
  mkdirSync(outputFolder, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(outputFolder, name), content);
}

function check(files) {
  const committed = readdirSync(outputFolder).sort();
  const stale = [...files].filter(
    ([name, content]) => !committed.includes(name) || readFileSync(join(outputFolder, name), "utf8") !== content,
  );
  const extra = committed.filter((name) => !files.has(name));
  for (const [name] of stale) console.error(`stale: src/runtimes/cri/gen/${name}; run node scripts/generate-proto.mjs`);
  for (const name of extra)
    console.error(`no source for: src/runtimes/cri/gen/${name}; run node scripts/generate-proto.mjs`);
  if (stale.length + extra.length > 0) process.exitCode = 1;
}
