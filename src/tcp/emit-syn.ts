import { NO_FRAME } from "../base/frame-memory.ts";
import { foldSum } from "../base/memory-kernel.ts";
import { PROTOCOL_TCP } from "../base/path.ts";
import { NEVER } from "../base/timers.ts";
import { REASON_NONE, REASON_SYN, TRACE_OUT } from "../base/trace.ts";
import { ACK, CWR, ECE, SYN, TCP_CHECKSUM, TCP_HEADER, writeTcpHeader } from "../wire/tcp.ts";
import {
  OPTION_END,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  padOptions,
  writeMss,
  writeSackPermitted,
  writeSackPermittedTimestamps,
  writeTimestamps,
  writeWindowScale,
} from "../wire/tcp-options.ts";
import type { TcpConnection } from "./connection.ts";
import { send } from "./emit.ts";
import type { TcpEnvironment } from "./environment.ts";
import type { FastOpenCookie } from "./fast-open.ts";
import { writeFastOpenOption } from "./fast-open.ts";
import { announcedMss } from "./mss.ts";
import { SYN_SENT } from "./state.ts";
import { timestampNow } from "./timestamps.ts";
import { initialWindow } from "./window.ts";

/** What a SYN or SYN-ACK offers. */
export interface SynOffer {
  /** 0: not named. */
  readonly mss: number;
  /** -1: no window scaling. */
  readonly windowScale: number;
  readonly sack: boolean;
  readonly timestamps: boolean;
  readonly tsVal: number;
  readonly tsEcr: number;
  readonly fastOpen: FastOpenCookie | undefined;
}

/** Writes the options of a SYN in the order a well-known stack uses; answers where they end. */
export function writeSynOptions(
  view: DataView,
  at: number,
  offer: SynOffer,
  layout: "linux" | "freebsd",
): number {
  let end = offer.mss > 0 ? writeMss(view, at, offer.mss) : at;
  if (layout === "linux") {
    if (offer.timestamps) {
      end = offer.sack
        ? writeSackPermittedTimestamps(view, end, offer.tsVal, offer.tsEcr)
        : writeTimestamps(view, end, offer.tsVal, offer.tsEcr);
    } else if (offer.sack) {
      end = writeSackPermitted(view, end);
    }
    if (offer.windowScale >= 0) end = writeWindowScale(view, end, offer.windowScale);
  } else {
    if (offer.windowScale >= 0) end = writeWindowScale(view, end, offer.windowScale);
    if (offer.sack) {
      view.setUint8(end, OPTION_SACK_PERMITTED);
      view.setUint8(end + 1, 2);
      end += 2;
    }
    if (offer.timestamps) {
      if (!offer.sack) end = writeTimestamps(view, end, offer.tsVal, offer.tsEcr);
      else {
        view.setUint8(end, OPTION_TIMESTAMPS);
        view.setUint8(end + 1, 10);
        view.setInt32(end + 2, offer.tsVal);
        view.setInt32(end + 6, offer.tsEcr);
        end += 10;
      }
    }
    if (offer.fastOpen !== undefined) {
      end = writeFastOpenOption(view, at, end, offer.fastOpen, OPTION_END);
    }
    while (((end - at) & 3) !== 0) view.setUint8(end++, OPTION_END);
    return end;
  }
  if (offer.fastOpen !== undefined) end = writeFastOpenOption(view, at, end, offer.fastOpen);
  return padOptions(view, at, end);
}

/** The most that options take in a SYN. */
const MAX_OPTIONS = 40;

/**
 * Sends the connection's SYN (SYN-SENT) or SYN-ACK (SYN-RECEIVED), with
 * `length` bytes of data behind it (Fast Open). False: no frame was free.
 */
export function emitSyn(
  env: TcpEnvironment,
  c: TcpConnection,
  fastOpen: FastOpenCookie | undefined,
  length: number,
  withEcn: boolean,
): boolean {
  const memory = env.memory;
  const frame = memory.alloc(TCP_HEADER + MAX_OPTIONS + length, true);
  if (frame === NO_FRAME) {
    env.noFrame();
    return false;
  }
  const s = env.settings;
  const active = c.state === SYN_SENT;
  const at = memory.start(frame);
  const end = writeSynOptions(
    memory.view,
    at + TCP_HEADER,
    {
      mss: c.options.noOptions ? 0 : announcedMss(env, c),
      windowScale: c.scalingOn ? c.rcvWscale : -1,
      sack: c.sackOn,
      timestamps: c.timestampsOn,
      tsVal: timestampNow(c, env.nowUs),
      tsEcr: active ? 0 : c.tsRecent,
      fastOpen,
    },
    s.optionLayout,
  );
  let flags = active ? SYN : SYN | ACK;
  if (withEcn) flags |= active ? ECE | CWR : ECE;
  const window = initialWindow(s, c);
  writeTcpHeader(
    memory.view,
    at,
    c.localPort,
    c.remotePort,
    c.iss,
    active ? 0 : c.rcvNxt,
    end - at,
    flags,
    window,
    0,
    0,
  );
  let sum = memory.kernel.sum(at, end - at);
  if (length > 0) sum += c.sndBuf.copySumOut(memory, (c.iss + 1) | 0, end, length);
  const path = c.path!;
  sum += path.pseudoSum + PROTOCOL_TCP + (end - at) + length;
  memory.view.setUint16(at + TCP_CHECKSUM, ~foldSum(sum) & 0xffff);
  memory.setRange(frame, at, end - at + length);
  c.segsOut++;
  env.counters.tcpOutSegs++;
  if (!active) {
    c.lastAckSent = c.rcvNxt;
    c.ackFlags = 0;
    c.delayedAckAtUs = NEVER;
  }
  c.lastSentUs = env.nowUs;
  const reason = c.retransmits > 0 ? REASON_SYN : REASON_NONE;
  const ack = active ? 0 : c.rcvNxt;
  env.tracer?.segment(env.nowUs, c, TRACE_OUT, c.iss, ack, flags, length, window, reason);
  send(env, c, frame, c.options.tos);
  return true;
}
