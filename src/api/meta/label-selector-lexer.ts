// The words and signs of a label selector's text (api-machinery 3.8).

export type LabelTokenKind = "word" | "end" | "(" | ")" | "," | "!" | "=" | "==" | "!=" | ">" | "<" | "in" | "notin";

export interface LabelToken {
  readonly kind: LabelTokenKind;
  readonly text: string;
}

/** Splits the text; the last token is always `end`. */
export function lexLabelSelector(text: string): LabelToken[] {
  const tokens: LabelToken[] = [];
  let position = 0;
  while (position < text.length) {
    const character = text[position] ?? "";
    if (blanks.includes(character)) {
      position++;
    } else if (signs.includes(character)) {
      const sign = signAt(text, position);
      tokens.push({ kind: sign, text: sign });
      position += sign.length;
    } else {
      const end = wordEnd(text, position);
      const word = text.slice(position, end);
      tokens.push({ kind: word === "in" || word === "notin" ? word : "word", text: word });
      position = end;
    }
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

const blanks = " \t\r\n";
const signs = "=!(),><";

function signAt(text: string, position: number): Exclude<LabelTokenKind, "word" | "end" | "in" | "notin"> {
  const two = text.slice(position, position + 2);
  if (two === "==" || two === "!=") return two;
  const one = text[position];
  if (one === "!" || one === "=" || one === "(" || one === ")" || one === "," || one === ">") return one;
  return "<";
}

function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && !blanks.includes(text[end] ?? "") && !signs.includes(text[end] ?? "")) end++;
  return end;
}
