import type { PortHandle } from "../base/port-table.ts";
import { DatagramEndpoint } from "./endpoint.ts";

/** The control block of one UDP socket. */
export class UdpSocket extends DatagramEndpoint {
  localPort = 0;
  remotePort = 0;
  /** The row in the port table; 0: not bound. */
  binding: PortHandle = 0;
  reusePort = false;
  /** SO_NO_CHECK: send IPv4 datagrams without a checksum (RFC 768). */
  noChecksum = false;
  /** Next socket of the same local port. */
  next: UdpSocket | undefined = undefined;
}
