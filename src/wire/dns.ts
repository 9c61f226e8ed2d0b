/** DNS messages (RFC 1035 §4, RFC 2782, RFC 3596, RFC 6891) as objects, decoded and encoded. */
import { DNS_HEADER, DNS_IN, DNS_OPT } from "./dns-constants.ts";
import { decodeName } from "./dns-name.ts";
import { decodeRdata } from "./dns-rdata.ts";
import type { DnsMessage, DnsRecord } from "./dns-types.ts";

/** What decoding adds. */
export interface DecodedDnsMessage extends DnsMessage {
  /** The records ended before their counts said: cut off, or garbage. */
  incomplete: boolean;
}

/**
 * Decodes a message of `length` bytes at `at`. undefined if the header or a question cannot be
 * read; records are kept up to the first that cannot.
 */
export function decodeDns(
  view: DataView,
  at: number,
  length: number,
): DecodedDnsMessage | undefined {
  if (length < DNS_HEADER) return undefined;
  const end = at + length;
  const flags = view.getUint16(at + 2);
  const message: DecodedDnsMessage = {
    id: view.getUint16(at),
    response: (flags & 0x8000) !== 0,
    opcode: (flags >>> 11) & 15,
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    rcode: flags & 15,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
    incomplete: false,
  };
  let i = at + DNS_HEADER;
  for (let n = view.getUint16(at + 4); n > 0; n--) {
    const read = decodeName(view, at, end, i);
    if (read === undefined || read.next + 4 > end) return undefined;
    const { name, next } = read;
    const type = view.getUint16(next);
    message.questions.push({ name, type, class: view.getUint16(next + 2) });
    i = next + 4;
  }
  const sections = [message.answers, message.authorities, message.additionals];
  for (let section = 0; section < 3; section++) {
    for (let n = view.getUint16(at + 6 + 2 * section); n > 0; n--) {
      i = decodeRecord(view, at, end, i, sections[section]);
      if (i < 0) {
        message.incomplete = true;
        return message;
      }
    }
  }
  return message;
}

/** Appends the record at `i` to `into`; returns the offset after it, -1 if it cannot be read. */
function decodeRecord(
  view: DataView,
  start: number,
  end: number,
  i: number,
  into: DnsRecord[],
): number {
  const read = decodeName(view, start, end, i);
  if (read === undefined || read.next + 10 > end) return -1;
  const head = read.next;
  const type = view.getUint16(head);
  const dataAt = head + 10;
  const dataEnd = dataAt + view.getUint16(head + 8);
  if (dataEnd > end) return -1;
  into.push({
    name: read.name,
    type,
    class: view.getUint16(head + 2),
    ttl: view.getUint32(head + 4),
    data: decodeRdata(view, start, dataAt, dataEnd, type),
  });
  return dataEnd;
}

/** A query with recursion desired and, if `udpSize` is given, an OPT record. */
export function dnsQuery(id: number, name: string, type: number, udpSize = 0): DnsMessage {
  return {
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    questions: [{ name, type, class: DNS_IN }],
    answers: [],
    authorities: [],
    additionals: udpSize > 0 ? [optRecord(udpSize)] : [],
  };
}

/** An answer to `query` without records, its question echoed. */
export function dnsReply(query: DnsMessage, rcode = 0): DnsMessage {
  return {
    ...dnsQuery(query.id, ".", 0),
    response: true,
    opcode: query.opcode,
    recursionDesired: query.recursionDesired,
    checkingDisabled: query.checkingDisabled,
    rcode: rcode & 15,
    questions: query.questions.slice(),
  };
}

/** The fields RFC 6891 §6.1.3 packs into an OPT record. */
export interface Edns {
  /** Largest UDP payload the sender takes. */
  udpSize: number;
  /** All twelve bits of the response code. */
  rcode: number;
  version: number;
  dnssecOk: boolean;
  options: { code: number; data: Uint8Array }[];
}

/** An OPT record; `rcode` is the whole twelve bits. */
export function optRecord(
  udpSize: number,
  rcode = 0,
  options: { code: number; data: Uint8Array }[] = [],
): DnsRecord {
  const ttl = (rcode >>> 4) * 0x1000000;
  return { name: ".", type: DNS_OPT, class: udpSize, ttl, data: { kind: "opt", options } };
}

/** What a message's OPT record says; undefined without one. */
export function edns(message: DnsMessage): Edns | undefined {
  const opt = message.additionals.find((record) => record.type === DNS_OPT);
  if (opt === undefined) return undefined;
  return {
    udpSize: opt.class,
    rcode: ((opt.ttl >>> 24) << 4) | message.rcode,
    version: (opt.ttl >>> 16) & 255,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    options: opt.data.kind === "opt" ? opt.data.options : [],
  };
}
