import { UV } from "./internals.ts";

/** The error of a lookup as Node makes it. `cause` says more than the code can. */
export function lookupError(
  code: string,
  syscall: string,
  hostname: string,
  cause?: unknown,
): Error {
  const errno = code === "ENOTFOUND" ? UV.UV_EAI_NONAME : UV[`UV_EAI_${code.slice(4)}`];
  const error = new Error(`${syscall} ${code} ${hostname}`, cause === undefined ? {} : { cause });
  return Object.assign(error, { errno, code, syscall, hostname });
}

export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : "ESERVFAIL";
}
