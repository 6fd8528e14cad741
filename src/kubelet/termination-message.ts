// What a container leaves as its last words (pod-lifecycle 3.6).

/** Bytes read from the end of the message file. */
export const messageFileLimit = 4096;
/** Of the log, when it stands in for the file. */
export const messageLogLines = 80;
export const messageLogLimit = 2048;
/** Of all containers of a Pod together. */
export const podMessageLimit = 12 * 1024;

export interface TerminationWords {
  /** The runtime's own message. */
  readonly runtimeMessage: string;
  /** The file's tail; `undefined` if there is none. */
  readonly file: string | undefined;
  /** The log's tail, if {@link fallsBackToLog}. */
  readonly log: string | undefined;
}

/** Whether the log's tail is to be read because the file is empty. */
export function fallsBackToLog(
  policy: string | undefined,
  exitCode: number,
  reason: string,
  file: string | undefined,
): boolean {
  return (
    policy === "FallbackToLogsOnError" &&
    exitCode !== 0 &&
    reason !== "ContainerCannotRun" &&
    (file === undefined || file === "")
  );
}

/** The runtime's message first, then the container's, at most `limit` bytes. */
export function terminationMessage(words: TerminationWords, limit: number): string {
  const own = words.file === undefined || words.file === "" ? (words.log ?? "") : words.file;
  const whole = [words.runtimeMessage, own].filter((part) => part !== "").join(": ");
  return cut(whole, limit);
}

/** What one container of a Pod with `containers` containers (of all kinds) may say. */
export function messageLimitOf(containers: number): number {
  return Math.floor(podMessageLimit / Math.max(1, containers));
}

/** The last lines of a log, cut to the limit from their end. */
export function logTail(lines: readonly string[]): string {
  const text = lines.slice(-messageLogLines).join("");
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= messageLogLimit ? text : new TextDecoder().decode(bytes.slice(-messageLogLimit));
}

/** The first `limit` bytes, without half a character at the end. */
function cut(text: string, limit: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.slice(0, end));
}
