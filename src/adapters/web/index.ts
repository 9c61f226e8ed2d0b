/** `fullduplex/web`: a host's sockets as the web's standards have them; runs in browsers, Deno, Bun and Node. */
import type { SocketHost } from "../../sockets/socket-host.ts";
import { connectFunction } from "./connect.ts";
import { tcpServerSocketClass } from "./tcp-server-socket.ts";
import { tcpSocketClass } from "./tcp-socket.ts";
import { udpSocketClass } from "./udp-socket.ts";

export { Socket, SocketError, type SocketInfo, type SocketOptions } from "./connect.ts";
export type { TCPServerSocketOpenInfo, TCPServerSocketOptions } from "./tcp-server-socket.ts";
export type { TCPSocket, TCPSocketOpenInfo, TCPSocketOptions } from "./tcp-socket.ts";
export type { UDPMessage, UDPSocketOpenInfo, UDPSocketOptions } from "./udp-socket.ts";

/**
 * WICG Direct Sockets on a host:
 *
 *     const { TCPSocket } = directSockets(host);
 *     const { readable, writable } = await new TCPSocket("10.0.0.2", 80).opened;
 */
export function directSockets(host: SocketHost) {
  return {
    TCPSocket: tcpSocketClass(host),
    TCPServerSocket: tcpServerSocketClass(host),
    UDPSocket: udpSocketClass(host),
  };
}

/**
 * The sockets API of WinterTC on a host; without TLS:
 *
 *     const { connect } = winterSockets(host);
 *     const socket = connect("10.0.0.2:80");
 */
export function winterSockets(host: SocketHost) {
  return { connect: connectFunction(host) };
}
