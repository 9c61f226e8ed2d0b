import { errnoName } from "../../base/errors.ts";
import { UV } from "./internals.ts";

/** libuv's number, on this platform, for what a socket call answered: -111 on Linux for ECONNREFUSED. Zero and more stay. */
export function uvResult(result: number): number {
  if (result >= 0) return result;
  return UV[`UV_${errnoName(-result)}`] ?? UV.UV_EINVAL!;
}
