import type { Position } from "./ast.ts";

/** What the script expects did not happen. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly position: Position;
  /** The line as the script has it and as it would have had to be, where that makes sense. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;

  constructor(position: Position, message: string, expected?: string, actual?: string) {
    super(message);
    this.position = position;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The script does not apply to this stack. */
export class Skip extends Error {
  override readonly name = "Skip";
}
