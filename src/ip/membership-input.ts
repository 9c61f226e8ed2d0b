/** Membership queries and reports coming in (RFC 3376, RFC 2236; RFC 3810, RFC 2710). */
import { IpAddress, ipv4Address } from "../base/address.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import type { Transport } from "../base/transport.ts";
import {
  IGMP_QUERY,
  IGMPV2_REPORT,
  IGMPV3_QUERY_LENGTH,
  igmpGroup,
  igmpMaxResponseTenths,
  igmpType,
  validateIgmp,
} from "../wire/igmp.ts";
import { MLD_LENGTH, MLDV2_QUERY_LENGTH, mldGroupWord, mldMaxResponseMs } from "../wire/mld.ts";
import { OK } from "../wire/verdict.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";
import { answerQuery, suppressAnswer } from "./multicast.ts";

/** A version 1 query gives no time: ten seconds (RFC 2236 §4). */
const IGMPV1_RESPONSE_TENTHS = 100;

/** The transport of protocol 2. */
export class IgmpTransport implements Transport {
  private readonly ip: IpContext;

  constructor(ip: IpContext) {
    this.ip = ip;
  }

  input(packet: ReceivedPacket): boolean {
    const { ip } = this;
    const { view, counters } = ip;
    const at = packet.offset;
    // RFC 3376 §9.1: TTL 1 proves that a query is from this link.
    if (validateIgmp(view, at, packet.length) !== OK || packet.ttl !== 1) {
      counters.igmpInErrors++;
      return true;
    }
    const iface = ip.interface(packet.interfaceIndex)!;
    const type = igmpType(view, at);
    const group = igmpGroup(view, at);
    if (type === IGMP_QUERY) {
      counters.igmpInQueries++;
      const tenths = igmpMaxResponseTenths(view, at, packet.length) || IGMPV1_RESPONSE_TENTHS;
      const isOld = packet.length < IGMPV3_QUERY_LENGTH;
      answerQuery(
        ip,
        iface,
        true,
        group === 0 ? undefined : ipv4Address(group),
        tenths * 100_000,
        isOld,
      );
    } else if (type === IGMPV2_REPORT) {
      suppressAnswer(ip, iface, ipv4Address(group));
    }
    return true;
  }

  icmpError(): void {}
}

/** An MLD query, its checksum verified: from a link-local address with hop limit 1 (RFC 3810 §6.2). */
export function inputMldQuery(ip: IpContext, iface: IpInterface, packet: ReceivedPacket): void {
  const { view, counters } = ip;
  const at = packet.offset;
  if (packet.length < MLD_LENGTH || packet.ttl !== 1 || packet.source0 >>> 22 !== 0x3fa) {
    counters.icmpInErrors++;
    return;
  }
  counters.mldInQueries++;
  const group = new IpAddress(
    mldGroupWord(view, at, 0),
    mldGroupWord(view, at, 1),
    mldGroupWord(view, at, 2),
    mldGroupWord(view, at, 3),
  );
  const maxUs = mldMaxResponseMs(view, at, packet.length) * 1000;
  const isOld = packet.length < MLDV2_QUERY_LENGTH;
  answerQuery(ip, iface, false, group.isUnspecified ? undefined : group, maxUs, isOld);
}
