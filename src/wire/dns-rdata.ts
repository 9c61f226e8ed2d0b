/** The data of DNS records, by type. */
import { IpAddress, ipv4Address } from "../base/address.ts";
import { copyBytes } from "./bytes.ts";
import {
  DNS_A,
  DNS_AAAA,
  DNS_CNAME,
  DNS_MX,
  DNS_NS,
  DNS_OPT,
  DNS_PTR,
  DNS_SOA,
  DNS_SRV,
  DNS_TXT,
} from "./dns-constants.ts";
import { decodeName } from "./dns-name.ts";
import type { DnsData } from "./dns-types.ts";

/**
 * Data from `at` to `end` in a message that begins at `start`; names in it may point back into
 * the message. Data that does not fit its type comes as raw bytes.
 */
export function decodeRdata(
  view: DataView,
  start: number,
  at: number,
  end: number,
  type: number,
): DnsData {
  return (
    decodeKnown(view, start, at, end, type) ?? { kind: "raw", bytes: copyBytes(view, at, end - at) }
  );
}

function decodeKnown(
  view: DataView,
  start: number,
  at: number,
  end: number,
  type: number,
): DnsData | undefined {
  const length = end - at;
  switch (type) {
    case DNS_A:
      if (length !== 4) return undefined;
      return { kind: "address", address: ipv4Address(view.getInt32(at)) };
    case DNS_AAAA: {
      if (length !== 16) return undefined;
      const words = [0, 4, 8, 12].map((offset) => view.getInt32(at + offset));
      return { kind: "address", address: new IpAddress(words[0], words[1], words[2], words[3]) };
    }
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR: {
      const name = wholeName(view, start, at, end);
      return name === undefined ? undefined : { kind: "name", name };
    }
    case DNS_MX: {
      const exchange = length > 2 ? wholeName(view, start, at + 2, end) : undefined;
      if (exchange === undefined) return undefined;
      return { kind: "mx", preference: view.getUint16(at), exchange };
    }
    case DNS_SRV: {
      const target = length > 6 ? wholeName(view, start, at + 6, end) : undefined;
      if (target === undefined) return undefined;
      const [priority, weight, port] = [0, 2, 4].map((offset) => view.getUint16(at + offset));
      return { kind: "srv", priority, weight, port, target };
    }
    case DNS_TXT:
      return decodeTxt(view, at, end);
    case DNS_SOA:
      return decodeSoa(view, start, at, end);
    case DNS_OPT:
      return decodeOpt(view, at, end);
    default:
      return undefined;
  }
}

/** A name that fills its data to the end. */
function wholeName(view: DataView, start: number, at: number, end: number): string | undefined {
  const read = decodeName(view, start, end, at);
  return read?.next === end ? read.name : undefined;
}

function decodeTxt(view: DataView, at: number, end: number): DnsData | undefined {
  const strings: Uint8Array[] = [];
  let i = at;
  while (i < end) {
    const length = view.getUint8(i);
    if (i + 1 + length > end) return undefined;
    strings.push(copyBytes(view, i + 1, length));
    i += 1 + length;
  }
  return { kind: "txt", strings };
}

function decodeSoa(view: DataView, start: number, at: number, end: number): DnsData | undefined {
  const primary = decodeName(view, start, end, at);
  const mailbox = primary && decodeName(view, start, end, primary.next);
  if (primary === undefined || mailbox === undefined || mailbox.next + 20 !== end) return undefined;
  const i = mailbox.next;
  return {
    kind: "soa",
    primary: primary.name,
    mailbox: mailbox.name,
    serial: view.getUint32(i),
    refreshS: view.getUint32(i + 4),
    retryS: view.getUint32(i + 8),
    expireS: view.getUint32(i + 12),
    minimumS: view.getUint32(i + 16),
  };
}

function decodeOpt(view: DataView, at: number, end: number): DnsData | undefined {
  const options: { code: number; data: Uint8Array }[] = [];
  let i = at;
  while (i < end) {
    if (i + 4 > end) return undefined;
    const length = view.getUint16(i + 2);
    if (i + 4 + length > end) return undefined;
    options.push({ code: view.getUint16(i), data: copyBytes(view, i + 4, length) });
    i += 4 + length;
  }
  return { kind: "opt", options };
}
