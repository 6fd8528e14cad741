/** A command cannot do what it was asked; the message is for the person who asked. */
export class CommandError extends Error {
  readonly exitStatus: number;

  /** @param exitStatus 2 for a wrong call, 1 for anything else */
  constructor(message: string, exitStatus = 2) {
    super(message);
    this.name = "CommandError";
    this.exitStatus = exitStatus;
  }
}
