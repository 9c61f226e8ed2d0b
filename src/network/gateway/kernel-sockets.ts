/**
 * Sockets of the operating system, also in a program whose own network was
 * put on a host (fullduplex/register): what Node's modules did when this file
 * was loaded is kept.
 */
import dgram from "node:dgram";
import dns from "node:dns";
import net from "node:net";

type Method = (this: unknown, ...args: unknown[]) => unknown;

const { connect } = net.Socket.prototype as unknown as { connect: Method };
const { _listen2: listen } = net.Server.prototype as unknown as { _listen2: Method };
const BuiltinDgramSocket = dgram.Socket as unknown as new (
  options: dgram.SocketOptions,
) => dgram.Socket;
const { lookup } = dns;

class KernelSocket extends net.Socket {}
Object.defineProperty(KernelSocket.prototype, "connect", { value: connect });

class KernelServer extends net.Server {}
Object.defineProperty(KernelServer.prototype, "_listen2", { value: listen });

/** Connects to an address (no name) of the real network; half-open is allowed. */
export function connectKernel(host: string, port: number): net.Socket {
  const socket = new KernelSocket({ allowHalfOpen: true });
  socket.setNoDelay(true);
  socket.connect(port, host);
  return socket;
}

export function listenKernel(onConnection: (socket: net.Socket) => void): net.Server {
  return new KernelServer({ allowHalfOpen: true, noDelay: true }, onConnection);
}

/** A UDP socket; addresses are given as such, so nothing is looked up. */
export function udpKernel(type: dgram.SocketType): dgram.Socket {
  return new BuiltinDgramSocket({
    type,
    lookup: (address, _options, callback) => {
      callback(null, address, type === "udp4" ? 4 : 6);
    },
  });
}

/** Addresses of a name, as the operating system's resolver knows them. */
export function lookupKernel(name: string, family: 4 | 6): Promise<string[]> {
  return new Promise((resolve, reject) => {
    lookup(name, { family, all: true }, (error, found) => {
      if (error) reject(error);
      else resolve(found.map((entry) => entry.address));
    });
  });
}
