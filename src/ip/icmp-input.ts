/** ICMP and ICMPv6 coming in: echoes answered, errors handed to whom they concern, the rest to its reader. */
import { IpAddress, IPV4_ANY, IPV6_ANY } from "../base/address.ts";
import { CSUM_NONE, NO_FRAME } from "../base/frame-memory.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from "../base/path.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import type { IcmpError, Transport } from "../base/transport.ts";
import { addSums, pseudoSumWords } from "../wire/checksum.ts";
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_HEADER,
  ICMP_PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from "../wire/icmpv4.ts";
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_MLD_QUERY,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_REDIRECT,
  ICMPV6_ROUTER_SOLICITATION,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_UNREACHABLE,
} from "../wire/icmpv6.ts";
import type { IpContext } from "./context.ts";
import type { EchoService } from "./echo.ts";
import { finishIcmp } from "./icmp-output.ts";
import { inputMldQuery } from "./membership-input.ts";
import { inputNdp } from "./ndp-input.ts";
import { lookupPath } from "./path-lookup.ts";
import { reportQuoted } from "./quoted.ts";

/** The transport of protocols 1 and 58. */
export class IcmpTransport implements Transport {
  private readonly ip: IpContext;
  private readonly echo: EchoService;

  constructor(ip: IpContext, echo: EchoService) {
    this.ip = ip;
    this.echo = echo;
  }

  input(packet: ReceivedPacket): boolean {
    const { counters, memory } = this.ip;
    counters.icmpInMsgs++;
    if (packet.length < ICMP_HEADER) {
      counters.icmpInErrors++;
      return true;
    }
    if (memory.checksumState(packet.frame) === CSUM_NONE && !this.isIntact(packet)) {
      counters.icmpInCsumErrors++;
      counters.icmpInErrors++;
      return true;
    }
    if (packet.isIpv4) this.inputIpv4(packet);
    else this.inputIpv6(packet);
    return true;
  }

  private isIntact(packet: ReceivedPacket): boolean {
    const sum = this.ip.memory.kernel.sum(packet.offset, packet.length);
    if (packet.isIpv4) return sum === 0xffff;
    const p = packet;
    const pseudo = pseudoSumWords(
      p.source0,
      p.source1,
      p.source2,
      p.source3,
      p.destination0,
      p.destination1,
      p.destination2,
      p.destination3,
      PROTOCOL_ICMPV6,
      p.length,
    );
    return addSums(sum, pseudo) === 0xffff;
  }

  private inputIpv4(packet: ReceivedPacket): void {
    const { counters, view } = this.ip;
    const type = view.getUint8(packet.offset);
    if (type === ICMP_ECHO_REQUEST) {
      counters.icmpInEchos++;
      this.answer(packet, ICMP_ECHO_REPLY);
    } else if (type === ICMP_ECHO_REPLY) {
      counters.icmpInEchoReps++;
      this.echo.replied(packet, this.ip.nowUs);
    } else if (type === ICMP_UNREACHABLE) {
      counters.icmpInDestUnreachs++;
      this.failed(packet);
    } else if (type === ICMP_TIME_EXCEEDED) {
      counters.icmpInTimeExcds++;
      this.failed(packet);
    } else if (type === ICMP_PARAMETER_PROBLEM) {
      counters.icmpInParmProbs++;
      this.failed(packet);
    }
    // Source quench (RFC 6633), redirects, timestamps and what is unknown are dropped in silence.
  }

  private inputIpv6(packet: ReceivedPacket): void {
    const { ip } = this;
    const { counters, view } = ip;
    const type = view.getUint8(packet.offset);
    const iface = ip.interface(packet.interfaceIndex)!;
    if (type >= ICMPV6_ROUTER_SOLICITATION && type <= ICMPV6_REDIRECT) {
      inputNdp(ip, iface, packet);
    } else if (type === ICMPV6_ECHO_REQUEST) {
      counters.icmpInEchos++;
      this.answer(packet, ICMPV6_ECHO_REPLY);
    } else if (type === ICMPV6_ECHO_REPLY) {
      counters.icmpInEchoReps++;
      this.echo.replied(packet, ip.nowUs);
    } else if (type === ICMPV6_MLD_QUERY) {
      inputMldQuery(ip, iface, packet);
    } else if (type === ICMPV6_UNREACHABLE) {
      counters.icmpInDestUnreachs++;
      this.failed(packet);
    } else if (type === ICMPV6_PACKET_TOO_BIG) {
      counters.icmpInPktTooBigs++;
      this.failed(packet);
    } else if (type === ICMPV6_TIME_EXCEEDED) {
      counters.icmpInTimeExcds++;
      this.failed(packet);
    } else if (type === ICMPV6_PARAMETER_PROBLEM) {
      counters.icmpInParmProbs++;
      this.failed(packet);
    }
  }

  /** An echo goes back as it came (RFC 1122 §3.2.2.6, RFC 4443 §4.2). */
  private answer(packet: ReceivedPacket, type: number): void {
    const { ip } = this;
    const { memory, view, counters, settings } = ip;
    if (!settings.answerEcho) return;
    if (packet.isMulticast && (packet.isIpv4 || !settings.answerMulticastEcho)) return;
    const p = packet;
    const remote = new IpAddress(p.source0, p.source1, p.source2, p.source3, p.scope);
    if (remote.isUnspecified) return;
    let local = packet.isIpv4 ? IPV4_ANY : IPV6_ANY;
    if (!packet.isMulticast) {
      const isScoped = p.destination0 >>> 22 === 0x3fa;
      local = new IpAddress(
        p.destination0,
        p.destination1,
        p.destination2,
        p.destination3,
        isScoped ? p.scope : 0,
      );
    }
    const path = lookupPath(ip, local, remote, 0);
    if (path === undefined) return;
    const frame = memory.alloc(packet.length);
    if (frame === NO_FRAME) {
      counters.memoryFailures++;
      return;
    }
    const at = memory.start(frame);
    memory.setRange(frame, at, packet.length);
    memory.kernel.copy(at, packet.offset, packet.length);
    view.setInt32(at, type << 24); // code and checksum 0
    finishIcmp(ip, path, frame);
    counters.icmpOutMsgs++;
    counters.icmpOutEchoReps++;
    const protocol = packet.isIpv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
    ip.replies.push(path, frame, protocol, packet.tos & 0xfc, 0);
  }

  /** An error about a packet we sent, we should think. */
  private failed(packet: ReceivedPacket): void {
    const { ip } = this;
    const { view, icmpError: error } = ip;
    error.reporter0 = packet.source0;
    error.reporter1 = packet.source1;
    error.reporter2 = packet.source2;
    error.reporter3 = packet.source3;
    const at = packet.offset;
    const length = packet.length - ICMP_HEADER;
    const delivered = reportQuoted(
      ip,
      packet.isIpv4,
      at + ICMP_HEADER,
      length,
      view.getUint8(at),
      view.getUint8(at + 1),
      view.getInt32(at + 4),
      packet.interfaceIndex,
    );
    if (!delivered) ip.counters.icmpInNotOurs++;
  }

  icmpError(error: IcmpError, nowUs: number): void {
    this.echo.failed(error, nowUs);
  }
}
