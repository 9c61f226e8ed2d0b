import cluster from "node:cluster";
import dgram from "node:dgram";
import dns from "node:dns";
import dnsPromises from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import os from "node:os";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { hostDgram } from "./dgram.ts";
import { hostDns } from "./dns.ts";
import { networkInterfaces } from "./interfaces.ts";
import { define, hookServer, hookSocket, serverHandle } from "./net-hooks.ts";
import { shareWithTcp } from "./shared-methods.ts";
import { hookTls } from "./tls-hooks.ts";

/**
 * Puts the network of this thread's program on a host: the sockets, servers
 * and name lookups of Node's own modules, and with them http, https, http2,
 * tls and fetch, which stand on those.
 */
export function takeOver(host: SocketHost): void {
  const hostOf = () => host;
  hookSocket(net.Socket.prototype, hostOf);
  hookServer(net.Server.prototype, hostOf);
  hookTls(hostOf);
  Object.assign(dgram, hostDgram(hostOf));
  const { promises, ...functions } = hostDns(host);
  Object.assign(dns, functions);
  Object.assign(dnsPromises, promises);
  takeOverHandles(hostOf);
  define(os, "networkInterfaces", () => networkInterfaces(host));
  if (cluster.isWorker) refuseCluster();
  syncBuiltinESMExports();
}

/**
 * `net._createServerHandle` for programs that make a handle themselves; what
 * programs change on TCP's prototype holds for our handles too.
 */
function takeOverHandles(hostOf: () => SocketHost): void {
  const module = net as unknown as { _createServerHandle: CreateServerHandle };
  const original = module._createServerHandle;
  module._createServerHandle = (address, port, addressType, fd, flags) => {
    const isPath = port === -1 && addressType === -1;
    if (isPath || (typeof fd === "number" && fd >= 0)) {
      return original(address, port, addressType, fd, flags);
    }
    return serverHandle(hostOf(), address, port, addressType, flags);
  };
  shareWithTcp(["ref", "unref", "setNoDelay", "setKeepAlive"]);
}

type CreateServerHandle = (
  address: string | null,
  port: number,
  addressType: number,
  fd?: number,
  flags?: number,
) => object | number;

/** Workers share the primary's kernel sockets, of which a stack in this process knows nothing. */
function refuseCluster(): void {
  (cluster as unknown as { _getServer(...args: unknown[]): void })._getServer = () => {
    throw Object.assign(
      new Error(
        "fullduplex/register: a cluster worker cannot share its primary's socket, since each " +
          "process has a stack of its own; listen with exclusive: true, or without cluster",
      ),
      { code: "ERR_FULLDUPLEX_NOT_COVERED" },
    );
  };
}
