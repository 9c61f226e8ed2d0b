import pc from "picocolors";

/** Status goes to standard error, so that standard output is the command's own. */
export class Status {
  private readonly json: boolean;
  private readonly quiet: boolean;

  constructor(flags: { json?: boolean; quiet?: boolean } = {}) {
    this.json = flags.json ?? false;
    this.quiet = flags.quiet ?? false;
  }

  /** Something that happened, with details for programs. */
  say(event: string, text: string, details: Record<string, unknown> = {}): void {
    if (this.quiet) return;
    process.stderr.write(this.json ? `${JSON.stringify({ event, ...details })}\n` : `${text}\n`);
  }

  dim(text: string): string {
    return this.json ? text : pc.dim(text);
  }
}

/** Resolves at Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.once("SIGINT", () => process.exit(130));
      resolve();
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
}
