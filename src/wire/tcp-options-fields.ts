/** TCP options as a list of objects that keeps order and padding. */
import { concatBytes, copyBytes, hexOf, viewOf } from "./bytes.ts";
import {
  FAST_OPEN_MAGIC,
  OPTION_END,
  OPTION_EXPERIMENT,
  OPTION_FAST_OPEN,
  OPTION_MD5,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_USER_TIMEOUT,
  OPTION_WINDOW_SCALE,
} from "./tcp-options.ts";

/** One option. Sequence numbers and timestamps are int32. */
export type TcpOption =
  | { kind: "nop" }
  | { kind: "eol" }
  | { kind: "mss"; mss: number }
  | { kind: "wscale"; shift: number }
  | { kind: "sackOK" }
  | { kind: "sack"; blocks: [left: number, right: number][] }
  | { kind: "timestamps"; val: number; ecr: number }
  | { kind: "fastOpen"; cookie: Uint8Array; experimental: boolean }
  | { kind: "md5"; digest: Uint8Array }
  /** Granularity bit and 15 bits of value (RFC 5482). */
  | { kind: "userTimeout"; raw: number }
  /** Any other kind, or a known one with another length. */
  | { kind: "other"; number: number; data: Uint8Array }
  /** The rest of the header, from an option whose length leaves it or from behind the end. */
  | { kind: "rest"; bytes: Uint8Array };

/** Every byte of the options lands in one element, so that encoding gives the same bytes. */
export function decodeTcpOptions(view: DataView, at: number, length: number): TcpOption[] {
  const options: TcpOption[] = [];
  const end = at + length;
  let i = at;
  while (i < end) {
    const number = view.getUint8(i);
    if (number === OPTION_NOP) {
      options.push({ kind: "nop" });
      i++;
      continue;
    }
    if (number === OPTION_END) {
      // What follows is padding (RFC 9293 §3.1); shown as more ends when it is zeros.
      while (i < end && view.getUint8(i) === OPTION_END) {
        options.push({ kind: "eol" });
        i++;
      }
      if (i < end) options.push({ kind: "rest", bytes: copyBytes(view, i, end - i) });
      return options;
    }
    const size = i + 1 < end ? view.getUint8(i + 1) : 0;
    if (size < 2 || i + size > end) {
      options.push({ kind: "rest", bytes: copyBytes(view, i, end - i) });
      return options;
    }
    options.push(decodeOne(view, i, number, size));
    i += size;
  }
  return options;
}

function decodeOne(view: DataView, i: number, number: number, size: number): TcpOption {
  const data = i + 2;
  if (number === OPTION_MSS && size === 4) return { kind: "mss", mss: view.getUint16(data) };
  if (number === OPTION_WINDOW_SCALE && size === 3) {
    return { kind: "wscale", shift: view.getUint8(data) };
  }
  if (number === OPTION_SACK_PERMITTED && size === 2) return { kind: "sackOK" };
  if (number === OPTION_SACK && size >= 10 && ((size - 2) & 7) === 0) {
    const blocks: [number, number][] = [];
    for (let b = data; b < i + size; b += 8) blocks.push([view.getInt32(b), view.getInt32(b + 4)]);
    return { kind: "sack", blocks };
  }
  if (number === OPTION_TIMESTAMPS && size === 10) {
    return { kind: "timestamps", val: view.getInt32(data), ecr: view.getInt32(data + 4) };
  }
  if (number === OPTION_MD5 && size === 18)
    return { kind: "md5", digest: copyBytes(view, data, 16) };
  if (number === OPTION_USER_TIMEOUT && size === 4) {
    return { kind: "userTimeout", raw: view.getUint16(data) };
  }
  if (number === OPTION_FAST_OPEN) {
    return { kind: "fastOpen", cookie: copyBytes(view, data, size - 2), experimental: false };
  }
  if (number === OPTION_EXPERIMENT && size >= 4 && view.getUint16(data) === FAST_OPEN_MAGIC) {
    return { kind: "fastOpen", cookie: copyBytes(view, data + 2, size - 4), experimental: true };
  }
  return { kind: "other", number, data: copyBytes(view, data, size - 2) };
}

/** Bytes of the options in order, padded with end-of-list to a multiple of four. */
export function encodeTcpOptions(options: readonly TcpOption[]): Uint8Array {
  const bytes = concatBytes(...options.map(encodeOne));
  const padded = new Uint8Array((bytes.length + 3) & ~3);
  padded.set(bytes);
  return padded;
}

function encodeOne(option: TcpOption): Uint8Array {
  switch (option.kind) {
    case "nop":
      return Uint8Array.of(OPTION_NOP);
    case "eol":
      return Uint8Array.of(OPTION_END);
    case "mss":
      return Uint8Array.of(OPTION_MSS, 4, option.mss >>> 8, option.mss);
    case "wscale":
      return Uint8Array.of(OPTION_WINDOW_SCALE, 3, option.shift);
    case "sackOK":
      return Uint8Array.of(OPTION_SACK_PERMITTED, 2);
    case "sack":
      return withWords(OPTION_SACK, option.blocks.flat());
    case "timestamps":
      return withWords(OPTION_TIMESTAMPS, [option.val, option.ecr]);
    case "fastOpen":
      return option.experimental
        ? concatBytes(
            Uint8Array.of(OPTION_EXPERIMENT, 4 + option.cookie.length, 0xf9, 0x89),
            option.cookie,
          )
        : withData(OPTION_FAST_OPEN, option.cookie);
    case "md5":
      return withData(OPTION_MD5, option.digest);
    case "userTimeout":
      return Uint8Array.of(OPTION_USER_TIMEOUT, 4, option.raw >>> 8, option.raw);
    case "other":
      return withData(option.number, option.data);
    case "rest":
      return option.bytes;
  }
}

function withWords(number: number, words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 + 4 * words.length);
  const view = viewOf(bytes);
  bytes[0] = number;
  bytes[1] = bytes.length;
  for (let i = 0; i < words.length; i++) view.setInt32(2 + 4 * i, words[i]);
  return bytes;
}

function withData(number: number, data: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(number, 2 + data.length), data);
}

/** "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7", as tcpdump and packetdrill write options. */
export function describeTcpOptions(options: readonly TcpOption[]): string {
  return options.map(describeOne).join(",");
}

function describeOne(option: TcpOption): string {
  switch (option.kind) {
    case "nop":
    case "eol":
    case "sackOK":
      return option.kind;
    case "mss":
      return `mss ${option.mss}`;
    case "wscale":
      return `wscale ${option.shift}`;
    case "sack":
      return `sack ${option.blocks.map(([l, r]) => `${l >>> 0}:${r >>> 0}`).join(" ")}`;
    case "timestamps":
      return `TS val ${option.val >>> 0} ecr ${option.ecr >>> 0}`;
    case "fastOpen": {
      const name = option.experimental ? "FOEXP" : "FO";
      return option.cookie.length === 0 ? name : `${name} ${hexOf(option.cookie)}`;
    }
    case "md5":
      return `md5 ${hexOf(option.digest)}`;
    case "userTimeout": {
      const value = option.raw & 0x7fff;
      return `uto ${value} ${option.raw & 0x8000 ? "min" : "s"}`;
    }
    case "other":
      return `option ${option.number}${option.data.length > 0 ? ` ${hexOf(option.data)}` : ""}`;
    case "rest":
      return `bad ${hexOf(option.bytes)}`;
  }
}
