// `$(NAME)` in values, commands and sub paths (pod-lifecycle 4.6.2).

/** Expands references; `$$` is one `$`, a reference that `valueOf` does not know stays as it is written. */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    const next = text[i + 1];
    if (char !== "$" || next === undefined) {
      out += char;
    } else if (next === "$") {
      out += "$";
      i++;
    } else if (next === "(") {
      const end = text.indexOf(")", i + 2);
      if (end < 0) {
        out += "$(";
        i++;
      } else {
        const name = text.slice(i + 2, end);
        out += valueOf(name) ?? `$(${name})`;
        i = end;
      }
    } else {
      out += `$${next}`;
      i++;
    }
  }
  return out;
}

/** Expands a sub path, where every reference must have a value. @throws Error that names those without */
export function expandStrictly(text: string, valueOf: (name: string) => string | undefined): string {
  const missing = new Set<string>();
  const expanded = expand(text, (name) => {
    const value = valueOf(name);
    if (value === undefined || value === "") missing.add(name);
    return value ?? "";
  });
  if (missing.size > 0) throw new Error(`missing value for ${[...missing].sort().join(", ")}`);
  return expanded;
}
