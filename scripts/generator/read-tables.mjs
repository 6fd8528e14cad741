// Reads the hand-written tables in scripts/tables. All are plain text: `#` starts a comment line, `[package]` a section, and every other line
// is one fact, so that a change of one fact is a change of one line.

import { readFileSync } from "node:fs";

const tables = new URL("../tables/", import.meta.url);

/** Yields `[section, line]` of every line that says something. */
function* linesOf(name) {
  let section = "";
  for (const raw of readFileSync(new URL(name, tables), "utf8").split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(.+)\]$/.exec(line);
    if (header !== null) section = header[1];
    else yield [section, line];
  }
}

/** `[{ package, module, prefix }]` in the order of the table. */
export function readPackages() {
  return [...linesOf("packages.txt")].map(([, line]) => {
    const [name, module, prefix] = line.split(/\s+/);
    return { name, module, prefix: prefix === "-" ? undefined : prefix };
  });
}

/** package → message → fields `{ number, name, type, shape, mark, inline }`. */
export function readProtobufFields() {
  const packages = new Map();
  for (const [section, line] of linesOf("protobuf-fields.txt")) {
    const colon = line.indexOf(":");
    const message = line.slice(0, colon);
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .filter((text) => text !== "")
      .map((text) => parseField(text, message));
    const messages = packages.get(section) ?? new Map();
    packages.set(section, messages);
    if (messages.has(message)) throw new Error(`protobuf-fields.txt: ${section} ${message} is listed twice`);
    messages.set(message, fields);
  }
  return packages;
}

/** package → message → `{ kind, fields }` of the messages that the models leave out. */
export function readAdditionalMessages() {
  const packages = new Map();
  for (const [section, line] of linesOf("additional-messages.txt")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).replace("*", "");
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map((text) => parseField(`0=${text}`, name));
    const messages = packages.get(section) ?? new Map();
    packages.set(section, messages);
    messages.set(name, { kind: line[colon - 1] === "*", fields });
  }
  return packages;
}

/** `{ certain: Map("package Message" → Set(field)), notStored: Set("package Message") }`. */
export function readCertainFields() {
  const certain = new Map();
  const notStored = new Set();
  for (const [section, line] of linesOf("certain-after-admission.txt")) {
    const [head, tail] = line.split(/:\s+/);
    const words = tail.split(/\s+/);
    if (section === "not stored") for (const message of words) notStored.add(`${head} ${message}`);
    else certain.set(`${section} ${head}`, new Set(words));
  }
  return { certain, notStored };
}

/** `[{ package, name, values, published, fields: ["package Message.field"] }]`. */
export function readEnums() {
  return [...linesOf("enums.txt")].map(([section, line]) => {
    const match = /^(\w+)(~?) = ([^:]+): (.+)$/.exec(line);
    if (match === null) throw new Error(`enums.txt: not understood: ${line}`);
    const [, name, mark, values, fields] = match;
    return {
      package: section,
      name,
      published: mark === "",
      values: values
        .trim()
        .split(/\s+/)
        .map((value) => (value === '""' ? "" : value)),
      fields: fields
        .split(",")
        .map((field) => field.trim())
        .map((field) => (field.includes(" ") ? field : `${section} ${field}`)),
    };
  });
}

/** Map("package Message.field" → { strategies, key }). */
export function readPatchStrategies() {
  const strategies = new Map();
  for (const [section, line] of linesOf("patch-strategies.txt")) {
    const [field, tail] = line.split(/:\s+/);
    const [names, key] = tail.split(/\s+/);
    strategies.set(`${section} ${field}`, { strategies: names.split(","), key });
  }
  return strategies;
}

/** Map("package Message.field" or "package Message" → { type: "map" | "set" | "list" | "atomic" | "granular", keys }). */
export function readListTypes() {
  const types = new Map();
  for (const [section, line] of linesOf("list-types.txt")) {
    const [where, tail] = line.split(/:\s+/);
    const [type, ...keys] = tail.split(/\s+/);
    types.set(`${section} ${where}`, { type, keys });
  }
  return types;
}

const scalars = { "": "string", s: "string", b: "bool", i32: "i32", i64: "i64", f64: "f64", bytes: "bytes" };

function parseField(text, message) {
  const match =
    /^(\d+)=(~?)([\w$-]+?)(?:(\[\]|\{\}|:)([\w]*))?([!?]?)$/.exec(text) ?? /^(\d+)=(~)(\w+)()()()$/.exec(text);
  if (match === null) throw new Error(`${message}: field not understood: ${text}`);
  const [, number, inline, name, form = "", type = "", mark] = match;
  return {
    number: Number(number),
    name,
    type: inline === "~" ? name : (scalars[type] ?? type),
    shape: form === "[]" ? "list" : form === "{}" ? "map" : "single",
    mark,
    inline: inline === "~",
  };
}
