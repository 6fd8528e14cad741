// Short names for contents, as they stand in the names of objects.

const safeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A 32-bit hash of a text in at most ten letters that cannot form words. Stable for ever: it is part of stored names. */
export function nameHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  // Each decimal digit by its ASCII code, as upstream makes them safe.
  return String(hash >>> 0).replace(/\d/g, (digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length] ?? "");
}
