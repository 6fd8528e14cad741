// How long an event may speak (pod-lifecycle 0.3).

/** The longest message of an event in bytes; what is longer ends in ` ...`. */
export const messageLimitBytes = 1024;

/** The message within `messageLimitBytes` of UTF-8; cut between characters, ending in ` ...`. */
export function truncateMessage(message: string): string {
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= messageLimitBytes) return message;
  const ending = " ...";
  let end = messageLimitBytes - ending.length;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--; // not in the middle of a character
  return new TextDecoder().decode(bytes.subarray(0, end)) + ending;
}
