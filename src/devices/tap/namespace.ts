import { CLONE_NEWNET, O_CLOEXEC } from "./constants.ts";
import { errnoName, TapError } from "./errors.ts";
import type { Libc } from "./libc.ts";

/**
 * Runs `work` in the network namespace `name` (as `ip netns` knows it) and
 * comes back. A namespace belongs to a thread, so `work` must be synchronous:
 * what it opens stays in the namespace, this thread does not.
 */
export function inNamespace<Result>(
  libc: Libc,
  name: string | undefined,
  work: () => Result,
): Result {
  if (name === undefined) return work();
  const home = libc.open("/proc/thread-self/ns/net", O_CLOEXEC);
  const there = libc.open(`/run/netns/${name}`, O_CLOEXEC);
  try {
    if (there < 0) {
      const code = errnoName(libc.errno());
      throw new TapError(code, `there is no network namespace ${name}: see ip netns list`);
    }
    if (home < 0 || libc.setns(there, CLONE_NEWNET) < 0) {
      const code = errnoName(libc.errno());
      throw new TapError(
        code,
        `the network namespace ${name} may not be entered (${code}): run as root`,
      );
    }
    try {
      return work();
    } finally {
      goHome(libc, home);
    }
  } finally {
    if (there >= 0) libc.close(there);
    if (home >= 0) libc.close(home);
  }
}

/** Going on in a foreign namespace would hit somebody else's interfaces. */
function goHome(libc: Libc, home: number): void {
  if (libc.setns(home, CLONE_NEWNET) >= 0) return;
  throw new TapError("EPERM", "the way back from the network namespace failed: start again");
}
