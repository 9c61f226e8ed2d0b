import { IpAddress } from "../base/address.ts";
import type { ReceivedPacket } from "../base/received-packet.ts";
import { TcpConnection } from "./connection.ts";
import type { TcpEnvironment } from "./environment.ts";
import type { TcpListener } from "./listener.ts";
import { LISTEN } from "./state.ts";

/** A control block for a peer's SYN (or for the ACK of a cookie), in the demultiplexer. */
export function openPassive(
  env: TcpEnvironment,
  listener: TcpListener,
  packet: ReceivedPacket,
  ports: number,
): TcpConnection | undefined {
  if (env.demux.count >= env.settings.maxConnections) return undefined;
  const path = env.ip.path(
    new IpAddress(
      packet.destination0,
      packet.destination1,
      packet.destination2,
      packet.destination3,
      packet.scope,
    ),
    new IpAddress(packet.source0, packet.source1, packet.source2, packet.source3, packet.scope),
    listener.interfaceIndex,
  );
  if (path === undefined) return undefined;
  const c = new TcpConnection(env, listener.options);
  c.state = LISTEN;
  c.path = path;
  c.localPort = ports >>> 16;
  c.remotePort = ports & 0xffff;
  c.scope = packet.scope;
  c.passive = true;
  env.counters.tcpPassiveOpens++;
  env.demux.add(c);
  return c;
}

/** SND.UNA = ISS, SND.NXT = ISS + 1: the SYN counts as sent. */
export function startSequence(c: TcpConnection): void {
  c.sndUna = c.iss;
  c.sndNxt = (c.iss + 1) | 0;
  c.sndEnd = c.sndNxt;
  c.pushSeq = c.sndNxt;
  c.smallEnd = c.iss;
  c.sndWl2 = c.iss;
}
