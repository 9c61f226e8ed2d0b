import type { SocketHost } from "../../sockets/socket-host.ts";
import type { UdpSocket } from "../../sockets/udp-socket.ts";
import { bytesOf, settling } from "./byte-streams.ts";
import { familyOf, invalidState, networkError, portOf, sizeOf } from "./errors.ts";

/** https://wicg.github.io/direct-sockets/#dom-udpsocketoptions */
export interface UDPSocketOptions {
  /** With `remotePort`: connected mode. */
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  /** Bound mode. */
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly sendBufferSize?: number;
  readonly receiveBufferSize?: number;
  readonly dnsQueryType?: "ipv4" | "ipv6";
  readonly ipv6Only?: boolean;
  readonly multicastAllowAddressSharing?: boolean;
  readonly multicastTimeToLive?: number;
  readonly multicastLoopback?: boolean;
}

export interface UDPMessage {
  data: ArrayBuffer | ArrayBufferView;
  remoteAddress?: string;
  remotePort?: number;
  dnsQueryType?: "ipv4" | "ipv6";
}

export interface MulticastController {
  joinGroup(address: string): Promise<void>;
  leaveGroup(address: string): Promise<void>;
  readonly joinedGroups: readonly string[];
}

export interface UDPSocketOpenInfo {
  readonly readable: ReadableStream<UDPMessage>;
  readonly writable: WritableStream<UDPMessage>;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** In bound mode. */
  readonly multicastController?: MulticastController;
}

export interface UDPSocket {
  readonly opened: Promise<UDPSocketOpenInfo>;
  readonly closed: Promise<void>;
  /** Rejects with InvalidStateError while a stream is locked or nothing is open. */
  close(): Promise<void>;
}

export type UDPSocketClass = new (options: UDPSocketOptions) => UDPSocket;

/** The class of a host: `new UDPSocket({ remoteAddress: "10.0.0.2", remotePort: 53 })`. */
export function udpSocketClass(host: SocketHost): UDPSocketClass {
  return class UDPSocket {
    readonly opened: Promise<UDPSocketOpenInfo>;
    readonly closed: Promise<void>;
    #info: UDPSocketOpenInfo | undefined = undefined;

    constructor(options: UDPSocketOptions) {
      check(options);
      const closed = settling();
      this.closed = closed.promise;
      this.opened = open(host, options).then(
        (socket) => {
          this.#info = infoOf(host, socket, options, closed.resolve, closed.reject);
          return this.#info;
        },
        (error: unknown) => {
          const reason = networkError(error);
          closed.reject(reason);
          throw reason;
        },
      );
      this.opened.catch(() => {});
    }

    /** Ends both streams. Rejects with InvalidStateError while one is locked or nothing is open. */
    async close(): Promise<void> {
      const info = this.#info;
      if (info === undefined) throw invalidState("the socket is not open; wait for `opened`");
      if (info.readable.locked || info.writable.locked) {
        throw invalidState("a stream of the socket is locked; release its reader and writer first");
      }
      await Promise.all([info.readable.cancel(), info.writable.abort()]).catch(() => {});
      return this.closed;
    }
  };
}

function check(options: UDPSocketOptions): void {
  const { remoteAddress, remotePort, localAddress, localPort } = options;
  if ((remoteAddress === undefined) !== (remotePort === undefined)) {
    throw new TypeError("remoteAddress and remotePort go together");
  }
  if (remoteAddress === undefined && localAddress === undefined) {
    throw new TypeError("give remoteAddress and remotePort (connected), or localAddress (bound)");
  }
  if (remoteAddress !== undefined && localAddress !== undefined) {
    throw new TypeError("a socket is connected (remoteAddress) or bound (localAddress), not both");
  }
  if (localAddress === undefined && localPort !== undefined) {
    throw new TypeError("localPort goes with localAddress");
  }
  if (options.dnsQueryType !== undefined && remoteAddress === undefined) {
    throw new TypeError("dnsQueryType goes with remoteAddress; in bound mode each message has it");
  }
  if (options.ipv6Only !== undefined && localAddress !== "::") {
    throw new TypeError('ipv6Only goes with localAddress "::" alone');
  }
}

async function open(host: SocketHost, options: UDPSocketOptions): Promise<UdpSocket> {
  const sendBuffer = sizeOf(options.sendBufferSize, "sendBufferSize");
  const receiveBuffer = sizeOf(options.receiveBufferSize, "receiveBufferSize");
  const buffers = {
    ...(sendBuffer !== undefined && { sendBuffer }),
    ...(receiveBuffer !== undefined && { receiveBuffer }),
  };
  if (options.remoteAddress !== undefined) {
    const port = portOf(options.remotePort, "remotePort", 1);
    const family = familyOf(options.dnsQueryType);
    const [address] = await host.resolve(options.remoteAddress, family ? { family } : {});
    if (address === undefined) throw new Error(`${options.remoteAddress} has no address`);
    const socket = await host.udp({ family: address.isIpv4 ? 4 : 6, ...buffers });
    try {
      socket.connect(address, port);
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }
  const { ipv6Only, multicastAllowAddressSharing: shared } = options;
  const socket = await host.udp({
    address: options.localAddress!,
    port: options.localPort === undefined ? 0 : portOf(options.localPort, "localPort", 1),
    ...buffers,
    ...(ipv6Only !== undefined && { ipv6Only }),
    ...(shared && { reuseAddress: true }),
  });
  const isIpv6 = socket.localAddress.includes(":");
  const { multicastTimeToLive: ttl, multicastLoopback: loop } = options;
  if (ttl !== undefined) socket.setOption(isIpv6 ? "IPV6_MULTICAST_HOPS" : "IP_MULTICAST_TTL", ttl);
  if (loop !== undefined) {
    socket.setOption(isIpv6 ? "IPV6_MULTICAST_LOOP" : "IP_MULTICAST_LOOP", loop);
  }
  return socket;
}

function infoOf(
  host: SocketHost,
  socket: UdpSocket,
  options: UDPSocketOptions,
  resolve: () => void,
  reject: (reason: unknown) => void,
): UDPSocketOpenInfo {
  const isConnected = options.remoteAddress !== undefined;
  let open = 2;
  const over = () => {
    if (--open > 0) return;
    socket.close();
    resolve();
  };
  const broke = (error: unknown) => {
    const reason = networkError(error);
    socket.close();
    reject(reason);
    return reason;
  };
  const readable = new ReadableStream<UDPMessage>(
    {
      async pull(controller) {
        try {
          const { data, address, port } = await socket.receive();
          // In connected mode it is known who sent it.
          controller.enqueue(
            isConnected ? { data } : { data, remoteAddress: address, remotePort: port },
          );
        } catch (error) {
          if (!socket.socket.closed) controller.error(broke(error));
        }
      },
      cancel: over,
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<UDPMessage>({
    async write(message) {
      const bytes = bytesOf(message?.data);
      const to = isConnected ? noAddress(message) : await addressOf(host, message);
      await socket.send(bytes, to).catch((error: unknown) => {
        throw broke(error);
      });
    },
    close: over,
    abort: over,
  });
  const remote = isConnected
    ? { remoteAddress: socket.remoteAddress!, remotePort: socket.remotePort! }
    : { multicastController: groups(socket) };
  const { localAddress, localPort } = socket;
  return { readable, writable, localAddress, localPort, ...remote };
}

function noAddress(message: UDPMessage): undefined {
  if (message.remoteAddress !== undefined || message.remotePort !== undefined) {
    throw new TypeError("the socket is connected: messages have no address of their own");
  }
  return undefined;
}

async function addressOf(host: SocketHost, message: UDPMessage) {
  if (message.remoteAddress === undefined || message.remotePort === undefined) {
    throw new TypeError("the socket is bound: each message needs remoteAddress and remotePort");
  }
  const port = portOf(message.remotePort, "remotePort", 1);
  const family = familyOf(message.dnsQueryType);
  const [address] = await host.resolve(message.remoteAddress, family ? { family } : {});
  if (address === undefined) throw new TypeError(`${message.remoteAddress} has no address`);
  return { address, port };
}

function groups(socket: UdpSocket): MulticastController {
  const joined: string[] = [];
  return {
    get joinedGroups() {
      return [...joined];
    },
    async joinGroup(address) {
      if (joined.includes(address)) throw invalidState(`${address} is joined already`);
      try {
        socket.join(address);
      } catch (error) {
        throw networkError(error);
      }
      joined.push(address);
    },
    async leaveGroup(address) {
      const at = joined.indexOf(address);
      if (at < 0) throw invalidState(`${address} is not joined`);
      socket.leave(address);
      joined.splice(at, 1);
    },
  };
}
