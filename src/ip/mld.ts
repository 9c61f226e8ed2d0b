/** MLD messages out (RFC 3810, RFC 2710): hop limit 1 and the Router Alert option. */
import { IpAddress, IPV6_ALL_ROUTERS, IPV6_ANY } from "../base/address.ts";
import { NO_FRAME } from "../base/frame-memory.ts";
import { multicastMacHigh, multicastMacLow } from "../base/mac.ts";
import { pseudoSumIpv6 } from "../wire/checksum.ts";
import { ETHERTYPE_IPV6 } from "../wire/ethernet.ts";
import { ICMPV6_MLD_DONE, ICMPV6_MLD_REPORT } from "../wire/icmpv6.ts";
import { RECORD_TO_INCLUDE } from "../wire/igmp.ts";
import { writeIpv6Header } from "../wire/ipv6.ts";
import {
  MLD_LENGTH,
  MLDV2_REPORT_LENGTH,
  ROUTER_ALERT_HEADER,
  writeMldv1,
  writeMldv2Report,
  writeRouterAlertHeader,
} from "../wire/mld.ts";
import { PROTOCOL_HOP_BY_HOP, PROTOCOL_ICMPV6 } from "../wire/protocol.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";

const HEADERS = 40 + ROUTER_ALERT_HEADER;
/** ff02::16 */
const ALL_MLDV2_ROUTERS = new IpAddress(0xff020000, 0, 0, 0x16);

/** Reports one group. */
export function sendMldReport(
  ip: IpContext,
  iface: IpInterface,
  group: IpAddress,
  recordType: number,
  isOld: boolean,
): void {
  const { memory, view, counters } = ip;
  const length = isOld ? MLD_LENGTH : MLDV2_REPORT_LENGTH;
  const frame = memory.alloc(length, true);
  if (frame === NO_FRAME) {
    counters.memoryFailures++;
    return;
  }
  const isLeave = recordType === RECORD_TO_INCLUDE;
  const d = isOld ? (isLeave ? IPV6_ALL_ROUTERS : group) : ALL_MLDV2_ROUTERS;
  // RFC 3810 §5.2.13: from the link-local address, or :: while there is none.
  const own = iface.linkLocalAddress();
  const s = own?.isUsable ? own.address : IPV6_ANY;
  const body = memory.start(frame);
  const at = body - HEADERS;
  memory.setRange(frame, at, HEADERS + length);
  writeIpv6Header(
    view,
    at,
    0,
    0,
    ROUTER_ALERT_HEADER + length,
    PROTOCOL_HOP_BY_HOP,
    1,
    s.w0,
    s.w1,
    s.w2,
    s.w3,
    d.w0,
    d.w1,
    d.w2,
    d.w3,
  );
  writeRouterAlertHeader(view, at + 40);
  const sum = pseudoSumIpv6(
    s.w0,
    s.w1,
    s.w2,
    s.w3,
    d.w0,
    d.w1,
    d.w2,
    d.w3,
    PROTOCOL_ICMPV6,
    length,
  );
  const g = group;
  if (!isOld) writeMldv2Report(view, body, recordType, g.w0, g.w1, g.w2, g.w3, sum);
  else
    writeMldv1(
      view,
      body,
      isLeave ? ICMPV6_MLD_DONE : ICMPV6_MLD_REPORT,
      g.w0,
      g.w1,
      g.w2,
      g.w3,
      sum,
    );
  counters.ipOutRequests++;
  counters.icmpOutMsgs++;
  counters.mldOutReports++;
  const macLow = multicastMacLow(false, d.w3);
  ip.replies.push(iface.link, frame, multicastMacHigh(false), macLow, ETHERTYPE_IPV6);
}
