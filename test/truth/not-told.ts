/** A story, or a behaviour in it, that a runtime has no means for. The message is the reason, as one clause. */
export class NotToldError extends Error {
  override readonly name = "NotToldError";
}
