// Reads the models of @kubernetes/client-node: each is a class with a table of its attributes (in the .js) and a declaration that says what is
// optional and what it means (in the .d.ts). Both are machine-written and very regular, so two expressions read them.

import { existsSync, readFileSync } from "node:fs";

const models = new URL("../../node_modules/@kubernetes/client-node/dist/gen/models/", import.meta.url);

export function hasModel(model) {
  return existsSync(new URL(`${model}.js`, models));
}

/** `{ description, fields: [{ name, type, format, optional, description }] }`. */
export function readModel(model) {
  const source = readFileSync(new URL(`${model}.js`, models), "utf8");
  const table = /\.attributeTypeMap = (\[[\s\S]*?\n\]|\[\]);/.exec(source);
  if (table === null) throw new Error(`${model}: no attribute table`);
  const declaration = readFileSync(new URL(`${model}.d.ts`, models), "utf8");
  const described = descriptionsOf(declaration);
  const head = /\/\*\*\n((?:\*.*\n)+)\*\/\nexport declare class/.exec(declaration.replace(/^ +(?=\*)/gm, ""));
  const fields = JSON.parse(table[1]).map(({ name, baseName, type, format }) => {
    const found = described.get(name);
    if (found === undefined) throw new Error(`${model}.${name}: not declared`);
    return { name: baseName, type, format, optional: found.optional, description: found.description };
  });
  return { description: head === null ? "" : plainText(head[1]), fields };
}

function descriptionsOf(declaration) {
  const described = new Map();
  for (const match of declaration.matchAll(/(?:    \/\*\*\n((?:    \*.*\n)+?)    \*\/\n)?    '([^']+)'(\??): /g)) {
    described.set(match[2], {
      optional: match[3] === "?",
      description: match[1] === undefined ? "" : plainText(match[1]),
    });
  }
  return described;
}

function plainText(comment) {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim()
    .replaceAll(/\\(["'\\])/g, "$1");
}
