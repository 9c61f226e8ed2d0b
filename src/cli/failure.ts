/** A failure that is told in one sentence and ends the command with exit code 1. */
export class Failure extends Error {}

/** The sentence for whatever went wrong. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
