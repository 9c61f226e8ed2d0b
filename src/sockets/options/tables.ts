import { EINVAL, ENOPROTOOPT } from "../../base/errors.ts";
import {
  SOL_ICMPV6,
  SOL_IP,
  SOL_IPV6,
  SOL_RAW,
  SOL_SOCKET,
  SOL_TCP,
  SOL_UDP,
} from "../constants.ts";
import type { Socket } from "../socket.ts";
import { IP_OPTIONS } from "./ip-level.ts";
import { IPV6_OPTIONS } from "./ipv6-level.ts";
import { isRaw, isStream, isUdp } from "./kinds.ts";
import { OptionFailure, type OptionTable, type OptionValue } from "./option.ts";
import { SOCKET_OPTIONS } from "./socket-level.ts";
import { TCP_OPTIONS } from "./tcp-level.ts";
import { ICMP_OPTIONS, UDP_OPTIONS } from "./udp-level.ts";

/** Where an option's value goes: the call itself answers 0 or -errno. */
export interface OptionResult {
  value: OptionValue;
}

function tableOf(socket: Socket, level: number): OptionTable | undefined {
  switch (level) {
    case SOL_SOCKET:
      return SOCKET_OPTIONS;
    case SOL_IP:
      return IP_OPTIONS; // Linux lets AF_INET6 sockets have these too: they may carry IPv4
    case SOL_IPV6:
      return socket.isIpv6 ? IPV6_OPTIONS : undefined;
    case SOL_TCP:
      return isStream(socket) ? TCP_OPTIONS : undefined;
    case SOL_UDP:
      return isUdp(socket) ? UDP_OPTIONS : undefined;
    case SOL_RAW:
    case SOL_ICMPV6:
      return isRaw(socket) ? ICMP_OPTIONS : undefined;
    default:
      return undefined;
  }
}

/** 0 or -errno. */
export function setOption(
  socket: Socket,
  level: number,
  option: number,
  value: OptionValue,
): number {
  const row = tableOf(socket, level)?.get(option);
  if (row?.set === undefined) return -ENOPROTOOPT;
  if (value === undefined || value === null) return -EINVAL;
  return row.set(socket, value);
}

/** 0 with the value in `result`, or -errno. */
export function getOption(
  socket: Socket,
  level: number,
  option: number,
  result: OptionResult,
): number {
  const row = tableOf(socket, level)?.get(option);
  if (row?.get === undefined) return -ENOPROTOOPT;
  const value = row.get(socket);
  if (value instanceof OptionFailure) return -value.errno;
  result.value = value;
  return 0;
}
