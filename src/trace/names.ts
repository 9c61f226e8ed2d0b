/** Names of the numbers in a trace: stable, as they stand in exported files. */
import { stateName } from "../tcp/state.ts";
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from "../wire/tcp.ts";

export const REASONS: Readonly<Record<number, string>> = {
  1: "rto",
  2: "fast",
  3: "tail-loss-probe",
  4: "syn",
  5: "keep-alive",
  6: "window-probe",
};

export const TIMERS: Readonly<Record<number, string>> = {
  0: "none",
  1: "rto",
  2: "tail-loss-probe",
  3: "reordering",
  4: "persist",
  16: "delayed-ack",
  17: "life",
  18: "send",
  19: "time-wait",
};

export const DROPS: Readonly<Record<number, string>> = {
  1: "checksum",
  2: "header",
  3: "no-connection",
  4: "paws",
  5: "sequence",
  6: "ack",
  7: "memory",
  8: "backlog",
  9: "state",
};

export const CALLS: Readonly<Record<number, string>> = {
  1: "socket",
  2: "bind",
  3: "listen",
  4: "accept",
  5: "connect",
  6: "send",
  7: "receive",
  8: "shutdown",
  9: "close",
  10: "abort",
  11: "setsockopt",
};

export const NEIGHBOR_EVENTS: Readonly<Record<number, string>> = {
  1: "asked",
  2: "learned",
  3: "answered",
  4: "failed",
  5: "stale",
};

export const DNS_EVENTS: Readonly<Record<number, string>> = {
  1: "asked",
  2: "answered",
  3: "truncated",
  4: "failed",
  5: "cached",
};

export const CONGESTION_STATES = ["open", "disorder", "cwr", "recovery", "loss"] as const;

/** The number behind a name; 0 when there is none. */
export function codeOf(names: Readonly<Record<number, string>>, name: string | undefined): number {
  if (name === undefined) return 0;
  for (const [code, text] of Object.entries(names)) if (text === name) return Number(code);
  return 0;
}

const STATE_NAMES = Array.from({ length: 11 }, (_, state) => stateName(state));

export function nameOfState(state: number): string {
  return STATE_NAMES[state] ?? `state ${state}`;
}

export function codeOfState(name: string): number {
  return Math.max(0, STATE_NAMES.indexOf(name as (typeof STATE_NAMES)[number]));
}

const FLAGS: readonly (readonly [number, string])[] = [
  [FIN, "FIN"],
  [SYN, "SYN"],
  [RST, "RST"],
  [PSH, "PSH"],
  [ACK, "ACK"],
  [URG, "URG"],
  [ECE, "ECE"],
  [CWR, "CWR"],
  [AE, "AE"],
];

/** ["SYN", "ACK"] */
export function flagNames(flags: number): string[] {
  return FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

export function flagBits(names: readonly string[]): number {
  let bits = 0;
  for (const [bit, name] of FLAGS) if (names.includes(name)) bits |= bit;
  return bits;
}
