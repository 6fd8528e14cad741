// Writes the TypeScript interfaces of one package: plain names, wire names for properties, everything read-only.

/** The text of `src/api/generated/<module>.ts`. */
export function typesModule(apiPackage, api) {
  const imports = new Map();
  const body = [];
  const use = (packageName, name) => {
    if (packageName === apiPackage.name) return name;
    if (apiPackage.messages.has(name))
      throw new Error(`${apiPackage.name}: ${name} of ${packageName} clashes with its own`);
    const module = api.packages.get(packageName).module;
    imports.set(module, (imports.get(module) ?? new Set()).add(name));
    return name;
  };

  for (const e of api.enums.filter((e) => e.package === apiPackage.name)) {
    body.push(`export type ${e.name} = ${e.values.map((value) => JSON.stringify(value)).join(" | ")};\n`);
  }
  for (const message of [...apiPackage.messages.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    body.push(interfaceOf(message, apiPackage, use));
  }
  const header =
    "// Written by scripts/generate.mjs from the published API models and scripts/tables. Change those, not this.\n\n";
  const lines = [...imports]
    .sort()
    .map(([module, names]) => `import type { ${[...names].sort().join(", ")} } from "./${module}.ts";\n`);
  return header + lines.join("") + (lines.length > 0 ? "\n" : "") + body.join("\n");
}

function interfaceOf(message, apiPackage, use) {
  const properties = message.fields.map((field) => {
    const optional = field.required || field.certain ? "" : "?";
    const name = /^[A-Za-z_]\w*$/.test(field.name) ? field.name : JSON.stringify(field.name);
    return `${docstring(field.description, "  ")}  readonly ${name}${optional}: ${typeOf(message, field, apiPackage, use)};\n`;
  });
  return `${docstring(message.description, "")}export interface ${message.name} {\n${properties.join("")}}\n`;
}

function typeOf(message, field, apiPackage, use) {
  if (message.kind && field.name === "apiVersion")
    return apiPackage.name === "meta/v1" ? "string" : JSON.stringify(groupVersionOf(apiPackage.name));
  if (message.kind && field.name === "kind")
    return apiPackage.name === "meta/v1" && message.name.startsWith("WatchEvent")
      ? "string"
      : JSON.stringify(message.name);
  const single = field.tsType ?? singleType(message, field, use);
  const grouped = single.includes(" | ") && field.shape !== "map" ? `(${single})` : single;
  switch (field.shape) {
    case "list":
      return `readonly ${grouped}[]`;
    case "map":
      return `Readonly<Record<string, ${single}>>`;
    case "mapOfLists":
      return `Readonly<Record<string, readonly ${grouped}[]>>`;
    default:
      return single;
  }
}

function singleType(message, field, use) {
  if (field.enum !== undefined) return use(field.enum.package, field.enum.name);
  switch (field.type) {
    case "ref": {
      const name = use(field.ref.package, field.ref.name);
      return name === "ObjectMeta" && !message.stored && message.package !== "meta/v1" ? "Partial<ObjectMeta>" : name;
    }
    case "boolean":
      return "boolean";
    case "integer":
    case "number":
    case "duration":
      return "number";
    case "intOrString":
      return "number | string";
    case "any":
      return "unknown";
    case "object":
      return "Readonly<Record<string, unknown>>";
    default:
      return "string"; // string, quantity, time, microTime, bytes (base64)
  }
}

/** `core/v1` is `v1` on the wire. */
export function groupVersionOf(packageName) {
  return packageName === "core/v1" ? "v1" : packageName;
}

function docstring(text, indent) {
  if (text === "") return "";
  const lines = wrap(text.replaceAll("*/", "*\\/"), 130 - indent.length);
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

function wrap(text, width) {
  const lines = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}
