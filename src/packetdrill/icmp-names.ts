/** The words of packetdrill's ICMP packets. */

export interface IcmpNames {
  readonly type: number;
  readonly codes: Readonly<Record<string, number>>;
}

const V4: Readonly<Record<string, IcmpNames>> = {
  echo_reply: { type: 0, codes: {} },
  unreachable: {
    type: 3,
    codes: {
      net_unreachable: 0,
      host_unreachable: 1,
      protocol_unreachable: 2,
      port_unreachable: 3,
      frag_needed: 4,
      source_route_failed: 5,
      net_unknown: 6,
      host_unknown: 7,
      source_host_isolated: 8,
      net_prohibited: 9,
      host_prohibited: 10,
      net_unreachable_for_tos: 11,
      host_unreachable_for_tos: 12,
      packet_filtered: 13,
      comm_prohibited: 13,
      precedence_violation: 14,
      precedence_cutoff: 15,
    },
  },
  source_quench: { type: 4, codes: {} },
  redirect: { type: 5, codes: { net: 0, host: 1, tos_net: 2, tos_host: 3 } },
  echo_request: { type: 8, codes: {} },
  time_exceeded: {
    type: 11,
    codes: {
      ttl_exceeded_in_transit: 0,
      exceeded_ttl: 0,
      frag_reass_exceeded: 1,
      exceeded_fragtime: 1,
    },
  },
  parameter_problem: { type: 12, codes: {} },
  timestamp_request: { type: 13, codes: {} },
  timestamp_reply: { type: 14, codes: {} },
  information_request: { type: 15, codes: {} },
  information_reply: { type: 16, codes: {} },
  address_mask_request: { type: 17, codes: {} },
  address_mask_reply: { type: 18, codes: {} },
};

const V6: Readonly<Record<string, IcmpNames>> = {
  unreachable: {
    type: 1,
    codes: {
      no_route: 0,
      net_unreachable: 0,
      admin_prohibited: 1,
      comm_prohibited: 1,
      not_neighbour: 2,
      not_neighbor: 2,
      beyond_scope: 2,
      addr_unreachable: 3,
      address_unreachable: 3,
      host_unreachable: 3,
      port_unreachable: 4,
      source_policy: 5,
      failed_policy: 5,
      reject_route: 6,
    },
  },
  packet_too_big: { type: 2, codes: {} },
  time_exceeded: {
    type: 3,
    codes: {
      exceeded_hop_limit: 0,
      hop_limit_exceeded: 0,
      exceeded_frag_time: 1,
      frag_reass_exceeded: 1,
      exceeded_fragtime: 1,
    },
  },
  parameter_problem: {
    type: 4,
    codes: {
      erroneous_header: 0,
      err_header: 0,
      header_field: 0,
      unknown_next_header: 1,
      unrecognized_next_header: 1,
      unknown_nexthdr: 1,
      unrecognized_option: 2,
      unknown_option: 2,
    },
  },
  echo_request: { type: 128, codes: {} },
  echo_reply: { type: 129, codes: {} },
};

/** Type and code for the words of a script; undefined: not a message of that IP version. */
export function icmpNumbers(
  isIpv4: boolean,
  type: string,
  code: string,
): { type: number; code: number } | undefined {
  const number = /^type_([0-9]+)$/.exec(type);
  const names = (isIpv4 ? V4 : V6)[type] ?? (number && { type: Number(number[1]), codes: {} });
  if (!names) return undefined;
  if (code === "") return { type: names.type, code: 0 };
  const plain = /^(?:code_)?([0-9]+)$/.exec(code);
  const value = names.codes[code] ?? (plain ? Number(plain[1]) : undefined);
  return value === undefined ? undefined : { type: names.type, code: value };
}

/** The words for a type and code, for printing what the stack sent. */
export function icmpWords(isIpv4: boolean, type: number, code: number): string {
  for (const [name, names] of Object.entries(isIpv4 ? V4 : V6)) {
    if (names.type !== type) continue;
    const word = Object.entries(names.codes).find(([, value]) => value === code)?.[0];
    if (word !== undefined) return `${name} ${word}`;
    return code === 0 ? name : `${name} code_${code}`;
  }
  return `type_${type} code_${code}`;
}
