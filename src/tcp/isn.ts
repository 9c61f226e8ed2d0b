import type { Path } from "../base/path.ts";
import type { TcpEnvironment } from "./environment.ts";

/**
 * RFC 6528: ISN = M + F(localip, localport, remoteip, remoteport, secret), M a
 * clock of 4 us (here 1/4 of the microsecond time: RFC 9293 §3.4.1).
 */
export function initialSequence(
  env: TcpEnvironment,
  path: Path,
  localPort: number,
  remotePort: number,
): number {
  return (tupleHash(env, path, localPort, remotePort, 1) + Math.floor(env.nowUs / 4)) | 0;
}

/** A start for the timestamps of a pair of hosts: the same for each connection between them, so that PAWS and TIME-WAIT reuse work across connections (RFC 7323 §7.1, RFC 6191). */
export function timestampStart(env: TcpEnvironment, path: Path): number {
  return env.settings.timestampOffset ? tupleHash(env, path, 0, 0, 2) : 0;
}

function tupleHash(
  env: TcpEnvironment,
  path: Path,
  localPort: number,
  remotePort: number,
  purpose: number,
): number {
  const { local, remote } = path;
  return env.secret
    .begin()
    .word(local.w0)
    .word(local.w1)
    .word(local.w2)
    .word(local.w3)
    .word(remote.w0)
    .word(remote.w1)
    .word(remote.w2)
    .word(remote.w3)
    .word((localPort << 16) | remotePort)
    .word(purpose)
    .finish();
}
