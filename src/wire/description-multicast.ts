/** IGMP and MLD in words. */
import { formatIpv4, formatIpv6 } from "../base/address.ts";
import {
  ICMPV6_MLD_DONE,
  ICMPV6_MLD_QUERY,
  ICMPV6_MLD_REPORT,
  ICMPV6_MLDV2_REPORT,
} from "./icmpv6.ts";
import {
  IGMP_LENGTH,
  IGMP_QUERY,
  IGMPV1_REPORT,
  IGMPV2_LEAVE,
  IGMPV2_REPORT,
  IGMPV3_QUERY_LENGTH,
  IGMPV3_REPORT,
  igmpGroup,
  igmpType,
} from "./igmp.ts";
import { MLD_LENGTH, mldGroupWord, mldMaxResponseMs } from "./mld.ts";

const RECORDS: readonly string[] = [
  "record 0",
  "is_in",
  "is_ex",
  "to_in",
  "to_ex",
  "allow",
  "block",
];
/** Group records shown in a line before it says how many more. */
const SHOWN = 4;

/** "igmp v2 report 224.0.0.251" */
export function describeIgmp(view: DataView, at: number, length: number): string {
  if (length < IGMP_LENGTH) return `igmp [|igmp] length ${length}`;
  const type = igmpType(view, at);
  const group = formatIpv4(igmpGroup(view, at));
  switch (type) {
    case IGMP_QUERY: {
      const version = length >= IGMPV3_QUERY_LENGTH ? 3 : view.getUint8(at + 1) === 0 ? 1 : 2;
      return `igmp query v${version}${igmpGroup(view, at) === 0 ? "" : ` for ${group}`}`;
    }
    case IGMPV1_REPORT:
      return `igmp v1 report ${group}`;
    case IGMPV2_REPORT:
      return `igmp v2 report ${group}`;
    case IGMPV2_LEAVE:
      return `igmp leave ${group}`;
    case IGMPV3_REPORT:
      return `igmp v3 report,${records(view, at, length, 4)}`;
    default:
      return `igmp type 0x${type.toString(16)}`;
  }
}

/** "multicast listener report v2, to_ex ff02::1:ff00:1"; undefined if it is no MLD message. */
export function describeMld(view: DataView, at: number, length: number): string | undefined {
  if (length < 8) return undefined;
  const type = view.getUint8(at);
  if (type === ICMPV6_MLDV2_REPORT) {
    return `multicast listener report v2,${records(view, at, length, 16)}`;
  }
  const name = {
    [ICMPV6_MLD_QUERY]: "query",
    [ICMPV6_MLD_REPORT]: "report",
    [ICMPV6_MLD_DONE]: "done",
  }[type];
  if (name === undefined || length < MLD_LENGTH) return undefined;
  const group = formatIpv6(
    mldGroupWord(view, at, 0),
    mldGroupWord(view, at, 1),
    mldGroupWord(view, at, 2),
    mldGroupWord(view, at, 3),
  );
  const delay = name === "query" ? `, max resp ${mldMaxResponseMs(view, at, length)}ms` : "";
  return `multicast listener ${name} ${group}${delay}`;
}

/** Both protocols' group records: type, auxiliary words, number of sources, group, sources. */
function records(view: DataView, at: number, length: number, addressBytes: number): string {
  const end = at + length;
  const count = view.getUint16(at + 6);
  let text = "";
  let i = at + 8;
  for (let n = 0; n < count; n++) {
    if (n === SHOWN) return `${text} and ${count - SHOWN} more`;
    if (i + 4 + addressBytes > end) return `${text} [|record]`;
    const type = view.getUint8(i);
    const sources = view.getUint16(i + 2);
    const group =
      addressBytes === 4
        ? formatIpv4(view.getInt32(i + 4))
        : formatIpv6(
            view.getInt32(i + 4),
            view.getInt32(i + 8),
            view.getInt32(i + 12),
            view.getInt32(i + 16),
          );
    text += ` ${RECORDS[type] ?? `record ${type}`} ${group}`;
    if (sources > 0) text += ` {${sources} sources}`;
    i += 4 + addressBytes + 4 * view.getUint8(i + 1) + addressBytes * sources;
  }
  return text === "" ? " no records" : text;
}
