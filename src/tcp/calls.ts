import {
  EAGAIN,
  ECONNABORTED,
  EINVAL,
  EISCONN,
  EADDRINUSE,
  ENOTCONN,
  EPIPE,
  ENOBUFS,
} from "../base/errors.ts";
import type { Path } from "../base/path.ts";
import { seqGt } from "../base/sequence.ts";
import { NOBODY } from "./demux.ts";
import { ACK_NOW, type TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import { ownShift } from "./establish.ts";
import { startSequence } from "./passive-open.ts";
import { initialSequence, timestampStart } from "./isn.ts";
import { abort, boundFinWait2, orphan, setState, terminate } from "./lifecycle.ts";
import { updateSendMss } from "./mss.ts";
import { tuneReceiveBuffer } from "./receive-tuning.ts";
import {
  CLOSE_WAIT,
  CLOSED,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  LAST_ACK,
  LISTEN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from "./state.ts";
import { windowUpdateDue } from "./window.ts";

/**
 * The user's calls of RFC 9293 §3.9.1 on one connection: OPEN, SEND, RECEIVE,
 * CLOSE, ABORT. Synchronous; they take or give what they can now and answer a
 * count, or a negative errno.
 */

/** More data follows at once: hold back what does not fill a segment (MSG_MORE). */
export const SEND_MORE = 1;
/** The last byte is urgent (MSG_OOB). */
export const SEND_URGENT = 2;
/** A record ends here: no segment carries what follows with it (MSG_EOR). */
export const SEND_RECORD = 4;
/** Leave the bytes in the buffer (MSG_PEEK). */
export const RECEIVE_PEEK = 1;
/** Count, do not copy (MSG_TRUNC on a stream). */
export const RECEIVE_DISCARD = 2;

/** Active OPEN. The path and ports are chosen by the caller; a tuple in use answers -EADDRINUSE. */
export function connect(
  env: TcpEnvironment,
  c: TcpConnection,
  path: Path,
  localPort: number,
  remotePort: number,
  scope: number,
): number {
  if (c.state !== CLOSED || c.path !== undefined) return -EISCONN;
  if (remotePort === 0) return -EINVAL;
  if (env.demux.count >= env.settings.maxConnections) return -ENOBUFS;
  if (findTuple(env, path, localPort, remotePort, scope) !== NOBODY) return -EADDRINUSE;
  const s = env.settings;
  c.path = path;
  c.localPort = localPort;
  c.remotePort = remotePort;
  c.scope = scope;
  c.iss = c.options.isn ?? initialSequence(env, path, localPort, remotePort);
  startSequence(c);
  c.tsOffset = timestampStart(env, path);
  const offers = !c.options.noOptions;
  c.timestampsOn = s.timestamps && offers;
  c.sackOn = s.sack && offers;
  c.scalingOn = s.windowScaling && offers;
  c.rcvWscale = c.scalingOn ? ownShift(env, c) : 0;
  updateSendMss(env, c);
  env.demux.add(c);
  env.counters.tcpActiveOpens++;
  setState(env, c, SYN_SENT);
  if (c.options.fastOpenConnect && prepareFastOpen(env, c)) {
    c.synDeferred = true;
    return 0;
  }
  c.synDue = true;
  wake(env, c);
  return 0;
}

/** RFC 7413 §4.1.3: with a cookie the SYN waits for data to carry; without one it asks for a cookie. */
function prepareFastOpen(env: TcpEnvironment, c: TcpConnection): boolean {
  if ((env.settings.fastOpen & 1) === 0 || env.fastOpen.isDisabled(env.nowUs)) return false;
  if (env.fastOpen.isPathDisabled(c.path!.remote, env.nowUs)) return false;
  if (c.options.fastOpenNoCookie || (env.settings.fastOpen & 4) !== 0) {
    c.synDataAllowed = true;
    return true;
  }
  c.fastOpenCookie = env.fastOpen.offer(c.path!.remote);
  c.synDataAllowed = c.fastOpenCookie.bytes.length > 0;
  return c.synDataAllowed;
}

export function findTuple(
  env: TcpEnvironment,
  path: Path,
  localPort: number,
  remotePort: number,
  scope: number,
): number {
  const { local, remote } = path;
  return env.demux.find(
    local.w0,
    local.w1,
    local.w2,
    local.w3,
    remote.w0,
    remote.w1,
    remote.w2,
    remote.w3,
    (localPort << 16) | remotePort,
    scope,
  );
}

function wake(env: TcpEnvironment, c: TcpConnection): void {
  env.wantOutput(c);
  env.onWork();
}

/** SEND: copies bytes into the send buffer. Answers how many it took; -EAGAIN when it is full. */
export function send(
  env: TcpEnvironment,
  c: TcpConnection,
  data: Uint8Array,
  offset: number,
  length: number,
  flags: number,
): number {
  switch (c.state) {
    case SYN_SENT:
    case SYN_RECEIVED:
    case ESTABLISHED:
    case CLOSE_WAIT:
      break;
    default:
      if (c.error !== 0) return takeErrorAs(c);
      return c.path === undefined || c.state === LISTEN ? -ENOTCONN : -EPIPE;
  }
  if (c.finQueued) return -EPIPE;
  if (c.error !== 0) return takeErrorAs(c);
  if (length === 0) return 0;
  const used = (c.sndEnd - dataStart(c)) | 0;
  let room = c.sndBufSize - used;
  const unsent = (c.sndEnd - c.sndNxt) | 0;
  if (c.options.notSentLowWater < 0x7fffffff && c.state >= ESTABLISHED) {
    // What the windows let go now does not count as unsent.
    const windows = Math.min(c.cwnd - c.pipe, (c.sndUna + c.sndWnd - c.sndNxt) | 0);
    const leaving = Math.max(unsent, windows - (windows % c.sndMss));
    room = Math.min(room, c.options.notSentLowWater - unsent + leaving);
  }
  if (room <= 0) {
    c.sendBlocked = true;
    return -EAGAIN;
  }
  let taken = Math.min(length, room);
  const start = dataStart(c);
  // Writers leave some pages to readers: else no peer could send what makes them free again.
  if (env.memory.pagesFree <= env.memory.pages >> 3)
    taken = Math.min(taken, c.sndBuf.tail(c.sndEnd));
  taken = c.sndBuf.reserve(env.memory, start, c.sndEnd, taken);
  if (taken === 0) {
    c.sendBlocked = true;
    env.noPage(c);
    return -EAGAIN;
  }
  c.sndBuf.write(env.memory, c.sndEnd, data, offset, taken);
  c.sndEnd = (c.sndEnd + taken) | 0;
  if (taken < length) c.sendBlocked = true;
  else c.pushSeq = c.sndEnd;
  if ((flags & SEND_URGENT) !== 0 && taken === length) {
    c.urgentOut = true;
    c.sndUp = c.sndEnd;
  }
  if ((flags & SEND_RECORD) !== 0 && taken === length) (c.recordEnds ??= []).push(c.sndEnd);
  c.moreComing = (flags & SEND_MORE) !== 0;
  if (c.synDeferred) {
    c.synDeferred = false;
    c.synDue = true;
    wake(env, c);
  } else if (c.state >= ESTABLISHED || c.fastOpenPassive) {
    wake(env, c);
  }
  return taken;
}

/** First sequence number that the send buffer may hold: behind the SYN. */
function dataStart(c: TcpConnection): number {
  return c.sndUna === c.iss ? (c.iss + 1) | 0 : seqGt(c.sndUna, c.sndEnd) ? c.sndEnd : c.sndUna;
}

/** RECEIVE: copies bytes out. 0: the peer has sent FIN and all is read; -EAGAIN: nothing yet. */
export function receive(
  env: TcpEnvironment,
  c: TcpConnection,
  into: Uint8Array,
  offset: number,
  length: number,
  flags: number,
): number {
  const available = c.readableBytes;
  if (available > 0) {
    const n = Math.min(available, length);
    if ((flags & RECEIVE_DISCARD) === 0) c.rcvBuf.read(env.memory, c.rcvRead, into, offset, n);
    if ((flags & RECEIVE_PEEK) === 0) consumed(env, c, n);
    return n;
  }
  if (length === 0) return 0;
  if (c.finReceived || c.readShutdown) return 0;
  if (c.error !== 0) return takeErrorAs(c);
  switch (c.state) {
    case CLOSED:
      return c.path === undefined ? -ENOTCONN : 0;
    case LISTEN:
      return -ENOTCONN;
    case TIME_WAIT:
      return 0;
    default:
      return -EAGAIN;
  }
}

/** The application has taken `n` bytes: pages go back, the window may open. */
export function consumed(env: TcpEnvironment, c: TcpConnection, n: number): void {
  const from = c.rcvRead;
  c.rcvRead = (from + n) | 0;
  const held = c.outOfOrder;
  const end = held !== undefined ? held.end(held.count - 1) : c.rcvNxt;
  const dataEnd = c.finReceived ? (end - 1) | 0 : end;
  c.rcvBuf.advance(env.memory, from, c.rcvRead, dataEnd);
  if (c.urgentIn && !seqGt(c.rcvUp, c.rcvRead)) c.urgentIn = false;
  if (c.state < ESTABLISHED || c.state > FIN_WAIT_2 || c.state === CLOSE_WAIT) return;
  tuneReceiveBuffer(env, c);
  if (windowUpdateDue(env.settings, c)) {
    c.ackFlags |= ACK_NOW;
    wake(env, c);
  }
}

function takeErrorAs(c: TcpConnection): number {
  const errno = c.error;
  c.error = 0;
  return -errno;
}

/** Half-close (CLOSE of RFC 9293 §3.10.4): what is in the buffer goes out, then FIN. */
export function shutdownWrite(env: TcpEnvironment, c: TcpConnection): number {
  switch (c.state) {
    case CLOSED:
    case LISTEN:
      return -ENOTCONN;
    case SYN_SENT:
      terminate(env, c, 0);
      return 0;
    case SYN_RECEIVED:
      c.finQueued = true;
      return 0;
    case ESTABLISHED:
      c.finQueued = true;
      setState(env, c, FIN_WAIT_1);
      break;
    case CLOSE_WAIT:
      c.finQueued = true;
      setState(env, c, LAST_ACK);
      break;
    default:
      return 0;
  }
  wake(env, c);
  return 0;
}

/** SHUT_RD: reads end; what is there stays readable, and what comes is still acknowledged (Linux). */
export function shutdownRead(c: TcpConnection): number {
  if (c.state === CLOSED || c.state === LISTEN) return -ENOTCONN;
  c.readShutdown = true;
  return 0;
}

/**
 * The application lets go of the socket. Nothing unread: the send buffer
 * drains, then FIN. Unread data: RST, and what was still to be sent is lost
 * (RFC 9293 §3.10.4 SHLD-3, RFC 2525 §2.17).
 */
export function close(env: TcpEnvironment, c: TcpConnection): void {
  c.owner = undefined;
  if (c.state === CLOSED || c.state === TIME_WAIT) {
    c.rcvBuf.clear(env.memory);
    return;
  }
  if (c.state === SYN_SENT) {
    terminate(env, c, 0);
    env.onWork();
    return;
  }
  const unread = c.readableBytes > 0 && env.settings.resetOnUnread;
  c.rcvRead = c.finReceived ? (c.rcvNxt - 1) | 0 : c.rcvNxt;
  c.readShutdown = true;
  c.rcvBuf.clear(env.memory);
  c.outOfOrder = undefined;
  if (unread) {
    env.counters.tcpAbortOnClose++;
    abort(env, c, 0);
    env.onWork();
    return;
  }
  if (env.orphans >= env.settings.maxOrphans) {
    env.counters.tcpAbortOnMemory++;
    abort(env, c, 0);
    env.onWork();
    return;
  }
  orphan(env, c);
  shutdownWrite(env, c);
  boundFinWait2(env, c);
}

/** ABORT (RFC 9293 §3.10.5): RST, everything queued is lost. */
export function abortCall(env: TcpEnvironment, c: TcpConnection): void {
  c.rcvBuf.clear(env.memory);
  c.outOfOrder = undefined;
  c.rcvRead = c.finReceived ? (c.rcvNxt - 1) | 0 : c.rcvNxt;
  abort(env, c, ECONNABORTED);
  env.onWork();
}
