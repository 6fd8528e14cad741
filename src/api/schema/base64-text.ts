const notBase64 = /[^A-Za-z0-9+/]/;

/** The complaint of Go's decoder about a text that is not padded standard base64; undefined if it is. Line breaks must be gone already. */
export function base64Problem(text: string): string | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.slice(0, text.length - padding);
  const bad = notBase64.exec(digits);
  if (bad !== null) return `illegal base64 data at input byte ${bad.index}`;
  if (text.length % 4 !== 0)
    return `illegal base64 data at input byte ${padding === 0 ? text.length - (text.length % 4) : text.length}`;
  return undefined;
}
