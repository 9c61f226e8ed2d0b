import { getSystemErrorMap, getSystemErrorName } from "node:util";

/** What Node makes a SystemError of: libuv's number with its name and text. */
export function systemErrorContext(errno: number, syscall: string): object {
  const known = getSystemErrorMap().get(errno);
  return { errno, code: known?.[0] ?? getSystemErrorName(errno), message: known?.[1], syscall };
}
