// One pass over a JSON text before the engine's parser reads it: it words syntax errors as Go does, and sees what the parser would silently
// accept and lose: keys that occur twice, whole numbers that a double cannot hold, nesting without end.

/** A text that is no JSON, in Go's words. */
export class JsonSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JsonSyntaxError";
  }
}

/** As deep as any document with a meaning, and shallow enough for every recursive reader behind this one. */
const depthLimit = 1000;

/** Nobody reads more of them, and each becomes a part of the answer. */
const duplicateLimit = 100;

/** Paths of the keys that occur more than once in their object, in document order. @throws JsonSyntaxError */
export function scanJson(text: string): readonly string[] {
  return new JsonScanner(text).scan();
}

interface Level {
  /** The keys seen so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key or the index of the value being read. */
  current: string | number;
}

class JsonScanner {
  readonly #text: string;
  readonly #duplicates: string[] = [];
  readonly #levels: Level[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): readonly string[] {
    this.#value();
    while (this.#levels.length > 0) this.#afterValue();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected("after top-level value");
    return this.#duplicates;
  }

  /** Reads one scalar, or opens a container and reads up to its first scalar. */
  #value(): void {
    for (;;) {
      this.#skipSpace();
      const character = this.#text[this.#at] ?? "";
      switch (character) {
        case "{":
          this.#at += 1;
          if (!this.#open({ keys: new Set(), current: "" }, "}")) return;
          this.#key("looking for beginning of object key string");
          break;
        case "[":
          this.#at += 1;
          if (!this.#open({ keys: undefined, current: 0 }, "]")) return;
          break;
        case '"':
          this.#string();
          return;
        case "t":
          return this.#literal("true");
        case "f":
          return this.#literal("false");
        case "n":
          return this.#literal("null");
        default:
          if (character === "-" || isDigit(character)) return this.#number();
          throw this.#unexpected("looking for beginning of value");
      }
    }
  }

  /** Opens a container; false when it is empty and closed again. */
  #open(level: Level, end: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] === end) {
      this.#at += 1;
      return false;
    }
    if (this.#levels.length >= depthLimit) throw new JsonSyntaxError("exceeded max depth");
    this.#levels.push(level);
    return true;
  }

  /** What follows a value inside a container: its end, or the next value. */
  #afterValue(): void {
    const level = this.#levels.at(-1) as Level;
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === (level.keys === undefined ? "]" : "}")) {
      this.#at += 1;
      this.#levels.pop();
      return;
    }
    if (character !== ",")
      throw this.#unexpected(level.keys === undefined ? "after array element" : "after object key:value pair");
    this.#at += 1;
    if (level.keys === undefined) level.current = (level.current as number) + 1;
    else this.#key("looking for beginning of object key string");
    this.#value();
  }

  #key(context: string): void {
    this.#skipSpace();
    if (this.#text[this.#at] !== '"') throw this.#unexpected(context);
    const key = this.#string();
    const level = this.#levels.at(-1) as Level;
    level.current = key;
    const keys = level.keys as Set<string>;
    if (keys.has(key) && this.#duplicates.length < duplicateLimit) this.#duplicates.push(this.#path());
    keys.add(key);
    this.#skipSpace();
    if (this.#text[this.#at] !== ":") throw this.#unexpected("after object key");
    this.#at += 1;
  }

  #string(): string {
    const start = this.#at;
    let escaped = false;
    for (this.#at += 1; ; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        this.#escape();
      } else if (!(code >= 0x20)) throw this.#unexpected("in string literal");
    }
    this.#at += 1;
    const quoted = this.#text.slice(start, this.#at);
    return escaped ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  }

  /** Leaves the position on the last character of the escape. */
  #escape(): void {
    this.#at += 1;
    const kind = this.#text[this.#at];
    if (kind === undefined || !'"\\/bfnrtu'.includes(kind)) throw this.#unexpected("in string escape code");
    if (kind !== "u") return;
    for (let digit = 0; digit < 4; digit++) {
      this.#at += 1;
      if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? ""))
        throw this.#unexpected("in \\u hexadecimal character escape");
    }
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text[this.#at] !== word[i])
        throw this.#unexpected(`in literal ${word} (expecting ${goQuote(word[i] as string)})`);
    }
  }

  #number(): void {
    const start = this.#at;
    if (this.#text[this.#at] === "-") this.#at += 1;
    if (this.#text[this.#at] === "0") this.#at += 1;
    else this.#digits("in numeric literal");
    let whole = true;
    if (this.#text[this.#at] === ".") {
      whole = false;
      this.#at += 1;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      whole = false;
      this.#at += 1;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at += 1;
      this.#digits("in exponent of numeric literal");
    }
    if (whole && this.#at - start > 15) this.#checkExact(this.#text.slice(start, this.#at));
  }

  /** A number that would come out changed is refused: better no object than a wrong one. */
  #checkExact(digits: string): void {
    if (isExact(digits)) return;
    throw new JsonSyntaxError(`number ${digits} at ${this.#path()} cannot be represented exactly`);
  }

  #digits(context: string): void {
    if (!isDigit(this.#text[this.#at] ?? "")) throw this.#unexpected(context);
    while (isDigit(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #path(): string {
    let path = "";
    for (const { current } of this.#levels)
      path += typeof current === "number" ? `[${current}]` : path === "" ? current : `.${current}`;
    return path;
  }

  #unexpected(context: string): JsonSyntaxError {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return new JsonSyntaxError("unexpected end of JSON input");
    return new JsonSyntaxError(`invalid character ${goQuote(String.fromCodePoint(code))} ${context}`);
  }
}

/** Whether a whole number survives being read as a double: it is one, or it is at least written out as it was read. */
export function isExact(digits: string): boolean {
  return BigInt(digits) === BigInt(Number(digits)) || String(Number(digits)) === digits;
}

const isDigit = (character: string): boolean => character >= "0" && character <= "9";

const goEscapes: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
  "\\": "\\\\",
  "'": "\\'",
};

/** A character as Go prints it in these errors. */
function goQuote(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 0x20 || code === 0x7f) return `'${goEscapes[character] ?? `\\x${code.toString(16).padStart(2, "0")}`}'`;
  return `'${goEscapes[character] ?? character}'`;
}
