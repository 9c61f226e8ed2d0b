/** IGMP messages out (RFC 3376, RFC 2236): IPv4 packets with TTL 1 and the Router Alert option. */
import type { IpAddress } from "../base/address.ts";
import { NO_FRAME } from "../base/frame-memory.ts";
import { multicastMacHigh, multicastMacLow } from "../base/mac.ts";
import { ETHERTYPE_IPV4 } from "../wire/ethernet.ts";
import {
  IGMP_LENGTH,
  IGMPV2_LEAVE,
  IGMPV2_REPORT,
  IGMPV3_REPORT_LENGTH,
  RECORD_TO_INCLUDE,
  writeIgmpv2,
  writeIgmpv3Report,
} from "../wire/igmp.ts";
import { refreshIpv4Checksum } from "../wire/ipv4.ts";
import { IPV4_OPTION_ROUTER_ALERT } from "../wire/ipv4-options.ts";
import { PROTOCOL_IGMP } from "../wire/protocol.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";

const HEADER = 24;
const ALL_ROUTERS = 0xe0000002 | 0;
const ALL_IGMPV3_ROUTERS = 0xe0000016 | 0;
/** Internetwork control (RFC 3376 §4). */
const TOS = 0xc0;

/** Reports one group. */
export function sendIgmpReport(
  ip: IpContext,
  iface: IpInterface,
  group: IpAddress,
  recordType: number,
  isOld: boolean,
): void {
  const { memory, view, counters } = ip;
  const length = isOld ? IGMP_LENGTH : IGMPV3_REPORT_LENGTH;
  const frame = memory.alloc(length, true);
  if (frame === NO_FRAME) {
    counters.memoryFailures++;
    return;
  }
  const body = memory.start(frame);
  const at = body - HEADER;
  memory.setRange(frame, at, HEADER + length);
  const isLeave = recordType === RECORD_TO_INCLUDE;
  let destination = ALL_IGMPV3_ROUTERS;
  if (isOld) {
    destination = isLeave ? ALL_ROUTERS : group.w3;
    writeIgmpv2(view, body, isLeave ? IGMPV2_LEAVE : IGMPV2_REPORT, 0, group.w3);
  } else {
    writeIgmpv3Report(view, body, recordType, group.w3);
  }
  view.setInt32(at, ((0x4600 | TOS) << 16) | (HEADER + length));
  view.setInt32(at + 4, 0x00004000);
  view.setInt32(at + 8, (1 << 24) | (PROTOCOL_IGMP << 16));
  view.setInt32(at + 12, iface.primaryAddress(true)?.w3 ?? 0);
  view.setInt32(at + 16, destination);
  view.setInt32(at + 20, (IPV4_OPTION_ROUTER_ALERT << 24) | (4 << 16));
  refreshIpv4Checksum(view, at);
  counters.ipOutRequests++;
  counters.igmpOutReports++;
  const macLow = multicastMacLow(true, destination);
  ip.replies.push(iface.link, frame, multicastMacHigh(true), macLow, ETHERTYPE_IPV4);
}
