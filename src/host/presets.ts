/**
 * What other systems' stacks look like on the wire, as plain settings: "look like Linux" or "look
 * like FreeBSD" for anyone who wants it, and what the public packetdrill suites take for granted.
 * Nothing asks for a preset's name; each knob says what it is for in tcp/settings.ts.
 */
import type { TcpSettings } from "../tcp/settings.ts";

/** Settings of a host that a preset names; what it leaves out is the stack's own default. */
export interface Preset {
  readonly tcp: Partial<TcpSettings>;
}

const MS = 1000;
const S = 1_000_000;

/** Linux 6.x with the buffer sizes that its conformance scripts set. */
export const LINUX: Preset = {
  tcp: {
    // Initial 540,000 and at most 15 MB make a window scale of 8.
    receiveBuffer: 540_000,
    receiveBufferMax: 15 * 1024 * 1024,
    sendBuffer: 256 * 1024,
    sendBufferMax: 4 * 1024 * 1024,
    backlogPlusOne: true,
    optionLayout: "linux",
    ecn: 2,
    rtoStyle: "linux",
    initialRtoUs: 1 * S,
    minRtoUs: 200 * MS,
    maxRtoUs: 120 * S,
    synRetries: 6,
    synAckRetries: 5,
    delayedAckUs: 40 * MS,
    delayedAckMinUs: 40 * MS,
    quickAcks: 16,
    answerFutureAcks: false,
    congestionControl: "cubic",
    initialWindow: 10,
    abcLimit: 0,
    // Linux's exit is not HyStart++, which also holds growth to 8 segments an ACK.
    hystart: false,
    cwndLimitedOnly: true,
    slowStartAfterIdle: true,
    pacing: "off",
    rack: true,
    // At 250 ticks a second.
    reorderSlackUs: 11 * MS,
    tlp: true,
    frto: true,
    prr: true,
    eifel: true,
    mtuProbing: 0,
    challengeAckPerSecond: 0x7fffffff,
    invalidAckIntervalUs: 500 * MS,
    dropSynFin: "listen",
    softErrorsEndOpening: true,
    keepSynData: false,
    ignoreRstInTimeWait: false,
    timeWaitReuse: true,
    mslUs: 30 * S,
    finWait2Us: 60 * S,
    resetErrors: "linux",
    pushRule: "write",
    accountLimits: true,
    finDropsDsack: true,
    resetWindow: true,
    repliesCarryAcks: true,
    windowProbeWithData: false,
    fastOpen: 1,
    fastOpenBlackholeUs: 0,
  },
};

/** FreeBSD 14. */
export const FREEBSD: Preset = {
  tcp: {
    receiveBuffer: 65_536,
    receiveBufferMax: 2 * 1024 * 1024,
    sendBuffer: 32_768,
    sendBufferMax: 2 * 1024 * 1024,
    roundBufferToMss: true,
    windowRule: "freebsd",
    // The smallest shift that expresses kern.ipc.maxsockbuf, 2 MB.
    windowScale: 6,
    optionLayout: "freebsd",
    ecn: 2,
    ecnFallbackSyns: 1,
    cwrOnRetransmission: true,
    echoMarksAtOnce: false,
    defaultMss: 536,
    defaultMssIpv6: 1220,
    minMss: 216,
    rtoStyle: "freebsd",
    rtoSlopUs: 200 * MS,
    initialRtoUs: 1 * S,
    minRtoUs: 30 * MS,
    maxRtoUs: 64 * S,
    synRetries: 12,
    synAckRetries: 3,
    connectTimeoutUs: 75 * S,
    retries2: 12,
    keepAliveCount: 8,
    delayedAckUs: 40 * MS,
    delayedAckMinUs: 40 * MS,
    quickAcks: 0,
    answerFutureAcks: true,
    congestionControl: "cubic",
    initialWindow: 10,
    abcLimit: 2,
    hystart: false,
    slowStartAfterIdle: true,
    pacing: "off",
    limitedTransmit: true,
    rack: false,
    tlp: false,
    frto: false,
    prr: true,
    eifel: false,
    mtuProbing: 0,
    icmpInOpening: "freebsd",
    challengeAckPerSecond: 0x7fffffff,
    invalidAckIntervalUs: 0,
    dropSynFin: "never",
    ignoreRstInTimeWait: true,
    timeWaitNeedsAck: true,
    timeWaitReuse: true,
    mslUs: 30 * S,
    finWait2Us: 60 * S,
    maxBacklog: 128,
    resetOnUnread: false,
    repeatFin: true,
    resetErrors: "freebsd",
    pushRule: "write",
    fastOpen: 3,
    fastOpenRule: "freebsd",
    fastOpenBlackholeUs: 0,
    fastOpenPathDisableUs: 900 * S,
  },
};

/** The stack as it is. */
export const DEFAULT: Preset = { tcp: {} };

export const PRESETS: Readonly<Record<string, Preset>> = {
  default: DEFAULT,
  linux: LINUX,
  freebsd: FREEBSD,
};
